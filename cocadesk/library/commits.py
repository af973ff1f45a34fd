"""Commits that are on the disk before they count, with the checksums of their files.

Lance renames its files into place but never asks the disk to keep them: after a power cut
the newest manifest can have 0 bytes. And it holds no checksums: a flipped bit in a vector
is another vector. So after each write the new files and their folders are synced, and
their sizes, times and checksums are added to ``TABLE.checksums`` beside the table.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import closed_to_us
from cocadesk.library.atomic import sync_folder, write_atomically
from cocadesk.library.lance_files import (
    VERSIONS,
    Version,
    manifest_name,
    parse_manifest,
    version_numbers,
)
from cocadesk.library.storage import storage_of

CHECKSUMS = ".checksums"
_READ_BYTES = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMark:
    """A file as it was committed."""

    size_bytes: int
    mtime_ns: int
    checksum: int


def table_folder(store: Path, table: str) -> Path:
    """The folder of a table's files."""
    return store / f"{table}.lance"


def mark_of(path: Path) -> FileMark:
    """The mark of a file as it is now.

    Raises:
        OSError: it can't be read.
    """
    status = path.stat()
    return FileMark(
        size_bytes=status.st_size, mtime_ns=status.st_mtime_ns, checksum=checksum_of(path)
    )


def checksum_of(path: Path) -> int:
    """The CRC-32 of a file: it finds every single flipped byte at 3 GB/s."""
    value = 0
    with path.open("rb") as file:
        while piece := file.read(_READ_BYTES):
            value = zlib.crc32(piece, value)
    return value


class CommittedFiles:
    """The committed files of one table by their paths in its folder."""

    def __init__(self, store: Path, table: str) -> None:
        self._file = store / f"{table}{CHECKSUMS}"
        self.folder = table_folder(store, table)
        self.marks = dict(_read_marks(self._file))
        self._sealed: int | None = None
        self._synced: set[Path] = set()

    @property
    def newest(self) -> int:
        """The newest version that was ever committed; 0 where none is known."""
        prefix, suffix = f"{VERSIONS}/", ".manifest"
        counted = [
            int(name[len(prefix) : -len(suffix)])
            for name in self.marks
            if name.startswith(prefix) and name.endswith(suffix)
        ]
        return 2**64 - 1 - min(counted) if counted else 0

    def seal(self) -> None:
        """Bring the commits since the last call to the disk.

        Raises:
            OSError: the disk refuses.
        """
        added: dict[str, FileMark] = {}
        for number in self._since():
            name = manifest_name(number)
            version = parse_manifest((self.folder / name).read_bytes())
            new = [p for p in paths_of(self.folder, version) if p not in self.marks]
            for path in (*new, name):
                if (self.folder / path).is_file():
                    _sync(self.folder / path)
                    added[path] = self.marks[path] = mark_of(self.folder / path)
            self._sync_folders({(self.folder / path).parent for path in (*new, name)})
            self._sealed = number
        if added:
            self._append(added)

    def _sync_folders(self, folders: set[Path]) -> None:
        """Make the names in ``folders`` durable; also those of folders seen for the first time."""
        for folder in folders:
            if folder.exists():
                sync_folder(folder)
            if folder not in self._synced:
                self._synced.add(folder)
                while folder != self.folder.parent:
                    folder = folder.parent
                    sync_folder(folder)

    def _since(self) -> list[int]:
        """The versions since the last call."""
        if self._sealed is None:
            there = version_numbers(self.folder)[:1]
            self._sealed = self.newest or (there[0] - 1 if there else 0)
        found = []
        number = self._sealed + 1
        while (self.folder / manifest_name(number)).exists():
            found.append(number)
            number += 1
        if not found:  # Nothing was written, or versions were made and dropped again.
            found = [n for n in version_numbers(self.folder) if n >= number][::-1]
        return found

    def _append(self, marks: dict[str, FileMark]) -> None:
        # Not synced: files without marks are read whole after a crash, so nothing hangs on
        # them. An empty line first, as a crash may have left half a line.
        lines = "".join(["\n", *map(_line, marks.items())])
        with self._file.open("a", encoding="utf-8") as file:
            file.write(lines)

    def keep(self, marks: dict[str, FileMark]) -> None:
        """Replace all marks."""
        self.marks = marks
        self._sealed = None
        text = "".join(map(_line, marks.items()))
        write_atomically(self._file, text.encode(), durable=True)

    def adopt(self, version: Version) -> None:
        """Make ``version`` durable and mark its files as they are now, where that is news."""
        name = manifest_name(version.number)
        paths = paths_of(self.folder, version)
        marks = {p: mark for p, mark in self.marks.items() if (self.folder / p).exists()}
        for path in (*paths, name):
            file = self.folder / path
            if file.is_file() and not self._is_known(path):
                _sync(file)
                marks[path] = mark_of(file)
        if marks != self.marks:
            self._sync_folders({(self.folder / path).parent for path in (*paths, name)})
            self.keep(marks)
        self._sealed = version.number

    def _is_known(self, path: str) -> bool:
        mark = self.marks.get(path)
        return mark is not None and mark.mtime_ns == (self.folder / path).stat().st_mtime_ns

    def forget_vanished(self) -> None:
        """Drop the marks of files that tidying has removed."""
        kept = {path: mark for path, mark in self.marks.items() if (self.folder / path).exists()}
        if len(kept) != len(self.marks):
            sealed = self._sealed
            self.keep(kept)
            self._sealed = sealed

    def drop(self) -> None:
        """Forget the table, before it is removed."""
        self.marks, self._sealed = {}, None
        self._file.unlink(missing_ok=True)


class CommittedObjects:
    """The same of a table in an object store: what that has taken is kept, and kept whole."""

    def __init__(self, store: Path, table: str) -> None:
        """Takes what ``CommittedFiles`` takes."""

    def seal(self) -> None:
        """Nothing is left to do."""

    def forget_vanished(self) -> None:
        """Nothing is left to do."""

    def drop(self) -> None:
        """Nothing is left to do."""


def paths_of(folder: Path, version: Version) -> list[str]:
    """All files that reading a version needs, without its manifest.

    Nobody needs the file of a transaction: the manifest holds it too.
    """
    paths = [path for fragment in version.fragments for path, _ in fragment.files]
    for index in version.indexes:
        try:
            paths += sorted(f"{index}/{file.name}" for file in (folder / index).iterdir())
        except OSError:
            paths.append(index)
    return paths


def _sync(path: Path) -> None:
    """Bring a file to the disk; Windows needs a handle that may write."""
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(named: tuple[str, FileMark]) -> str:
    path, mark = named
    text = f"{mark.size_bytes} {mark.mtime_ns} {mark.checksum} {path}"
    return f"{zlib.crc32(text.encode()):08x} {text}\n"


def _read_marks(file: Path) -> Iterator[tuple[str, FileMark]]:
    """The marks of whole lines, the last of each path; a damaged line is as none."""
    try:
        lines = file.read_bytes().split(b"\n")
    except OSError:
        return
    for line in lines:
        checksum, _, text = line.partition(b" ")
        try:
            if int(checksum, 16) != zlib.crc32(text):
                continue
            size, mtime, content, path = text.decode().split(" ", 3)
            mark = FileMark(size_bytes=int(size), mtime_ns=int(mtime), checksum=int(content))
        except ValueError:
            continue
        yield path, mark


def tables_in(store: Path) -> list[str]:
    """The tables that are or were in a store: by their folders and their checksums."""
    storage = storage_of(store.parent)
    if storage.uri is not None:
        return [path.stem for path in storage.folders(store) if path.suffix == ".lance"]
    try:
        names = [path.name for path in store.iterdir()]
    except PermissionError as error:
        raise closed_to_us(store) from error
    except OSError:
        return []
    found: Iterable[str] = (
        name.removesuffix(suffix)
        for name in names
        for suffix in (".lance", CHECKSUMS)
        if name.endswith(suffix)
    )
    return sorted(set(found))
