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
from functools import partial
from typing import Any, Protocol, Self, cast

from cocadesk.errors import UserError, kept, tr
from cocadesk.indexing.pictures import Decoded
from cocadesk.indexing.pipeline import DECODER_NICENESS
from cocadesk.indexing.range_reader import (
    OpenedReader,
    RangeAnswer,
    RangeReader,
    UnseenFile,
    installed_readers,
)
from cocadesk.indexing.ray_cluster import (
    Call,
    RayCluster,
    RayOptions,
    RemoteReader,
    WorkerLostError,
)
from cocadesk.indexing.ray_ranges import (
    BLIND_RANGES,
    Range,
    Worker,
    failed,
    first_pace,
    next_range,
)
from cocadesk.media.types import DecodeFailure, DecodeLimits, DecodeRequest, ReadMetadata
from cocadesk.model.backend import Backend

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.2
_RANGES_EACH = 2
"""One in hand and one behind it, so that no worker waits for its next."""
_MOST_LOST = 3
"""Workers that may be lost over a file; the last time it is alone in its range."""
_MOST_FAILED_STARTS = 3
_MOST_ERRORS = 9
"""In a row and without an answer: then it is not the files."""
_HOPELESS_RANGES = 4
"""Where each worker saw nothing of so many, the files are not where they are looked for."""


class Cluster(Protocol):
    """The part of ``RayCluster`` that workers need."""

    def start(self, is_stopped: Callable[[], bool], /) -> int:
        """Gives the number of workers that it is to have, 0 where stopped meanwhile."""

    def reader(self, reader: partial[RangeReader], /) -> RemoteReader:
        """A new worker."""

    def ready(self, calls: list[Call[Any]], timeout_s: float, /) -> list[Call[Any]]:
        """Calls that have an answer or have ended."""

    def close(self) -> None:
        """Ends it."""


class RayWorkers:
    """Workers that each hold the model and decoders of their own.

    ``open_model`` is called in each of them; a network with another ``image_id`` is refused.
    So many files are in their hands that none waits, and no more: two ranges for a worker,
    each of what it reads in two seconds. A range whose worker is lost is tried again by
    another, and the files of one that lost two workers one by one; a file over which a
    third is lost is answered with a failure. A file that a worker does not see is given to
    the others; a worker that sees nothing of what others see reads no more, as ``notes``
    say. Only a file that none sees is answered with a failure. Ray starts with the first file.
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
        opening_s: float = 120.0,
    ) -> None:
        self._reader = partial(
            RangeReader, open_model, niceness=DECODER_NICENESS, limits=DecodeLimits.of_machine()
        )
        self._image_id = image_id
        self._cluster = cluster or RayCluster(options)
        self._opening_s = opening_s
        self._count: int | None = None
        self._workers: list[Worker] = []
        self._again: deque[Range] = deque()
        self._failed_starts = 0
        self._errors = 0
        self.notes: list[str] = []
        """Sentences about workers that read no more."""
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
        self._end(list(self._workers))
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
                if self._count is None and self._again:
                    return  # stopped while Ray started
                yield from self._give_up()
                if not self._again and not any(worker.ranges for worker in self._workers):
                    return
                calls = [call for worker in self._workers if (call := worker.call)]
                for call in self._cluster.ready(calls, _LOOK_S):
                    yield from self._take(call)
                self._look()
        finally:
            self._again.clear()
            self._under_way = {}
            # They would read on for nobody.
            self._end([worker for worker in self._workers if worker.ranges])

    def _hand_out(self, waiting: Iterator[DecodeRequest], is_metadata: bool) -> None:
        """Give ranges to workers that have room, and start workers that are missing.

        One that has not begun holds none: perhaps there is no processor for it.
        """
        for depth in range(1, _RANGES_EACH + 1):
            for worker in self._workers:
                if worker.has_room(depth):
                    given = self._next_for(worker, waiting)
                    if given is not None:
                        worker.begin(given, is_metadata)
        while len(self._workers) < max(1, self._count or 0):
            if len(self._again) <= sum(worker.opening is not None for worker in self._workers):
                first = next_range(waiting, first_pace())
                if first is None:
                    return
                self._again.append(first)
            if not self._start():
                return

    def _next_for(self, worker: Worker, waiting: Iterator[DecodeRequest]) -> Range | None:
        """A range that this worker has not looked for yet.

        One that is doubted gets no new ones while others look for what it did not see: it
        would run through all files.
        """
        for one in self._again:
            if worker not in one.unseen_by:
                self._again.remove(one)
                return one
        if worker.blind >= BLIND_RANGES and any(
            worker in one.unseen_by for one in (*self._again, *self._in_hand())
        ):
            return None
        return next_range(waiting, worker.pace)

    def _in_hand(self) -> Iterator[Range]:
        for worker in self._workers:
            yield from worker.ranges

    def _give_up(self) -> Iterator[DecodeFailure]:
        """Answer the files that no worker sees.

        One that has not begun may see them, but perhaps there is no processor for it.
        """
        begun_s = time.monotonic() - self._opening_s
        able = [one for one in self._workers if one.opening is None or one.since_s > begun_s]
        for one in [one for one in self._again if one.unseen_by.issuperset(able)]:
            if not one.unseen_by:
                continue
            if all(not each.has_seen and each.blind >= _HOPELESS_RANGES for each in able):
                raise _nothing_seen(one)
            self._again.remove(one)
            yield from one.failures()

    def _start(self) -> bool:
        """Start a worker; false where the start of Ray was stopped."""
        if self._count is None:
            self._count = self._cluster.start(self._stopping.is_set) or None
        if self._count is None:
            return False
        reader = self._cluster.reader(self._reader)
        self._workers.append(Worker(reader=reader, opening=reader.open()))
        return True

    def _end(self, workers: list[Worker]) -> None:
        """End these workers; together, for each may take a moment to leave."""
        for worker in workers:
            self._workers.remove(worker)
            if worker.opening is None:
                worker.reader.leave()
        for worker in workers:
            worker.reader.end()

    def _take(self, call: Call[Any]) -> Iterator[RangeAnswer]:
        """The answers that a worker has ready."""
        worker = next((worker for worker in self._workers if worker.call is call), None)
        if worker is None:
            return
        try:
            answer = call.next()
        except WorkerLostError as error:
            yield from self._replace(worker, error)
            return
        if worker.opening is not None:
            worker.opening = None
            worker.host = self._checked(answer).host
            return
        first = worker.ranges[0]
        for one in answer or ():
            taken = first.take(one)
            if taken is not None:
                yield taken
            if not isinstance(one, UnseenFile):
                self._errors, worker.has_seen = 0, True
                for other in first.unseen_by:
                    other.has_missed = True
        if answer is None:
            unseen = worker.end_first()
            if unseen is not None:
                self._again.append(unseen)
        self._retire_blind()

    def _retire_blind(self) -> None:
        """Let workers read no more that have seen nothing, and others saw what they did not."""
        for worker in list(self._workers):
            if worker.has_seen or worker.blind < BLIND_RANGES or not worker.has_missed:
                continue
            self._end([worker])
            assert self._count is not None
            self._count -= 1  # another in its place would see as little
            self._again.extend(one for one in worker.ranges if one.files)
            note = tr(
                "The Ray worker on {host} reads no more: it does not see files that"
                " others see. Files must lie at the same paths there.",
                host=worker.host,
            )
            if note not in self.notes:
                _LOG.warning("%s", note)
                self.notes.append(note)

    def _checked(self, opened: OpenedReader | None) -> OpenedReader:
        """Refuse a worker without a model, or whose answers would not be those of this computer."""
        self._failed_starts = 0
        if opened is None or opened.error:
            host, why = ("", "") if opened is None else (f" on {opened.host}", opened.error)
            raise UserError(tr("The Ray worker{host} could not open the model.", host=host), why)
        if opened.image_id != self._image_id:
            raise UserError(
                tr(
                    "The Ray worker on {host} has another model than this library.",
                    host=opened.host,
                ),
                tr(
                    "It opened {image_id}, and the library's vectors are of {other}.",
                    image_id=opened.image_id,
                    other=self._image_id,
                ),
                tr("Install the same CocaDesk, with the same model files, on each computer."),
            )
        if opened.reads != (here := installed_readers()):
            raise UserError(
                tr(
                    "The Ray worker on {host} reads files by other means than this computer.",
                    host=opened.host,
                ),
                tr("It has {reads}, and here is {here}.", reads=opened.reads, here=here),
                tr("Install the same CocaDesk, with the same packages, on each computer."),
            )
        return opened

    def _replace(self, worker: Worker, lost: WorkerLostError) -> Iterator[DecodeFailure]:
        """Have the files of a lost worker read by others; those in its hands are suspected."""
        _LOG.warning("a Ray worker was lost: %s", lost)
        if worker.opening is not None:
            self._failed_starts += 1
            if self._failed_starts >= _MOST_FAILED_STARTS:
                raise UserError(tr("The Ray workers end before they can read."), f"{lost}")
        self._errors += lost.is_error
        if self._errors >= _MOST_ERRORS:
            raise UserError(tr("The Ray workers fail at each file."), f"{lost}")
        self._end([worker])
        ranges = [one for one in worker.ranges if one.files]
        if ranges and worker.opening is None:
            suspect = ranges.pop(0)
            suspect.lost += 1
            if suspect.lost < _MOST_LOST - 1:
                self._again.append(suspect)
            elif suspect.lost < _MOST_LOST:
                self._again.extend(suspect.part({token}) for token in suspect.files)
            else:
                reason = kept(
                    "{number} Ray workers ended while they read this file.", number=_MOST_LOST
                )
                if lost.is_error:
                    reason = kept(
                        "{number} Ray workers failed at this file. {reason}",
                        number=_MOST_LOST, reason=lost,
                    )  # fmt: skip
                for file in suspect.files.values():
                    yield failed(file, reason, is_killed=not lost.is_error)
        self._again.extend(ranges)

    def _look(self) -> None:
        """Learn which videos are in the workers' hands."""
        self._under_way = {
            path: share
            for worker in self._workers
            if worker.ranges and worker.opening is None
            for path, share in worker.reader.under_way().items()
        }


def _nothing_seen(unseen: Range) -> UserError:
    (token, file), *_ = unseen.files.items()
    return UserError(
        tr("No Ray worker sees the files."),
        f"{os.fsdecode(file.request.path)}: {unseen.reasons[token]}",
        tr("Make the folder available at the same path on each computer."),
    )
