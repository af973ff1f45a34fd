"""The search field: results as you type, after a pause."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit

from ui.kit.icons import Icon, icon
from ui.kit.timers import single_shot

PAUSE_MS = 40
MAX_HISTORY = 50


class SearchBox(QLineEdit):
    """Emits ``query_changed`` with trimmed text; Up brings back earlier ones."""

    query_changed = Signal(str)
    leave_down = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("search")
        self.setAccessibleName("Search your photos")
        self.setPlaceholderText("Describe what you are looking for: a dog on a beach")
        self.setMaximumWidth(760)
        self._history: list[str] = []
        self._place = 0
        self._said = ""
        self._glass = QAction("Search", self)
        self._clear = QAction("Clear", self)
        self.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.addAction(self._clear, QLineEdit.ActionPosition.TrailingPosition)
        self._clear.triggered.connect(self._on_clear)
        self._clear.setVisible(False)
        self._timer = single_shot(self, self._say, PAUSE_MS)
        self.textChanged.connect(self._on_text)
        self.returnPressed.connect(self._on_return)
        self._draw()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draws its icons in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def query(self) -> str:
        """The query, without blanks around it."""
        return self.text().strip()

    def set_query(self, text: str) -> None:
        """Puts a query in and announces it at once."""
        self.setText(text)
        self._say()

    def forget_history(self) -> None:
        """Forgets earlier queries."""
        self._history.clear()
        self._place = 0

    def show_query(self, text: str) -> None:
        """Shows the text of a list that was asked for in another way."""
        if text != self.query():
            self.setText(text)
        self._said = text
        self._timer.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        if event.key() == Qt.Key.Key_Up and self._history:
            self._place = max(0, self._place - 1)
            self.setText(self._history[self._place])
        elif event.key() == Qt.Key.Key_Down:
            if self._place < len(self._history) - 1:
                self._place += 1
                self.setText(self._history[self._place])
            else:
                self.leave_down.emit()
        else:
            super().keyPressEvent(event)

    def _draw(self) -> None:
        self._glass.setIcon(icon(Icon.SEARCH, "muted", 18))
        self._clear.setIcon(icon(Icon.CLEAR, "muted", 16))

    def _on_text(self) -> None:
        self._clear.setVisible(bool(self.text()))
        self._timer.start()

    def _on_return(self) -> None:
        self._remember()
        self._say()
        self.leave_down.emit()

    def _on_clear(self) -> None:
        self.set_query("")

    def _say(self) -> None:
        self._timer.stop()
        query = self.query()
        if query != self._said:
            self._said = query
            self.query_changed.emit(query)

    def _remember(self) -> None:
        query = self.query()
        if query:
            self._history = [old for old in self._history if old != query][-MAX_HISTORY:]
            self._history.append(query)
        self._place = len(self._history)
