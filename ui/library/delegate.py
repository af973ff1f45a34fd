"""Draws one cell of the grid."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from cocadesk.protocol.values import Hit, MediaKind, Row
from ui.kit.image_loader import ImageLoader
from ui.kit.texts import clock
from ui.kit.theme import Theme
from ui.library.results_model import HIT_ROLE, ROW_ROLE

MARGIN_PX = 5


class ThumbnailDelegate(QStyledItemDelegate):
    """A rounded thumbnail that fills its cell; videos show length and moment."""

    def __init__(self, loader: ImageLoader, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._loader = loader
        self._theme = theme
        self._side = 180

    @property
    def margin_px(self) -> int:
        """The room around a thumbnail in its cell."""
        return MARGIN_PX

    def set_theme(self, theme: Theme) -> None:
        """Draws in another theme from now on."""
        self._theme = theme

    def set_cell(self, side_px: int) -> None:
        """The side of a cell in logical pixels."""
        self._side = side_px

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        """The size that it would like to have."""
        return QSize(self._side, self._side)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        """Draws one cell."""
        row = index.data(ROW_ROLE)
        rect = QRect(option.rect).adjusted(MARGIN_PX, MARGIN_PX, -MARGIN_PX, -MARGIN_PX)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(rect), self._theme.radius, self._theme.radius)
        painter.setClipPath(outline)
        painter.fillRect(rect, self._theme.colour("placeholder"))
        if isinstance(row, Row):
            self._paint_row(painter, rect, row, index.data(HIT_ROLE))
        painter.setClipping(False)
        self._paint_state(painter, option, rect)
        painter.restore()

    def _paint_row(self, painter: QPainter, rect: QRect, row: Row, hit: object) -> None:
        path = hit.thumbnail if isinstance(hit, Hit) and hit.thumbnail else row.thumbnail
        picture = None if path is None else self._loader.pixmap(row.key, path.to_str())
        if picture is not None and not picture.isNull():
            painter.drawPixmap(QRectF(rect), picture, _middle(picture))
        elif picture is not None or path is None:
            self._paint_name(painter, rect, row.name)
        if row.kind is MediaKind.VIDEO:
            self._paint_badge(painter, rect, _video_text(row, hit))
        if row.state != "present":
            self._paint_badge(painter, rect, row.state, is_above=True)

    def _paint_name(self, painter: QPainter, rect: QRect, name: str) -> None:
        painter.setPen(self._theme.colour("muted"))
        flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWrapAnywhere
        painter.drawText(rect.adjusted(8, 8, -8, -8), int(flags), name)

    def _paint_badge(
        self, painter: QPainter, rect: QRect, text: str, *, is_above: bool = False
    ) -> None:
        font = QFont(painter.font())
        font.setPixelSize(self._theme.small_px - 1)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        width = painter.fontMetrics().horizontalAdvance(text) + 14
        top = rect.top() + 6 if is_above else rect.bottom() - 26
        badge = QRect(rect.left() + 6, top, min(width, rect.width() - 12), 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("badge"))
        painter.drawRoundedRect(badge, 5, 5)
        painter.setPen(self._theme.colour("on_badge"))
        painter.drawText(badge, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_state(self, painter: QPainter, option: QStyleOptionViewItem, rect: QRect) -> None:
        state = option.state
        is_selected = bool(state & QStyle.StateFlag.State_Selected)
        is_hovered = bool(state & QStyle.StateFlag.State_MouseOver)
        has_focus = bool(state & QStyle.StateFlag.State_HasFocus)
        if not (is_selected or is_hovered or has_focus):
            return
        name = "accent" if is_selected or has_focus else "line"
        painter.setPen(QPen(self._theme.colour(name), 3 if is_selected or has_focus else 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = self._theme.radius + 2
        painter.drawRoundedRect(QRectF(rect).adjusted(-2, -2, 2, 2), radius, radius)


def _middle(picture: QPixmap) -> QRectF:
    """The largest square in the middle of the picture."""
    side = min(picture.width(), picture.height())
    return QRectF((picture.width() - side) / 2, (picture.height() - side) / 2, side, side)


def _video_text(row: Row, hit: object) -> str:
    length = clock(row.duration_s) if row.duration_s is not None else "video"
    if isinstance(hit, Hit) and hit.time_s is not None:
        return f"▶ {clock(hit.time_s)} of {length}"
    return f"▶ {length}"
