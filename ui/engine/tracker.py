"""Jobs as the window sees them: start, follow, stop, failures."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError, tr
from cocadesk.protocol.captions import USUAL_WRITING, CaptionWriting
from cocadesk.protocol.messages import (
    ControlJob,
    Failures,
    JobChanged,
    JobReply,
    Jobs,
    ListFailures,
    ListJobFailures,
    ListJobs,
    PlanWrite,
    RequestBody,
    StartCaption,
    StartGrouping,
    StartIndex,
    StartTakeOver,
    StartWrite,
    TryAgain,
    WritePlan,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import CaptionStyle, JobAction, JobValue, ReadAgain, Scope
from ui.engine.link import EngineLink, LinkState, Ticket


class JobTracker(QObject):
    """Emits ``job_changed`` for every job that moves, ``ended`` when a known job finishes."""

    job_changed = Signal(object)
    ended = Signal(object)
    failures_came = Signal(object)
    plan_came = Signal(object)
    listed = Signal()
    failed = Signal(object)

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._jobs: dict[str, JobValue] = {}
        self._plan: Ticket | None = None
        link.connected.connect(self.list_jobs)
        link.event_received.connect(self._on_event)

    def all(self) -> list[JobValue]:
        """Every known job, newest first."""
        return sorted(self._jobs.values(), key=lambda job: (job.created, job.id), reverse=True)

    def active(self) -> list[JobValue]:
        """The jobs that have not ended, newest first."""
        return [job for job in self.all() if not job.state.is_final]

    def find(self, job_id: object) -> JobValue | None:
        """The job of this id, where it is known."""
        return self._jobs.get(str(job_id))

    def take(self, job: JobValue) -> None:
        """A job has moved. An event may overtake the answer that it began: the end stays."""
        before = self._jobs.get(job.id)
        if before is not None and before.attempt != job.attempt:
            if job.attempt < before.attempt:
                return
            before = None  # it was started again
        was_over = before is not None and before.state.is_final
        if was_over and not job.state.is_final:
            return
        self._jobs[job.id] = job
        self.job_changed.emit(job)
        if job.state.is_final and not was_over:
            self.ended.emit(job)

    def take_reply(self, answer: JobReply) -> None:
        """A job has been started or moved by a request, here or of another part."""
        self.take(answer.job)

    def index(self, folders: Sequence[str], again: ReadAgain = ReadAgain.NOTHING) -> None:
        """Adds the folders; none looks through all known ones again."""
        paths = tuple(WirePath.of(folder) for folder in folders)
        self._start(StartIndex(folders=paths, again=again))

    def control(self, job_id: object, action: object) -> None:
        """Pauses, resumes or stops a job, or starts it again."""
        self._start(ControlJob(job_id=str(job_id), action=JobAction(str(action))))

    def try_again(self, job_id: str) -> None:
        """Starts a job on exactly the files that one could not do; "" for all unread ones."""
        self._start(TryAgain(job_id=job_id))

    def caption(
        self,
        scope: Scope,
        again: bool,
        style: CaptionStyle | None,
        writing: CaptionWriting = USUAL_WRITING,
    ) -> None:
        """Starts to describe these media."""
        self._start(StartCaption(scope=scope, again=again, style=style, writing=writing))

    def plan_write(self, scope: Scope, overwrite: bool) -> None:
        """``plan_came`` follows; only the last plan that was asked for comes."""
        self.forget_plan()
        body = PlanWrite(scope=scope, overwrite=overwrite)
        self._plan = self._link.ask(
            body, WritePlan, self.plan_came.emit, on_failed=self.failed.emit
        )

    def forget_plan(self) -> None:
        """Gives up the plan that was asked for."""
        if self._plan is not None:
            self._plan.cancel()
            self._plan = None

    def write(self, scope: Scope, overwrite: bool) -> None:
        """Starts to write captions beside the photos."""
        self._start(StartWrite(scope=scope, overwrite=overwrite))

    def take_over(self, scope: Scope) -> None:
        """Starts to take texts beside the photos over as captions."""
        self._start(StartTakeOver(scope=scope))

    def group(self, *, again: bool = False) -> None:
        """Starts to look for same pictures among what came last, or ``again`` among all."""
        self._start(StartGrouping(again=again))

    def list_jobs(self) -> None:
        """Learns of all jobs, and announces those that have not ended, e.g. after a restart."""
        self._link.ask(ListJobs(), Jobs, self._on_jobs)

    def ask_failures(self) -> None:
        """``failures_came`` follows, with every file that could not be read."""
        self._link.ask(ListFailures(), Failures, self.failures_came.emit)

    def ask_failures_of(self, job_id: object) -> None:
        """``failures_came`` follows, with what this job could not do."""
        self._link.ask(
            ListJobFailures(job_id=str(job_id)),
            Failures,
            self.failures_came.emit,
            on_failed=self.failed.emit,
        )

    def _start(self, body: RequestBody) -> None:
        if self._link.state is not LinkState.CONNECTED:
            self.failed.emit(
                UserError(
                    tr("The engine is still starting."), "", tr("Try again in a few seconds.")
                )
            )
            return
        self._link.ask(body, JobReply, self.take_reply, on_failed=self.failed.emit)

    def _on_event(self, body: object) -> None:
        if isinstance(body, JobChanged):
            self.take(body.job)

    def _on_jobs(self, answer: Jobs) -> None:
        """Ended jobs are announced only where they ended while nobody was connected."""
        listed = {job.id for job in answer.jobs}
        self._jobs = {job_id: job for job_id, job in self._jobs.items() if job_id in listed}
        for job in sorted(answer.jobs, key=lambda job: (job.created, job.id)):
            before = self._jobs.get(job.id)
            if job.state.is_final and (before is None or before.state.is_final):
                self._jobs[job.id] = job
            else:
                self.take(job)
        self.listed.emit()
