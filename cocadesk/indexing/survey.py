"""What an index finds in the folders before it reads pictures: files, their bytes, their fates."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

from cocadesk.errors import kept
from cocadesk.indexing.gathering import MayJoin, gather, members
from cocadesk.indexing.identity import MatchKind, Plan, SeenFile, Verdict, decide, is_as_recorded
from cocadesk.indexing.shots import Shots
from cocadesk.indexing.types import Again, Failed
from cocadesk.library.parts import Part
from cocadesk.library.paths import beside, device_and_inode, folder_of, upwards
from cocadesk.library.rows import DECODE, DESCRIBE, FailureRow, Identity, MediaState, RootRow
from cocadesk.library.volumes import Listings, Volumes, device_at
from cocadesk.media.excludes import Excludes
from cocadesk.media.hashing import hash_file
from cocadesk.media.metadata.sidecars import sidecars_beside
from cocadesk.media.scanning import ScanEntry, scan
from cocadesk.media.types import READER_VERSION, FoundFile, PassedOver, ScanProblem

ABSENT = {
    MediaState.MISSING: kept("The file is no longer in its place."),
    MediaState.OFFLINE: kept("The folder's disk is not there, or none of its known files is."),
}
WENT_AWAY = kept("It went away while its files were looked for; the next index looks at them.")
_PROGRESS_FILES = 500
_HASHED_AT_ONCE = 64


class Roots:
    """The folders that the person added, and the volumes that are there now."""

    def __init__(self, known: Iterable[RootRow], volumes: Volumes | None = None) -> None:
        self._known = {row.path: row for row in known}
        self.volumes = volumes or Volumes()
        # By the folder: it is asked for each of many files.
        self._of_folder = lru_cache(maxsize=None)(self._outermost)

    def knows(self, path: bytes) -> bool:
        """True where ``path`` is a root or lies in one."""
        return self.of(path) is not None

    def of(self, path: bytes) -> bytes | None:
        """The outermost known root that ``path`` lies in, or None."""
        return self._of_folder(folder_of(path)) or (path if path in self._known else None)

    def _outermost(self, folder: bytes) -> bytes | None:
        # Upwards, and not over the roots: thousands of single files may be roots.
        return [None, *(place for place in upwards(folder) if place in self._known)][-1]

    def volume_at(self, path: bytes, root: bytes) -> str | None:
        """The volume that is at the place of a file of ``root`` now; None without the root."""
        root = self.of(path) or root
        known = self._known.get(root)
        is_folder = known.is_folder if known is not None else root != path
        return self.volumes.at(path, root, is_folder=is_folder)

    def is_replaced(self, root: bytes) -> bool:
        """True where another folder is in the place of the one that was scanned before."""
        known = self._known.get(root)
        if known is None or known.inode is None or not known.is_folder or self.volumes.machine:
            return False  # in a shared library the inode may be that on another machine
        there = device_and_inode(root)
        return there is not None and there[1] != known.inode


def scanned(roots: Sequence[bytes], known: Iterable[RootRow]) -> Iterator[ScanEntry]:
    """The files in these folders, without what is excluded in the ``known`` roots."""
    return scan(roots, Excludes({root.path: root.excludes for root in known}))


def _unseen_beside(shown: FoundFile, parts: Iterable[Part]) -> Iterator[FoundFile]:
    """The parts of a medium that the scan did not look at, where they are there."""
    for part in parts:
        path = beside(shown.path, part.name)
        with contextlib.suppress(OSError):
            status = os.stat(path)  # noqa: PTH116 - paths are bytes
            marks = sidecars_beside(folder_of(path), part.name)
            yield FoundFile.of(shown.root, path, status, sidecars=marks)


class Survey:
    """The files that the scan of some roots met, and what the rules make of them.

    In this order: ``scan_steps``, ``compare_steps``, ``decide``; then ``plan`` holds. It says
    nothing of the folders that are ``lost``: another disk, or none, was in their place
    meanwhile, so that what was seen there belongs to no one state of a disk.
    """

    def __init__(
        self,
        roots: Sequence[bytes],
        known: Sequence[Identity],
        failures: Mapping[bytes, FailureRow],
        *,
        roots_known: Roots,
        again: Again = Again.NOTHING,
        settle_s: float = 0.0,
        may_join: MayJoin,
        agree_now: MayJoin,
    ) -> None:
        self._scanned = frozenset(roots)
        self._has_scanned = lru_cache(maxsize=None)(self._is_folder_inside)
        self._roots = roots_known
        self._rows = [row._replace(root=roots_known.of(row.path) or row.root) for row in known]
        self._members = members(self._rows)
        self._may_join = may_join
        self.shots = Shots(self._members, agree_now)
        self._failures = failures
        self._again = again
        self._settle_ns = int(settle_s * 1e9)
        self.unsettled = 0
        """Files that somebody may be writing: they are as if the scan had not looked at them."""
        self._listings = Listings()
        # Without the inode: some network disks give a folder another one now and then.
        self._devices = {root: device_at(root) for root in roots if os.path.isdir(root)}  # noqa: PTH112
        self.lost: set[bytes] = set()
        self._found: dict[bytes, FoundFile] = {}
        self._closed: set[bytes] = set()
        self._passed_over: dict[bytes, str] = {}
        self._looked_at: set[str] = set()
        self.seen: dict[bytes, SeenFile] = {}
        self.problems: list[ScanProblem] = []
        self.known_failures: list[Failed] = []
        self.plan = Plan()

    @property
    def found(self) -> int:
        """The number of files that the scan met, without those that are parts of media."""
        return len(self._found) - len(self._found.keys() & self.plan.is_beside())

    @property
    def roots_read(self) -> set[bytes]:
        """The roots that the scan met, each whole."""
        return {
            root
            for root in self._scanned - self.lost
            if self._roots.of(root) == root and os.path.lexists(root)
        }

    def is_inside(self, path: bytes) -> bool:
        """True where ``path`` lies in what was to be scanned."""
        return path in self._scanned or self._has_scanned(folder_of(path))

    def _is_folder_inside(self, folder: bytes) -> bool:
        return not self._scanned.isdisjoint(upwards(folder))

    def covers(self, path: bytes) -> bool:
        """True where the scan has looked where ``path`` lies."""
        unread = self._closed | self.lost
        return self.is_inside(path) and (not unread or unread.isdisjoint(upwards(path)))

    def scan_steps(self, entries: Iterable[ScanEntry]) -> Iterator[int]:
        """Take what a scan finds; yields the number of files seen, now and then."""
        for number, entry in enumerate(entries, start=1):
            if isinstance(entry, ScanProblem):
                self.problems.append(entry)
                self._closed.add(entry.path)
                self._look_for_lost(entry.path)
            elif isinstance(entry, PassedOver):
                self._passed_over[entry.path] = entry.reason
            elif self._settle_ns and 0 <= time.time_ns() - entry.mtime_ns < self._settle_ns:
                self.unsettled += 1
            elif entry.path not in self._found:
                root = self._roots.of(entry.path) or entry.root
                is_as_found = root == entry.root
                found = entry if is_as_found else dataclasses.replace(entry, root=root)
                self._found[entry.path] = found
            if number % _PROGRESS_FILES == 0:
                yield number

    def compare_steps(self, workers: int) -> Iterator[tuple[int, int]]:
        """Read the bytes of what may be known under another name; yields done and total.

        Only a file of the size of a known medium, or of another file that is new, can
        have known bytes; what is as its row says is not read.
        """
        by_path: dict[bytes, list[Identity]] = {}
        for row in self._members:
            by_path.setdefault(row.path, []).append(row)
        sizes = Counter(row.size_bytes for row in self._members)
        waiting = []
        for path, found in self._found.items():
            seen = self._seen(found)
            at_path = by_path.get(path, [])
            # A row that was joined to another one is missing, and its file is in its place.
            at_path = [r for r in at_path if r.state != MediaState.MISSING] or at_path
            if (
                self._again is Again.ALL
                or len(at_path) != 1
                or not is_as_recorded(at_path[0], seen)
            ):
                waiting.append(path)
                sizes[found.size_bytes] += path not in by_path
            self.seen[path] = seen
        # One that is new counts itself.
        waiting = [p for p in waiting if sizes[self._found[p].size_bytes] > (p not in by_path)]
        yield from self._hash_steps(waiting, workers)
        self._look_elsewhere()
        broken = {path for path, found in self._found.items() if self.is_known_to_fail(found)}
        self.shots.look(self._found, broken)

    def _hash_steps(self, paths: Sequence[bytes], workers: int) -> Iterator[tuple[int, int]]:
        with ThreadPoolExecutor(workers, "index-compare") as threads:
            for start in range(0, len(paths), _HASHED_AT_ONCE):
                piece = paths[start : start + _HASHED_AT_ONCE]
                for path, file_hash in zip(piece, threads.map(self._hash, piece), strict=True):
                    self.seen[path] = self.seen[path]._replace(file_hash=file_hash)
                yield start + len(piece), len(paths)

    def _hash(self, path: bytes) -> str | None:
        """The hash of a file, if it is still the one that the scan met."""
        file_hash = hash_file(path)
        if device_at(path) == self._found[path].device:
            return file_hash
        self._look_for_lost(path)
        return None

    def _look_for_lost(self, path: bytes) -> None:
        """Note the folders around ``path`` that are not on the disks that the scan began with."""
        for root in upwards(path):
            if root in self._devices and device_at(root) != self._devices[root]:
                self.lost.add(root)

    def _leave_lost(self) -> bool:
        """Pass over all that was seen in lost folders; True where there was anything."""
        for root in self._devices:
            self._look_for_lost(root)
        left = [p for p in self._found if not self.lost.isdisjoint(upwards(p))] if self.lost else []
        for path in left:
            del self._found[path]
            self.seen.pop(path, None)
        return bool(left)

    def _seen(self, found: FoundFile, *, is_witness: bool = False) -> SeenFile:
        return SeenFile(
            path=found.path,
            root=found.root,
            size_bytes=found.size_bytes,
            mtime_ns=found.mtime_ns,
            ctime_ns=found.ctime_ns,
            volume=self._roots.volumes.named(found.device),
            is_witness=is_witness,
        )

    def _look_elsewhere(self) -> None:
        """Look at media outside the scanned folders whose bytes were met inside.

        And at others of their disks, until one shows that the disk is there.
        """
        hashes = {file.file_hash for file in self.seen.values() if file.file_hash is not None}
        elsewhere = [row for row in self._members if not self.is_inside(row.path)]
        wanted = {(row.root, row.volume) for row in elsewhere if row.file_hash in hashes}
        shown: set[tuple[bytes, str]] = set()
        # The rows in question first: one that is in its place answers for its disk as well.
        elsewhere.sort(key=lambda row: row.file_hash not in hashes)
        for row in elsewhere:
            disk = (row.root, row.volume)
            if disk in wanted and (row.file_hash in hashes or disk not in shown):
                witness = self._look_at(row)
                if witness is not None and witness.volume == row.volume:
                    shown.add(disk)

    def _look_at(self, row: Identity) -> SeenFile | None:
        """The file that is at a row's path now; a place that is closed to us says nothing."""
        if row.path not in self.seen and self._listings.has(row.path):
            try:
                status = os.stat(row.path)  # noqa: PTH116 - paths are bytes here
            except OSError:
                return None
            seen = self._seen(FoundFile.of(row.root, row.path, status), is_witness=True)
            if seen.size_bytes == row.size_bytes and not is_as_recorded(row, seen):
                seen = seen._replace(file_hash=hash_file(row.path))
            self.seen[row.path] = seen
        self._looked_at.add(row.key)
        return self.seen.get(row.path)

    def decide(self) -> None:
        """Apply the identity rules to all that was seen.

        That looks at disks too, so it is done again where one was lost meanwhile.
        """
        self._leave_lost()
        self._decide()
        while self._leave_lost():
            self._decide()
        self.problems = [
            *(one for one in self.problems if self.lost.isdisjoint(upwards(one.path))),
            *(ScanProblem(path=root, reason=WENT_AWAY) for root in sorted(self.lost)),
        ]

    def _decide(self) -> None:
        roots = {row.root for row in self._rows}
        found = decide(
            self._members,
            list(self.seen.values()),
            is_covered=lambda row: self._is_scanned(row) or row.key in self._looked_at,
            is_scanned=self._is_scanned,
            volume_at=lambda row: self._roots.volume_at(row.path, row.root),
            replaced={root for root in roots if self._roots.is_replaced(root)},
            is_elsewhere=self._roots.volumes.is_elsewhere,
        )
        self.plan = gather(
            found,
            self._rows,
            self.shots.pairs,
            self._may_join,
            lambda path: path not in self._found and self.why_passed_over(path) is not None,
        )
        for path in self.plan.parts.keys() | self.plan.kept.keys():
            shown, kept = self._found[path], self.plan.kept.get(path, ())
            seen = [self._found[part.path] for part in self.plan.parts.get(path, ())]
            self._found[path] = shown.with_parts([*seen, *_unseen_beside(shown, kept)])
        beside = self.plan.is_beside()
        self.known_failures = [
            Failed(path=path, reason=self._failures[path].reason, is_known=True)
            for path, file in self._found.items()
            if self.is_known_to_fail(file) and path not in beside
        ]

    def _is_scanned(self, row: Identity) -> bool:
        """True where the row's folder was read, and does not list a file that was passed over."""
        if row.path in self._found:
            return True
        return self.covers(row.path) and not self._listings.has(row.path)

    def why_passed_over(self, path: bytes) -> str | None:
        """The rule by which the scan has left out what is known at ``path``; None without one."""
        reasons = (self._passed_over[p] for p in upwards(path) if p in self._passed_over)
        return next(reasons, None)

    def passed_over(self) -> dict[str, list[str]]:
        """The keys of known media that the scan has left out, by the rule."""
        keys: dict[str, list[str]] = {}
        for row in self._rows if self._passed_over else ():
            reason = self.why_passed_over(row.path)
            if reason is not None and row.path not in self._found:
                keys.setdefault(reason, []).append(row.key)
        return keys

    def is_known_to_fail(self, found: FoundFile) -> bool:
        """True for a file that failed before, and neither it nor what reads it has changed."""
        failure = self._failures.get(found.path)
        return (
            failure is not None
            and failure.stage != DESCRIBE
            and not self.is_tried_again(found.path)
            and (failure.stage != DECODE or failure.reader >= READER_VERSION)
            and (failure.size_bytes, failure.mtime_ns) == (found.size_bytes, found.mtime_ns)
        )

    def is_tried_again(self, path: bytes) -> bool:
        """True where a file is to be read though it failed before."""
        is_named = self._again is Again.NAMED and path in self._scanned
        return is_named or self._again in (Again.FAILED, Again.ALL)

    def to_read(self, is_embedded: Callable[[str], bool]) -> list[FoundFile]:
        """The files that have to be matched or read, in the order of the scan.

        A known medium without vectors is one of them, though its file has not changed.
        """
        failing = {failed.path for failed in self.known_failures} | self.plan.is_beside()
        chosen = []
        for path, found in self._found.items():
            key = self.plan.unchanged.get(path)
            if path in failing or (
                key is not None and is_embedded(key) and self._again is not Again.ALL
            ):
                continue
            if key is not None:
                self.plan.verdicts[path] = Verdict(MatchKind.TOUCHED, key, key)
            chosen.append(found)
        return chosen

    def unread(self, read: Iterable[FoundFile]) -> Iterator[tuple[FoundFile, str]]:
        """The unchanged files that are not among those to ``read``, with their media's keys."""
        chosen = {found.path for found in read}
        for path, key in self.plan.unchanged.items():
            if path not in chosen:
                yield self._found[path], key

    def returned(self) -> list[str]:
        """The media that are in their places though their rows say that they are not."""
        states = {row.key: row.state for row in self._rows}
        return [key for key in self.plan.unchanged.values() if states[key] != MediaState.PRESENT]
