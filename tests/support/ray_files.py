"""Workers that stand in for those of Ray, and a process that indexes with real ones."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.range_reader import (
    OpenedReader,
    RangeAnswer,
    RangeReader,
    UnseenFile,
    WantedFile,
    installed_readers,
)
from cocadesk.indexing.ray_cluster import RayOptions, WorkerLostError
from cocadesk.indexing.ray_workers import RayWorkers
from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library
from cocadesk.media.types import PhotoMetadata, ReadMetadata
from tests.support.fake_backend import FakeBackend, FakeInfo, SlowBackend

IMAGE_ID = FakeInfo().image_id


def ray_workers(backend: type[FakeBackend] = FakeBackend, address: str = "") -> RayWorkers:
    """Two real workers with a small model."""
    return RayWorkers(backend, IMAGE_ID, RayOptions(workers=2, address=address))


class FailingReader:
    """A worker whose disk is full."""

    def open(self) -> Iterator[OpenedReader]:
        """Fail at once."""
        raise OSError(errno.ENOSPC, "No space left on device")
        yield


class StandInCall:
    """Answers that are there already, or the loss of the worker."""

    def __init__(self, answers: Iterator[object]) -> None:
        self._answers = answers

    def next(self) -> object | None:
        return next(self._answers, None)


class StandInReader:
    """A worker that answers every file with its metadata, does not see it, or is lost over it."""

    def __init__(self, cluster: StandInCluster, number: int) -> None:
        self._cluster = cluster
        self.number = number
        self.is_ended = False
        self.ranges: deque[Sequence[WantedFile]] = deque()

    def open(self) -> StandInCall:
        return StandInCall(iter(self._opened()))

    def _opened(self) -> Iterator[OpenedReader]:
        if self._cluster.starts_lost:
            self._cluster.starts_lost -= 1
            raise WorkerLostError("out of memory")
        yield OpenedReader(
            host=f"attic {self.number}" if self.number else "attic",
            image_id=self._cluster.image_id,
            reads=self._cluster.reads,
        )

    def read(self, files: Sequence[WantedFile], *, is_metadata: bool) -> StandInCall:
        self.ranges.append(files)
        self._cluster.ranges.append([file.request.path for file in files])
        left = [one for held in self.ranges for one in held if not self._is_read(one)]
        large = [one for one in left if one.size_bytes > 256 << 20]
        self._cluster.most_large_held = max(self._cluster.most_large_held, len(large))
        self._cluster.most_held = max(self._cluster.most_held, self._cluster.held)
        return StandInCall(self._read(files))

    def _is_read(self, file: WantedFile) -> bool:
        return self.number in self._cluster.read_by[file.request.path]

    def _read(self, files: Sequence[WantedFile]) -> Iterator[list[RangeAnswer | UnseenFile]]:
        for file in files:
            request = file.request
            if not self._cluster.sees(self.number, request.path):
                yield [UnseenFile(token=request.token, reason="It is not there.")]
                continue
            self._cluster.read_by[request.path].append(self.number)
            if self._cluster.deadly[request.path] > 0:
                self._cluster.deadly[request.path] -= 1
                raise WorkerLostError("killed", is_error=self._cluster.is_error)
            yield [ReadMetadata(token=request.token, path=request.path, metadata=PhotoMetadata())]
        self.ranges.popleft()

    def under_way(self) -> dict[bytes, float]:
        return {files[0].request.path: 0.5 for files in list(self.ranges)[:1]}

    def leave(self) -> None:
        assert not self.is_ended

    def end(self) -> None:
        self.is_ended = True
        self.ranges.clear()


class StandInCluster:
    """Workers in this thread. ``deadly`` files end so many of them, or fail where ``is_error``.

    ``sees`` tells of a worker, by its number, and a path whether it is there for it.
    """

    def __init__(self, workers: int = 2, image_id: str = IMAGE_ID) -> None:
        self.workers = workers
        self.image_id = image_id
        self.deadly: Counter[bytes] = Counter()
        self.is_error = False
        self.is_slow_to_start = False
        self.is_starting = threading.Event()
        self.reads = installed_readers()
        self.sees: Callable[[int, bytes], bool] = lambda _number, _path: True
        self.read_by: defaultdict[bytes, list[int]] = defaultdict(list)
        self.starts_lost = 0
        self.pending: set[int] = set()
        self.late: set[int] = set()
        self.readers: list[StandInReader] = []
        self.ranges: list[list[bytes]] = []
        self.most_held = self.most_large_held = 0
        self.is_closed = False
        self._opened: dict[int, int] = {}

    @property
    def held(self) -> int:
        """The ranges in the workers' hands."""
        return sum(len(reader.ranges) for reader in self.readers)

    def start(self, is_stopped: Callable[[], bool]) -> int:
        return 0 if self.is_slow_to_start and self._is_stopped_in_time(is_stopped) else self.workers

    def _is_stopped_in_time(self, is_stopped: Callable[[], bool]) -> bool:
        self.is_starting.set()
        until_s = time.monotonic() + 30
        while time.monotonic() < until_s and not is_stopped():
            time.sleep(0.01)
        return is_stopped()

    def reader(self, reader: partial[RangeReader]) -> StandInReader:
        self.readers.append(StandInReader(self, len(self.readers)))
        return self.readers[-1]

    def ready(self, calls: Sequence[StandInCall], timeout_s: float) -> list[StandInCall]:
        """The first call of a worker that is not ``pending``, by its place among the calls.

        Those that are ``late`` come where there is no other.
        """
        able = [place for place in range(len(calls)) if place not in self.pending]
        able.sort(key=self.late.__contains__)
        return [calls[place] for place in able[:1]]

    def close(self) -> None:
        self.is_closed = True


def main(library_folder: str, photos: str, address: str = "") -> None:
    """Index in small commits with two slow workers of Ray; one line a step."""
    options = IndexOptions(commit_rows=3, commit_s=0.2, progress_s=0.01)
    workers = ray_workers(SlowBackend, address)
    with Library.open(Path(library_folder)) as library, workers:
        steps = index_steps(
            library, FakeBackend(), [os.fsencode(photos)], pool=workers, options=options
        )
        for step in steps:
            sys.stdout.write(f"{step.stage} {step.done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
