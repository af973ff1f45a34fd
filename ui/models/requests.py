"""The models page's talk with the engine: which models there are, and changing over."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import (
    ControlJob,
    GetInfo,
    Info,
    JobChanged,
    JobReply,
    Jobs,
    ListJobs,
    ListModels,
    ModelChanged,
    Models,
    UseModel,
)
from cocadesk.protocol.values import JobAction, JobKind, ModelEntry
from ui.engine.link import EngineLink


class ModelRequests(QObject):
    """Keeps the models as the engine last told of them; asks again when it comes back."""

    listed = Signal()
    info_came = Signal(object)
    job_changed = Signal(object)
    failed = Signal(object)

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self.models: tuple[ModelEntry, ...] = ()
        self.media = 0
        link.connected.connect(self.refresh)
        link.event_received.connect(self._on_event)

    def refresh(self) -> None:
        """Asks for the models, where the one in use runs, and a switch under way."""
        self._link.ask(ListModels(), Models, self._on_models, on_failed=self.failed.emit)
        self._link.ask(GetInfo(), Info, self._on_info)
        self._link.ask(ListJobs(), Jobs, self._on_jobs)

    def use(self, source: str) -> None:
        """Lets this model answer, at once or after a job."""
        body = UseModel(source=source)
        self._link.ask(body, JobReply, self._on_job, on_failed=self.failed.emit)

    def control(self, job_id: str, action: JobAction) -> None:
        """Pauses, resumes or cancels a switch."""
        body = ControlJob(job_id=job_id, action=action)
        self._link.ask(body, JobReply, self._on_job, on_failed=self.failed.emit)

    def is_free(self, entry: ModelEntry) -> bool:
        """True where the stored vectors serve this model too."""
        used = next((model for model in self.models if model.is_used), None)
        is_same = used is not None and bool(entry.image_id) and entry.image_id == used.image_id
        return is_same or entry.coverage >= 1.0

    def _on_models(self, answer: Models) -> None:
        if answer.models != self.models:
            self.models = answer.models
            self.listed.emit()

    def _on_info(self, answer: Info) -> None:
        self.media = answer.counts.media
        self.info_came.emit(answer)

    def _on_jobs(self, answer: Jobs) -> None:
        for job in answer.jobs:
            if job.kind is JobKind.SWITCH_MODEL and not job.state.is_final:
                self.job_changed.emit(job)
                return

    def _on_job(self, answer: JobReply) -> None:
        self.job_changed.emit(answer.job)

    def _on_event(self, body: object) -> None:
        if isinstance(body, JobChanged) and body.job.kind is JobKind.SWITCH_MODEL:
            self.job_changed.emit(body.job)
        elif isinstance(body, ModelChanged):
            self.refresh()
