"""The legend of a map: a button for each group, which hides it and shows it again."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from cocadesk.protocol.messages import MapGroup
from ui.kit.flow_layout import FlowLayout
from ui.kit.plain_text import button_text
from ui.kit.theme import GAP_S, colour
from ui.kit.translation import grouped, tr
from ui.kit.widgets import tool
from ui.library.map.colours import group_colour

DOT_PX = 12
NAME_MAX = 28


class Legend(QWidget):
    """The names of groups with their colours and counts; ``changed``: others are hidden."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Colours"))
        self.hidden: set[int] = set()
        self.buttons: list[QToolButton] = []
        self._layout = FlowLayout(self, GAP_S)

    def show_groups(self, groups: Sequence[MapGroup]) -> None:
        """Other groups, all of them shown."""
        self.hidden.clear()
        for old in self.buttons:
            self._layout.removeWidget(old)
            old.deleteLater()
        self.buttons = []
        for number, group in enumerate(groups if len(groups) > 1 else ()):
            name = group.name if len(group.name) <= NAME_MAX else f"{group.name[:NAME_MAX]}…"
            made = tool(
                button_text(f" {name}  {grouped(group.count)}"), "chip",
                name=f"{group.name}, {grouped(group.count)}", tip=tr("Show or hide"),
                on_click=partial(self._toggle, number),
            )  # fmt: skip
            made.setCheckable(True)
            made.setChecked(True)
            made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            made.setIconSize(QSize(DOT_PX, DOT_PX))
            self._layout.addWidget(made)
            self.buttons.append(made)
        self._draw()
        self.setVisible(bool(self.buttons))

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Draws the dots in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self._draw()

    def _toggle(self, number: int) -> None:
        self.hidden.symmetric_difference_update({number})
        self._draw()
        self.changed.emit()

    def _draw(self) -> None:
        for number, made in enumerate(self.buttons):
            is_shown = number not in self.hidden
            made.setChecked(is_shown)
            made.setIcon(_dot(number, len(self.buttons), is_filled=is_shown))


def _dot(number: int, count: int, *, is_filled: bool) -> QIcon:
    picture = QPixmap(DOT_PX * 2, DOT_PX * 2)
    picture.setDevicePixelRatio(2)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ink = group_colour(number, count) if is_filled else colour("muted")
    painter.setPen(ink)
    painter.setBrush(ink if is_filled else Qt.BrushStyle.NoBrush)
    painter.drawEllipse(1, 1, DOT_PX - 2, DOT_PX - 2)
    painter.end()
    return QIcon(picture)
