"""One photo over the whole window."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QFrame

from cocadesk.protocol.values import Row
from ui.kit.actions import Actions, ActionSet
from ui.kit.icons import Icon
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.photo_view import PhotoView
from ui.kit.texts import clock, marks
from ui.kit.widgets import IconButton, label


class LargeView(QFrame):
    """The photo on a dark stage, its caption below, arrows at its sides."""

    stepped = Signal(int)
    closed = Signal()

    def __init__(self, actions: ActionSet) -> None:
        super().__init__()
        self.setObjectName("stage")
        self.setAccessibleName("Large view")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.photo = PhotoView(can_zoom=True, message_colour="on_stage")
        self.photo.setAccessibleName("Photo")
        self.caption = label("", "on-stage", wraps=True)
        self.caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.marks = label("", "on-stage")
        self.marks.setAccessibleName("Stars and flag")
        back = _stage_button(actions[Actions.STEP_BACK], Icon.CLEAR, "Back to the grid")
        left = _stage_button(actions[Actions.PREVIOUS], Icon.BACK, "Previous photo")
        right = _stage_button(actions[Actions.NEXT], Icon.NEXT, "Next photo")
        top = in_row(self.marks, STRETCH, back)
        middle = in_row(left, (self.photo, 1), right)
        in_column(top, (middle, 1), self.caption, margins=(12, 12, 12, 16), of=self)

    def show_row(self, row: Row, time_s: float | None = None) -> None:
        """The caption or name, of a video with the time; the picture comes by ``photo``."""
        text = row.caption or row.name
        self.caption.setText(text if time_s is None else f"{clock(time_s)} · {text}")
        self.photo.setAccessibleDescription(row.caption or row.name)

    def show_marks(self, row: Row) -> None:
        """The stars, flag and favourite mark of a row."""
        self.marks.setText(marks(row))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        steps = {
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_Down: 1,
            Qt.Key.Key_PageDown: 1,
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Up: -1,
            Qt.Key.Key_PageUp: -1,
        }
        key = Qt.Key(event.key())
        if key in steps:
            self.stepped.emit(steps[key])
        elif key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.closed.emit()
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.photo.zoom_by(1.25)
        elif key == Qt.Key.Key_Minus:
            self.photo.zoom_by(0.8)
        else:
            super().keyPressEvent(event)


def _stage_button(action: QAction, which: Icon, name: str) -> IconButton:
    made = IconButton(
        which, name, role="stage", colour="on_stage", size_px=24, on_click=action.trigger
    )
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    return made
