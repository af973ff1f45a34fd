"""Requests about jobs: listed, controlled, watched to their end."""

from __future__ import annotations

from cocadesk.engine.conversions import failures_of
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.protocol.calls import Call, JobWatchers
from cocadesk.protocol.messages import (
    ControlJob,
    Failures,
    JobReply,
    Jobs,
    ListJobFailures,
    ListJobs,
    WatchJob,
)
from cocadesk.protocol.values import JobValue


class JobHandler(RequestHandler):
    """Answers about jobs of every kind."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._watchers = JobWatchers()

    def tell(self, job: JobValue) -> None:
        """Tells those who watch the job that it has moved; on any thread."""
        self._watchers.tell(self._reply(job))

    def _list(self, body: ListJobs, call: Call) -> Jobs:
        return Jobs(jobs=self._context.jobs().all())

    def _control(self, body: ControlJob, call: Call) -> JobReply:
        return self._reply(self._context.jobs().control(body.job_id, body.action))

    def _watch(self, body: WatchJob, call: Call) -> None:
        jobs = self._context.jobs()
        self._watchers.add(call, self._reply(jobs.get(body.job_id)))
        # It may have ended in between; the watchers finish each call once only.
        self._watchers.tell(self._reply(jobs.get(body.job_id)))

    def _failures(self, body: ListJobFailures, call: Call) -> Failures:
        """The files that a job could not do (so far), whatever kind it is."""
        failed = failures_of(self._context.jobs().report(body.job_id))
        part = failed[body.offset : body.offset + body.limit]
        return Failures(failures=tuple(part), total=len(failed))

    def _reply(self, job: JobValue) -> JobReply:
        report = self._context.jobs().report(job.id) if job.state.is_final else None
        return JobReply(job=job, report=report)
