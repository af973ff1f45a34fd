"""A panel with a field and a list under it, of which Enter or a click takes a line."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QHeaderView, QLineEdit, QTreeWidget, QWidget

from ui.kit.widgets import give_back_focus

_STEPS = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}


class PickList(QFrame):
    """Lies over its parent while the focus is in its field; Esc closes.

    Who builds on it lays out ``field`` and ``list``, fills the list and says what ``take`` does.
    """

    def __init__(self, name: str, parent: QWidget) -> None:
        """``name`` is the one that the style sheet knows the panel by."""
        super().__init__(parent)
        self.setObjectName(name)
        self._parent = parent
        self._before: QWidget | None = None
        self.field = QLineEdit()
        self.list = QTreeWidget()
        self.list.setObjectName("palette-list")
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.itemClicked.connect(self.take)
        self.field.returnPressed.connect(self.take)
        self.field.installEventFilter(self)
        self.hide()

    def show_at(self, place: QRect) -> None:
        """Shows it there in its parent; the focus goes back where it is now."""
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self.setGeometry(place)
        self.show()
        self.raise_()
        self.field.setFocus()

    def offered(self) -> list[str]:
        """The texts of the lines that are listed now."""
        items = (self.list.topLevelItem(place) for place in range(self.list.topLevelItemCount()))
        return [item.text(0) for item in items if item is not None]

    def take(self) -> None:
        """Takes the line under the cursor."""
        raise NotImplementedError

    def select(self, place: int) -> None:
        """Puts the cursor on a line, where there is one."""
        item = self.list.topLevelItem(place)
        if item is not None:
            self.list.setCurrentItem(item)

    def close_list(self) -> None:
        """Hides it and gives the focus back."""
        if self.isHidden():  # Qt asks more than once about a key
            return
        self.hide()
        before, self._before = self._before, None
        give_back_focus(before, self._parent)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Moves through the list by the keys that the field does not need; Esc closes."""
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        elif isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self.close_list()  # a shortcut override: keeps the window's own Esc away
            event.accept()
            return True
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = _STEPS.get(Qt.Key(event.key()))
            if step is not None:
                self.select(self.list.currentIndex().row() + step)
                return True
        return False
