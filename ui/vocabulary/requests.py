"""The talk with the engine about the tags that the machine chooses from."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import (
    ControlJob,
    GetVocabulary,
    JobChanged,
    JobReply,
    SetVocabulary,
    VocabularyReply,
)
from cocadesk.protocol.values import JobAction, JobKind, JobValue
from ui.engine.link import EngineLink


class VocabularyRequests(QObject):
    """``tags_came`` brings the tags in use, ``kept`` those that were accepted."""

    tags_came = Signal(object)
    kept = Signal(object)
    job_changed = Signal(object)
    failed = Signal(object)

    def __init__(self, link: EngineLink, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._job: JobValue | None = None
        link.connected.connect(self.ask)
        link.event_received.connect(self._on_event)

    def ask(self) -> None:
        """Asks for the tags in use."""
        self._link.ask(
            GetVocabulary(), VocabularyReply, self.tags_came.emit, on_failed=self.failed.emit
        )

    def keep(self, tags: tuple[str, ...]) -> None:
        """Uses these tags from now on; none brings the shipped ones back."""

        def on_done(answer: JobReply) -> None:
            self.kept.emit(tags)
            self._take(answer.job)

        self._link.ask(SetVocabulary(tags=tags), JobReply, on_done, on_failed=self.failed.emit)

    def stop(self) -> None:
        """Stops choosing tags again; what was done is kept."""
        if self._job is not None:
            body = ControlJob(job_id=self._job.id, action=JobAction.CANCEL)
            self._link.ask(body, JobReply, self._on_job, on_failed=self.failed.emit)

    def _on_job(self, answer: JobReply) -> None:
        self._take(answer.job)

    def _take(self, job: JobValue) -> None:
        self._job = job
        self.job_changed.emit(job)

    def _on_event(self, body: object) -> None:
        if isinstance(body, JobChanged) and body.job.kind is JobKind.TAG:
            self._take(body.job)
