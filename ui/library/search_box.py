"""The search field: results as you type; earlier searches, own words first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QElapsedTimer, QEvent, QMimeData, QObject, Qt, Signal
from PySide6.QtGui import (
    QAction,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QLineEdit

from cocadesk.protocol.messages import FieldValue
from ui.kit import desktop
from ui.kit.icons import Icon, icon
from ui.kit.preferences import Preference
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.library.from_begin import FromBegin
from ui.library.pasting import has_pictures, pictures_in
from ui.library.suggestions import Suggestions

PAUSE_MS = 40
"""A letter is searched for at once, and after this pause where it follows another so closely."""
SIDES_PX = 84
"""The room that its icons and edges take."""
DESCRIBE = tr("Describe what you are looking for: a dog on a beach")
HINTS = (DESCRIBE, tr("Describe what you are looking for"), tr("Search your photos"), tr("Search"))
"""The longest for which there is room is shown."""
DROP = tr("Drop the picture here to find photos like it")
MAX_HISTORY = 50
SEARCHES: Preference[list[str]] = Preference("searches", [], of=str)


class _Hint(QObject):
    """The text of an empty box, a shorter one where there is no room for it."""

    def __init__(self, box: QLineEdit) -> None:
        super().__init__(box)
        self._box = box
        self._is_over = False
        box.installEventFilter(self)
        self.show(is_over=False)

    def show(self, *, is_over: bool) -> None:
        """Another text while a picture ``is_over`` the box."""
        self._is_over = is_over
        room_px = self._box.width() - SIDES_PX
        width_px = self._box.fontMetrics().horizontalAdvance
        fitting = next((text for text in HINTS if width_px(text) <= room_px), HINTS[-1])
        self._box.setPlaceholderText(DROP if is_over else fitting)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Watches the widgets that it has installed itself on."""
        if event.type() == QEvent.Type.Resize:
            self.show(is_over=self._is_over)
        return False


class SearchBox(QLineEdit):
    """Emits ``query_changed`` with trimmed text; Up brings back earlier ones.

    ``committed``: the text is whole. ``beginning`` carries a text whose last word may be the
    begin of one that the library has; ``completed`` the filter of one that was taken.
    ``pictures_given`` carries the paths of pictures that were dropped or pasted.
    """

    query_changed = Signal(str)
    committed = Signal()
    leave_down = Signal()
    beginning = Signal(str)
    completed = Signal(str)
    pictures_given = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("search")
        self.setAccessibleName(tr("Search your photos"))
        self._hint = _Hint(self)
        self.setMaximumWidth(760)
        self._scope = ""
        self._history: list[str] = []
        self._place = 0
        self._said = ""
        self._offered: list[FieldValue] = []
        self.suggestions = Suggestions(self)
        self.suggestions.taken.connect(self.take)
        self._glass = QAction(tr("Search"), self)
        self._clear = QAction(tr("Clear"), self)
        self.addAction(self._glass, QLineEdit.ActionPosition.LeadingPosition)
        self.addAction(self._clear, QLineEdit.ActionPosition.TrailingPosition)
        self._clear.triggered.connect(self._on_clear)
        self._clear.setVisible(False)
        self._timer = single_shot(self, self._say)
        self._since_said = QElapsedTimer()
        self.textChanged.connect(self._on_text)
        FromBegin(self)
        self.textEdited.connect(self._on_edited)
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
        """Forgets earlier queries, of every library."""
        self._history.clear()
        self._place = 0
        SEARCHES.reset_everywhere()

    def show_query(self, text: str) -> None:
        """Shows the text of a list that was asked for in another way."""
        if text != self.query():
            self.setText(text)
        self._said = text
        self._timer.stop()

    def keep_history(self, scope: str) -> None:
        """Keeps earlier searches of a library, and brings back those of the last times."""
        self._scope = scope
        self._history = SEARCHES.read(scope)[-MAX_HISTORY:]
        self._place = len(self._history)

    def offer(self, values: Sequence[FieldValue]) -> None:
        """Shows words that the library has and that what is typed may begin."""
        self._offered = list(values)
        self.suggestions.offer(values)

    def offered(self) -> list[str]:
        """The words that are offered now."""
        return [value.text for value in self._offered]

    def take(self, place: int) -> None:
        """Takes the word of that place: what was typed of it goes, its filter is told."""
        value = self._offered[place]
        self.show_query(_without_beginning(self.query(), value.text))
        self.offer(())
        self.completed.emit(value.term)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        is_paste = event.matches(QKeySequence.StandardKey.Paste)
        if is_paste and self._takes_pictures(QGuiApplication.clipboard().mimeData()):
            return
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

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Takes pictures, to look for what is like them; folders are the window's."""
        if has_pictures(event.mimeData()):
            event.acceptProposedAction()
            self._show_over(True)
        elif desktop.local_paths(event.mimeData()):
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: N802
        """Takes pictures anywhere; a text goes where the pointer is."""
        if has_pictures(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:  # noqa: N802
        """Looks as before."""
        self._show_over(False)
        super().dragLeaveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Looks for what is like dropped pictures."""
        self._show_over(False)
        if self._takes_pictures(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dropEvent(event)

    def _takes_pictures(self, data: QMimeData) -> bool:
        paths = tuple(pictures_in(data))
        if paths:
            self.pictures_given.emit(paths)
        return bool(paths)

    def _show_over(self, is_over: bool) -> None:
        """Looks as if it would take what is over it."""
        self.setProperty("over", is_over)
        self._hint.show(is_over=is_over)
        self.style().polish(self)

    def _draw(self) -> None:
        self._glass.setIcon(icon(Icon.SEARCH, "muted", 18))
        self._clear.setIcon(icon(Icon.CLEAR, "muted", 16))

    @property
    def waits_ms(self) -> int:
        """So long it waits for more letters now; 0 where it does not."""
        return max(0, self._timer.remainingTime())

    def _on_text(self) -> None:
        self._clear.setVisible(bool(self.text()))
        is_close = self._since_said.isValid() and not self._since_said.hasExpired(PAUSE_MS)
        self._timer.start(PAUSE_MS if is_close else 0)

    def _on_edited(self, text: str) -> None:
        self.suggestions.hide()
        self.beginning.emit(text)

    def _on_return(self) -> None:
        self.suggestions.hide()
        self._remember()
        self._say()
        self.committed.emit()
        self.leave_down.emit()

    def _on_clear(self) -> None:
        self.set_query("")

    def _say(self) -> None:
        self._timer.stop()
        query = self.query()
        if query != self._said:
            self._said = query
            self._since_said.start()
            self.query_changed.emit(query)

    def _remember(self) -> None:
        query = self.query()
        if query:
            self._history = [old for old in self._history if old != query]
            self._history = [*self._history, query][-MAX_HISTORY:]
            SEARCHES.write(self._history, self._scope)
        self._place = len(self._history)


def _without_beginning(text: str, value: str) -> str:
    """The text without the last words of it with which the value, or a word of it, begins."""
    words, begins = text.split(), value.casefold()
    for start in range(len(words)):
        typed = " ".join(words[start:]).casefold()
        if begins.startswith(typed) or f" {typed}" in begins:
            return " ".join(words[:start])
    return text
