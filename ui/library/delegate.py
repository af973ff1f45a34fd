"""Draws one cell of the grid."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from cocadesk.protocol.values import Hit, MediaKind, Row
from ui.kit.cells import CellDelegate, Index, paint_badge
from ui.kit.icons import Icon
from ui.kit.image_loader import ImageLoader, paint_thumbnail
from ui.kit.texts import clock, parts_badge, short_marks
from ui.kit.theme import RADIUS_PX, colour
from ui.library.grouping import GroupMark
from ui.library.results_model import GROUP_ROLE, HIT_ROLE, ROW_ROLE

MARGIN_PX = 5


def group_corner(cell: QRect) -> QRect:
    """The corner of a cell where the number of its group stands: a click there opens it."""
    return QRect(cell.right() - 66, cell.bottom() - 34, 66, 34)


class ThumbnailDelegate(CellDelegate):
    """A rounded thumbnail that fills its cell; videos show length and moment."""

    def __init__(self, loader: ImageLoader, parent: QObject) -> None:
        super().__init__(loader, QSize(180, 180), parent)

    def draw(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws one cell."""
        row = index.data(ROW_ROLE)
        rect = QRect(option.rect).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        mark = index.data(GROUP_ROLE)
        if isinstance(mark, GroupMark) and mark.is_open:  # one ground under all of them
            painter.fillRect(option.rect, colour("accent_soft"))
        if isinstance(row, Row):
            self._paint_row(painter, rect, row, index.data(HIT_ROLE))
            if isinstance(mark, GroupMark) and mark.is_head:
                text = f"{mark.number:,}{' –' if mark.is_open else ''}"
                paint_badge(painter, rect, text, is_right=True, icon=Icon.STACK)
        else:
            paint_thumbnail(painter, rect, RADIUS_PX, None)
        self._paint_state(painter, option, rect)

    def _paint_row(self, painter: QPainter, rect: QRect, row: Row, hit: object) -> None:
        path = hit.thumbnail if isinstance(hit, Hit) and hit.thumbnail else row.thumbnail
        picture = None if path is None else self.loader.pixmap(row.key, path.to_str())
        paint_thumbnail(painter, rect, RADIUS_PX, picture)
        if path is None or (picture is not None and picture.isNull()):
            self._paint_name(painter, rect, row.name)
        if row.kind is MediaKind.VIDEO:
            paint_badge(painter, rect, _video_text(row, hit))
        elif text := parts_badge(row):
            paint_badge(painter, rect, text)
        if row.state != "present":
            paint_badge(painter, rect, row.state, is_above=True)
        if text := short_marks(row):
            paint_badge(painter, rect, text, is_above=True, is_right=True)

    def _paint_name(self, painter: QPainter, rect: QRect, name: str) -> None:
        painter.setPen(colour("muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWrapAnywhere
        painter.drawText(rect.adjusted(8, 8, -8, -8), int(flags), name)

    def _paint_state(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        state = option.state
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        is_hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        has_focus = bool(state & QStyle.StateFlag.State_HasFocus)
        if not (is_selected or is_hovered or has_focus):
            return
        name = "accent" if is_selected or has_focus else "line"
        painter.setPen(QPen(colour(name), 3 if is_selected or has_focus else 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = RADIUS_PX + 2
        painter.drawRoundedRect(QRectF(rect).adjusted(-2, -2, 2, 2), radius, radius)


def _video_text(row: Row, hit: object) -> str:
    length = clock(row.duration_s) if row.duration_s is not None else "video"
    if row.duration_s is not None and row.duration_s < 1:
        return f"▶ {row.duration_s:.1f} s"
    if isinstance(hit, Hit) and hit.time_s is not None:
        return f"▶ {clock(hit.time_s)} of {length}"
    return f"▶ {length}"
