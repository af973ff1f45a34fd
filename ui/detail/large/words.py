"""Caption and tags beside a photo in the large view, while they are edited."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame

from cocadesk.protocol.messages import Description
from cocadesk.protocol.values import Row
from ui.annotations.caption_field import CaptionField, Origin
from ui.annotations.tag_chips import TagChips
from ui.kit.layouts import in_column
from ui.kit.page_parts import UNLIMITED_PX, Column, scroll_area
from ui.kit.theme import GAP_M
from ui.kit.translation import tr
from ui.kit.widgets import label

WIDTH_PX = 340


class WordsPanel(QFrame):
    """Stands there as long as something is typed in it; ``closed`` once nothing is."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("detail")
        self.setAccessibleName(tr("Caption and tags"))
        self.setFixedWidth(WIDTH_PX)
        self.field = CaptionField()
        self.chips = TagChips()
        content = Column(GAP_M)
        content.setMaximumWidth(UNLIMITED_PX)
        content.column.setContentsMargins(16, 16, 16, 16)
        for part in (
            label(tr("Caption"), "section"),
            self.field,
            label(tr("Tags"), "section"),
            self.chips,
        ):
            content.column.addWidget(part)
        content.column.addStretch(1)
        in_column(scroll_area(content), margins=(1, 0, 0, 0), of=self)
        self.chips.follow(self.field.editor)
        self.field.closed.connect(self._on_closed)
        self.chips.closed.connect(self._on_closed)
        self.hide()

    def open(self) -> bool:
        """Brings the fields into sight."""
        self.show()
        return True

    def begin(self, key: str) -> None:
        """Another medium, of which nothing is known yet."""
        self._show_caption(key, None, by_person=False)
        self.chips.show_tags(())

    def show_row(self, row: Row) -> None:
        """Caption and tags as a row has them."""
        self._show_caption(row.key, row.caption, row.caption_by_person)
        self.chips.show_tags(row.tags)

    def show_annotations(self, answer: Description) -> None:
        """Caption and tags as the engine has them now."""
        self._show_caption(answer.key, answer.caption, answer.caption_by_person, answer.reason)
        self.chips.show_tags(answer.tags)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Keys that the fields leave over, such as Return, mean nothing to the photo behind."""
        event.accept()

    def finish(self) -> None:
        """Saves what is typed; nothing is edited any more."""
        self.field.save()
        self.hide()

    def _show_caption(self, key: str, text: str | None, by_person: bool, reason: str = "") -> None:
        origin = Origin.PERSON if by_person else Origin.MACHINE
        self.field.show_caption(key, text or "", origin, reason)

    def _on_closed(self) -> None:
        if not self.field.is_editing and not self.chips.is_adding:
            self.hide()
            self.closed.emit()
