"""Jobs as the window sees them: start, follow, stop, and what failed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import (
    ControlJob,
    Failures,
    JobReply,
    Jobs,
    ListFailures,
    ListJobs,
    StartIndex,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobAction, JobValue
from ui.engine_link import EngineLink


class Work(QObject):
    """Emits ``job_changed`` for every job that moves."""

    job_changed = Signal(object)
    failures_came = Signal(object)
    failed = Signal(object)

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link

    def index(self, folders: Sequence[str]) -> None:
        """Adds the folders; none looks through all known ones again."""
        body = StartIndex(folders=tuple(WirePath.of(folder) for folder in folders))
        self._link.ask(body, JobReply, self._on_job, on_failed=self.failed.emit)

    def control(self, job_id: object, action: object) -> None:
        """Pauses, resumes or stops a job."""
        body = ControlJob(job_id=str(job_id), action=JobAction(str(action)))
        self._link.ask(body, JobReply, self._on_job, on_failed=self.failed.emit)

    def look_for_running(self) -> None:
        """Announces jobs that go on from before, e.g. after the engine came back."""
        self._link.ask(ListJobs(), Jobs, self._on_jobs)

    def ask_failures(self) -> None:
        """``failures_came`` follows."""
        self._link.ask(ListFailures(), Failures, self.failures_came.emit)

    def _on_job(self, answer: JobReply) -> None:
        self.job_changed.emit(answer.job)

    def _on_jobs(self, answer: Jobs) -> None:
        running: list[JobValue] = [job for job in answer.jobs if not job.state.is_final]
        for job in reversed(running):
            self.job_changed.emit(job)
