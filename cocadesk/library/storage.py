"""The files of a library by their paths, wherever they are kept: on the disk or in a store.

A library in an object store has a working folder on this machine (``library_uri``). A path in
it names an object of the library too. What is written goes to the store first and then into
the working folder, where all rooms read it; ``pull`` brings what another machine has written.
Of a library on the disk, the folder is all there is.
"""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from cocadesk.errors import UserError, tr
from cocadesk.library.atomic import write_atomically
from cocadesk.library.lease import Lease
from cocadesk.library.object_store import ObjectStore
from cocadesk.library_uri import Credentials, LibraryUri, credentials, moved_to, uri_of

_OWNER = "lease.owner"
_FORGOTTEN = "forgotten.mark"
_PROBE = "probe"
_COPIES = ("thumbs", "previews", "backups")
_DERIVED = ("search*", "*.groups*", "engine-in-hand", "forgetting.json*")
"""Files in a working folder that may name or hold what another machine has forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """A file as it is; ``mark`` is another one after each write."""

    size_bytes: int
    mark: int | str


class Storage:
    """The files of a library on the disk, below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def uri(self) -> LibraryUri | None:
        """The address of a library in an object store."""
        return None

    def tables(self, folder: Path) -> tuple[str, dict[str, str] | None]:
        """The place of the tables in ``folder``, and the options with which LanceDB opens it."""
        return str(folder), None

    def pull(self, *paths: Path) -> None:
        """Bring the newest state of small files."""

    def pull_folder(self, folder: Path) -> None:
        """Bring the newest state of all files of a folder."""

    def write(self, path: Path, data: bytes) -> None:
        """Write a small file durably: whole, or not at all."""
        write_atomically(path, data, durable=True)

    def swap(self, path: Path, data: bytes) -> None:
        """As ``write``, but never over what another machine has written since it was pulled."""
        self.write(path, data)

    def remove(self, *paths: Path) -> None:
        """Remove files; those that are not there are passed over."""
        for path in paths:
            path.unlink(missing_ok=True)

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder with all in it."""
        shutil.rmtree(folder)

    def read(self, path: Path) -> bytes:
        """The content of a file.

        Raises:
            OSError: there is none, or it can't be read.
        """
        return path.read_bytes()

    def files(self, folder: Path) -> dict[str, FileState]:
        """The files in a folder by name.

        Raises:
            OSError: there is no such folder, or it can't be read.
        """
        with os.scandir(folder) as listing:
            return {
                entry.name: FileState(size_bytes=(at := entry.stat()).st_size, mark=at.st_mtime_ns)
                for entry in listing
                if entry.is_file()
            }

    def below(self, folder: Path) -> dict[str, FileState]:
        """All files below a folder, by their paths in it with "/"."""
        return {
            path.relative_to(folder).as_posix(): FileState(
                size_bytes=(at := path.stat()).st_size, mark=at.st_mtime_ns
            )
            for path in folder.rglob("*")
            if path.is_file()
        }

    def folders(self, folder: Path) -> list[Path]:
        """The folders in a folder.

        Raises:
            OSError: there is no such folder, or it can't be read.
        """
        with os.scandir(folder) as listing:
            return sorted(folder / entry.name for entry in listing if entry.is_dir())

    def move(self, path: Path, to: Path) -> None:
        """Move a file or a folder."""
        to.parent.mkdir(parents=True, exist_ok=True)
        path.replace(to)

    def check_new(self) -> None:
        """Look whether a library can be kept here.

        Raises:
            UserError: it can't.
        """

    def hold(self) -> None:
        """Become the one machine that writes, until ``let_go``.

        Raises:
            UserError: another one is.
        """

    def let_go(self) -> None:
        """End ``hold``."""

    def check_held(self) -> None:
        """Make sure that what is written here counts.

        Raises:
            UserError: another machine writes now, or the library was moved from here.
        """
        if (to := moved_to(self.folder)) is not None:
            raise UserError(
                tr("This library was moved to {to}.", to=to),
                tr("Its old copy is kept as it was, and nothing is written into it."),
                tr("Open the library in its new place."),
            )

    def follow_forgetting(self) -> None:
        """Drop from this machine what another one may have forgotten."""

    def has_forgotten(self) -> None:
        """Let other machines know that something was forgotten."""


class ObjectStorage(Storage):
    """The files of a library in an object store, below its working folder ``folder``."""

    def __init__(self, folder: Path, uri: LibraryUri, keys: Credentials) -> None:
        super().__init__(folder)
        self.objects = ObjectStore(uri, keys)
        self._tags: dict[str, str | None] = {}
        self.lease: Lease | None = None
        self._keeping = threading.Lock()

    @property
    def uri(self) -> LibraryUri:
        """The address of the library."""
        return self.objects.uri

    def tables(self, folder: Path) -> tuple[str, dict[str, str] | None]:
        """The place and the options of the tables in the store."""
        return f"{self.uri}/{self.name_of(folder)}", self.objects.table_options()

    def name_of(self, path: Path) -> str:
        """The object of a path in the working folder."""
        return path.relative_to(self.folder).as_posix()

    def pull(self, *paths: Path) -> None:
        """Bring the newest state of small files; nobody else writes them while we hold."""
        for path in paths:
            name = self.name_of(path)
            if self.lease is None or name not in self._tags:
                self._pull(name, path)

    def _pull(self, name: str, path: Path) -> None:
        try:
            data, mark = self.objects.read_marked(name)
        except FileNotFoundError:
            self._tags[name] = None
            path.unlink(missing_ok=True)
            return
        self._tags[name] = mark.tag
        self.keep_here(path, data)

    def keep_here(self, path: Path, data: bytes) -> None:
        """Have a file in the working folder too."""
        with self._keeping:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not path.is_file() or path.read_bytes() != data:
                write_atomically(path, data, durable=False)

    def pull_folder(self, folder: Path) -> None:
        """Bring all files of a folder, and remove those that are no more."""
        there = self.below(folder)
        for path in folder.glob("*") if folder.is_dir() else ():
            if path.is_file() and path.name not in there:
                path.unlink()
        for name, state in there.items():
            path = folder / name
            if not path.is_file() or path.stat().st_size != state.size_bytes:
                self._pull(self.name_of(path), path)

    def write(self, path: Path, data: bytes) -> None:
        """Write a small file to the store, then into the working folder."""
        self.check_held()
        self.objects.write(self.name_of(path), data)
        self.keep_here(path, data)

    def swap(self, path: Path, data: bytes) -> None:
        """As ``write``, if it is still what was pulled."""
        self.check_held()
        name = self.name_of(path)
        if name not in self._tags:
            self._pull(name, path)
        tag = self.objects.swap(name, data, self._tags[name]) or self._tag_of(name, data)
        if tag is None:
            del self._tags[name]
            raise UserError(
                tr("Another machine has changed the library {uri} meanwhile.", uri=self.uri),
                tr("Its {path} is not what was read before.", path=path.name),
                tr("Close the library and open it again."),
            )
        self._tags[name] = tag
        self.keep_here(path, data)

    def _tag_of(self, name: str, data: bytes) -> str | None:
        """The tag of an object that holds this already: the answer to a write may get lost."""
        try:
            there, mark = self.objects.read_marked(name)
        except FileNotFoundError:
            return None
        return mark.tag if there == data else None

    def remove(self, *paths: Path) -> None:
        """Remove files from the store, many with one request, and from the working folder."""
        self.check_held()
        names = [self.name_of(path) for path in paths]
        self.objects.delete(names)
        for name in names:
            self._tags.pop(name, None)
        super().remove(*paths)

    def remove_folder(self, folder: Path) -> None:
        """Remove all below a folder."""
        self.check_held()
        self.objects.delete(self.objects.objects(self.name_of(folder)))
        shutil.rmtree(folder, ignore_errors=True)

    def read(self, path: Path) -> bytes:
        """The content of an object."""
        return self.objects.read(self.name_of(path))

    def files(self, folder: Path) -> dict[str, FileState]:
        """The objects in a folder by name; none where there is no such folder."""
        return {name: state for name, state in self.below(folder).items() if "/" not in name}

    def below(self, folder: Path) -> dict[str, FileState]:
        """All objects below a folder."""
        prefix = self.name_of(folder)
        return {
            name[len(prefix) + 1 :]: FileState(size_bytes=mark.size_bytes, mark=mark.tag)
            for name, mark in self.objects.objects(prefix).items()
        }

    def folders(self, folder: Path) -> list[Path]:
        """The folders in a folder of the store."""
        return [folder / name for name in self.objects.folders(self.name_of(folder))]

    def move(self, path: Path, to: Path) -> None:
        """Move an object, or all below a folder."""
        self.check_held()
        name, target = self.name_of(path), self.name_of(to)
        below = self.objects.objects(name)
        for one in below:
            self.objects.move(one, target + one[len(name) :])
        if not below:
            self.objects.move(name, target)

    def check_new(self) -> None:
        """Look whether the store keeps its word: nothing is written over what is there."""
        name = f"{_PROBE}-{uuid4().hex}"
        first = self.objects.swap(name, b"1", None)
        is_over = self.objects.swap(name, b"2", None) is not None
        second = self.objects.swap(name, b"2", first) if first else None
        is_over |= first is not None and self.objects.swap(name, b"3", first) is not None
        self.objects.delete([name])
        if first is None or second is None or is_over:
            raise UserError(
                tr("No library can be kept at {uri}.", uri=self.uri),
                tr(
                    "This object store ignores conditions of writes (If-None-Match, If-Match), "
                    "without which two machines would write over each other."
                ),
                tr("Take another store, or a newer version of this one."),
            )
        there = [name for name in self.objects.first_names() if not name.startswith(_PROBE)]
        if there and not any(name.startswith(("store/", "lease.json")) for name in there):
            raise UserError(
                tr(
                    "{folder} is not a library and not empty (it holds {found}).",
                    folder=self.uri,
                    found=repr(there[0]),
                ),
                tr("A library needs a name of its own in the bucket."),
                tr("Choose another name with --library."),
            )

    def hold(self) -> None:
        """Take the library's lease."""
        lease = Lease(self.objects, self.owner())
        lease.acquire()
        self._tags.clear()
        self.lease = lease

    def owner(self) -> str:
        """An id of this working folder, of which a machine has one for a library.

        The kernel's lock holds its processes apart.
        """
        file = self.folder / _OWNER
        if not file.is_file():
            write_atomically(file, uuid4().hex.encode(), durable=False)
        return file.read_text(encoding="ascii")

    def let_go(self) -> None:
        """Give the lease back."""
        lease, self.lease = self.lease, None
        if lease is not None:
            lease.release()

    def check_held(self) -> None:
        """Make sure that the lease is ours, renewing it where it is old."""
        if self.lease is not None:
            self.lease.check()

    def follow_forgetting(self) -> None:
        """Empty the working folder of copies where something was forgotten since the last time."""
        mark = self.folder / _FORGOTTEN
        try:
            newest = self.objects.read(_FORGOTTEN)
        except FileNotFoundError:
            return
        if mark.is_file() and mark.read_bytes() == newest:
            return
        for name in _COPIES:
            shutil.rmtree(self.folder / name, ignore_errors=True)
        left = [path for name in _COPIES if (path := self.folder / name).exists()]
        for path in (path for pattern in _DERIVED for path in self.folder.glob(pattern)):
            try:
                path.unlink(missing_ok=True)
            except OSError:
                left.append(path)
        if not left:  # one that another process has open goes the next time
            self.keep_here(mark, newest)

    def has_forgotten(self) -> None:
        """Leave a new mark, which other machines look for."""
        self.write(self.folder / _FORGOTTEN, uuid4().hex.encode())


def storage_of(folder: Path) -> Storage:
    """The files of the library in ``folder``, or of the one that this folder stands for.

    Raises:
        UserError: it is in an object store, and there are no credentials for that.
    """
    uri = uri_of(folder)
    return Storage(folder) if uri is None else _object_storage(folder, uri)


@lru_cache
def _object_storage(folder: Path, uri: LibraryUri) -> ObjectStorage:
    """One for all of this process: it knows whether the lease is ours."""
    return ObjectStorage(folder, uri, credentials())
