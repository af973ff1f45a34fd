"""A caption that can be read, accepted and edited in its place."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QPlainTextEdit, QWidget

from ui.kit.layouts import in_column, in_row
from ui.kit.theme import GAP_S
from ui.kit.translation import tr
from ui.kit.widgets import button, keeps_key, label

MAX_LINES = 6
PADDING_PX = 22
NO_CAPTION = tr("You rejected the suggested caption")


class Origin(Enum):
    """The author of a caption, as it is said above it."""

    NOBODY = ""
    MACHINE = tr("Suggested caption")
    PERSON = tr("Your caption")


class _Editor(QPlainTextEdit):
    """Grows with its text; Enter saves, Esc cancels."""

    saved = Signal()
    cancelled = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Caption"))
        self.setAccessibleDescription(tr("Enter saves the caption, Escape cancels"))
        self.setTabChangesFocus(True)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.textChanged.connect(self._fit)

    def line(self) -> str:
        """The text as one line without blanks around it."""
        return " ".join(self.toPlainText().split())

    def event(self, event: QEvent) -> bool:
        """Keeps keys of its own away from the window's shortcuts."""
        return keeps_key(event, (Qt.Key.Key_Escape,)) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.saved.emit()
        elif event.key() == Qt.Key.Key_Escape:
            self.cancelled.emit()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        line_px = QFontMetrics(self.font()).lineSpacing()
        lines = min(MAX_LINES, max(2, round(self.document().size().height())))
        self.setFixedHeight(lines * line_px + PADDING_PX)


class CaptionField(QWidget):
    """Emits ``saved`` with key and new caption, ``accepted`` for the suggestion as it is.

    A caption that is being typed belongs to the medium it was begun for: it stays in
    the editor while that one is shown again, and is saved when another one is shown.
    ``key`` is the medium whose ``caption`` is shown; empty before the first. ``is_entering`` while
    it is saved by Return.
    """

    saved = Signal(str, str)
    accepted = Signal()
    begun = Signal()
    closed = Signal()

    def __init__(self, *, has_buttons: bool = True) -> None:
        """Without ``has_buttons`` others stand for accepting and editing."""
        super().__init__()
        self._has_buttons = has_buttons
        self.is_entering = False
        self.key = ""
        self._origin_kind = Origin.NOBODY
        self.caption = ""
        self._before = ""
        self.origin = label("", "small", wraps=True)
        self.accept = button(tr("Accept"), "link", on_click=self.accepted.emit)
        self.accept.setAccessibleName(tr("Accept the suggested caption"))
        self.accept.setToolTip(tr("Make this caption your own (A)"))
        self.edit = button(tr("Edit"), "link", on_click=self.begin)
        self.edit.setAccessibleName(tr("Edit the caption"))
        self.edit.setToolTip(tr("Edit the caption (E)"))
        self.text: QLabel = label("", "caption", wraps=True)
        self.text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.text.setAccessibleName(tr("Caption"))
        self.text.setToolTip(tr("Double-click to edit"))
        self.text.installEventFilter(self)
        self.editor = _Editor()
        self.editor.setObjectName("caption-editor")
        self.hint = label(tr("Enter saves, Esc cancels"), "small")
        self.editor.saved.connect(self._on_enter)
        self.editor.cancelled.connect(self.cancel)
        links = in_row(self.accept, self.edit, gap=GAP_S)
        self._above = in_row((self.origin, 1), links, gap=GAP_S)
        self._above.setAlignment(links, Qt.AlignmentFlag.AlignLeft)
        in_column(self._above, self.text, self.editor, self.hint, gap=GAP_S, of=self)
        self._show_mode()

    @property
    def is_editing(self) -> bool:
        """True where the caption is being edited."""
        return not self.editor.isHidden()

    def show_caption(self, key: str, caption: str, origin: Origin, reason: str = "") -> None:
        """The caption of this medium as it is now; ``reason`` says why there is none."""
        if key != self.key:
            self.save()
            self.key = key
        if not caption and origin is Origin.PERSON:
            reason = NO_CAPTION
        self.caption = caption
        self.text.setText(caption)
        self._origin_kind = origin if caption else Origin.NOBODY
        self.origin.setText(self._origin_kind.value if caption else reason)
        self.edit.setText(tr("Edit") if caption else tr("Write one"))
        if not self.is_editing:
            self._show_mode()

    def say(self, sentence: str) -> None:
        """A sentence where there is no caption."""
        if not self.caption:
            self.origin.setText(sentence)
            self._fit()

    def begin(self) -> None:
        """The caption becomes a field with all its text selected."""
        if self.is_editing:
            self.editor.setFocus()
            return
        self._before = self.caption
        self.editor.setPlainText(self._before)
        self.editor.selectAll()
        self._show_mode(is_editing=True)
        self.editor.setFocus()
        self.begun.emit()

    def save(self) -> None:
        """Ends the editing; a new caption is announced."""
        if not self.is_editing:
            return
        line = self.editor.line()
        self._show_mode()
        if line != self._before:
            self.saved.emit(self.key, line)
        self.closed.emit()

    def _on_enter(self) -> None:
        """A suggestion that is saved unchanged is accepted."""
        is_same = bool(self._before) and self.editor.line() == self._before
        self.is_entering = True
        try:
            self.save()
        finally:
            self.is_entering = False
        if is_same and self._origin_kind is Origin.MACHINE:
            self.accepted.emit()

    def cancel(self) -> None:
        """Ends the editing; nothing has changed."""
        if self.is_editing:
            self._show_mode()
            self.closed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Puts the links below where there is no room for them at the right."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        links = (self.accept, self.edit)
        links_px = sum(part.sizeHint().width() + GAP_S for part in links if not part.isHidden())
        said_px = self.origin.fontMetrics().horizontalAdvance(self.origin.text())
        is_narrow = links_px > 0 and said_px + links_px > self.width()
        way = QBoxLayout.Direction.TopToBottom if is_narrow else QBoxLayout.Direction.LeftToRight
        if way is not self._above.direction():
            self._above.setDirection(way)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watches the widgets that it has installed itself on."""
        if watched is self.text and event.type() == QEvent.Type.MouseButtonDblClick:
            self.begin()
            return True
        return False

    def _show_mode(self, *, is_editing: bool = False) -> None:
        self.editor.setVisible(is_editing)
        self.hint.setVisible(is_editing)
        self.text.setVisible(not is_editing and bool(self.caption))
        self.edit.setVisible(self._has_buttons and not is_editing)
        is_suggestion = self._origin_kind is Origin.MACHINE
        self.accept.setVisible(self._has_buttons and is_suggestion and not is_editing)
        self._fit()
