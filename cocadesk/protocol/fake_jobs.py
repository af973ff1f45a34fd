"""Jobs of the fake engine: one thread that counts to n, with a few failures."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import EventBody, JobChanged, JobReply
from cocadesk.protocol.values import IndexOutcome, JobAction, JobKind, JobState, JobValue
from cocadesk.protocol.watching import JobWatchers

Step = Callable[[int], bool]


@dataclass(slots=True, kw_only=True)
class _FakeJob:
    value: JobValue
    step: Step


class FakeJobs:
    """Runs one job at a time; all methods may be called from any thread."""

    def __init__(self, *, step_s: float, publish: Callable[[EventBody], None]) -> None:
        self._step_s = step_s
        self._publish = publish
        self._jobs: dict[str, _FakeJob] = {}
        self._changed = threading.Condition()
        self._watchers = JobWatchers()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    def start(self, title: str, *, total: int, step: Step) -> JobValue:
        """Queues a job; ``step(done)`` tells whether that item was fine."""
        with self._changed:
            value = JobValue(
                id=f"job-{len(self._jobs) + 1}",
                kind=JobKind.INDEX,
                title=title,
                state=JobState.QUEUED,
                total=total,
                created=f"2025-11-24T10:00:{len(self._jobs):02d}",
            )
            self._jobs[value.id] = _FakeJob(value=value, step=step)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fake-jobs", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        self._publish(JobChanged(job=value))
        return value

    def all(self) -> tuple[JobValue, ...]:
        """Every job, newest first."""
        with self._changed:
            return tuple(job.value for job in reversed(self._jobs.values()))

    def control(self, job_id: str, action: JobAction) -> JobValue:
        """Pauses, resumes or cancels; a job that has ended stays as it is."""
        states = {
            JobAction.PAUSE: JobState.PAUSED,
            JobAction.RESUME: JobState.QUEUED,
            JobAction.CANCEL: JobState.CANCELLED,
        }
        with self._changed:
            job = self._job(job_id)
            if not job.value.state.is_final:
                self._set(job, state=states[action])
            self._changed.notify_all()
            return job.value

    def watch(self, job_id: str, call: Call) -> None:
        """Sends the call progress until the job ends, then its answer."""
        with self._changed:
            self._watchers.add(call, _reply(self._job(job_id).value))

    def is_busy(self) -> bool:
        """Whether a job runs or waits."""
        with self._changed:
            return any(
                job.value.state in (JobState.QUEUED, JobState.RUNNING)
                for job in self._jobs.values()
            )

    def close(self) -> None:
        """Stops after the step in hand."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _job(self, job_id: str) -> _FakeJob:
        try:
            return self._jobs[job_id]
        except KeyError:
            raise UserError("There is no such job.", f"Its id would be {job_id}.") from None

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._is_closed:
                    return
                job = self._next()
                if job is None:
                    self._changed.wait()
                    continue
                if job.value.state is JobState.QUEUED:
                    self._set(job, state=JobState.RUNNING, stage="Reading photos")
                self._changed.wait(self._step_s)
            self._take_step(job)

    def _next(self) -> _FakeJob | None:
        waiting = (JobState.QUEUED, JobState.RUNNING)
        return next((job for job in self._jobs.values() if job.value.state in waiting), None)

    def _take_step(self, job: _FakeJob) -> None:
        value = job.value
        total = value.total or 0
        if value.state is not JobState.RUNNING:
            return
        is_fine = value.done >= total or job.step(value.done)
        with self._changed:
            if job.value.state is not JobState.RUNNING:
                return
            done = min(total, job.value.done + 1)
            failed = job.value.failed + (not is_fine)
            left_s = (total - done) * max(self._step_s, 0.001)
            if done < total:
                self._set(job, done=done, failed=failed, seconds_left=left_s)
            else:
                message = f"{done - failed} photos added, {failed} could not be read."
                self._set(
                    job, state=JobState.DONE, done=done, failed=failed, message=message,
                    seconds_left=None, finished="2025-11-24T10:05:00",
                )  # fmt: skip

    def _set(self, job: _FakeJob, **changes: object) -> None:
        job.value = replace(job.value, **changes)
        self._watchers.tell(_reply(job.value))
        self._publish(JobChanged(job=job.value))


def _reply(value: JobValue) -> JobReply:
    if value.state is not JobState.DONE:
        return JobReply(job=value)
    indexed = value.done - value.failed
    return JobReply(job=value, outcome=IndexOutcome(indexed=indexed))
