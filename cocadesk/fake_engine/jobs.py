"""Jobs of the fake engine: one thread that counts to n, with a few failures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.protocol.calls import Call, JobWatchers
from cocadesk.protocol.messages import (
    ControlJob,
    EventBody,
    Failures,
    JobChanged,
    JobReply,
    Jobs,
    ListFailures,
    ListJobFailures,
    ListJobs,
    WatchJob,
)
from cocadesk.protocol.values import (
    FailureValue,
    JobKind,
    JobReport,
    JobState,
    JobValue,
)

Step = Callable[[int], FailureValue | None]
End = Callable[[JobValue], tuple[str, JobReport | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FakeWork:
    """A job's steps: ``step(done)`` gives the failure of that item, if any.

    ``end`` is called once all steps are done, and gives the job's message and report. A step
    does ``step_size`` of what the job counts.
    """

    title: str
    total: int
    step: Step = lambda _done: None
    kind: JobKind = JobKind.INDEX
    stage: str = "Reading photos"
    step_size: int = 1
    is_bytes: bool = False
    end: End = lambda _job: ("", None)


@dataclass(slots=True, kw_only=True)
class _FakeJob:
    value: JobValue
    work: FakeWork
    reply: JobReply
    failures: list[FailureValue] = field(default_factory=list)


def failures_of(body: ListFailures | ListJobFailures, failures: Sequence[FailureValue]) -> Failures:
    """The part of ``failures`` that a request asks for."""
    shown = tuple(failures[body.offset : body.offset + body.limit])
    return Failures(failures=shown, total=len(failures))


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

    def start(self, work: FakeWork) -> JobReply:
        """Queues a job."""
        with self._changed:
            value = JobValue(
                id=f"job-{len(self._jobs) + 1}",
                kind=work.kind,
                title=work.title,
                state=JobState.QUEUED,
                total=work.total,
                is_bytes=work.is_bytes,
                created=f"2025-11-24T10:00:{len(self._jobs):02d}",
            )
            self._jobs[value.id] = _FakeJob(value=value, work=work, reply=JobReply(job=value))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="fake-jobs", daemon=True)
                self._thread.start()
            self._changed.notify_all()
        self._publish(JobChanged(job=value))
        return JobReply(job=value)

    def all(self) -> tuple[JobValue, ...]:
        """Every job, newest first."""
        with self._changed:
            return tuple(job.value for job in reversed(self._jobs.values()))

    def is_busy(self) -> bool:
        """True while a job runs or waits."""
        with self._changed:
            return self._next() is not None

    def close(self) -> None:
        """Stops after the step in hand."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _list(self, body: ListJobs, call: Call) -> Jobs:
        return Jobs(jobs=self.all())

    def _control(self, body: ControlJob, call: Call) -> JobReply:
        """Pauses, resumes or cancels; a job that has ended stays as it is."""
        with self._changed:
            job = self._job(body.job_id)
            state, before = job.value.state.after(body.action), job.value
            if state is not before.state:
                if before.state.is_final:
                    job.failures.clear()
                    fresh = JobValue(
                        id=before.id, kind=before.kind, title=before.title, state=state,
                        total=before.total, is_bytes=before.is_bytes, created=before.created,
                        attempt=before.attempt + 1,
                    )  # fmt: skip
                    self._tell(job, JobReply(job=fresh))
                else:
                    self._set(job, state=state)
            self._changed.notify_all()
            return JobReply(job=job.value)

    def failures(self, job_id: str) -> list[FailureValue]:
        """The items that a job failed at so far."""
        with self._changed:
            return list(self._job(job_id).failures)

    def _watch(self, body: WatchJob, call: Call) -> None:
        """Sends the call progress until the job ends, then its answer."""
        with self._changed:
            self._watchers.add(call, self._job(body.job_id).reply)

    def _list_failures(self, body: ListJobFailures, call: Call) -> Failures:
        with self._changed:
            return failures_of(body, self._job(body.job_id).failures)

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
                    self._set(job, state=JobState.RUNNING, stage=job.work.stage)
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
        failure = job.work.step(value.done) if value.done < total else None
        with self._changed:
            if job.value.state is not JobState.RUNNING:
                return
            if failure is not None:
                job.failures.append(failure)
            done = min(total, job.value.done + job.work.step_size)
            failed = len(job.failures)
            if done < total:
                left_s = (total - done) / job.work.step_size * max(self._step_s, 0.001)
                self._set(job, done=done, failed=failed, seconds_left=left_s)
                return
            ended = replace(
                job.value, state=JobState.DONE, done=done, failed=failed,
                seconds_left=None, finished="2025-11-24T10:05:00",
            )  # fmt: skip
            message, report = job.work.end(ended)
            self._tell(job, JobReply(job=replace(ended, message=message), report=report))

    def _set(self, job: _FakeJob, **changes: object) -> None:
        self._tell(job, JobReply(job=replace(job.value, **changes)))

    def _tell(self, job: _FakeJob, reply: JobReply) -> None:
        with self._changed:
            job.value, job.reply = reply.job, reply
            self._watchers.tell(reply)
            self._publish(JobChanged(job=reply.job))
