"""The list of what typed letters may begin, below the field; nothing of it is chosen by itself."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView

from cocadesk.protocol.messages import FieldValue
from ui.kit.translation import grouped, tr

_COMMANDS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.MetaModifier
)
_TAKE = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Tab)
_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}


class SuggestionList(QListView):
    """A list that does not choose its first line when it comes up."""

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Leaves the current line as it is: none, until somebody steps to one."""
        event.accept()


class Suggestions(QObject):
    """Offers values below a field; ``taken`` carries the place of the one that was chosen.

    Keys go on to the field. While the list is open no letter is a command of the window's; Enter
    takes a line only after Up or Down, and Esc closes the list alone.
    """

    taken = Signal(int)

    def __init__(self, field: QLineEdit) -> None:
        super().__init__(field)
        self._field = field
        self._lines = QStandardItemModel(self)
        self._completer = QCompleter(self._lines, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setWidget(field)
        self.list = SuggestionList()
        self.list.setObjectName("tag-completions")
        self.list.setAccessibleName(tr("Suggestions"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._completer.setPopup(self.list)
        self._completer.activated[QModelIndex].connect(self._on_clicked)  # type: ignore[index]
        self.list.installEventFilter(self)  # after the completer's, so that it comes first

    def offer(self, values: Sequence[FieldValue]) -> None:
        """Shows these below the field, as long as it has the focus; none closes the list."""
        self._lines.clear()
        for value in values:
            number = f", {grouped(value.count)}" if value.count else ""
            self._lines.appendRow(QStandardItem(f"{value.text}  ·  {value.label}{number}"))
        if values and (self._field.hasFocus() or self.list.isVisible()):
            self._completer.complete(self._field.rect())
            self.list.setCurrentIndex(QModelIndex())
            row_px = self.list.sizeHintForRow(0)
            self.list.setFixedHeight(len(values) * row_px + 2 * self.list.frameWidth() + 2)
        else:
            self.list.hide()

    def hide(self) -> None:
        """Closes the list."""
        self.list.hide()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Keys of the open list."""
        if not isinstance(event, QKeyEvent):
            return False
        is_command = bool(event.modifiers() & _COMMANDS)
        if event.type() == QEvent.Type.ShortcutOverride:
            event.setAccepted(not is_command)
            return not is_command
        return event.type() == QEvent.Type.KeyPress and not is_command and self._press(event)

    def _press(self, event: QKeyEvent) -> bool:
        """True where the key means something here; the field gets all others."""
        key, place = Qt.Key(event.key()), self.list.currentIndex().row()
        if key in _STEPS:
            self._step(place, _STEPS[key])
        elif key == Qt.Key.Key_Escape:
            self.hide()
        elif key in _TAKE and place >= 0:
            self.hide()
            self.taken.emit(place)
        else:
            if key in _TAKE:
                self.hide()
            return False
        return True

    def _step(self, place: int, by: int) -> None:
        """To the next line; beyond the ends none is chosen."""
        count = self._lines.rowCount()
        new = place + by if place >= 0 or by > 0 else count - 1
        index = self._lines.index(new, 0) if 0 <= new < count else QModelIndex()
        self.list.setCurrentIndex(index)

    def _on_clicked(self, index: QModelIndex) -> None:
        self.taken.emit(index.row())
