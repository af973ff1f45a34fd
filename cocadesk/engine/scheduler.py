"""Jobs: generators of small steps, run one after another.

Between two steps a job may be paused or cancelled, and a person's request goes
first. A short job passes a long one (``job_order``): the long one is put by after a step,
as if it was paused, and goes on when the short one is done. Lessons and the fetching of models,
which are processes of their own, have a thread of their own each. A job's row in the library
survives a crash: at the next start it goes on, unless it is what makes the engine end each time.
"""

from __future__ import annotations

import contextlib
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from cocadesk.engine.job_list import JobList
from cocadesk.engine.job_order import Hold, Lane, is_short, lane_of, seconds_of
from cocadesk.engine.job_records import (
    CRASHES_ALLOWED,
    Job,
    JobRecords,
    JobSpec,
    JobStore,
    Witness,
    documents_of,
)
from cocadesk.engine.job_steps import JobFactory, JobOutcome, JobStep
from cocadesk.errors import UserError, disk_error, kept, tr
from cocadesk.library.rows import new_key
from cocadesk.protocol.values import JobAction, JobKind, JobReport, JobState, JobValue

QUIET_LIMIT_S = 1.0
REST_S = 5.0
"""A job that was passed gets this long at least before it is passed again."""
_OUTSIDE = frozenset({JobKind.WRITE, JobKind.TAKE_OVER})
"""Kinds whose gain lies in other files than the library's media."""
LOOK_S = 5.0
"""The time between two looks whether a job that is held may run."""

_log = logging.getLogger(__name__)


class Scheduler:
    """Owns the jobs of one library. Any thread may call its methods.

    ``on_change`` gets every move of a job, on the thread that made it;
    ``wait_until_quiet`` blocks while a person waits for an answer. ``hold`` says why a job
    must not run now. One that was passed begins anew: it is not passed again before it has
    committed anything, nor until it has worked as long again, and ``rest_s`` at least.
    """

    def __init__(
        self,
        store: JobStore,
        works: Mapping[JobKind, JobFactory],
        *,
        on_change: Callable[[JobValue], None],
        wait_until_quiet: Callable[[float], bool],
        witness: Witness | None = None,
        hold: Hold = lambda _job: "",
        rest_s: float = REST_S,
    ) -> None:
        records = JobRecords(store, witness)
        self._witness = records.witness
        self._works = works
        self._on_change = on_change
        self._wait_until_quiet = wait_until_quiet
        self._changed = threading.Condition(threading.RLock())
        self._is_closed = False
        self._rest_s = rest_s
        self._jobs = JobList(records, on_change, hold)
        self._threads = [
            threading.Thread(
                target=self._run, args=(lane,), name=f"jobs-{lane.name.lower()}", daemon=True
            )
            for lane in Lane
        ]
        for job in self._jobs.all():
            if job.spec.crashes >= CRASHES_ALLOWED and not job.value.state.is_final:
                name = self._witness.skip(job.value.kind, job.spec.suspects)
                self._jobs.end(job, JobState.FAILED, message=_crashed(name))

    def start(self) -> None:
        """Begins with what an earlier engine has left."""
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stops after the step in hand; the next engine goes on from there."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        for thread in self._threads:
            if thread.ident is not None:
                thread.join()

    def run(self, job_id: str, *, is_stopped: Callable[[], bool]) -> None:
        """Does a job here and now, for an engine without the thread of jobs.

        Returns at its end, or where ``is_stopped`` says so between two steps: then it
        waits again. A job that was paused goes on.
        """
        with self._changed:
            job = self._jobs.get(job_id)
            if job.value.state not in (JobState.QUEUED, JobState.PAUSED):
                return
            self._begin(job)
        self._work_on(job, is_stopped)
        self._leave(job)

    def add(
        self,
        kind: JobKind,
        title: str,
        spec: str,
        *,
        job_id: str | None = None,
        items: int | None = None,
        is_background: bool = False,
    ) -> JobValue:
        """Queues a job; the same order that waits or runs already is that job.

        ``title`` is English (``kept``), and shown in the person's language.
        ``items`` is the number of its files, where it is known: a job of few passes longer
        ones. One ``is_background`` that nobody has asked for never does.
        """
        seconds = None if is_background else seconds_of(kind, items)
        order = JobSpec(title=title, work=spec, seconds=seconds, is_background=is_background)
        with self._changed:
            if (known := self._jobs.open(kind, order)) is not None:
                return known.value
            job = self._jobs.insert(kind, order, job_id or new_key())
            self._jobs.tell_waits()
            self._changed.notify_all()
            value = job.value
        self._on_change(value)
        return value

    def again(self, job_id: str, spec: str) -> JobValue:
        """Queues a job that was stopped or has failed once more, with this order (JSON)."""
        with self._changed:
            job = self._jobs.get(job_id)
            if not job.value.state.can_start_again:
                return job.value
            order = job.spec.again(spec)
            if not is_short(job):
                order = replace(order, seconds=None)  # it took longer than was thought
            if (known := self._jobs.open(job.value.kind, order)) is not None:
                return known.value
            self._jobs.renew(job, order)
            self._changed.notify_all()
            return job.value

    def record(self, kind: JobKind, title: str, spec: str, outcome: JobOutcome) -> JobValue:
        """Remembers as a job what was quick enough to be done at once."""
        order = JobSpec(title=title, work=spec)
        with self._changed:
            job = self._jobs.insert(kind, order, new_key())
            job.report = outcome.report
            self._jobs.end(job, JobState.DONE, message=outcome.message, failed=outcome.failed)
            return job.value

    def all(self) -> tuple[JobValue, ...]:
        """Every job that is remembered, newest first."""
        with self._changed:
            return tuple(job.value for job in reversed(self._jobs.all()))

    def get(self, job_id: str) -> JobValue:
        """One job as it is now.

        Raises:
            UserError: there is none of that id.
        """
        with self._changed:
            return self._jobs.get(job_id).value

    def drop(self, job_ids: Iterable[str]) -> None:
        """Forgets jobs that have ended; others stay."""
        with self._changed:
            for job_id in job_ids:
                job = self._jobs.get(job_id)
                if job.value.state.is_final:
                    self._jobs.forget(job)

    def report(self, job_id: str) -> JobReport | None:
        """The report of a job that is done; before, what it has told so far."""
        with self._changed:
            return self._jobs.get(job_id).report

    def spec(self, job_id: str) -> str:
        """The order (JSON) of a job, as its work reads it."""
        with self._changed:
            return self._jobs.get(job_id).spec.work

    def control(self, job_id: str, action: JobAction) -> JobValue:
        """Pauses, resumes or cancels; a job that has ended stays as it is.

        A running job stops at its next step: the answer says what is wanted.
        """
        with self._changed:
            job = self._jobs.get(job_id)
            state = job.value.state.after(action)
            if state is job.value.state:
                return job.value
            finished = datetime.now(UTC).isoformat(timespec="seconds") if state.is_final else ""
            self._jobs.set(job, state=state, seconds_left=None, finished=finished)
            self._changed.notify_all()
            return job.value

    def reconsider(self) -> None:
        """Looks at once whether jobs that are held may run now."""
        with self._changed:
            self._jobs.tell_waits()
            self._changed.notify_all()

    def wait_until_left(self, job_id: str, limit_s: float) -> bool:
        """Blocks until no step of the job is in hand (it was paused or cancelled before)."""
        with self._changed:
            job = self._jobs.get(job_id)
            working = self._jobs.working
            return self._changed.wait_for(lambda: job not in working.values(), limit_s)

    def is_busy(self, *, of_library: bool = False) -> bool:
        """True while a job runs, or waits for its turn; ``of_library``: none that only fetches."""
        lanes = [lane for lane in Lane if not of_library or lane is not Lane.FETCHING]
        with self._changed:
            return any(lane in self._jobs.working or self._jobs.next(lane) for lane in lanes)

    @contextlib.contextmanager
    def at_rest(
        self, why: str = tr("While a job works with photos and videos, they can't be forgotten.")
    ) -> Iterator[Callable[[Callable[[str], bool]], int]]:
        """Keep jobs from beginning; gives what forgets jobs and tells how many.

        It is asked of each job's order and report (JSON) whether they go. The fetching of a
        model goes on: it knows nothing of photos and videos.

        Raises:
            UserError: another job runs.
        """
        with self._changed:
            working = dict(self._jobs.working)
            fetching = working.pop(Lane.FETCHING, None)
            running = next(iter(working.values()), None)
            if running is not None:
                raise UserError(
                    tr("Something else is being done: {running}.", running=running.value.title),
                    why,
                    tr("Wait for its end, or stop it; then try again."),
                )

            def forget(goes: Callable[[str], bool]) -> int:
                others = [job for job in self._jobs.all() if job is not fetching]
                gone = [job for job in others if any(map(goes, documents_of(job)))]
                for job in gone:
                    self._jobs.forget(job)
                return len(gone)

            yield forget

    # The threads --------------------------------------------------------------------

    def _run(self, lane: Lane) -> None:
        while True:
            with self._changed:
                while (job := self._jobs.next(lane)) is None and not self._is_closed:
                    self._changed.wait(LOOK_S if self._jobs.are_held() else None)
                if self._is_closed or job is None:
                    return
                self._begin(job)
            self._work_on(job, lambda: self._is_closed or self._gives_way(job))
            self._leave(job)

    def _begin(self, job: Job) -> None:
        lane = lane_of(job.value.kind)
        self._jobs.working[lane] = job
        if lane is Lane.MAIN:
            self._witness.watch(job.spec)
        job.spec = replace(job.spec, mark=self._witness.mark())
        if job.went_on_s is not None:
            job.went_on_s, job.rests_until_s = time.monotonic(), math.inf
        self._jobs.set(job, state=JobState.RUNNING)

    def _leave(self, job: Job) -> None:
        with self._changed:
            del self._jobs.working[lane_of(job.value.kind)]
            if job.value.state is JobState.RUNNING:
                # Left between two steps, in good order: that is no crash.
                self._jobs.set(job, state=JobState.QUEUED, seconds_left=None)
            else:
                self._jobs.tell_waits()
            self._changed.notify_all()

    def _gives_way(self, job: Job) -> bool:
        """True where the job is held from now on, or another one passes it."""
        with self._changed:
            if self._jobs.hold(job):
                return True
            if time.monotonic() < job.rests_until_s or not self._jobs.is_passed(job):
                return False
            job.went_on_s = time.monotonic()
            return True

    def _work_on(self, job: Job, is_stopped: Callable[[], bool]) -> None:
        try:
            outcome = self._take_steps(job, is_stopped)
        except UserError as error:
            self._end(job, JobState.FAILED, message=str(error))
        except Exception as error:  # noqa: BLE001 - one job's bug must not end the others
            told = disk_error(error)
            if told is None:
                _log.exception("job %s (%s) failed", job.value.id, job.value.kind)
            message = tr(
                "An error in the program: {name}: {error}", name=type(error).__name__, error=error
            )
            self._end(job, JobState.FAILED, message=str(told or message))
        else:
            if outcome is not None:
                job.report = outcome.report
                self._end(job, JobState.DONE, message=outcome.message, failed=outcome.failed)

    def _take_steps(self, job: Job, is_stopped: Callable[[], bool]) -> JobOutcome | None:
        """Steps until the end (an outcome), or until somebody stops it (None)."""
        steps = self._works[job.value.kind](job.spec.work)
        try:
            while True:
                self._wait_until_quiet(QUIET_LIMIT_S)
                if is_stopped() or job.value.state is not JobState.RUNNING:
                    return None
                begun_s = time.monotonic()
                try:
                    step = next(steps)
                except StopIteration as end:
                    outcome: JobOutcome = end.value
                    return outcome
                self._note(job, step, time.monotonic() - begun_s)
        finally:
            steps.close()

    def _note(self, job: Job, step: JobStep, seconds: float) -> None:
        with self._changed:
            self._jobs.note(job, step, seconds)
            if job.rests_until_s == math.inf and _has_gained(job, self._witness.mark()):
                now_s = time.monotonic()
                began_s = now_s if job.went_on_s is None else job.went_on_s
                job.rests_until_s = now_s + max(self._rest_s, now_s - began_s)
            value = job.value
        self._on_change(value)

    def _end(self, job: Job, state: JobState, *, message: str, failed: int | None = None) -> None:
        with self._changed:
            self._jobs.end(job, state, message=message, failed=failed)


def _has_gained(job: Job, mark: str) -> bool:
    """True where the job need not do everything again; so it is where nothing can tell."""
    return not mark or mark != job.spec.mark or job.value.kind in _OUTSIDE


def _crashed(file: str) -> str:
    """The message of a job that is given up; ``file`` is what it had in hand, if that is known."""
    ended = kept(
        "CocaDesk ended unexpectedly {number} times while it did this, so it is not tried again "
        "by itself.",
        number=CRASHES_ALLOWED,
    )
    kept_so_far = kept("What is done is kept.")
    way_on = kept("Make room in memory and on the disk, then start it again.")
    said = f"{ended} {kept_so_far} {way_on}"
    if not file:
        return said
    skipped = kept("It was reading {file} each time; that file is skipped from now on.", file=file)
    return f"{said} {skipped}"
