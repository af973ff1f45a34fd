"""Requests about jobs: listed, controlled, watched to their end."""

from __future__ import annotations

from cocadesk.engine.conversions import failures_of
from cocadesk.engine.handlers import EngineContext, RequestHandler, Restart
from cocadesk.errors import UserError, tr
from cocadesk.library.rows import DESCRIBE
from cocadesk.protocol.calls import Call, JobWatchers
from cocadesk.protocol.messages import (
    ControlJob,
    Failures,
    JobReply,
    Jobs,
    ListJobFailures,
    ListJobs,
    TryAgain,
    WatchJob,
)
from cocadesk.protocol.values import JobAction, JobKind, JobValue


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
        jobs = self._context.jobs()
        if body.action is not JobAction.AGAIN:
            return self._reply(jobs.control(body.job_id, body.action))
        job = jobs.get(body.job_id)
        if not job.state.can_start_again:
            return self._reply(job)
        spec = self._restart(job.kind).renewed(job, jobs.spec(job.id))
        return self._reply(jobs.again(job.id, spec))

    def _try_again(self, body: TryAgain, call: Call) -> JobReply:
        """A job on the files that one could not do, or that no index could read.

        Raises:
            UserError: there are none, or the job has not ended.
        """
        if not body.job_id:
            failures = self._context.library.media.failures()
            kind, spec = JobKind.INDEX, ""
            paths = [failure.path for failure in failures if failure.stage != DESCRIBE]
        else:
            jobs = self._context.jobs()
            job, spec = jobs.get(body.job_id), jobs.spec(body.job_id)
            if not job.state.is_final:
                raise UserError(
                    tr("{job}: this has not ended yet.", job=job.title), "", tr("Wait for its end.")
                )
            report = jobs.report(job.id)
            kind, paths = job.kind, [one.path.to_bytes() for one in failures_of(report)]
        of_files = self._restart(kind).of_files
        if of_files is None or not paths:
            raise UserError(tr("There is nothing to try again."), tr("No file has failed there."))
        return of_files(spec, paths)

    def _restart(self, kind: JobKind) -> Restart:
        return self._context.restarts.get(kind, Restart())

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
