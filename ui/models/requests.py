"""The models page's talk with the engine: which models there are, and changing over."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import (
    GetInfo,
    Info,
    JobReply,
    ListModels,
    ModelChanged,
    Models,
    UseModel,
)
from cocadesk.protocol.values import ModelEntry
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker


class ModelRequests(QObject):
    """Keeps the models as the engine last told of them; asks again when it comes back."""

    listed = Signal()
    info_came = Signal(object)
    failed = Signal(object)

    def __init__(self, link: EngineLink, tracker: JobTracker, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._tracker = tracker
        self.models: tuple[ModelEntry, ...] = ()
        self.media = 0
        self.is_update = False
        link.connected.connect(self.refresh)
        link.event_received.connect(self._on_event)
        tracker.ended.connect(self.refresh)

    def refresh(self) -> None:
        """Asks for the models, and where the one in use runs."""
        self._link.ask(ListModels(), Models, self._on_models, on_failed=self.failed.emit)
        self._link.ask(GetInfo(), Info, self._on_info)

    def use(self, source: str) -> None:
        """Lets this model answer, at once or after a job."""
        body = UseModel(source=source)
        self._link.ask(body, JobReply, self._tracker.take_reply, on_failed=self.failed.emit)

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
        self.is_update = answer.update is not None
        self.info_came.emit(answer)

    def _on_event(self, body: object) -> None:
        if isinstance(body, ModelChanged):
            self.refresh()
