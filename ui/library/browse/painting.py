"""The looks of the side bar's lines."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen, QTextOption

from cocadesk.protocol.paths import printable
from ui.kit.cells import set_font
from ui.kit.icons import Icon, pixmap
from ui.kit.theme import RADIUS_PX, SMALL_PX, TEXT_PX, colour
from ui.kit.translation import grouped
from ui.library.browse.lines import Node
from ui.library.browse.sections import Section

ICON_PX = 17
EDGE_PX = 8
CHEVRON_PX = 11
_LEFT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
_RIGHT = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight


@dataclass(frozen=True, slots=True, kw_only=True)
class Looks:
    """A line takes photos that are dragged, its list is shown, the pointer or cursor is on it."""

    is_target: bool
    is_shown: bool
    is_under: bool
    is_current: bool

    @property
    def ground(self) -> str:
        """The colour under the line; empty where it has none."""
        if self.is_target:
            return "accent"
        if self.is_shown:
            return "accent_soft"
        return "raised" if self.is_under else ""


def chevron_left(row: QRect) -> int:
    """The place of the mark that folds a section."""
    return row.right() - EDGE_PX - CHEVRON_PX - 5


def plus_left(row: QRect) -> int:
    """The place of the plus beside it, which makes a new album."""
    return chevron_left(row) - ICON_PX - 6


class LinePainter:
    """Draws one line over its whole width."""

    def __init__(self, painter: QPainter, row: QRect) -> None:
        self._painter = painter
        self._row = row
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)

    def draw(self, node: Node, left: int, looks: Looks) -> None:
        """Draws a line whose icon begins at ``left``."""
        painter = self._painter
        room = QRectF(self._row).adjusted(EDGE_PX - 2, 1, -(EDGE_PX - 2), -1)
        if looks.ground and not (node.is_section and not looks.is_target):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour(looks.ground))
            painter.drawRoundedRect(room, RADIUS_PX - 2, RADIUS_PX - 2)
        if node.is_section:
            self._draw_head(node, left, "on_accent" if looks.is_target else "muted")
        else:
            self._draw_entry(node, left, looks)
        if looks.is_current:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour("accent"), 1.5))
            painter.drawRoundedRect(room, RADIUS_PX - 2, RADIUS_PX - 2)

    def _draw_head(self, node: Node, left: int, ink: str) -> None:
        row = self._row
        set_font(self._painter, SMALL_PX, is_bold=True)
        self._painter.setPen(colour(ink))
        text = QRect(left, row.top() + 6, plus_left(row) - left, row.height() - 6)
        self._painter.drawText(text, int(_LEFT), node.name)
        middle = text.center().y()
        self._draw_icon(_chevron(node), chevron_left(row), middle, CHEVRON_PX, ink)
        if node.section is Section.ALBUM:
            self._draw_icon(Icon.PLUS, plus_left(row), middle, ICON_PX - 3, ink)

    def _draw_entry(self, node: Node, left: int, looks: Looks) -> None:
        middle = self._row.center().y()
        ink, muted = ("on_accent", "on_accent") if looks.is_target else ("text", "muted")
        if node.total or node.below:
            self._draw_icon(_chevron(node), left - CHEVRON_PX - 2, middle, CHEVRON_PX, muted)
        if node.icon is not None:
            which = Icon.UNPLUGGED if node.is_offline else node.icon
            tint = "accent" if looks.is_shown and not looks.is_target else muted
            self._draw_icon(which, left + 2, middle, ICON_PX, tint)
            left += ICON_PX + 9
        right = self._draw_number(node, muted)
        set_font(self._painter, TEXT_PX - 1, is_bold=looks.is_shown)
        self._painter.setPen(colour(muted if node.is_offline or node.left else ink))
        self._draw_name(printable(node.name), left, right)

    def _draw_number(self, node: Node, ink: str) -> int:
        """Gives where the room for the name ends."""
        right = self._row.right() - EDGE_PX - 7
        if node.count is None:
            return right
        number = grouped(node.count)
        set_font(self._painter, SMALL_PX)
        width = self._painter.fontMetrics().horizontalAdvance(number)
        self._painter.setPen(colour(ink))
        place = QRect(right - width, self._row.top(), width + 1, self._row.height())
        self._painter.drawText(place, int(_RIGHT), number)
        return right - width - EDGE_PX

    def _draw_name(self, name: str, left: int, right: int) -> None:
        """Names of any script begin at the left, and end in an ellipsis where there is no room."""
        room = QRect(left, self._row.top(), right - left, self._row.height())
        metrics = self._painter.fontMetrics()
        shown = metrics.elidedText(name, Qt.TextElideMode.ElideRight, room.width())
        option = QTextOption(_LEFT | Qt.AlignmentFlag.AlignAbsolute)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        self._painter.drawText(QRectF(room), shown, option)

    def _draw_icon(self, which: Icon, left: int, middle: int, size_px: int, tint: str) -> None:
        ratio = self._painter.device().devicePixelRatioF()
        made = pixmap(which, colour(tint).name(), size_px, ratio)
        self._painter.drawPixmap(left, middle - size_px // 2, made)


def _chevron(node: Node) -> Icon:
    return Icon.DOWN if node.is_open else Icon.NEXT
