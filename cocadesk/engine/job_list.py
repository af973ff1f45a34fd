"""The jobs of one library while an engine runs: each move is saved, and told to who follows."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from cocadesk.engine.job_order import Hold, Lane, in_order, lane_of, may_pass, waits
from cocadesk.engine.job_records import CRASHES_ALLOWED, Job, JobRecords, JobSpec
from cocadesk.engine.job_steps import JobStep
from cocadesk.errors import UserError, retold, retold_parts, tr
from cocadesk.protocol.values import JobKind, JobState, JobValue

SAVE_EVERY_S = 10.0


class JobList:
    """All jobs that are remembered, in the order in which they wait, and those at work.

    Not for several threads at once: whoever owns it has a lock. ``on_change`` gets every move.
    """

    def __init__(
        self, records: JobRecords, on_change: Callable[[JobValue], None], hold: Hold
    ) -> None:
        self._records = records
        self._on_change = on_change
        self._hold = hold
        self.working: dict[Lane, Job] = {}
        self._jobs = {job.value.id: job for job in records.load()}

    def all(self) -> tuple[Job, ...]:
        """The oldest first; one that was started again counts from then on."""
        return tuple(self._jobs.values())

    def get(self, job_id: str) -> Job:
        """One job.

        Raises:
            UserError: there is none of that id.
        """
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UserError(
                tr("There is no such job."), tr("Its id would be {job_id}.", job_id=job_id)
            ) from None

    def open(self, kind: JobKind, order: JobSpec) -> Job | None:
        """The job that waits, runs or is paused with this order."""
        for job in self._jobs.values():
            is_open = job.value.kind is kind and not job.value.state.is_final
            if is_open and job.spec.is_same_order(order):
                return job
        return None

    def hold(self, job: Job) -> str:
        """The reason why a job must not run now; empty for one that may.

        A lesson leaves the memory to a job that has its last try: were the lesson what makes
        the engine end, that one would be given up for it.
        """
        if lane_of(job.value.kind) is Lane.LESSONS:
            for other in self._jobs.values():
                is_active = other.value.state in (JobState.QUEUED, JobState.RUNNING)
                is_last_try = other.spec.crashes >= CRASHES_ALLOWED - 1
                if is_active and is_last_try and lane_of(other.value.kind) is Lane.MAIN:
                    return tr("“{other}”, which is tried on its own", other=other.value.title)
        return self._hold(job)

    def next(self, lane: Lane) -> Job | None:
        """The job of a lane to run next."""
        return next(iter(in_order(self.all(), lane, self.hold)), None)

    def is_passed(self, job: Job) -> bool:
        """True where the one that is next should go before a job that runs."""
        other = in_order(self.all(), lane_of(job.value.kind), self.hold, job)[0]
        return other is not job and may_pass(other, job)

    def are_held(self) -> bool:
        """True where a job waits only because it is held."""
        waiting = (job for job in self._jobs.values() if job.value.state is JobState.QUEUED)
        return any(map(self.hold, waiting))

    def insert(self, kind: JobKind, order: JobSpec, job_id: str) -> Job:
        """A new job that waits.

        Raises:
            UserError: it can't be written, so that nobody would remember it.
        """
        now = datetime.now(UTC)
        value = JobValue(
            id=job_id,
            kind=kind,
            title=retold(order.title),
            state=JobState.QUEUED,
            created=now.isoformat(timespec="seconds"),
            attempt=order.attempt,
            is_background=order.is_background,
        )
        job = Job(value=value, spec=order, created_utc=now)
        self._records.write(job)
        self._jobs[job_id] = job
        return job

    def renew(self, job: Job, order: JobSpec) -> None:
        """Lets a job begin anew with this order, behind those that wait already."""
        self._jobs[job.value.id] = self._jobs.pop(job.value.id)
        job.spec, job.report, job.message = order, None, ""
        job.went_on_s, job.rests_until_s, job.worked_s = None, -math.inf, 0.0
        fresh = JobStep().fields() | {"attempt": order.attempt, "message": "", "finished": ""}
        self.set(job, state=JobState.QUEUED, **fresh)

    def forget(self, job: Job) -> None:
        """Removes a job."""
        del self._jobs[job.value.id]
        self._records.forget(job)

    def note(self, job: Job, step: JobStep, seconds: float) -> None:
        """The job has taken a step, which took so long."""
        job.step_s, was_s = max(job.step_s, seconds), job.step_s
        job.worked_s += seconds
        job.value = replace(job.value, **step.fields())
        job.report = step.report or job.report
        if time.monotonic() - job.saved_s >= SAVE_EVERY_S:
            self._records.save(job)
        if job.step_s > was_s:
            self.tell_waits()

    def end(self, job: Job, state: JobState, *, message: str, failed: int | None = None) -> None:
        """The job ends so, unless it has ended already; ``message`` as in ``JobOutcome``."""
        if job.value.state.is_final:
            return
        job.message = message
        self.set(
            job,
            state=state,
            message=retold_parts(message),
            failed=job.value.failed if failed is None else failed,
            seconds_left=None,
            current="",
            fraction=0.0,
            finished=datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def set(self, job: Job, **changes: object) -> None:
        """The job has these values from now on."""
        job.value = replace(job.value, **changes)
        self._records.save(job)
        self._on_change(job.value)
        self.tell_waits()

    def tell_waits(self) -> None:
        """Brings up to date, and tells, what each job waits for."""
        jobs = self.all()
        reasons = waits(jobs, self.working, self.hold)
        for job in jobs:
            reason = reasons[job.value.id]
            if reason != job.value.waits_for:
                job.value = replace(job.value, waits_for=reason)
                self._on_change(job.value)
