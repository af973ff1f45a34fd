"""Jobs: generators of small steps, run one after another by one thread.

Between two steps a job may be paused or cancelled, and a person's request goes
first. Its row in the library survives a crash: at the next start it goes on,
unless it is what makes the engine end each time.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias, TypeVar

from msgspec.structs import replace

from cocadesk.engine.job_records import (
    CRASHES_ALLOWED,
    Job,
    JobRecords,
    JobSpec,
    JobStore,
    Witness,
    documents_of,
)
from cocadesk.errors import UserError, disk_error
from cocadesk.library.rows import new_key
from cocadesk.protocol.values import JobAction, JobKind, JobReport, JobState, JobValue, WorkState

QUIET_LIMIT_S = 1.0
SAVE_EVERY_S = 10.0

_log = logging.getLogger(__name__)

Progress = TypeVar("Progress")
Report = TypeVar("Report")


class JobStep(WorkState, frozen=True):
    """A job after a step.

    ``report`` is what it would report if it ended here; None keeps the last one.
    """

    report: JobReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """The good end of a job: a sentence for people, a report for programs."""

    message: str
    report: JobReport | None = None
    failed: int = 0


Steps: TypeAlias = Generator[JobStep, None, JobOutcome]
JobFactory: TypeAlias = Callable[[str], Steps]
"""Makes a job's steps from its spec (JSON); nothing happens before the first step."""


def relayed(
    work: Generator[Progress, None, Report], step: Callable[[Progress], JobStep]
) -> Generator[JobStep, None, Report]:
    """Work of another room as steps of a job; gives the work's report."""
    try:
        while True:
            try:
                progress = next(work)
            except StopIteration as end:
                report: Report = end.value
                return report
            yield step(progress)
    finally:
        work.close()


class Scheduler:
    """Owns the jobs of one library. Any thread may call its methods.

    ``on_change`` gets every move of a job, on the thread that made it;
    ``wait_until_quiet`` blocks while a person waits for an answer.
    """

    def __init__(
        self,
        store: JobStore,
        works: Mapping[JobKind, JobFactory],
        *,
        on_change: Callable[[JobValue], None],
        wait_until_quiet: Callable[[float], bool],
        witness: Witness | None = None,
    ) -> None:
        self._records = JobRecords(store, witness)
        self._witness = self._records.witness
        self._works = works
        self._on_change = on_change
        self._wait_until_quiet = wait_until_quiet
        self._changed = threading.Condition(threading.RLock())
        self._is_closed = False
        self._working: Job | None = None
        self._jobs = {job.value.id: job for job in self._records.load()}
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)
        for job in self._jobs.values():
            if job.spec.crashes >= CRASHES_ALLOWED and not job.value.state.is_final:
                name = self._witness.skip(job.value.kind, job.spec.suspects)
                skipped = SKIPPED.format(name) if name else ""
                self._end(job, JobState.FAILED, message=CRASHED + skipped)

    def start(self) -> None:
        """Begins with what an earlier engine has left."""
        self._thread.start()

    def close(self) -> None:
        """Stops after the step in hand; the next engine goes on from there."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()

    def run(self, job_id: str, *, is_stopped: Callable[[], bool]) -> None:
        """Does a job here and now, for an engine without the thread of jobs.

        Returns at its end, or where ``is_stopped`` says so between two steps: then it
        waits again. A job that was paused goes on.
        """
        with self._changed:
            job = self._job(job_id)
            if job.value.state not in (JobState.QUEUED, JobState.PAUSED):
                return
            self._begin(job)
        self._work_on(job, is_stopped)
        self._leave(job, is_left=is_stopped())

    def add(self, kind: JobKind, title: str, spec: str, *, job_id: str | None = None) -> JobValue:
        """Queues a job; the same order that waits or runs already is that job."""
        order = JobSpec(title=title, work=spec)
        with self._changed:
            for job in self._jobs.values():
                is_open = job.value.kind is kind and not job.value.state.is_final
                if is_open and job.spec.is_same_order(order):
                    return job.value
            value = self._insert(kind, order, job_id or new_key(), JobState.QUEUED).value
            self._changed.notify_all()
        self._on_change(value)
        return value

    def record(self, kind: JobKind, title: str, spec: str, outcome: JobOutcome) -> JobValue:
        """Remembers as a job what was quick enough to be done at once."""
        order = JobSpec(title=title, work=spec)
        with self._changed:
            job = self._insert(kind, order, new_key(), JobState.QUEUED)
            job.report = outcome.report
            self._end(job, JobState.DONE, message=outcome.message, failed=outcome.failed)
            return job.value

    def all(self) -> tuple[JobValue, ...]:
        """Every job that is remembered, newest first."""
        with self._changed:
            return tuple(job.value for job in reversed(self._jobs.values()))

    def get(self, job_id: str) -> JobValue:
        """One job as it is now.

        Raises:
            UserError: there is none of that id.
        """
        with self._changed:
            return self._job(job_id).value

    def report(self, job_id: str) -> JobReport | None:
        """The report of a job that is done; before, what it has told so far."""
        with self._changed:
            return self._job(job_id).report

    def spec(self, job_id: str) -> str:
        """The order (JSON) of a job, as its work reads it."""
        with self._changed:
            return self._job(job_id).spec.work

    def control(self, job_id: str, action: JobAction) -> JobValue:
        """Pauses, resumes or cancels; a job that has ended stays as it is.

        A running job stops at its next step: the answer says what is wanted.
        """
        with self._changed:
            job = self._job(job_id)
            state = job.value.state.after(action)
            if state is job.value.state:
                return job.value
            finished = datetime.now(UTC).isoformat(timespec="seconds") if state.is_final else ""
            self._set(job, state=state, seconds_left=None, finished=finished)
            self._changed.notify_all()
            return job.value

    def wait_until_left(self, job_id: str, limit_s: float) -> bool:
        """Blocks until no step of the job is in hand (it was paused or cancelled before)."""
        with self._changed:
            job = self._job(job_id)
            return self._changed.wait_for(lambda: self._working is not job, limit_s)

    def is_busy(self) -> bool:
        """True while a job runs or waits."""
        with self._changed:
            return self._next() is not None

    @contextlib.contextmanager
    def at_rest(self) -> Iterator[Callable[[Callable[[str], bool]], int]]:
        """Keep jobs from beginning; gives what forgets jobs and tells how many.

        It is asked of each job's order and report (JSON) whether they go.

        Raises:
            UserError: a job runs.
        """
        with self._changed:
            running = next((j for j in self._jobs.values() if j is self._working), None)
            if running is not None:
                raise UserError(
                    f"Something else is being done: {running.value.title}.",
                    "While a job works with photos and videos, they can't be forgotten.",
                    "Wait for its end, or stop it; then forget again.",
                )

            def forget(goes: Callable[[str], bool]) -> int:
                gone = [job for job in self._jobs.values() if any(map(goes, documents_of(job)))]
                for job in gone:
                    del self._jobs[job.value.id]
                    self._records.forget(job)
                return len(gone)

            yield forget

    # The thread ---------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            with self._changed:
                while (job := self._next()) is None and not self._is_closed:
                    self._changed.wait()
                if self._is_closed or job is None:
                    return
                self._begin(job)
            self._work_on(job, lambda: self._is_closed)
            self._leave(job, is_left=self._is_closed)

    def _begin(self, job: Job) -> None:
        self._working = job
        self._witness.watch(job.spec)
        job.spec = replace(job.spec, mark=self._witness.mark())
        self._set(job, state=JobState.RUNNING)

    def _leave(self, job: Job, *, is_left: bool) -> None:
        with self._changed:
            self._working = None
            self._changed.notify_all()
            if is_left and job.value.state is JobState.RUNNING:
                # An end in good order is no crash.
                self._set(job, state=JobState.QUEUED, seconds_left=None)

    def _work_on(self, job: Job, is_stopped: Callable[[], bool]) -> None:
        try:
            outcome = self._take_steps(job, is_stopped)
        except UserError as error:
            self._end(job, JobState.FAILED, message=str(error))
        except Exception as error:  # noqa: BLE001 - one job's bug must not end the others
            told = disk_error(error)
            if told is None:
                _log.exception("job %s (%s) failed", job.value.id, job.value.kind)
            message = f"An error in the program: {type(error).__name__}: {error}"
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
                try:
                    step = next(steps)
                except StopIteration as end:
                    outcome: JobOutcome = end.value
                    return outcome
                self._note(job, step)
        finally:
            steps.close()

    def _note(self, job: Job, step: JobStep) -> None:
        with self._changed:
            job.value = replace(job.value, **step.fields())
            job.report = step.report or job.report
            if time.monotonic() - job.saved_s >= SAVE_EVERY_S:
                self._records.save(job)
            value = job.value
        self._on_change(value)

    # Under the lock -----------------------------------------------------------------

    def _insert(self, kind: JobKind, order: JobSpec, job_id: str, state: JobState) -> Job:
        now = datetime.now(UTC)
        value = JobValue(
            id=job_id,
            kind=kind,
            title=order.title,
            state=state,
            created=now.isoformat(timespec="seconds"),
        )
        job = Job(value=value, spec=order, created_utc=now)
        self._records.write(job)
        self._jobs[job_id] = job
        return job

    def _end(self, job: Job, state: JobState, *, message: str, failed: int | None = None) -> None:
        with self._changed:
            if job.value.state.is_final:
                return
            self._set(
                job,
                state=state,
                message=message,
                failed=job.value.failed if failed is None else failed,
                seconds_left=None,
                current="",
                finished=datetime.now(UTC).isoformat(timespec="seconds"),
            )

    def _set(self, job: Job, **changes: object) -> None:
        job.value = replace(job.value, **changes)
        self._records.save(job)
        self._on_change(job.value)

    def _job(self, job_id: str) -> Job:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UserError("There is no such job.", f"Its id would be {job_id}.") from None

    def _next(self) -> Job | None:
        """The job to run: the one that runs, else the oldest that waits."""
        for state in (JobState.RUNNING, JobState.QUEUED):
            for job in self._jobs.values():
                if job.value.state is state:
                    return job
        return None


CRASHED = (
    f"CocaDesk ended unexpectedly {CRASHES_ALLOWED} times while it did this, so it is not "
    "tried again by itself. What is done is kept. Make room in memory and on the disk, "
    "then start it again."
)
SKIPPED = " It was reading {} each time; that file is skipped from now on."
