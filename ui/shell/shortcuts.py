"""The help with every action that has a key."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QWidget

from ui.kit.actions import Actions, ActionSet, Group
from ui.kit.dialogs import FramedDialog
from ui.kit.layouts import in_row
from ui.kit.translation import tr
from ui.kit.widgets import label

GAP_PX = 18
REVIEW = (
    (tr("Accept, then the next photo"), ("Return", "A")),
    (tr("Edit the caption"), ("E",)),
    (tr("Reject, then the next photo"), ("R",)),
    (tr("Leave for later"), ("S", "Right")),
    (tr("The photo before"), ("Left",)),
    (tr("Leave a tag out, or take it again"), ("1 – 9",)),
    (tr("Add a tag of your own"), ("T",)),
)
"""The keys of a review, which are no actions of the window."""
FRAME_PX = QSize(80, 150)
"""What the dialog has around the tables."""
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
        room = parent.window().size() - QSize(20, 60)
        content = _content(actions, room.width() - FRAME_PX.width())
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(content)
        self.column.addWidget(area, 1)
        self.add_buttons()
        wanted = content.sizeHint() + FRAME_PX
        self.resize(wanted.boundedTo(room))


def _content(actions: ActionSet, room_px: int) -> QWidget:
    """The tables in as many columns as have room beside each other."""
    for columns in (THREE_COLUMNS, TWO_COLUMNS, (tuple(Group),)):
        content = QWidget()
        tables = (_key_table(actions, groups) for groups in columns)
        in_row(*tables, gap=GAP_PX, margins=(0, 0, 12, 0), of=content)
        if content.sizeHint().width() <= room_px:
            break
    return content


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
                _add_keys(grid, entry.text, keys)
            if entry is Actions.REVIEW:
                for text, names in REVIEW:
                    _add_keys(grid, f"    {text}", [_native(name) for name in names])
    grid.setRowStretch(grid.rowCount(), 1)
    return grid


def _native(name: str) -> str:
    return QKeySequence(name).toString(QKeySequence.SequenceFormat.NativeText) or name


def _add_keys(grid: QGridLayout, text: str, texts: list[str]) -> None:
    row = grid.rowCount()
    grid.addWidget(label(text), row, 0)
    keys = in_row(*(label(key, "key") for key in texts), gap=4)
    grid.addLayout(keys, row, 1, Qt.AlignmentFlag.AlignRight)
