"""Files decoded and embedded by workers of Ray, for one committing process.

``RayWorkers`` takes the place of the decoder processes in the pipeline (``pipeline.Decoder``):
its answers bring their vectors along, all else of an index is as without it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, Self, cast

from cocadesk.errors import UserError
from cocadesk.indexing.pictures import Decoded
from cocadesk.indexing.pipeline import DECODER_NICENESS, Pace
from cocadesk.indexing.range_reader import OpenedReader, RangeAnswer, RangeReader, WantedFile
from cocadesk.indexing.ray_cluster import (
    Call,
    RayCluster,
    RayOptions,
    RemoteReader,
    WorkerLostError,
)
from cocadesk.media.types import DecodeFailure, DecodeRequest, ReadMetadata
from cocadesk.model.backend import Backend

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.2
_RANGE_S, _MOST_FILES = 2.0, 64
"""Seconds that a range takes, and its most files: that is what a lost worker costs."""
_RANGES_EACH = 2
"""One in hand and one behind it, so that no worker waits for its next."""
_MOST_LOST = 3
"""Workers that may be lost over a file; the last time it is alone in its range."""
_MOST_FAILED_STARTS = 3


class Cluster(Protocol):
    """The part of ``RayCluster`` that workers need."""

    def start(self) -> int:
        """Gives the number of workers that it is to have."""

    def reader(self, reader: partial[RangeReader], /) -> RemoteReader:
        """A new worker."""

    def ready(self, calls: list[Call[Any]], timeout_s: float, /) -> list[Call[Any]]:
        """Calls that have an answer or have ended."""

    def close(self) -> None:
        """Ends it."""


@dataclass(slots=True, kw_only=True)
class _Range:
    """Files that a worker has not answered yet, by token; ``lost`` workers were lost over them."""

    files: dict[int, WantedFile]
    lost: int = 0
    size: int = 0
    call: Call[list[RangeAnswer]] | None = None

    def __post_init__(self) -> None:
        self.size = len(self.files)


@dataclass(slots=True, kw_only=True, eq=False)
class _Worker:
    """A worker with the ranges in its hands, the first one being read."""

    reader: RemoteReader
    opening: Call[OpenedReader] | None
    ranges: deque[_Range] = field(default_factory=deque)
    pace: Pace = field(default_factory=lambda: Pace(_RANGE_S, _MOST_FILES))
    since_s: float = 0.0

    @property
    def call(self) -> Call[Any] | None:
        """The call whose next answer is awaited."""
        return self.opening or (self.ranges[0].call if self.ranges else None)

    def begin(self, given: _Range, is_metadata: bool) -> None:
        """Take a range, behind those that are there."""
        if not self.ranges:
            self.since_s = time.monotonic()
        given.call = self.reader.read(list(given.files.values()), is_metadata=is_metadata)
        self.ranges.append(given)

    def end_first(self) -> None:
        """Go on with the next range; its size follows from how long this one took."""
        ended, now_s = self.ranges.popleft(), time.monotonic()
        self.pace.note(ended.size, now_s - self.since_s)
        self.since_s = now_s


class RayWorkers:
    """Workers that each hold the model and decoders of their own.

    ``open_model`` is called in each of them; a network with another ``image_id`` is refused.
    So many files are in their hands that none waits, and no more: two ranges for a worker,
    each of what it reads in two seconds. A range whose worker is lost is tried again by
    another, and the files of one that lost two workers one by one; a file over which a
    third is lost is answered with a failure. Ray starts with the first file.
    Use it as a context manager and from one thread at a time, save for ``stop``
    and ``under_way``.
    """

    def __init__(
        self,
        open_model: Callable[[], Backend],
        image_id: str,
        options: RayOptions,
        *,
        cluster: Cluster | None = None,
    ) -> None:
        self._reader = partial(RangeReader, open_model, niceness=DECODER_NICENESS)
        self._image_id = image_id
        self._cluster = cluster or RayCluster(options)
        self._count = 0
        self._workers: list[_Worker] = []
        self._again: deque[_Range] = deque()
        self._failed_starts = 0
        self._stopping = threading.Event()
        self._under_way: dict[bytes, float] = {}

    def decode(self, requests: Iterable[DecodeRequest]) -> Iterator[Decoded | DecodeFailure]:
        """Answers every request once, in the order in which files become ready.

        Raises:
            UserError: Ray or the model can't be started, or a worker has another model.
        """
        return cast("Iterator[Decoded | DecodeFailure]", self._answers(requests, False))

    def metadata(self, requests: Iterable[DecodeRequest]) -> Iterator[ReadMetadata | DecodeFailure]:
        """The metadata of each file, without decoding it; as ``decode`` in all other ways."""
        return cast("Iterator[ReadMetadata | DecodeFailure]", self._answers(requests, True))

    def stop(self) -> None:
        """Ends what is under way soon, from any thread."""
        self._stopping.set()

    def under_way(self) -> dict[bytes, float]:
        """The videos that are being decoded, with the share that is done; from any thread."""
        return self._under_way

    def close(self) -> None:
        """Ends workers and Ray."""
        for worker in self._workers:
            worker.reader.end()
        self._workers.clear()
        self._cluster.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _answers(
        self, requests: Iterable[DecodeRequest], is_metadata: bool
    ) -> Iterator[RangeAnswer]:
        self._stopping.clear()
        waiting = iter(requests)
        try:
            while not self._stopping.is_set():
                self._hand_out(waiting, is_metadata)
                if not self._again and not any(worker.ranges for worker in self._workers):
                    return
                calls = [call for worker in self._workers if (call := worker.call)]
                for call in self._cluster.ready(calls, _LOOK_S):
                    yield from self._take(call)
                self._look()
        finally:
            self._again.clear()
            self._under_way = {}
            for worker in [worker for worker in self._workers if worker.ranges]:
                self._remove(worker)  # it would read on for nobody

    def _hand_out(self, waiting: Iterator[DecodeRequest], is_metadata: bool) -> None:
        """Give ranges to workers that have room, and start workers that are missing.

        One that has not begun holds none: perhaps there is no processor for it.
        """
        for depth in range(1, _RANGES_EACH + 1):
            for worker in self._workers:
                if worker.opening is None and len(worker.ranges) < depth:
                    given = self._again.popleft() if self._again else _next(waiting, worker.pace)
                    if given is None:
                        return
                    worker.begin(given, is_metadata)
        while len(self._workers) < max(1, self._count):
            if len(self._again) <= sum(worker.opening is not None for worker in self._workers):
                first = _next(waiting, Pace(_RANGE_S, _MOST_FILES))
                if first is None:
                    return
                self._again.append(first)
            self._start()

    def _start(self) -> None:
        if not self._count:
            self._count = self._cluster.start()
        reader = self._cluster.reader(self._reader)
        self._workers.append(_Worker(reader=reader, opening=reader.open()))

    def _remove(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.reader.end()

    def _take(self, call: Call[Any]) -> Iterator[RangeAnswer]:
        """The answers that a worker has ready."""
        worker = next(worker for worker in self._workers if worker.call is call)
        try:
            answer = call.next()
        except WorkerLostError as error:
            yield from self._replace(worker, f"{error}")
            return
        if worker.opening is not None:
            worker.opening = None
            self._check(answer)
            return
        first = worker.ranges[0]
        for one in answer or ():
            if first.files.pop(one.token, None) is not None:
                yield one
        if answer is None:
            worker.end_first()

    def _check(self, opened: OpenedReader | None) -> None:
        """Refuse a worker without a model, or with another one: its vectors would not fit."""
        self._failed_starts = 0
        if opened is None or opened.error:
            host, why = ("", "") if opened is None else (f" on {opened.host}", opened.error)
            raise UserError(f"The Ray worker{host} could not open the model.", why)
        if opened.image_id != self._image_id:
            raise UserError(
                f"The Ray worker on {opened.host} has another model than this library.",
                f"It opened {opened.image_id}, and the library's vectors are of {self._image_id}.",
                "Install the same CocaDesk, with the same model files, on each computer.",
            )

    def _replace(self, worker: _Worker, why: str) -> Iterator[DecodeFailure]:
        """Have the files of a lost worker read by others; those in its hands are suspected."""
        _LOG.warning("a Ray worker was lost: %s", why)
        if worker.opening is not None:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS:
                raise UserError("The Ray workers end before they can read.", why)
        self._remove(worker)
        ranges = [one for one in worker.ranges if one.files]
        if ranges and worker.opening is None:
            suspect = ranges.pop(0)
            suspect.lost += 1
            if suspect.lost < _MOST_LOST - 1:
                self._again.append(suspect)
            elif suspect.lost < _MOST_LOST:
                self._again.extend(
                    _Range(files={token: file}, lost=suspect.lost)
                    for token, file in suspect.files.items()
                )
            else:
                yield from map(_failure, suspect.files.values())
        self._again.extend(ranges)

    def _look(self) -> None:
        """Learn which videos are in the workers' hands."""
        self._under_way = {
            path: share
            for worker in self._workers
            if worker.ranges and worker.opening is None
            for path, share in worker.reader.under_way().items()
        }


def _next(waiting: Iterator[DecodeRequest], pace: Pace) -> _Range | None:
    files: dict[int, WantedFile] = {}
    for request in waiting:
        files[request.token] = WantedFile(request=request, size_bytes=_size_of(request.path))
        if len(files) >= pace.pictures:
            break
    return _Range(files=files) if files else None


def _failure(file: WantedFile) -> DecodeFailure:
    return DecodeFailure(
        token=file.request.token,
        path=file.request.path,
        reason=f"{_MOST_LOST} Ray workers ended while they read this file.",
        is_passing=True,
        is_killed=True,
    )


def _size_of(path: bytes) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - paths are bytes here
    except OSError:
        return -1
