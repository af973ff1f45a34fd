"""The small windows: all commands, the keys, and the files that failed."""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cocadesk.protocol.values import FailureValue
from ui.kit.actions import ACTIONS, ActionSet, ActionSpec, Group, keys_of
from ui.kit.theme import Theme
from ui.kit.widgets import button, label

THREE_COLUMNS_PX = 1200
THREE_COLUMNS = (
    (Group.LIBRARY, Group.SEARCH, Group.ANNOTATIONS),
    (Group.PHOTO, Group.VIDEO, Group.PROGRAM),
    (Group.VIEW,),
)
TWO_COLUMNS = (
    (Group.LIBRARY, Group.SEARCH, Group.ANNOTATIONS, Group.PROGRAM),
    (Group.PHOTO, Group.VIDEO, Group.VIEW),
)


class CommandPalette(QFrame):
    """Type a few letters, Enter runs the command; Esc closes."""

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("palette")
        self.setAccessibleName("All commands")
        self._actions = actions
        self._parent = parent
        self.field = QLineEdit()
        self.field.setPlaceholderText("What do you want to do?")
        self.field.setAccessibleName("Command")
        self.list = QTreeWidget()
        self.list.setObjectName("palette-list")
        self.list.setAccessibleName("Commands")
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.addWidget(self.field)
        column.addWidget(self.list)
        self.field.textChanged.connect(self._fill)
        self.field.returnPressed.connect(self._run)
        self.list.itemClicked.connect(self._run)
        self.field.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Shows it over the upper part of its parent."""
        self.field.clear()
        self._fill()
        parent = self._parent
        width = min(560, parent.width() - 40)
        self.setGeometry((parent.width() - width) // 2, 70, width, min(430, parent.height() - 120))
        self.show()
        self.raise_()
        self.field.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        if event.type() == QEvent.Type.FocusOut:
            self.hide()
        elif isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
                self._select(self.list.currentIndex().row() + (1 if key == Qt.Key.Key_Down else -1))
                return True
        elif isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            self._close()  # a shortcut override: keeps the window's own Esc away
            event.accept()
            return True
        return super().eventFilter(watched, event)

    def _close(self) -> None:
        self.hide()
        self._parent.setFocus()

    def _fill(self) -> None:
        self.list.clear()
        wanted = self.field.text().casefold().split()
        for spec in ACTIONS:
            action = self._actions[spec.do]
            text = f"{spec.group}: {action.text()}"
            if action.isEnabled() and all(word in text.casefold() for word in wanted):
                item = QTreeWidgetItem([action.text(), "  ".join(keys_of(spec)[:1])])
                item.setData(0, Qt.ItemDataRole.UserRole, spec.do.value)
                item.setToolTip(0, text)
                self.list.addTopLevelItem(item)
        self._select(0)

    def _select(self, place: int) -> None:
        item = self.list.topLevelItem(place)
        if item is not None:
            self.list.setCurrentItem(item)

    def _run(self) -> None:
        item = self.list.currentItem()
        self._close()
        if item is not None:
            chosen = item.data(0, Qt.ItemDataRole.UserRole)
            action = next((a for a in self._actions.all() if a.objectName() == chosen), None)
            if isinstance(action, QAction):
                action.trigger()


class ShortcutsHelp(QDialog):
    """Every action with its keys, in columns by group."""

    def __init__(self, parent: QWidget, theme: Theme) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        content = QWidget()
        columns = QHBoxLayout(content)
        columns.setContentsMargins(0, 0, 12, 0)
        columns.setSpacing(26)
        room = parent.window().size() - QSize(20, 60)
        for groups in THREE_COLUMNS if room.width() >= THREE_COLUMNS_PX else TWO_COLUMNS:
            columns.addLayout(_key_table(*groups))
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(content)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        column.addWidget(label("Keyboard shortcuts", "title"))
        column.addSpacing(theme.gap_m)
        column.addWidget(area, 1)
        column.addWidget(button("Close", on_click=self.accept), 0, Qt.AlignmentFlag.AlignRight)
        wanted = content.sizeHint() + QSize(80, 150)
        self.resize(wanted.boundedTo(room))


def _key_table(*groups: Group) -> QGridLayout:
    grid = QGridLayout()
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(0, 1)
    for group in groups:
        if grid.count():
            grid.setRowMinimumHeight(grid.rowCount(), 10)
        grid.addWidget(label(group.value, "section"), grid.rowCount(), 0)
        for spec in ACTIONS:
            if spec.group is group and keys_of(spec):
                _add_keys(grid, spec)
    grid.setRowStretch(grid.rowCount(), 1)
    return grid


def _add_keys(grid: QGridLayout, spec: ActionSpec) -> None:
    row = grid.rowCount()
    grid.addWidget(label(spec.text), row, 0)
    keys = QHBoxLayout()
    keys.setSpacing(4)
    for key in keys_of(spec):
        keys.addWidget(label(key, "key"))
    grid.addLayout(keys, row, 1, Qt.AlignmentFlag.AlignRight)


class FailuresDialog(QDialog):
    """The files that could not be read, each with its reason."""

    def __init__(
        self, failures: Sequence[FailureValue], total: int, parent: QWidget, job: str = ""
    ) -> None:
        """``job`` is the title of the job that failed with these, if it was one."""
        super().__init__(parent)
        self.setWindowTitle("Files that could not be read")
        self.tree = QTreeWidget()
        self.tree.setAccessibleName("Files that could not be read")
        self.tree.setColumnCount(3)
        self.tree.setHeaderLabels(["File", "Reason", "Folder"])
        self.tree.setRootIsDecorated(False)
        self.tree.setAlternatingRowColors(True)
        self.tree.setUniformRowHeights(True)
        for failure in failures:
            folder, name = os.path.split(failure.path.text)
            item = QTreeWidgetItem([name, failure.reason, folder])
            item.setSizeHint(0, QSize(0, 32))
            item.setToolTip(1, failure.reason)
            item.setToolTip(2, failure.path.text)
            self.tree.addTopLevelItem(item)
        self.tree.setColumnWidth(0, 220)
        self.tree.setColumnWidth(1, 360)
        more = (
            f" The first {len(failures):,} of {total:,} are shown." if total > len(failures) else ""
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 16)
        title = f"Failures: {job}" if job else "Files that could not be read"
        column.addWidget(label(title, "title", wraps=True))
        words = (
            "Everything else was done. These files are tried again when they change." + more
            if failures
            else "All files could be read."
        )
        column.addWidget(label(words, "muted", wraps=True))
        column.addWidget(self.tree, 1)
        column.addWidget(button("Close", on_click=self.accept), 0, Qt.AlignmentFlag.AlignRight)
        self.resize(840, 460)


def below(widget: QWidget) -> QPoint:
    """The place for a menu under a button."""
    return widget.mapToGlobal(QPoint(0, widget.height() + 4))
