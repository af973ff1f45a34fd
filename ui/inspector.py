"""Everything about the photo under the cursor: facts, words, the large picture."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    Describe,
    Description,
    Detail,
    GetDetail,
    GetPreview,
    Preview,
)
from cocadesk.protocol.values import Priority, Row
from ui.engine_link import EngineLink, Ticket
from ui.image_loader import ImageLoader

DESCRIBE_PAUSE_MS = 200


class Inspector(QObject):
    """Asks for one key at a time; answers for another key are dropped."""

    row_came = Signal(object)
    words_came = Signal(object)
    describing = Signal()
    picture_came = Signal(object)
    failed = Signal(str)

    def __init__(self, link: EngineLink, previews: ImageLoader, parent: QObject) -> None:
        super().__init__(parent)
        self._link = link
        self._previews = previews
        self._tickets: list[Ticket] = []
        self.key: str | None = None
        self.row: Row | None = None
        self._preview_path = ""
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(DESCRIBE_PAUSE_MS)
        self._pause.timeout.connect(self._describe)
        previews.arrived.connect(self._on_picture)

    def look_at(self, key: str | None) -> None:
        """This is the photo now; words are asked for once it stays."""
        for ticket in self._tickets:
            ticket.cancel()
        self._tickets.clear()
        self.key, self.row, self._preview_path = key, None, ""
        self._pause.stop()
        if key is None:
            return
        self._tickets.append(
            self._link.ask(GetDetail(key=key), Detail, self._on_detail, on_failed=self._on_failed)
        )
        self._tickets.append(
            self._link.ask(GetPreview(key=key), Preview, self._on_preview,
                           on_failed=self._on_failed)
        )  # fmt: skip
        self._pause.start()

    def look_again(self) -> None:
        """The same photo, asked for anew."""
        self.look_at(self.key)

    def _describe(self) -> None:
        if self.key is None:
            return
        self.describing.emit()
        self._tickets.append(
            self._link.ask(
                Describe(key=self.key),
                Description,
                self._on_words,
                on_failed=self._on_words_failed,
                on_partial=self._on_words,
                priority=Priority.VISIBLE,
            )
        )

    def _on_detail(self, answer: Detail) -> None:
        if answer.row.key == self.key:
            self.row = answer.row
            self.row_came.emit(answer.row)

    def _on_words(self, answer: Description) -> None:
        if answer.key == self.key:
            self.words_came.emit(answer)

    def _on_preview(self, answer: Preview) -> None:
        if answer.key == self.key:
            self._preview_path = answer.path.to_str()
            self._show_picture(answer.key)

    def _on_picture(self, key: object) -> None:
        if key == self.key and self._preview_path:
            self._show_picture(str(key))

    def _show_picture(self, key: str) -> None:
        pixmap = self._previews.pixmap(key, self._preview_path)
        if pixmap is not None:
            self.picture_came.emit(pixmap)

    def _on_words_failed(self, error: UserError) -> None:
        if self.key is not None:
            self.words_came.emit(Description(key=self.key, reason=str(error)))

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(str(error))
