"""The files of one table as they are now, on the disk or in an object store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from cocadesk.errors import closed_to_us
from cocadesk.library.commits import (
    CommittedFiles,
    checksum_of,
    paths_of,
    table_folder,
    tables_in,
)
from cocadesk.library.lance_files import (
    HINT,
    MAGIC,
    Fragment,
    Version,
    manifest_name,
    numbers_of,
    parse_manifest,
    version_numbers,
)
from cocadesk.library.storage import storage_of


class FileIs(Enum):
    GOOD = auto()
    UNRECORDED = auto()
    BAD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version that could be taken: ``bad`` are its damaged fragments."""

    version: Version
    manifest: bytes
    bad: frozenset[int]
    bad_indexes: bool
    is_recorded: bool

    @property
    def rows(self) -> int:
        """The rows that can be read."""
        return sum(f.rows for f in self.version.fragments if f.number not in self.bad)


class TableFiles:
    """The files of one table, held against their marks; ``thorough`` reads each whole."""

    def __init__(self, store: Path, table: str, *, thorough: bool = False) -> None:
        self.table = table
        self.storage = storage_of(store.parent)
        self.folder = table_folder(store, table)
        self._committed = CommittedFiles(store, table)
        self._thorough = thorough

    def versions(self) -> list[int]:
        """The versions whose manifests are there, newest first."""
        return version_numbers(self.folder)

    def has(self, path: str) -> bool:
        """True where a file or folder is there, "" being all of the table."""
        return (self.folder / path).exists()

    def newest(self) -> Candidate | None:
        """The newest version, or None where its manifest is damaged or lost."""
        numbers = self.versions()
        if not numbers or numbers[0] < self._committed.newest:
            return None
        return self.candidate(numbers[0])

    def candidate(self, number: int) -> Candidate | None:
        """A version with the state of its files; None where its manifest is damaged."""
        name = manifest_name(number)
        try:
            manifest = self.storage.read(self.folder / name)
            version = parse_manifest(manifest)
        except PermissionError as error:
            raise closed_to_us(self.folder / name) from error
        except (OSError, ValueError):
            return None
        state = self._state(name, len(manifest))
        if state is FileIs.BAD or version.number != number:
            return None
        of_fragments = {f.number: self._state_of(f) for f in version.fragments}
        of_indexes = [self._state(path, None) for path in self._index_paths(version)]
        return Candidate(
            version=version,
            manifest=manifest,
            bad=frozenset(n for n, found in of_fragments.items() if found is FileIs.BAD),
            bad_indexes=FileIs.BAD in of_indexes,
            is_recorded=FileIs.UNRECORDED not in (state, *of_fragments.values(), *of_indexes),
        )

    def _state_of(self, fragment: Fragment) -> FileIs:
        states = {self._state(path, size) for path, size in fragment.files}
        for state in (FileIs.BAD, FileIs.UNRECORDED):
            if state in states:
                return state
        return FileIs.GOOD

    def _index_paths(self, version: Version) -> list[str]:
        """The files of the indexes: those that are there and those that were committed."""
        there = [path for path in paths_of(self.folder, version) if path.startswith("_indices")]
        known = [p for p in self._committed.marks if p.rpartition("/")[0] in version.indexes]
        return sorted({*there, *known})

    def _state(self, path: str, size: int | None) -> FileIs:
        file, mark = self.folder / path, self._committed.marks.get(path)
        try:
            status = file.stat()
            if size is not None and status.st_size != size:
                return FileIs.BAD
            if mark is None:
                return FileIs.UNRECORDED if _has_footer(file) else FileIs.BAD
            if status.st_size != mark.size_bytes:
                return FileIs.BAD
            if status.st_mtime_ns == mark.mtime_ns and not self._thorough:
                return FileIs.GOOD
            return FileIs.GOOD if checksum_of(file) == mark.checksum else FileIs.BAD
        except PermissionError as error:
            raise closed_to_us(file) from error
        except OSError:
            return FileIs.BAD

    def move(self, path: str, to: Path) -> None:
        """Move a file or a folder away from the table."""
        self.storage.move(self.folder / path, to)

    def settle(self, version: Version) -> None:
        """Record the files of the version in use, and drop a hint at another one."""
        self._committed.adopt(version)
        hint = self.folder / HINT
        try:
            is_right = json.loads(hint.read_bytes())["version"] == version.number
        except (OSError, ValueError, TypeError, KeyError):
            is_right = False
        if not is_right:
            hint.unlink(missing_ok=True)

    def write(self, name: str, manifest: bytes) -> None:
        """Put a manifest in the place of one that was moved aside."""
        self.storage.write(self.folder / name, manifest)
        self.forget(name)

    def forget(self, path: str) -> None:
        """Take a file for what it is, whatever was committed."""
        self._committed.marks.pop(path, None)

    def was_committed(self) -> bool:
        """True where the table had any version."""
        return bool(self._committed.newest or self.versions())

    def drop(self) -> None:
        """Forget the table, whose files are gone."""
        self._committed.drop()

    def is_damaged(self) -> bool:
        """True where the newest version cannot be used as it was committed."""
        newest = self.newest()
        return newest is None or bool(newest.bad) or newest.bad_indexes


def _has_footer(file: Path) -> bool:
    """True for any file that does not lack the end of a Lance file."""
    if file.suffix not in (".lance", ".manifest"):
        return file.is_file()
    with file.open("rb") as opened:
        opened.seek(-len(MAGIC), 2)
        return opened.read() == MAGIC


class ObjectTableFiles(TableFiles):
    """The objects of one table. The store keeps each whole, so their sizes tell of damage.

    ``there`` are the sizes of its objects by their names in the table's folder.
    """

    def __init__(
        self, store: Path, table: str, there: Mapping[str, int], *, thorough: bool = False
    ) -> None:
        super().__init__(store, table, thorough=thorough)
        self._there = there

    def versions(self) -> list[int]:
        """The versions whose manifests are there, newest first."""
        return numbers_of(self._there)

    def has(self, path: str) -> bool:
        """True where an object is there, or any in such a folder."""
        return any(name == path or name.startswith(path and f"{path}/") for name in self._there)

    def move(self, path: str, to: Path) -> None:
        """Move an object or a folder away from the table."""
        super().move(path, to)
        self._look()

    def write(self, name: str, manifest: bytes) -> None:
        """Put a manifest in the place of one that was moved aside."""
        super().write(name, manifest)
        self._look()

    def _look(self) -> None:
        self._there = {n: s.size_bytes for n, s in self.storage.below(self.folder).items()}

    def _index_paths(self, version: Version) -> list[str]:
        """The objects of the indexes; one of which nothing is left stands for its folder."""
        found = []
        for index in version.indexes:
            found += [n for n in self._there if n.startswith(f"{index}/")] or [index]
        return found

    def _state(self, path: str, size: int | None) -> FileIs:
        there = self._there.get(path)
        if there is None or (size is not None and there != size):
            return FileIs.BAD
        return FileIs.UNRECORDED if self._thorough else FileIs.GOOD

    def settle(self, version: Version) -> None:
        """Drop a hint at the newest version, which may be of another one."""
        if HINT in self._there:
            self.storage.remove(self.folder / HINT)


def all_tables(store: Path, *, thorough: bool = False) -> Iterator[TableFiles]:
    """The files of all tables, wherever their library is kept; see ``TableFiles``."""
    storage = storage_of(store.parent)
    if storage.uri is None:
        for table in tables_in(store):
            yield TableFiles(store, table, thorough=thorough)
        return
    there: dict[str, dict[str, int]] = {}
    for name, state in storage.below(store).items():  # one listing for all
        folder, _, path = name.partition("/")
        there.setdefault(folder.removesuffix(".lance"), {})[path] = state.size_bytes
    for table, sizes in sorted(there.items()):
        yield ObjectTableFiles(store, table, sizes, thorough=thorough)
