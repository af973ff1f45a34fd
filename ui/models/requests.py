"""The models page's talk with the engine: which models there are, and changing over."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import (
    FetchModel,
    GetInfo,
    Info,
    JobReply,
    ListModels,
    MeasureModel,
    ModelChanged,
    ModelRemoved,
    Models,
    RemoveModel,
    RequestBody,
    UseModel,
)
from cocadesk.protocol.values import ModelEntry, ModelOffer, ModelPurpose
from ui.engine.link import EngineLink, Ticket
from ui.engine.tracker import JobTracker


class ModelRequests(QObject):
    """Keeps the models as the engine last told of them; asks again when it comes back.

    ``started`` carries the source and the job that a request began; ``answered`` comes with each
    list and carries the ids of the jobs that were known when it was asked for, ``listed`` comes
    with one that is another than before. ``failed`` carries the source of the model that a
    request was about and the error, ``removed`` the bytes that are free now.
    """

    started = Signal(str, object)
    answered = Signal(object)
    listed = Signal()
    info_came = Signal(object)
    failed = Signal(str, object)
    removed = Signal(object)

    def __init__(self, link: EngineLink, tracker: JobTracker, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._tracker = tracker
        self.models: tuple[ModelEntry, ...] = ()
        self.offers: tuple[ModelOffer, ...] = ()
        self.media = 0
        self.is_update = False
        link.connected.connect(self.refresh)
        link.event_received.connect(self._on_event)
        tracker.ended.connect(self.refresh)

    def refresh(self) -> None:
        """Asks for the models, and where the one in use runs."""
        known = frozenset(job.id for job in self._tracker.all())
        self._link.ask(
            ListModels(),
            Models,
            lambda answer: self._on_models(answer, known),
            on_failed=lambda error: self.failed.emit("", error),
        )
        self._link.ask(GetInfo(), Info, self._on_info)

    def use(self, source: str, purpose: ModelPurpose | None = None) -> None:
        """Lets this model answer, or write captions alone; at once or after a job."""
        self._start(source, UseModel(source=source, purpose=purpose))

    def fetch(self, source: str) -> None:
        """Starts to fetch a model, or goes on with it."""
        self._start(source, FetchModel(source=source))

    def remove(self, source: str) -> None:
        """Removes a model's files."""
        self._link.ask(
            RemoveModel(source=source),
            ModelRemoved,
            self._on_removed,
            on_failed=lambda error: self.failed.emit(source, error),
        )

    def measure(self, source: str, on_end: Callable[[object], None]) -> Ticket:
        """Measures a model; the models are listed anew with its speed.

        ``on_end`` gets the error, or None.
        """

        def came(answer: Models) -> None:
            on_end(None)
            self._on_models(answer)

        return self._link.ask(MeasureModel(source=source), Models, came, on_failed=on_end)

    def _start(self, source: str, body: RequestBody) -> None:
        self._link.ask(
            body,
            JobReply,
            lambda answer: self._on_started(source, answer),
            on_failed=lambda error: self.failed.emit(source, error),
        )

    def _on_started(self, source: str, answer: JobReply) -> None:
        self.started.emit(source, answer.job)
        self._tracker.take_reply(answer)
        self.refresh()

    def _on_removed(self, answer: ModelRemoved) -> None:
        self.removed.emit(answer.freed_bytes)
        self.refresh()

    def is_free(self, entry: ModelEntry) -> bool:
        """True where the stored vectors serve this model too."""
        used = next((model for model in self.models if model.is_used), None)
        is_same = used is not None and bool(entry.image_id) and entry.image_id == used.image_id
        return is_same or entry.coverage >= 1.0

    def _on_models(self, answer: Models, known: frozenset[str] = frozenset()) -> None:
        if (answer.models, answer.offers) != (self.models, self.offers):
            self.models, self.offers = answer.models, answer.offers
            self.listed.emit()
        self.answered.emit(known)

    def _on_info(self, answer: Info) -> None:
        self.media = answer.counts.media
        self.is_update = answer.update is not None
        self.info_came.emit(answer)

    def _on_event(self, body: object) -> None:
        if isinstance(body, ModelChanged):
            self.refresh()
