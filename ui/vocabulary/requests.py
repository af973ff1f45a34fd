"""The talk with the engine about the tags that the machine chooses from."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from cocadesk.protocol.messages import GetVocabulary, JobReply, SetVocabulary, VocabularyReply
from ui.engine.link import EngineLink
from ui.engine.tracker import JobTracker


class VocabularyRequests(QObject):
    """``tags_came`` brings the tags in use, ``kept`` those that were accepted."""

    tags_came = Signal(object)
    kept = Signal(object)
    failed = Signal(object)

    def __init__(self, link: EngineLink, tracker: JobTracker, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._tracker = tracker
        link.connected.connect(self.ask)

    def ask(self) -> None:
        """Asks for the tags in use."""
        self._link.ask(
            GetVocabulary(), VocabularyReply, self.tags_came.emit, on_failed=self.failed.emit
        )

    def keep(self, tags: tuple[str, ...]) -> None:
        """Uses these tags from now on; none brings the shipped ones back."""

        def on_done(answer: JobReply) -> None:
            self.kept.emit(tags)
            self._tracker.take_reply(answer)

        self._link.ask(SetVocabulary(tags=tags), JobReply, on_done, on_failed=self.failed.emit)
