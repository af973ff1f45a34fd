"""The help with every action that has a key."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from ui.kit.actions import Action, ActionSet, Group
from ui.kit.dialogs import FramedDialog
from ui.kit.layouts import in_row
from ui.kit.translation import tr
from ui.kit.widgets import label

THREE_COLUMNS_PX = 1200
TWO_COLUMNS_PX = 860
THREE_COLUMNS = (
    (Group.LIBRARY, Group.SEARCH, Group.EDIT, Group.ANNOTATIONS, Group.SUGGESTIONS),
    (Group.PHOTO, Group.VIDEO, Group.LARGE, Group.VIEW),
    (Group.RATING, Group.SAME, Group.PROGRAM),
)
TWO_COLUMNS = (
    (
        Group.LIBRARY,
        Group.SEARCH,
        Group.EDIT,
        Group.ANNOTATIONS,
        Group.SUGGESTIONS,
        Group.PROGRAM,
    ),
    (Group.PHOTO, Group.VIDEO, Group.LARGE, Group.RATING, Group.SAME, Group.VIEW),
)


class ShortcutsHelp(FramedDialog):
    """Every action with its keys, in columns by group."""

    def __init__(self, actions: ActionSet, parent: QWidget) -> None:
        super().__init__(tr("Keyboard shortcuts"), parent)
        content = QWidget()
        room = parent.window().size() - QSize(20, 60)
        tables = (_key_table(actions, groups) for groups in _columns(room.width()))
        in_row(*tables, gap=26, margins=(0, 0, 12, 0), of=content)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(content)
        self.column.addWidget(area, 1)
        self.add_buttons()
        wanted = content.sizeHint() + QSize(80, 150)
        self.resize(wanted.boundedTo(room))


def _columns(width_px: int) -> tuple[tuple[Group, ...], ...]:
    if width_px >= THREE_COLUMNS_PX:
        return THREE_COLUMNS
    return TWO_COLUMNS if width_px >= TWO_COLUMNS_PX else (tuple(Group),)


def _key_table(actions: ActionSet, groups: tuple[Group, ...]) -> QGridLayout:
    grid = QGridLayout()
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(0, 1)
    for group in groups:
        if grid.count():
            grid.setRowMinimumHeight(grid.rowCount(), 10)
        grid.addWidget(label(group.value, "section"), grid.rowCount(), 0)
        for entry in actions.of_group(group):
            if keys := actions.key_texts(entry):
                _add_keys(grid, entry, keys)
    grid.setRowStretch(grid.rowCount(), 1)
    return grid


def _add_keys(grid: QGridLayout, entry: Action, texts: list[str]) -> None:
    row = grid.rowCount()
    grid.addWidget(label(entry.text), row, 0)
    keys = in_row(*(label(key, "key") for key in texts), gap=4)
    grid.addLayout(keys, row, 1, Qt.AlignmentFlag.AlignRight)
