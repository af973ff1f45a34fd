"""The round mark of what is selected, legible on any picture."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from ui.kit.theme import colour

MARK_PX = 22
_WHITE = QColor("#ffffff")
_SHADE = QColor(0, 0, 0, 115)


def draw_check(
    painter: QPainter,
    middle: QPointF,
    *,
    is_on: bool,
    is_part: bool = False,
    is_plain: bool = False,
    is_hot: bool = False,
) -> None:
    """A filled circle with a check mark, else an open one to click on.

    ``is_part``: a line instead of the check. ``is_plain`` on the ground of the window, else on
    a picture, where a white ring with a dark edge is seen on everything. ``is_hot``: the
    pointer is on it.
    """
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    radius = MARK_PX / 2 - 1.5
    if not is_plain:
        painter.setPen(QPen(_SHADE, 4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(middle, radius, radius)
    if is_on or is_part:
        painter.setBrush(colour("accent"))
        painter.setPen(QPen(colour("accent") if is_plain else _WHITE, 2))
    else:
        painter.setBrush(QColor(0, 0, 0, 0 if is_plain else 120 if is_hot else 60))
        painter.setPen(QPen(colour("muted") if is_plain else _WHITE, 2))
    painter.drawEllipse(middle, radius, radius)
    x, y = middle.x(), middle.y()
    ink = colour("on_accent") if is_on or is_part else colour("muted") if is_plain else _WHITE
    pen = QPen(ink, 2.4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    if is_part:
        painter.drawLine(QPointF(x - 4, y), QPointF(x + 4, y))
    elif is_on or is_hot or is_plain:
        points = [QPointF(x - 4.5, y + 0.2), QPointF(x - 1.3, y + 3.4), QPointF(x + 4.8, y - 3.4)]
        painter.drawPolyline(QPolygonF(points))
