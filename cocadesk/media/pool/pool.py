"""Decodes many files in disposable worker processes."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Self, TypeAlias, cast

from cocadesk.errors import UserError, kept
from cocadesk.media.pool.deadline import Patience, WorkDone, work_of
from cocadesk.media.pool.messages import (
    Alive,
    Answer,
    CannotStart,
    DecodeFailed,
    MetadataDone,
    PhotoDone,
    Ready,
    VideoDone,
    WorkerSettings,
)
from cocadesk.media.pool.results import (
    EXIT_OF_HUNG,
    describe_exit,
    failure,
    failure_of_ended,
    photo_result,
    video_result,
)
from cocadesk.media.pool.worker_process import Ended, Event, WorkerProcess
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    ReadMetadata,
)
from cocadesk.media.video.spool import SpoolFolder
from cocadesk.picture_input import InputSpec

_LOG = logging.getLogger(__name__)
_MAX_FAILED_STARTS = 3
_ASIDE_S = 5.0
"""A worker that stood still so long keeps its file, but the files behind it go elsewhere."""

_Final: TypeAlias = PhotoDone | VideoDone | MetadataDone | DecodeFailed
Result = DecodedPhoto | DecodedVideo | DecodeFailure
_Result: TypeAlias = Result | ReadMetadata


class DecoderPool:
    """Worker processes that turn files into ``DecodedPhoto``, ``DecodedVideo`` or a failure.

    Each worker has its own address-space limit, memory and pipe. One that
    dies is replaced and the file in its hands tried once more (something else
    may have killed it); the second time the file is answered with a failure.
    So it is at once when a worker computes for longer than ``deadline_s``, which a
    video renews with every second in which more of it was decoded, up to
    ``video_deadline_s`` in all. One that stands still (its disk is stalled, the computer
    busy) keeps its file for ``silence_s`` and gives a passing failure then; the files
    behind it are decoded by others. Use it as a context manager and from one thread at a time.

    ``limits`` are those of this computer unless given; ``address_space_bytes``, which follows
    from them, bounds each worker (Linux; elsewhere ``limits`` alone do). ``slots`` is the
    look-ahead per worker: how many files are
    decoded at most before the caller takes the results. ``spool_parent`` is
    where the frames of videos wait (the system's temporary folder unless given).
    ``worker_module`` is the program that a worker runs, ``clock`` gives the seconds of
    waiting, ``work_of`` the work that a process has done, and every ``look_s`` seconds the
    pool looks at it; tests give ones of their own. ``niceness`` is how much the workers give
    way to other programs, as of ``nice``; Windows knows none.
    """

    def __init__(
        self,
        *,
        spec: InputSpec,
        workers: int = 2,
        thumbnail_px: int = 320,
        deadline_s: float = 20.0,
        limits: DecodeLimits | None = None,
        address_space_bytes: int | None = None,
        slots: int = 8,
        video_deadline_s: float = 4 * 3600,
        silence_s: float = 60.0,
        spool_parent: Path | None = None,
        worker_module: str = "cocadesk.media.pool.worker",
        clock: Callable[[], float] = time.monotonic,
        work_of: Callable[[int], WorkDone | None] = work_of,
        look_s: float = 0.5,
        niceness: int = 0,
    ) -> None:
        if workers < 1 or slots < 1:
            raise ValueError("a decoder pool needs at least one worker and one slot")
        limits = limits or DecodeLimits.of_machine()
        self._settings = WorkerSettings(
            spec=spec,
            thumbnail_px=thumbnail_px,
            limits=limits,
            address_space_bytes=address_space_bytes or limits.address_space_bytes,
            slots=slots,
            patience=Patience(
                deadline_s=deadline_s,
                longest_s=max(deadline_s, video_deadline_s),
                silence_s=silence_s,
            ),
            module=worker_module,
            niceness=niceness,
        )
        self._clock = clock
        self._work_of = work_of
        self._look_s = look_s
        self._looked_at_s = clock()
        self._spool = SpoolFolder(spool_parent)
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._serials = itertools.count()
        self._retried: set[int] = set()
        self._again: deque[tuple[int, DecodeRequest]] = deque()
        self._current: set[int] = set()
        self._under_way: dict[int, tuple[bytes, float]] = {}
        self._failed_starts = 0
        self._is_decoding = False
        self._is_closed = False
        self._stopping = threading.Event()
        self._workers = [self._start_worker() for _ in range(workers)]

    @property
    def spec(self) -> InputSpec:
        """The model input that this pool prepares."""
        return self._settings.spec

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """The process ids of the workers as they are now."""
        return tuple(worker.pid for worker in self._workers)

    def decode(self, requests: Iterable[DecodeRequest]) -> Iterator[Result]:
        """Answers every request once, in the order in which files become ready.

        ``requests`` is read a little ahead (``slots`` per worker), on the
        caller's thread. Closing the iterator drops what is under way; the
        pool can be used again.

        Raises:
            UserError: no worker can be started at all.
            RuntimeError: the pool is closed, or another ``decode`` is under way.
        """
        yield from cast("Iterator[Result]", self._answers(requests))

    def metadata(self, requests: Iterable[DecodeRequest]) -> Iterator[ReadMetadata | DecodeFailure]:
        """The metadata of each file, without decoding it; as ``decode`` in all other ways."""
        wanted = (replace(request, is_metadata=True) for request in requests)
        yield from cast("Iterator[ReadMetadata | DecodeFailure]", self._answers(wanted))

    def _answers(self, requests: Iterable[DecodeRequest]) -> Iterator[_Result]:
        if self._is_closed or self._is_decoding:
            raise RuntimeError("the pool is closed" if self._is_closed else "decode is under way")
        self._is_decoding = True
        self._stopping.clear()
        try:
            waiting = iter(requests)
            while not self._stopping.is_set() and self._dispatch(waiting):
                yield from self._results_of_next_event()
        finally:
            self._is_decoding = False
            self._forget_unanswered()

    def stop(self) -> None:
        """Ends the ``decode`` under way soon, from any thread, as if its iterator was closed.

        For whoever can't close it because another thread waits in it, perhaps
        for a video of hours.
        """
        self._stopping.set()

    def under_way(self) -> dict[bytes, float]:
        """The videos that are being decoded, with the share that is done; from any thread."""
        return dict(list(self._under_way.values()))

    def close(self) -> None:
        """Ends the workers. Safe to call twice."""
        self._is_closed = True
        for worker in self._workers:
            worker.kill()
        self._workers.clear()
        self._spool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_worker(self) -> WorkerProcess:
        return WorkerProcess(self._settings, self._events.put, self._clock)

    def _dispatch(self, waiting: Iterator[DecodeRequest]) -> bool:
        """Fills free slots; False when every request has been read and answered."""
        while (worker := self._least_busy()) is not None:
            if self._again:
                serial, request = self._again.popleft()
            else:
                following = next(waiting, None)
                if following is None:
                    return bool(self._current)
                serial, request = next(self._serials), following
                self._current.add(serial)
            worker.send(serial, request, self._spool.path(serial))
        return True

    def _least_busy(self) -> WorkerProcess | None:
        able = [worker for worker in self._workers if worker.can_take]
        return min(able, key=lambda worker: len(worker.queued), default=None)

    def _results_of_next_event(self) -> Iterator[_Result]:
        try:
            worker, answer, at_s = self._events.get(timeout=self._look_s)
        except queue.Empty:
            yield from self._end_late_workers()
            return
        if worker not in self._workers:
            return  # a last word from a worker that was replaced
        yield from self._handle(worker, answer, at_s)
        yield from self._end_late_workers()

    def _handle(
        self, worker: WorkerProcess, answer: Answer | Ended, at_s: float
    ) -> Iterator[_Result]:
        if isinstance(answer, Ready):
            worker.is_ready = True
            worker.begin_file(at_s)
            self._failed_starts = 0
        elif isinstance(answer, CannotStart):
            raise UserError(kept("The photo decoder cannot start."), answer.reason)
        elif isinstance(answer, Ended):
            yield from self._replace(worker, answer.exit_code, blames_file=True)
        elif isinstance(answer, Alive):
            if answer.serial not in self._current:
                # A video of a decode that was cancelled before it gave its first heartbeat.
                yield from self._replace(worker, None)
            elif next(iter(worker.queued), None) == answer.serial:
                worker.deadline.note_heartbeat(at_s)
                request, _ = worker.queued[answer.serial]
                self._under_way[answer.serial] = (request.path, answer.share)
        elif answer.serial in worker.queued:
            request, slot = worker.queued.pop(answer.serial)
            worker.begin_file(at_s)
            if answer.serial in self._current:
                self._settle(answer.serial)
                yield self._to_result(worker, slot, request, answer)
            else:
                self._spool.drop(answer.serial)
            # Only now: the generator was resumed, so the caller has its copy.
            worker.free_slots.append(slot)
            if worker.is_aside and worker in self._workers:
                self._take_out(worker)

    def _to_result(
        self, worker: WorkerProcess, slot: int, request: DecodeRequest, answer: _Final
    ) -> _Result:
        if isinstance(answer, DecodeFailed):
            self._spool.drop(answer.serial)
            return failure(
                request, answer.reason, is_photo=answer.is_photo, is_passing=answer.is_passing
            )
        if isinstance(answer, MetadataDone):
            self._spool.drop(answer.serial)
            return ReadMetadata(
                token=request.token,
                path=request.path,
                metadata=answer.metadata,
                is_video=answer.is_video,
                duration_s=answer.duration_s,
                content_id=answer.content_id,
            )
        if isinstance(answer, PhotoDone):
            return photo_result(worker, slot, request, answer)
        try:
            return video_result(self._spool, self.spec.size_px, request, answer)
        except (OSError, ValueError) as error:
            _LOG.warning("the frames of a video were lost (%s)", error)
            reason = kept("The video's frames were lost on their way (disk full?).")
            return failure(request, reason, is_passing=True)

    def _settle(self, serial: int) -> None:
        self._current.discard(serial)
        self._retried.discard(serial)
        self._under_way.pop(serial, None)

    def _end_late_workers(self) -> Iterator[Result]:
        now_s = self._clock()
        if not self._events.empty() or now_s - self._looked_at_s < self._look_s:
            return  # there may be a sign of life among the events
        self._looked_at_s = now_s
        for worker in [worker for worker in self._workers if worker.is_busy]:
            worker.deadline.note_work(now_s, self._work_of(worker.pid))
            late = worker.deadline.late(now_s)
            if late is None:
                if now_s - worker.deadline.moved_at_s > _ASIDE_S:
                    self._set_aside(worker)
            elif not worker.is_ready:
                yield from self._replace(worker, None)
            else:
                serial, (request, _) = worker.queued.popitem(last=False)
                yield from self._replace(worker, None)
                self._spool.drop(serial)
                if serial in self._current:
                    self._settle(serial)
                    yield failure(request, late.reason, is_passing=late.is_passing)

    def _set_aside(self, worker: WorkerProcess) -> None:
        """Lets a worker that stands still keep the file in hand; others get those behind it.

        There are at most as many such workers as others: a disk may be gone for good.
        """
        aside = sum(other.is_aside for other in self._workers)
        if not worker.is_ready or worker.is_aside or 2 * aside >= len(self._workers):
            return
        worker.is_aside = True
        behind = list(worker.queued.items())[1:]
        for serial, (request, _) in behind:
            del worker.queued[serial]
            self._again_elsewhere(serial, request)
        self._workers.append(self._start_worker())

    def _again_elsewhere(self, serial: int, request: DecodeRequest) -> None:
        """Has a file decoded by another worker; under a new number, as this one may still begin."""
        if serial not in self._current:
            return
        again = next(self._serials)
        self._under_way.pop(serial, None)
        self._current.remove(serial)
        self._current.add(again)
        if serial in self._retried:
            self._retried.remove(serial)
            self._retried.add(again)
        self._again.append((again, request))

    def _take_out(self, worker: WorkerProcess) -> None:
        """Ends a worker; another takes its place, unless it has one since it was set aside."""
        place = self._workers.index(worker)
        self._workers[place : place + 1] = [] if worker.is_aside else [self._start_worker()]
        worker.kill()
        for serial in worker.queued:
            self._spool.drop(serial)

    def _replace(
        self, worker: WorkerProcess, exit_code: int | None, *, blames_file: bool = False
    ) -> Iterator[Result]:
        """Puts a new worker in the place of one that is gone; its files go to the others.

        With ``blames_file`` the file in its hands is suspected: a second time is its last.
        """
        if not worker.is_ready:
            self._failed_starts += 1
            if self._failed_starts >= _MAX_FAILED_STARTS:
                raise UserError(
                    kept("The photo decoder cannot start."),
                    kept(
                        "Its process ended {failed_starts} times before it was ready ({end}).",
                        failed_starts=self._failed_starts,
                        end=describe_exit(exit_code),
                    ),
                )
        orphans = [(serial, request) for serial, (request, _) in worker.queued.items()]
        self._take_out(worker)
        if orphans and worker.is_ready and blames_file:
            suspect, request = orphans[0]
            _LOG.debug("worker %d ended (%s)", worker.pid, describe_exit(exit_code))
            if suspect in self._retried or exit_code == EXIT_OF_HUNG:
                orphans.pop(0)
                if suspect in self._current:
                    self._settle(suspect)
                    yield failure_of_ended(request, exit_code, self._settings.patience)
            else:
                self._retried.add(suspect)
        for serial, request in orphans:
            self._again_elsewhere(serial, request)

    def _forget_unanswered(self) -> None:
        """After a cancelled decode: late answers are dropped by their serial.

        A worker in the midst of a video would keep the next files waiting for
        minutes, so it is replaced.
        """
        self._current.clear()
        self._under_way.clear()
        self._retried.clear()
        self._again.clear()
        for worker in list(self._workers):
            if worker.is_aside or worker.is_in_video:
                self._take_out(worker)
