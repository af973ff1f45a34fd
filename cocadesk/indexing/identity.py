"""The identity rules: which medium each file of a scan is, decided for all files together.

Pure functions over known rows and files seen, so that chains and cycles of renames, copies
and disks that come and go are told apart however the files are ordered. The rules:

1. A row whose path shows the same size and times, or the same bytes: it is where it was.
2. Known bytes whose place is gone or holds other bytes now: moved.
3. Known bytes that are still in place, or lie on a disk that is away: a copy.
4. Only then, other bytes at the path of a row that was there until now: edited. A row that
   was already missing is never edited; a new medium takes its place.
5. The rest of the rows is missing, or offline where their disk is not there. A look from
   one machine never shows that a file on another machine's disk is gone.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile
from typing import NamedTuple

from cocadesk.library.parts import Part
from cocadesk.library.paths import is_under
from cocadesk.library.rows import Identity, MediaState


class MatchKind(StrEnum):
    """The identity rules that a file may fall under."""

    NEW = "new"
    TOUCHED = "touched"
    EDITED = "edited"
    MOVED = "moved"
    COPIED = "copied"


class SeenFile(NamedTuple):
    """A file that is there.

    ``file_hash`` is None where no known medium has this size (or it can't be read):
    its bytes are not known. A witness was only looked at, as the place of a known row;
    it is not to be indexed.
    """

    path: bytes
    root: bytes
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    volume: str
    file_hash: str | None = None
    is_witness: bool = False


class Verdict(NamedTuple):
    """The medium that a file is.

    ``key`` is None for a medium of its own (new or copied); ``source`` is the key of a
    medium with the same bytes, where there is one.
    """

    kind: MatchKind
    key: str | None = None
    source: str | None = None


class SeenPart(NamedTuple):
    """A file that belongs to a medium which another file shows; see ``library.parts``.

    ``file_hash`` is None where its bytes are not known yet.
    """

    path: bytes
    role: str
    format: str
    file_hash: str | None


@dataclass(slots=True)
class Plan:
    """What becomes of all files seen and of all known rows.

    ``unchanged`` gives by path the key of what need not be read; ``verdicts`` the rest.
    ``missing`` and ``offline`` are the keys whose files are gone, or whose disk is away,
    whatever their rows say now. Of media with parts (see ``gathering``): ``parts`` gives by the
    path of the shown file the others, ``kept`` those that the scan did not look at, as they are
    recorded; ``joined`` the media that are parts of others now;
    ``left`` are those whose shown file is gone while another of theirs is there, ``redrawn`` all
    that are shown by other bytes now. Of the files in
    ``held`` nothing is to be done: somebody writes the one that shows their medium.
    """

    unchanged: dict[bytes, str] = field(default_factory=dict)
    verdicts: dict[bytes, Verdict] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    offline: list[str] = field(default_factory=list)
    parts: dict[bytes, tuple[SeenPart, ...]] = field(default_factory=dict)
    kept: dict[bytes, tuple[Part, ...]] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    redrawn: set[str] = field(default_factory=set)
    held: set[bytes] = field(default_factory=set)

    def is_beside(self) -> set[bytes]:
        """The files that have no verdict of their own: parts, and those that are held."""
        return self.held.union(part.path for parts in self.parts.values() for part in parts)


def is_as_recorded(row: Identity, seen: SeenFile) -> bool:
    """True where size and times are those of the row: nothing need be read."""
    return (row.size_bytes, row.mtime_ns, row.ctime_ns) == (
        seen.size_bytes,
        seen.mtime_ns,
        seen.ctime_ns,
    )


def decide(
    rows: Iterable[Identity],
    files: Sequence[SeenFile],
    *,
    is_covered: Callable[[Identity], bool],
    is_scanned: Callable[[Identity], bool],
    volume_at: Callable[[Identity], str | None],
    replaced: Set[bytes] = frozenset(),
    is_elsewhere: Callable[[str], bool] = lambda volume: False,
) -> Plan:
    """Apply the rules to all files and rows at once.

    ``is_covered``: the row's place was looked at, so that it is gone where ``files`` does
    not show it; ``is_scanned``: its folder was, so that its state may change.
    ``volume_at``: the volume that is at the row's place now, None where its root is not
    there. ``replaced``: the roots that are other folders than those scanned before.
    ``is_elsewhere``: the volume is another machine's. Each path comes once in ``files``.
    """
    run = _Deciding(list(rows), files, is_covered, volume_at, replaced)
    run.settle_places()
    run.settle_moves_and_copies()
    run.settle_edits()
    run.settle_absent(is_scanned, is_elsewhere)
    return run.plan


_Group = tuple[bytes, str]
"""Root and volume: the rows that come and go together."""


class _Deciding:
    """One decision in the making; each step settles what the ones before left open."""

    def __init__(
        self,
        rows: Sequence[Identity],
        files: Sequence[SeenFile],
        is_covered: Callable[[Identity], bool],
        volume_at: Callable[[Identity], str | None],
        replaced: Set[bytes],
    ) -> None:
        self._replaced = replaced
        self.plan = Plan()
        self._rows: list[Identity] = []
        self._outside: list[Identity] = []
        for row in rows:
            (self._rows if is_covered(row) else self._outside).append(row)
        self._files = files
        self._volume_at = volume_at
        self._open = {file.path: file for file in files}
        self._claimed: set[str] = set()
        self._at: dict[bytes, list[Identity]] = defaultdict(list)
        for row in self._rows:
            self._at[row.path].append(row)
        for at_path in self._at.values():
            if len(at_path) > 1:
                # Rows that were there until now come first, of those the newest.
                at_path.sort(key=lambda row: row.key, reverse=True)
                at_path.sort(key=lambda row: row.state == MediaState.MISSING)
        self._in_place: dict[_Group, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._disks: _Disks | None = None

    def settle_places(self) -> None:
        """Rule 1: rows whose path shows what they know."""
        for file in self._files:
            row = self._row_in_place(file)
            if row is None:
                continue
            self._claimed.add(row.key)
            self._in_place[row.root, row.volume][file.volume] += 1
            del self._open[file.path]
            if file.is_witness:
                continue
            if is_as_recorded(row, file) and row.volume == file.volume:
                self.plan.unchanged[file.path] = row.key
            else:
                self.plan.verdicts[file.path] = Verdict(MatchKind.TOUCHED, row.key, row.key)

    def _row_in_place(self, file: SeenFile) -> Identity | None:
        for row in self._at.get(file.path, ()):
            if row.key in self._claimed:
                continue
            if file.file_hash is None:
                if is_as_recorded(row, file):
                    return row
            elif row.file_hash == file.file_hash:
                return row
        return None

    def _is_away(self, row: Identity) -> bool:
        if self._disks is None:
            self._disks = _Disks(self._rows, self._files, self._in_place, self._replaced)
        return self._disks.is_away(row, self._volume_at(row))

    def settle_moves_and_copies(self) -> None:
        """Rules 2 and 3: files with known bytes, by groups of equal ones."""
        equal: dict[str, list[SeenFile]] = defaultdict(list)
        for file in self._open.values():
            if file.file_hash is not None and not file.is_witness:
                equal[file.file_hash].append(file)
        known: dict[str, list[Identity]] = defaultdict(list)
        for row in (*self._rows, *self._outside):
            if row.file_hash in equal:
                known[row.file_hash].append(row)
        for file_hash, rows in known.items():
            self._settle_equal(rows, equal[file_hash])

    def _settle_equal(self, rows: Sequence[Identity], files: Sequence[SeenFile]) -> None:
        outside = {row.key for row in self._outside if row.file_hash == rows[0].file_hash}
        free = [
            row
            for row in rows
            if row.key not in self._claimed and row.key not in outside and not self._is_away(row)
        ]
        for row, file in _pairs(free, files):
            self._claimed.add(row.key)
            del self._open[file.path]
            self.plan.verdicts[file.path] = Verdict(MatchKind.MOVED, row.key, row.key)
        source = min(rows, key=lambda row: (row.key not in self._claimed, row.key)).key
        for file in files:
            if self._open.pop(file.path, None) is not None:
                self.plan.verdicts[file.path] = Verdict(MatchKind.COPIED, None, source)

    def settle_edits(self) -> None:
        """Rule 4: other bytes at a known path; and what is new."""
        for file in self._open.values():
            if file.is_witness:
                continue
            row = next(
                (
                    row
                    for row in self._at.get(file.path, ())
                    if row.key not in self._claimed
                    and row.state != MediaState.MISSING
                    and not self._is_away(row)
                ),
                None,
            )
            if row is None:
                self.plan.verdicts[file.path] = Verdict(MatchKind.NEW)
            else:
                self._claimed.add(row.key)
                self.plan.verdicts[file.path] = Verdict(MatchKind.EDITED, row.key)

    def settle_absent(
        self, is_scanned: Callable[[Identity], bool], is_elsewhere: Callable[[str], bool]
    ) -> None:
        """Rule 5: rows that no file has claimed."""
        for row in self._rows:
            if row.key in self._claimed or not is_scanned(row):
                continue
            is_away = is_elsewhere(row.volume) or self._is_away(row)
            if row.state != MediaState.MISSING and is_away:
                self.plan.offline.append(row.key)
            else:
                self.plan.missing.append(row.key)


class _Disks:
    """The disks that the rows of each root lie on: there, or away.

    A root may hold several: one mounted inside it, or several that take turns at one
    mount point. Device numbers may change when the computer starts, and a folder may be
    restored, so a disk counts as the same under a new number, and a folder as the one it
    was, where at least half of the files are in their places.
    """

    def __init__(
        self,
        rows: Iterable[Identity],
        files: Iterable[SeenFile],
        in_place: dict[_Group, dict[str, int]],
        replaced: Set[bytes],
    ) -> None:
        self._replaced = replaced
        self._in_place = in_place
        self._known: dict[_Group, int] = defaultdict(int)
        self._shown: set[_Group] = set()
        paths: dict[bytes, set[_Group]] = defaultdict(set)
        hashes: dict[str, set[_Group]] = defaultdict(set)
        for row in rows:
            if row.state == MediaState.MISSING:
                continue
            group = (row.root, row.volume)
            self._known[group] += 1
            paths[row.path].add(group)
            hashes[row.file_hash].add(group)
        for file in files:
            groups = set(paths.get(file.path, ()))
            if file.file_hash is not None:
                groups |= {g for g in hashes.get(file.file_hash, ()) if is_under(file.path, g[0])}
            self._shown |= {group for group in groups if group[1] in ("", file.volume)}

    def is_away(self, row: Identity, volume_now: str | None) -> bool:
        """True where the disk of this row is not at its place now."""
        if volume_now is None:
            return True
        group = (row.root, row.volume)
        if row.volume in ("", volume_now) and row.root not in self._replaced:
            # Another disk may bear its number: one of its files must be there to tell.
            # A file that was added by itself may go by itself.
            is_alone = row.path == row.root
            return self._known[group] > 0 and group not in self._shown and not is_alone
        found = self._in_place.get(group, {}).get(volume_now, 0)
        return found == 0 or 2 * found < self._known[group]


def _pairs(
    rows: Iterable[Identity], files: Iterable[SeenFile]
) -> Iterator[tuple[Identity, SeenFile]]:
    """Pairs of equal media and files.

    Rows that were there until now come before those that were missing already, and files on
    a row's own disk before others: a copy on another disk is a copy while there is any.
    """
    left_rows, left = {row.key: row for row in rows}, {file.path: file for file in files}
    for is_missing in (False, True):
        tier = [r for r in left_rows.values() if (r.state == MediaState.MISSING) is is_missing]
        for disk in (*sorted({row.volume for row in tier}), None):
            mine = [row for row in tier if row.key in left_rows and disk in (None, row.volume)]
            there = [file for file in left.values() if disk in (None, file.volume)]
            for row, file in _pairs_by_ending(mine, there):
                del left_rows[row.key], left[file.path]
                yield row, file


def _pairs_by_ending(
    rows: Iterable[Identity], files: Iterable[SeenFile]
) -> Iterator[tuple[Identity, SeenFile]]:
    """Pairs of equal media and files, the paths that end most alike first.

    So equal files in a moved folder stay who they were.
    """
    rest = sorted(files, key=lambda file: file.path)
    endings_of_files = {file.path: _ending(file.path) for file in rest}
    by_key = {row.key: row for row in sorted(rows, key=lambda row: row.path)}
    endings = {row.key: _ending(row.path) for row in by_key.values()}
    longest = max((len(ending) for ending in endings.values()), default=-1)
    for depth in range(longest, -1, -1):
        waiting: dict[tuple[bytes, ...], list[str]] = defaultdict(list)
        for key, ending in reversed(endings.items()):
            if len(ending) >= depth:
                waiting[ending[:depth]].append(key)
        left = []
        for file in rest:
            own = endings_of_files[file.path]
            candidates = waiting.get(own[:depth]) if len(own) >= depth else None
            if candidates:
                key = candidates.pop()
                del endings[key]
                yield by_key[key], file
            else:
                left.append(file)
        rest = left


def _ending(path: bytes) -> tuple[bytes, ...]:
    """The parts of a path, the last first."""
    return tuple(reversed(path.split(os.fsencode(os.sep))))


def common_ending(one: bytes, other: bytes) -> int:
    """The number of path parts, from the end, that two paths share."""
    pairs = zip(_ending(one), _ending(other), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
