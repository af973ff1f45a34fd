"""The grid's scroll bar as a line of time: years, how many photos, and a date to drag to."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QScrollBar, QWidget

from ui.kit.cells import set_font
from ui.kit.plain_text import PlainLabel
from ui.kit.theme import SMALL_PX, colour, current_theme
from ui.kit.translation import grouped, month_name, tr
from ui.library.sections import Headers, Section, sections_of, title_of

if TYPE_CHECKING:
    from cocadesk.protocol.values import Days
    from ui.library.layout.blocks import GridLayout

WIDTH_PX = 64
PLAIN_PX = 12
EDGE_PX = 12
BAR_PX = 24
LABEL_PX = 15
FEW = 4
_MONTHS_FROM = 6
_EVEN = 0.5
"""The share of the height that all bins have in equal parts; the rest goes by their photos."""


class TimeScale:
    """The bins of a list in order of time (months, or days where there are few), along a line.

    Each bin has some room even with one photo in it, and more the more it has.
    """

    def __init__(self, days: Days | None) -> None:
        self.unit = Headers.MONTH
        self.bins: list[Section] = sections_of(days, Headers.MONTH)
        if len(self.bins) < _MONTHS_FROM:
            self.unit = Headers.DAY
            self.bins = sections_of(days, Headers.DAY)
        total = max(1, sum(one.count for one in self.bins))
        even = _EVEN / max(1, len(self.bins))
        rooms = [even + (1 - _EVEN) * one.count / total for one in self.bins]
        self.edges = [0.0, *accumulate(rooms)]
        self._starts = [one.start for one in self.bins]
        self.most = max((one.count for one in self.bins), default=1)

    def bin_at(self, share: float) -> int:
        """The bin at this share of the line."""
        return min(len(self.bins) - 1, max(0, bisect_right(self.edges, share) - 1))

    def position_at(self, share: float) -> int:
        """The photo at this share of the line."""
        place = self.bin_at(share)
        room = self.edges[place + 1] - self.edges[place]
        inside = min(1.0, max(0.0, (share - self.edges[place]) / room))
        one = self.bins[place]
        return one.start + min(one.count - 1, int(inside * one.count))

    def share_of(self, position: float) -> float:
        """The share of the line at which a photo is."""
        place = max(0, bisect_right(self._starts, position) - 1)
        one = self.bins[place]
        inside = min(1.0, (position - one.start) / max(1, one.count))
        return self.edges[place] + inside * (self.edges[place + 1] - self.edges[place])

    def labels(self, height_px: float) -> list[tuple[float, str, bool]]:
        """Years (of few bins months or days) with their shares, none over another.

        True for years.
        """
        made: list[tuple[float, str, bool]] = []
        last_y, last_year = -1e9, None
        for edge, one in zip(self.edges, self.bins, strict=False):
            y, day = edge * height_px, one.day
            if day is None:
                continue
            is_year = day.year != last_year
            is_roomy = (self.edges[1] - self.edges[0]) * height_px > 2 * LABEL_PX
            if (is_year or is_roomy) and y - last_y >= LABEL_PX:
                text = f"{day.year}" if is_year else _short(day, self.unit)
                made.append((edge, text, is_year))
                last_y = y
                last_year = day.year
        return made


def _short(day: date, unit: Headers) -> str:
    month = month_name(day.month)[:3]
    return month if unit is Headers.MONTH else f"{day.day} {month}"


class Timeline(QScrollBar):
    """A vertical scroll bar; of a list in order of time it is drawn and dragged by dates.

    Wheel, keys and all that follows its value are those of any scroll bar.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._parent = parent
        self._layout: GridLayout | None = None
        self._scale = TimeScale(None)
        self._days: Days | None = None
        self._drawn: QPixmap | None = None
        self._drawn_look: object = None
        self._hover_y: int | None = None
        self._bubble = PlainLabel("")
        self._bubble.setParent(parent)
        self._bubble.setObjectName("date-bubble")
        self._bubble.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._bubble.hide()
        self.setObjectName("timeline")
        self.setAccessibleName(tr("Timeline"))
        self.setMouseTracking(True)

    @property
    def is_dated(self) -> bool:
        """True where the list has enough dates to be a line of time."""
        return len(self._scale.bins) >= FEW

    def show_days(self, days: Days | None, layout: GridLayout) -> None:
        """The dates of another list, or of one laid out anew."""
        self._layout = layout
        if days is not self._days:
            self._days, self._scale, self._drawn = days, TimeScale(days), None
        self.updateGeometry()
        self._say(None)
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802
        """Wide enough for years, or as a plain scroll bar is."""
        return QSize(WIDTH_PX if self.is_dated else PLAIN_PX, super().sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws bars, years and the place that is seen."""
        if not self.is_dated:
            if self.maximum() > self.minimum():  # else all is seen
                super().paintEvent(event)
            return
        look = (self.size().toTuple(), current_theme().is_dark)
        if self._drawn is None or self._drawn_look != look:
            self._drawn, self._drawn_look = self._draw_line(), look
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._draw_handle(painter, self._track())
        painter.end()

    def _draw_line(self) -> QPixmap:
        """Bars and years: hundreds of them, that stay as they are while one scrolls."""
        ratio = self.devicePixelRatioF()
        drawn = QPixmap(self.size() * ratio)
        drawn.setDevicePixelRatio(ratio)
        drawn.fill(colour("window"))
        painter = QPainter(drawn)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track, scale = self._track(), self._scale
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("line"))
        for place, one in enumerate(scale.bins):
            top = track.top() + scale.edges[place] * track.height()
            height = (scale.edges[place + 1] - scale.edges[place]) * track.height()
            length = 3 + (BAR_PX - 3) * (one.count / scale.most) ** 0.5
            room = 1.0 if height > 4 else 0.0
            bar = QRectF(track.right() - length, top, length, max(1.0, height - room))
            painter.drawRoundedRect(bar, min(2.0, bar.height() / 2), min(2.0, bar.height() / 2))
        for share, text, is_year in scale.labels(track.height()):
            set_font(painter, SMALL_PX - 1, is_bold=is_year)
            painter.setPen(colour("text" if is_year else "muted"))
            y = round(track.top() + share * track.height())
            beside = QRect(4, y - 2, self.width() - 10, LABEL_PX)
            painter.drawText(beside, int(Qt.AlignmentFlag.AlignLeft), text)
        painter.end()
        return drawn

    def _draw_handle(self, painter: QPainter, track: QRectF) -> None:
        y = self._handle_y()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("accent"))
        painter.drawRoundedRect(QRectF(4, y - 1.5, self.width() - 8, 3), 1.5, 1.5)
        if self._hover_y is not None and not self.isSliderDown():
            painter.setBrush(colour("muted"))
            painter.drawRect(QRectF(track.right() - BAR_PX - 4, self._hover_y, BAR_PX + 4, 1))

    # The mouse ----------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Goes to the date under the pointer, and is dragged from there."""
        if not self.is_dated or event.button() is not Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)
            return
        self.setSliderDown(True)
        self._go(event.position().y())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Says the date under the pointer; dragged, goes there."""
        if not self.is_dated:
            super().mouseMoveEvent(event)
        elif self.isSliderDown():
            self._go(event.position().y())
        else:
            self._say(event.position().y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Stays where it was dragged to."""
        if self.is_dated:
            self.setSliderDown(False)
        else:
            super().mouseReleaseEvent(event)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """No date is said any more."""
        super().leaveEvent(event)
        if not self.isSliderDown():
            self._say(None)

    def _go(self, y: float) -> None:
        share = self._share_at(y)
        if self._layout is not None:
            at_end = share >= 1.0
            top = self._layout.top_of(self._scale.position_at(share))
            self.setValue(self.maximum() if at_end else top)
        self._say(y)

    def _say(self, y: float | None) -> None:
        """Shows the date at this height beside the bar; None hides it."""
        self._hover_y = None if y is None else round(y)
        self.update()
        self._bubble.setVisible(y is not None)
        if y is None:
            return
        scale = self._scale
        one = scale.bins[scale.bin_at(self._share_at(y))]
        self._bubble.setText(
            f"{title_of(one.day, scale.unit, date.today())} · {grouped(one.count)}"
        )
        self._bubble.adjustSize()
        beside = self.mapTo(self._parent, QPoint(0, round(y)))
        lowest = self._parent.height() - self._bubble.height()
        top = min(lowest, max(0, beside.y() - self._bubble.height() // 2))
        self._bubble.move(beside.x() - self._bubble.width() - 6, top)
        self._bubble.raise_()

    # Places -------------------------------------------------------------------------

    def _track(self) -> QRectF:
        return QRectF(0, EDGE_PX, self.width() - 6, max(1, self.height() - 2 * EDGE_PX))

    def _share_at(self, y: float) -> float:
        track = self._track()
        return min(1.0, max(0.0, (y - track.top()) / track.height()))

    def _handle_y(self) -> float:
        track, layout, value = self._track(), self._layout, self.value()
        if layout is None or not layout.count:
            return track.top()
        # From the first that is seen at the top to the last one at the end.
        first, last = layout.first_at(value), layout.first_at(value + self.pageStep())
        position = first + (last - first) * value / max(1, self.maximum())
        return track.top() + self._scale.share_of(position) * track.height()
