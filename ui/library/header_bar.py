"""The headers of sections: drawn above their photos, and that of the first ones at the top."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QItemSelection, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QPainter

from ui.kit.cells import set_font
from ui.kit.theme import SMALL_PX, TEXT_PX, colour
from ui.kit.translation import grouped
from ui.library.check_mark import MARK_PX, draw_check
from ui.library.sections import title_of

if TYPE_CHECKING:
    from PySide6.QtCore import QItemSelectionModel
    from PySide6.QtWidgets import QWidget

    from ui.library.layout.blocks import GridLayout
    from ui.library.sections import Headers, Section

HEADER_PX = 44
LEFT_PX = 14
MARK_ROOM_PX = MARK_PX + 8
_MANY_RANGES = 2000


class SectionedView(Protocol):
    """What a header bar reads of its view."""

    @property
    def sections(self) -> list[Section]: ...
    @property
    def headers(self) -> Headers: ...
    @property
    def layout_now(self) -> GridLayout: ...
    def viewport(self) -> QWidget: ...
    def selectionModel(self) -> QItemSelectionModel: ...  # noqa: N802


class HeaderBar:
    """Draws the headers of a view and knows which one lies under a point."""

    def __init__(self, view: SectionedView) -> None:
        self._view = view
        self.hovered: int | None = None

    @property
    def covered_px(self) -> int:
        """The pixels at the top of the viewport that a header covers."""
        return HEADER_PX if self._view.sections else 0

    def places(self) -> Iterator[tuple[int, QRect]]:
        """The sections whose headers are seen, that at the top last, with their places."""
        view = self._view
        layout = view.layout_now
        if not view.sections or not layout.count:
            return
        width, height = view.viewport().width(), view.viewport().height()
        at_top = layout.section_at(layout.top)
        below = HEADER_PX
        for section, top in layout.headers(layout.top, layout.top + height):
            y = top - layout.top
            if section != at_top or y > 0:
                below = min(below, y) if y > 0 else below
                yield section, QRect(0, y, width, HEADER_PX)
        yield at_top, QRect(0, min(0, below - HEADER_PX), width, HEADER_PX)

    def section_at(self, where: QPoint) -> int | None:
        """The section whose header lies under a point of the viewport."""
        for section, rect in reversed(list(self.places())):
            if rect.contains(where):
                return section
        return None

    def draw(self, painter: QPainter) -> None:
        """Draws all that are seen."""
        today = date.today()
        for section, rect in self.places():
            self._draw(painter, section, rect, today)

    def _draw(self, painter: QPainter, number: int, rect: QRect, today: date) -> None:
        view = self._view
        section = view.sections[number]
        is_over = rect.top() <= 0 < view.layout_now.top
        ground = QColor(colour("window"))
        if is_over:
            ground.setAlpha(238)
        # Not over the ring of a photo below, unless photos go under the header.
        painter.fillRect(rect if is_over else rect.adjusted(0, 0, 0, -4), ground)
        if is_over:
            painter.fillRect(rect.left(), rect.bottom(), rect.width(), 1, colour("line"))
        left = rect.left() + LEFT_PX
        share = self.share_of(section)
        if number == self.hovered or share:
            middle = QPointF(left + MARK_PX / 2, rect.center().y() + 1)
            draw_check(painter, middle, is_on=share == 1, is_part=0 < share < 1, is_plain=True)
            left += MARK_ROOM_PX
        set_font(painter, TEXT_PX + 2, is_bold=True)
        painter.setPen(colour("text"))
        title = title_of(section.day, view.headers, today)
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(rect.adjusted(left, 2, -60, 0), flags, title)
        left += painter.fontMetrics().horizontalAdvance(title) + 10
        set_font(painter, SMALL_PX)
        painter.setPen(colour("muted"))
        painter.drawText(rect.adjusted(left, 4, -8, 0), flags, grouped(section.count))

    def share_of(self, section: Section) -> float:
        """The share of a section's photos that are selected."""
        ranges: QItemSelection = self._view.selectionModel().selection()
        if ranges.isEmpty() or ranges.count() > _MANY_RANGES:
            return 0.0
        first, end = section.start, section.start + section.count
        inside = 0
        for place in range(ranges.count()):
            part = ranges.at(place)
            inside += max(0, min(end, part.bottom() + 1) - max(first, part.top()))
        return inside / max(1, section.count) if inside > 1 or section.count == 1 else 0.0
