"""Cells of lists: their delegate, and the badges and texts that several kinds of them draw."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from ui.kit.icons import Icon, pixmap
from ui.kit.image_loader import ImageLoader
from ui.kit.theme import SMALL_PX, colour

ICON_PX = 13

Index = QModelIndex | QPersistentModelIndex


class CellDelegate(QStyledItemDelegate):
    """Draws cells that are all of one size, ``cell_px``; each kind has its own ``draw``."""

    def __init__(self, loader: ImageLoader, cell_px: QSize, parent: QObject) -> None:
        super().__init__(parent)
        self.loader = loader
        self.cell_px = cell_px

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802
        """The size that it would like to have."""
        return self.cell_px

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws one cell, and leaves the painter as it was."""
        painter.save()
        self.draw(painter, option, index)
        painter.restore()

    def draw(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws what is in the cell."""
        raise NotImplementedError


def set_font(painter: QPainter, size_px: int, *, is_bold: bool = False) -> None:
    """Writes in this size from now on."""
    font = QFont(painter.font())
    font.setPixelSize(size_px)
    font.setWeight(QFont.Weight.DemiBold if is_bold else QFont.Weight.Normal)
    painter.setFont(font)


def paint_badge(
    painter: QPainter,
    rect: QRect,
    text: str,
    *,
    is_above: bool = False,
    is_right: bool = False,
    icon: Icon | None = None,
    ground: str = "badge",
) -> None:
    """A short text in a corner, behind an icon where there is one.

    ``ground`` is a colour of the theme that has one for the text on it (``on_…``).
    """
    set_font(painter, SMALL_PX - 1, is_bold=True)
    room = 0 if icon is None else ICON_PX + 3
    wanted = painter.fontMetrics().horizontalAdvance(text) + 14 + room
    width = min(wanted, rect.width() - 12)
    top = rect.top() + 6 if is_above else rect.bottom() - 26
    left = rect.right() - 6 - width if is_right else rect.left() + 6
    badge = QRect(left, top, width, 20)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour(ground))
    painter.drawRoundedRect(badge, 5, 5)
    ink = colour(f"on_{ground}")
    painter.setPen(ink)
    painter.drawText(badge.adjusted(room, 0, 0, 0), int(Qt.AlignmentFlag.AlignCenter), text)
    if icon is not None:
        ratio = painter.device().devicePixelRatioF()
        shown = pixmap(icon, ink.name(), ICON_PX, ratio)
        painter.drawPixmap(badge.left() + 6, badge.top() + (20 - ICON_PX) // 2, shown)
