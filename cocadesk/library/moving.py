"""A library moved to another folder, on another disk too: copied, compared, then switched.

The copy grows under a hidden name beside its place, with which it becomes a library in one
rename, and only then the old folder says where it went (``moved.json``). Whatever interrupts it
before, the old one is untouched; a copy that a kill left is gone on with. ``moved-from.json`` in
the new folder names the old copy until a person removes that.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from cocadesk.errors import UserError, tr
from cocadesk.library.atomic import sync_folder, write_atomically
from cocadesk.library.in_hand import NOTE_NAME
from cocadesk.library.layout import MANIFEST_NAME, MOVED_FROM_NAME, check_disk, read_manifest
from cocadesk.library.lock import LOCK_NAME, WriterLock
from cocadesk.library.paths import is_under
from cocadesk.library_uri import MOVED_NAME, moved_to, uri_of

CHUNK_BYTES = 1 << 20
SPARE_BYTES = 64 << 20
"""Left free on the other disk, for the first things that are written there."""
_STAYS = frozenset({LOCK_NAME, NOTE_NAME, MOVED_NAME, MOVED_FROM_NAME})
_REST = frozenset({LOCK_NAME, MOVED_NAME})
"""All that a library leaves in a folder that it was moved from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveState:
    """How far a move is, in files and bytes."""

    files: int
    all_files: int
    done_bytes: int
    all_bytes: int


@dataclass(frozen=True, slots=True)
class _File:
    """A file of the library by its path in it, as it was before it was copied."""

    name: str
    size_bytes: int
    mtime_ns: int


class LibraryMove:
    """Moves the library in ``folder`` to ``to``, which a first look has found fit.

    ``copy`` may run beside the library's work and again, as it takes what is new or changed
    alone; ``switch`` needs that nobody writes since the last ``copy``. ``on_state`` hears of
    each file and may raise, e.g. when nobody wants the move any more.

    Raises:
        UserError: the library can't be moved there.
    """

    def __init__(
        self, folder: Path, to: Path, on_state: Callable[[MoveState], None] = lambda _state: None
    ) -> None:
        self.folder = folder
        self.to = to
        self._on_state = on_state
        self._draft = to.with_name(f".{to.name}.moving")
        self._copied: dict[str, _File] = {}
        self._check()
        write_atomically(self._note, _note("to_hex", to), durable=True)

    @property
    def _note(self) -> Path:
        """The note that ``switch`` renames: the old disk may be full by then."""
        return self.folder / f"{MOVED_NAME}.draft"

    @property
    def size_bytes(self) -> int:
        """The bytes that were copied."""
        return sum(file.size_bytes for file in self._copied.values())

    def copy(self) -> None:
        """Copies what the copy lacks, comparing each file, and drops what the library has no more.

        Raises:
            UserError: the other disk is full, refuses, or gives back something else.
        """
        files = list(_files(self.folder))
        all_bytes, done_bytes = sum(file.size_bytes for file in files), 0
        with _in_words(self.to):
            self._draft.mkdir(mode=0o700, parents=True, exist_ok=True)
            for done, file in enumerate(files):
                self._tell(done, len(files), done_bytes, all_bytes)
                if self._copied.get(file.name) != file:
                    self._bring(file)
                done_bytes += file.size_bytes
            self._drop_others({file.name for file in files})
            self._copied = {f.name: f for f in files if f.name in self._copied}
        self._tell(len(files), len(files), all_bytes, all_bytes)

    def switch(self) -> None:
        """Makes the copy the library, and lets the old folder say so.

        Raises:
            UserError: a disk refuses; the old library counts then.
        """
        with _in_words(self.to):
            write_atomically(
                self._draft / MOVED_FROM_NAME, _note("from_hex", self.folder), durable=True
            )
            if hasattr(os, "sync"):
                os.sync()
            _clear(self.to)
            self._draft.rename(self.to)
            sync_folder(self.to.parent)
            self._note.replace(self.folder / MOVED_NAME)
        with contextlib.suppress(OSError):  # it is moved
            sync_folder(self.folder)

    def abandon(self) -> None:
        """Removes the copy; the library is as it was."""
        self._note.unlink(missing_ok=True)
        shutil.rmtree(self._draft, ignore_errors=True)

    # Looking first -------------------------------------------------------------------

    def _check(self) -> None:
        """Raises a sentence where the library can't be moved there."""
        if uri_of(self.folder) is not None:
            raise UserError(
                tr("A library in an object store can't be moved from here."),
                "",
                tr("Copy it with the tools of the store, then open it by its new address."),
            )
        old = old_copy(self.folder)
        if old is not None:
            raise UserError(
                tr("The library was moved before, and its old copy is still in {old}.", old=old),
                "",
                tr("Remove the old copy first, then move the library again."),
            )
        here, there = os.path.realpath(self.folder), os.path.realpath(self.to)
        if is_under(os.fsencode(there), os.fsencode(here)):
            raise UserError(
                tr("The library can't be moved to {to}.", to=self.to),
                tr("That is the library's own folder, or one in it."),
                tr("Choose another folder."),
            )
        self._check_place()
        self._check_room()

    def _check_place(self) -> None:
        parent = self.to.parent
        if not parent.is_dir():
            raise UserError(
                tr("The library can't be moved to {to}.", to=self.to),
                tr("There is no folder {parent}.", parent=parent),
                tr("Check that its disk is connected, or choose another folder."),
            )
        with _in_words(self.to):
            if not _is_free(self.to) and not _is_left_copy(self.folder, self.to):
                raise UserError(
                    tr("The library can't be moved to {to}.", to=self.to),
                    tr("There is something in that folder."),
                    tr("Choose another folder, or give it another name."),
                )
            if self.to.exists() and not _is_free(self.to):
                self.to.rename(self._draft)  # a kill came between the copy and the note
            probe = parent / f".cocadesk-{os.getpid()}.tmp"
            probe.touch()
            probe.unlink()
        check_disk(self.to)

    def _check_room(self) -> None:
        """The other disk must hold all that is not there already."""
        files = list(_files(self.folder))
        needed = sum(file.size_bytes for file in files)
        if self._draft.is_dir():
            needed -= sum(file.size_bytes for file in _files(self._draft))
        free = shutil.disk_usage(self.to.parent).free
        if free < needed + SPARE_BYTES:
            raise UserError(
                tr("There is not enough space for the library in {parent}.", parent=self.to.parent),
                tr(
                    "It needs {size}, and {free} are free.",
                    size=_size(needed + SPARE_BYTES),
                    free=_size(free),
                ),
                tr("Free some space there, or choose another disk."),
            )

    # Copying -------------------------------------------------------------------------

    def _bring(self, file: _File) -> None:
        """Has one file in the copy, the same byte for byte; of one that is gone now, none."""
        source, target = self.folder / file.name, self._draft / file.name
        try:
            if not self._is_there(target, file) or _digest(source) != _digest(target):
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                wanted = self._write(source, target)
                if _digest(target) != wanted:
                    raise UserError(
                        tr(
                            "The copy of {source} in {parent} is not the same.",
                            source=source,
                            parent=target.parent,
                        ),
                        tr("The other disk gives back something else than what was written to it."),
                        tr("Don't keep anything on that disk before it was checked."),
                    )
        except FileNotFoundError:
            if source.exists():
                raise
            return
        os.utime(target, ns=(file.mtime_ns, file.mtime_ns))
        self._copied[file.name] = file

    def _write(self, source: Path, target: Path) -> bytes:
        digest = hashlib.blake2b(digest_size=16)
        with source.open("rb") as read, target.open("wb") as written:
            while chunk := read.read(CHUNK_BYTES):
                digest.update(chunk)
                written.write(chunk)
            written.flush()
            if written.tell() >= CHUNK_BYTES:
                os.fsync(written.fileno())
                _leave_memory(written)
        return digest.digest()

    @staticmethod
    def _is_there(target: Path, file: _File) -> bool:
        """True where an earlier try left this file; it is compared all the same."""
        try:
            there = target.stat()
        except FileNotFoundError:
            return False
        is_as_old = abs(there.st_mtime_ns - file.mtime_ns) < 2_000_000_000
        return there.st_size == file.size_bytes and is_as_old

    def _drop_others(self, names: set[str]) -> None:
        for file in list(_files(self._draft)):
            if file.name not in names:
                (self._draft / file.name).unlink(missing_ok=True)
                self._copied.pop(file.name, None)

    def _tell(self, files: int, all_files: int, done: int, total: int) -> None:
        self._on_state(
            MoveState(files=files, all_files=all_files, done_bytes=done, all_bytes=total)
        )


def old_copy(folder: Path) -> Path | None:
    """The folder with the old copy of a library that was moved, or None."""
    try:
        note = json.loads((folder / MOVED_FROM_NAME).read_bytes())
        return Path(os.fsdecode(bytes.fromhex(note["from_hex"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_old_copy(folder: Path) -> list[str]:
    """Removes the copy that a move has left behind; sentences on what was done.

    The note on where the library is stays in its old folder.

    Raises:
        UserError: something else uses it, or it can't be removed.
    """
    old = old_copy(folder)
    if old is None:
        return [tr("There is no old copy of this library.")]
    said = tr("The old copy in {old} is gone already.", old=old)
    if old.is_dir():
        to = moved_to(old)
        if to is None or os.path.realpath(to) != os.path.realpath(folder):
            said = tr(
                "What is in {old} is no old copy of this library any more; it stays.", old=old
            )
        else:
            freed = _remove(old)
            said = tr(
                "The old copy in {old} was removed; {size} are free again.",
                old=old,
                size=_size(freed),
            )
    (folder / MOVED_FROM_NAME).unlink(missing_ok=True)
    return [said]


def _remove(old: Path) -> int:
    """Removes all but the note in the old folder; the bytes that it held."""
    lock = WriterLock(old)
    lock.acquire()
    try:
        freed = sum(file.size_bytes for file in _files(old))
        # The description goes first: what is left of an interrupted removal is no library.
        for path in sorted(old.iterdir(), key=lambda path: path.name != MANIFEST_NAME):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path.name not in _REST:
                path.unlink()
    except OSError as error:
        raise UserError(
            tr("The old copy in {old} can't be removed.", old=old),
            tr("The reason: {reason}.", reason=error.strerror or error),
            tr("Check the folder's permissions, then try again; the library itself is safe."),
        ) from error
    finally:
        lock.release()
    return freed


def _files(folder: Path) -> Iterator[_File]:
    """The files of a library in a fixed order, but for those of a process; links are followed."""
    seen: set[tuple[int, int]] = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=_unless_gone):
        try:
            at = os.stat(place)  # noqa: PTH116 - as os.walk gives it
        except FileNotFoundError:
            continue
        if (at.st_dev, at.st_ino) in seen:
            folders.clear()
            continue
        seen.add((at.st_dev, at.st_ino))
        folders.sort()
        for name in sorted(names):
            path = Path(place) / name
            is_own = path.parent == folder and name.removesuffix(".draft") in _STAYS
            if is_own or name.endswith(".tmp") or not path.is_file():
                continue
            with contextlib.suppress(FileNotFoundError):
                found = path.stat()
                inside = str(path.relative_to(folder))
                yield _File(inside, found.st_size, found.st_mtime_ns)


def _unless_gone(error: OSError) -> None:
    """A folder that can't be read must not be missing in a copy; one may have been tidied away."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _is_free(to: Path) -> bool:
    """True where nothing is, or no more than a library leaves behind."""
    return not to.exists() or (to.is_dir() and {path.name for path in to.iterdir()} <= _REST)


def _is_left_copy(folder: Path, to: Path) -> bool:
    """True where a move of this library was killed before its old folder could say so."""
    if old_copy(to) != folder or moved_to(folder) is not None:
        return False
    mine, theirs = read_manifest(folder), read_manifest(to)
    return mine is not None and theirs is not None and mine.id == theirs.id


def _clear(to: Path) -> None:
    if to.is_dir():
        for name in _REST:
            (to / name).unlink(missing_ok=True)
        to.rmdir()


def _note(name: str, folder: Path) -> bytes:
    path = os.path.abspath(folder)  # noqa: PTH100 - keeps links as given
    return json.dumps({name: os.fsencode(path).hex(), "folder": ascii(path)}, indent=1).encode()


def _digest(path: Path) -> bytes:
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.digest()


def _leave_memory(file: BinaryIO) -> None:
    """Lets the disk itself be read next, where the system can be told so (Linux)."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _size(size_bytes: int) -> str:
    if size_bytes < 1e9:
        return f"{max(size_bytes / 1e6, 0.1):,.1f} MB"
    return f"{size_bytes / 1e9:,.1f} GB"


@contextlib.contextmanager
def _in_words(to: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            tr("The library can't be moved to {to}.", to=to),
            tr("The reason: {reason}.", reason=error.strerror or error),
            tr(
                "It is where it was, and works on. Choose another folder, or free some space there."
            ),
        ) from error
