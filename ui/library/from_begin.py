"""A field that shows the begin of its text while nobody types in it."""

from __future__ import annotations

from contextlib import suppress

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLineEdit

_STAYS = frozenset({Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason})
"""One types on after these."""


class FromBegin(QObject):
    """Shows the begin of a long text once one looks elsewhere; typing goes on where it was."""

    def __init__(self, field: QLineEdit) -> None:
        super().__init__(field)
        self._field = field
        self._left_at: int | None = None
        self._is_typed = False
        field.installEventFilter(self)
        field.textEdited.connect(self._on_edited)  # comes before the other
        field.textChanged.connect(self._on_text)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Hears of the focus of the field."""
        # A field that is being deleted loses the focus, too, when it can't be asked any more; what
        # is raised here then, where Python is called without its lock, ends the process.
        with suppress(RuntimeError):
            if isinstance(event, QFocusEvent):
                self._on_focus(event)
        return False

    def _on_focus(self, event: QFocusEvent) -> None:
        if event.lostFocus() and event.reason() not in _STAYS:
            self._left_at = self._field.cursorPosition()
            self._field.home(False)
        elif event.gotFocus() and self._left_at is not None:
            self._field.setCursorPosition(self._left_at)
            self._left_at = None

    def _on_edited(self) -> None:
        """Letters may come without the focus, e.g. from a keyboard on the screen."""
        self._is_typed = True

    def _on_text(self, text: str) -> None:
        """Another text is there, typed or put in."""
        if not self._is_typed and not self._field.hasFocus():
            self._left_at = len(text)
            self._field.home(False)
        self._is_typed = False
