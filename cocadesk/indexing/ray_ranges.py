"""Ranges of files and the workers that have them in their hands, as the committing process sees it.

A worker may be on a computer that does not see a file: it says so, and the file is for others.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from cocadesk.indexing.pipeline import Pace
from cocadesk.indexing.range_reader import OpenedReader, RangeAnswer, UnseenFile, WantedFile
from cocadesk.indexing.ray_cluster import Call, RemoteReader
from cocadesk.media.types import DecodeFailure, DecodeRequest

_RANGE_S, _MOST_FILES, _MOST_BYTES = 2.0, 64, 256 << 20
"""Seconds that a range takes, its most files and bytes: that is what a lost worker costs."""
BLIND_RANGES = 2
"""After so many ranges in a row of which it saw nothing, a worker is doubted."""


def first_pace() -> Pace:
    """The size of ranges for a worker that has read none yet."""
    return Pace(_RANGE_S, _MOST_FILES)


@dataclass(slots=True, kw_only=True, eq=False)
class Range:
    """Files that a worker has not answered yet, by token; ``lost`` workers were lost over them.

    ``reasons`` say why a worker did not see a file, ``unseen_by`` are those that saw none of
    these, and ``unseen`` are what the worker that has it now does not see.
    """

    files: dict[int, WantedFile]
    lost: int = 0
    size: int = 0
    call: Call[list[RangeAnswer | UnseenFile]] | None = None
    reasons: dict[int, str] = field(default_factory=dict)
    unseen_by: frozenset[Worker] = frozenset()
    unseen: set[int] = field(default_factory=set)

    @property
    def is_heavy(self) -> bool:
        """True where it takes long, as a range of one video does: nothing waits behind it."""
        return sum(file.size_bytes for file in self.files.values()) >= _MOST_BYTES

    def part(self, tokens: set[int], unseen_by: Worker | None = None) -> Range:
        """A range of some of its files, which this worker does not see."""
        return Range(
            files={token: self.files[token] for token in self.files if token in tokens},
            lost=self.lost,
            reasons=self.reasons,
            unseen_by=self.unseen_by | ({unseen_by} if unseen_by else set()),
        )

    def take(self, answer: RangeAnswer | UnseenFile) -> RangeAnswer | None:
        """The answer to a file; None where others are to look for it, or it was answered before.

        A file that is no longer as it was found is for the next index.
        """
        file = self.files.get(answer.token)
        if file is None:
            return None
        if isinstance(answer, UnseenFile):
            self.reasons[answer.token] = answer.reason
            if size_of(file.request.path) == file.size_bytes != -1:
                self.unseen.add(answer.token)
                return None
        del self.files[answer.token]
        return failed(file, answer.reason) if isinstance(answer, UnseenFile) else answer

    def failures(self) -> Iterator[DecodeFailure]:
        """The answers to its files where no worker sees them."""
        for token, file in self.files.items():
            yield failed(file, self.reasons[token])


@dataclass(slots=True, kw_only=True, eq=False)
class Worker:
    """A worker with the ranges in its hands, the first one being read.

    ``blind`` counts the ranges in a row of which it saw nothing, ``has_seen`` is true where it
    saw a file before, ``has_missed`` where another has seen one that it did not see.
    """

    reader: RemoteReader
    opening: Call[OpenedReader] | None
    host: str = ""
    ranges: deque[Range] = field(default_factory=deque)
    pace: Pace = field(default_factory=first_pace)
    since_s: float = field(default_factory=time.monotonic)
    blind: int = 0
    has_seen: bool = False
    has_missed: bool = False

    @property
    def call(self) -> Call[OpenedReader] | Call[list[RangeAnswer | UnseenFile]] | None:
        """The call whose next answer is awaited."""
        return self.opening or (self.ranges[0].call if self.ranges else None)

    def has_room(self, depth: int) -> bool:
        """True where it has begun and holds fewer ranges, none of which takes long."""
        if self.opening is not None or len(self.ranges) >= depth:
            return False
        return not any(one.is_heavy for one in self.ranges)

    def begin(self, given: Range, is_metadata: bool) -> None:
        """Take a range, behind those that are there."""
        if not self.ranges:
            self.since_s = time.monotonic()
        given.size = len(given.files)
        given.unseen.clear()
        given.call = self.reader.read(list(given.files.values()), is_metadata=is_metadata)
        self.ranges.append(given)

    def end_first(self) -> Range | None:
        """Go on with the next range; gives what it did not see of this one.

        The size of the next follows from how long this one took.
        """
        ended, now_s = self.ranges.popleft(), time.monotonic()
        seen = ended.size - len(ended.unseen)
        if seen:
            self.pace.note(seen, now_s - self.since_s)
        self.blind = 0 if seen else self.blind + 1
        self.since_s = now_s
        return ended.part(ended.unseen, self) if ended.unseen else None


def next_range(waiting: Iterator[DecodeRequest], pace: Pace) -> Range | None:
    """The next files; None after the last."""
    files: dict[int, WantedFile] = {}
    size_bytes = 0
    for request in waiting:
        file = WantedFile(request=request, size_bytes=size_of(request.path))
        files[request.token] = file
        size_bytes += file.size_bytes
        if len(files) >= pace.pictures or size_bytes >= _MOST_BYTES:
            break
    return Range(files=files) if files else None


def failed(file: WantedFile, reason: str, *, is_killed: bool = False) -> DecodeFailure:
    """The failure of a file, for now."""
    return DecodeFailure(
        token=file.request.token,
        path=file.request.path,
        reason=reason,
        is_passing=True,
        is_killed=is_killed,
    )


def size_of(path: bytes) -> int:
    """The size of a file, -1 where it is not there."""
    try:
        return os.stat(path).st_size  # noqa: PTH116 - paths are bytes here
    except OSError:
        return -1
