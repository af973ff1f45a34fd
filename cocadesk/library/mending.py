"""Damaged tables: found by their files, and set back to the newest state that can be read.

A healthy table costs one read of its newest manifest and one look at each file that this
names. A file whose time differs from the one that it was committed with is read against
its checksum. Nothing is thrown away: what is damaged goes into ``damaged/``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from functools import partial
from pathlib import Path

from cocadesk.errors import closed_to_us
from cocadesk.library.atomic import write_atomically
from cocadesk.library.commits import CommittedFiles, checksum_of, paths_of, tables_in
from cocadesk.library.lance_files import (
    HINT,
    MAGIC,
    Fragment,
    Version,
    manifest_name,
    parse_manifest,
    version_numbers,
    without,
)
from cocadesk.library.layout import MEDIA, VIEWS_PREFIX

log = logging.getLogger(__name__)

_CONTENTS = {
    "media": "photos and videos",
    "edits": "people's captions and tags",
    "roots": "folders",
    "jobs": "jobs",
    "failures": "files that could not be read",
}
# A row of media that is lost loses its key, and with it its vectors; what people said is
# written anew from the log, and the rest by an index that reads all again.
_READ_AS_IT_IS = frozenset({MEDIA})


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """What became of a damaged table: in words, for the person."""

    table: str
    notice: str


class _State(Enum):
    GOOD = auto()
    UNRECORDED = auto()
    BAD = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
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
        self.committed = CommittedFiles(store, table)
        self.folder = self.committed.folder
        self._thorough = thorough

    def newest(self) -> _Candidate | None:
        """The newest version, or None where its manifest is damaged or lost."""
        numbers = version_numbers(self.folder)
        if not numbers or numbers[0] < self.committed.newest:
            return None
        return self.candidate(numbers[0])

    def candidate(self, number: int) -> _Candidate | None:
        """A version with the state of its files; None where its manifest is damaged."""
        name = manifest_name(number)
        try:
            manifest = (self.folder / name).read_bytes()
            version = parse_manifest(manifest)
        except PermissionError as error:
            raise closed_to_us(self.folder / name) from error
        except (OSError, ValueError):
            return None
        state = self._state(name, len(manifest))
        if state is _State.BAD or version.number != number:
            return None
        of_fragments = {f.number: self._state_of(f) for f in version.fragments}
        of_indexes = [self._state(path, None) for path in self._index_paths(version)]
        return _Candidate(
            version=version,
            manifest=manifest,
            bad=frozenset(n for n, found in of_fragments.items() if found is _State.BAD),
            bad_indexes=_State.BAD in of_indexes,
            is_recorded=_State.UNRECORDED not in (state, *of_fragments.values(), *of_indexes),
        )

    def _state_of(self, fragment: Fragment) -> _State:
        states = {self._state(path, size) for path, size in fragment.files}
        for state in (_State.BAD, _State.UNRECORDED):
            if state in states:
                return state
        return _State.GOOD

    def _index_paths(self, version: Version) -> list[str]:
        """The files of the indexes: those that are there and those that were committed."""
        there = [path for path in paths_of(self.folder, version) if path.startswith("_indices")]
        known = [p for p in self.committed.marks if p.rpartition("/")[0] in version.indexes]
        return sorted({*there, *known})

    def _state(self, path: str, size: int | None) -> _State:
        file, mark = self.folder / path, self.committed.marks.get(path)
        try:
            status = file.stat()
            if size is not None and status.st_size != size:
                return _State.BAD
            if mark is None:
                return _State.UNRECORDED if _has_footer(file) else _State.BAD
            if status.st_size != mark.size_bytes:
                return _State.BAD
            if status.st_mtime_ns == mark.mtime_ns and not self._thorough:
                return _State.GOOD
            return _State.GOOD if checksum_of(file) == mark.checksum else _State.BAD
        except PermissionError as error:
            raise closed_to_us(file) from error
        except OSError:
            return _State.BAD

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


def damaged_tables(store: Path, *, thorough: bool = False) -> list[str]:
    """The tables whose newest version cannot be used as it was committed."""
    tables = tables_in(store)
    return [t for t in tables if TableFiles(store, t, thorough=thorough).is_damaged()]


def mend_tables(
    store: Path,
    aside: Path,
    *,
    can_read: Callable[[str], bool],
    before: Callable[[str], None],
    thorough: bool = False,
) -> Iterator[Damage]:
    """Set each damaged table back, newest readable state first; a lost one is lost.

    ``can_read`` tries to read a table whole: asked where files have no marks because a
    crash came between a commit and its marks. ``aside`` gets the damaged files;
    ``before`` hears of a table before anything of it is moved.
    """
    for table in tables_in(store):
        files = TableFiles(store, table, thorough=thorough)
        notice = _mend(files, _Aside(files.folder, aside, partial(before, table)), can_read)
        if notice is not None:
            log.warning("%s", notice)
            yield Damage(table=table, notice=notice)


def _mend(files: TableFiles, aside: _Aside, can_read: Callable[[str], bool]) -> str | None:
    """Make one table readable; a sentence where something was wrong with it."""
    newest = files.newest()
    if newest is not None and not newest.bad and not newest.bad_indexes:
        if newest.is_recorded or can_read(files.table):
            _settle(files, newest.version)
            return None
        aside.move(manifest_name(newest.version.number))
    while (chosen := _chosen(files)) is not None:
        _drop_newer(files, chosen, aside)
        if chosen.bad and files.table in _READ_AS_IT_IS and can_read(files.table):
            _accept(files, chosen)
            return f"The table of {contents_of(files.table)} was damaged; some values may be wrong."
        _drop_bad(files, chosen, aside)
        if chosen.is_recorded or can_read(files.table):
            _settle(files, chosen.version)
            return _notice(files.table, chosen)
        aside.move(manifest_name(chosen.version.number))
    was_committed = bool(files.committed.newest or version_numbers(files.folder)) or aside.holds_any
    aside.move("")
    files.committed.drop()
    if not was_committed:
        return None  # A crash while the table was being made.
    return f"The table of {contents_of(files.table)} was damaged; nothing of it could be saved."


def _settle(files: TableFiles, version: Version) -> None:
    """Record the files of the version in use, and drop a hint at another one."""
    files.committed.adopt(version)
    hint = files.folder / HINT
    try:
        is_right = json.loads(hint.read_bytes())["version"] == version.number
    except (OSError, ValueError, TypeError, KeyError):
        is_right = False
    if not is_right:
        hint.unlink(missing_ok=True)


def _chosen(files: TableFiles) -> _Candidate | None:
    """The newest version that is whole, unless a newer damaged one holds more rows."""
    best: _Candidate | None = None
    for number in version_numbers(files.folder):
        found = files.candidate(number)
        if found is None:
            continue
        if not found.bad:
            return found if best is None or found.rows >= best.rows else best
        if best is None or found.rows > best.rows:
            best = found
    return best


def _drop_newer(files: TableFiles, chosen: _Candidate, aside: _Aside) -> None:
    """Make ``chosen`` the newest version."""
    for number in version_numbers(files.folder):
        if number > chosen.version.number:
            aside.move(manifest_name(number))


def _accept(files: TableFiles, chosen: _Candidate) -> None:
    """Take the damaged files of ``chosen`` for what they are."""
    for fragment in chosen.version.fragments:
        for path, _ in fragment.files if fragment.number in chosen.bad else ():
            files.committed.marks.pop(path, None)
    _settle(files, chosen.version)


def _drop_bad(files: TableFiles, chosen: _Candidate, aside: _Aside) -> None:
    """Write the manifest of ``chosen`` anew without what is damaged of it."""
    version = chosen.version
    if not chosen.bad and not chosen.bad_indexes:
        return
    name = manifest_name(version.number)
    aside.move(name)
    for fragment in version.fragments:
        if fragment.number in chosen.bad:
            for path, _ in fragment.files:
                aside.move(path)
    for index in version.indexes if chosen.bad_indexes else ():
        aside.move(index)
    manifest = without(chosen.manifest, chosen.bad, indexes=not chosen.bad_indexes)
    write_atomically(files.folder / name, manifest, durable=True)
    files.committed.marks.pop(name, None)


class _Aside:
    """Takes damaged files out of a table's folder into one of their own."""

    def __init__(self, folder: Path, aside: Path, before: Callable[[], None]) -> None:
        self._folder = folder
        self._before = before
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
        self._aside = aside / f"{stamp} {folder.name}"
        self.holds_any = False

    def move(self, path: str) -> None:
        """Move a file or folder; one that is not there is passed over."""
        source = self._folder / path
        if not source.exists():
            return
        if not self.holds_any:
            self._before()
        target = self._aside / (path or "rest")
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)
        self.holds_any = True


def _notice(table: str, chosen: _Candidate) -> str:
    contents = contents_of(table)
    lost = chosen.version.rows - chosen.rows
    if lost:
        return (
            f"The table of {contents} was damaged; {lost:,} of its {chosen.version.rows:,} "
            "rows could not be saved."
        )
    if chosen.bad_indexes:
        return f"An index of the table of {contents} was damaged; it will be made again."
    when = chosen.version.committed_utc.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"The table of {contents} was damaged; its state of {when} is used."


def contents_of(table: str) -> str:
    """The content of a table in plain words."""
    return "search vectors" if table.startswith(VIEWS_PREFIX) else _CONTENTS.get(table, table)
