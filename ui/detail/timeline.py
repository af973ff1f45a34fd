"""A video from its start to its end, with how well each part answers the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cocadesk.protocol.values import Hit, VideoMoment
from ui.detail.moment_strip import nearest
from ui.kit.plain_text import tip_of
from ui.kit.texts import clock
from ui.kit.theme import colour
from ui.kit.translation import tr, tr_count

HEIGHT_PX = 44
GROUND_PX = 6
LEAST = 0.12
"""The height of the part that answers least; without a search all have it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the video in seconds, and how well it answers, from 0 to 1; None: not asked."""

    start_s: float
    end_s: float
    relevance: float | None


def bars_of(moments: Sequence[VideoMoment], hit: Hit | None) -> tuple[Bar, ...]:
    """One bar a moment; scores are set against the best and the worst of this video."""
    scores: dict[int, float] = {}
    for match in hit.moments if hit is not None else ():
        place = nearest(moments, match.time_s)
        if place is not None:
            scores[place] = max(match.score, scores.get(place, match.score))
    low, high = min(scores.values(), default=0.0), max(scores.values(), default=0.0)
    room = high - low
    return tuple(
        Bar(
            moment.start_s,
            moment.end_s,
            None if place not in scores else (scores[place] - low) / room if room else 1.0,
        )
        for place, moment in enumerate(moments)
    )


class Timeline(QWidget):
    """Bars by relevance over the whole length, and the place of the video; a click is ``sought``.

    Dragging seeks along. Keys for the moments are actions of the window.
    """

    sought = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName(tr("Timeline"))
        self.setFixedHeight(HEIGHT_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.bars: tuple[Bar, ...] = ()
        self._length_s = 0.0
        self._time_s = 0.0

    def set_length(self, length_s: float) -> None:
        """The video's length in seconds."""
        self._length_s = max(0.0, length_s)
        self.update()

    def show_time(self, time_s: float) -> None:
        """The place where the video is."""
        self._time_s = time_s
        self.setAccessibleDescription(self._description())
        self.update()

    def show_moments(self, moments: Sequence[VideoMoment], hit: Hit | None) -> None:
        """The video's moments, of which the hit says how well they match."""
        self.bars = bars_of(moments, hit)
        self.setAccessibleDescription(self._description())
        self.update()

    def time_at(self, x: float) -> float:
        """The second at this place of the widget."""
        return self._length_s * min(1.0, max(0.0, x / max(1, self.width())))

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size that it would like to have."""
        return QSize(400, HEIGHT_PX)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws the bars, what has been played, and the place."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        ground_y = HEIGHT_PX - GROUND_PX
        painter.setBrush(colour("stage_hover"))
        painter.drawRoundedRect(QRectF(0, ground_y, self.width(), GROUND_PX), 3, 3)
        for bar in self.bars if self._length_s else ():
            left, right = self._x(bar.start_s), self._x(bar.end_s)
            part = LEAST if bar.relevance is None else LEAST + (1 - LEAST) * bar.relevance
            height = (ground_y - 4) * part
            is_match = bar.relevance is not None
            painter.setOpacity(0.35 + 0.65 * (bar.relevance or 0.0))
            painter.setBrush(colour("match" if is_match else "on_stage"))
            width = max(1.0, right - left - 1)
            painter.drawRect(QRectF(left, ground_y - 2 - height, width, height))
        painter.setOpacity(1.0)
        painter.setBrush(colour("on_stage"))
        x = self._x(self._time_s)
        painter.drawRoundedRect(QRectF(0, ground_y, x, GROUND_PX), 3, 3)
        painter.drawRect(QRectF(x - 1, 2, 2, HEIGHT_PX - 2))
        painter.drawEllipse(QPointF(x, ground_y + GROUND_PX / 2), 6, 6)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Goes there."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.sought.emit(self.time_at(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tells the time under the pointer, and goes along where it is held."""
        time_s = self.time_at(event.position().x())
        self.setToolTip(tip_of(clock(time_s)))
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.sought.emit(time_s)

    def _x(self, time_s: float) -> float:
        return self.width() * min(1.0, max(0.0, time_s / max(1e-6, self._length_s)))

    def _description(self) -> str:
        matching = sum(bar.relevance is not None for bar in self.bars)
        time, length = clock(self._time_s), clock(self._length_s)
        if not matching:
            return tr("{time} of {length}", time=time, length=length)
        return tr_count(
            matching,
            "{time} of {length}, {n} moment answers the search",
            "{time} of {length}, {n} moments answer the search",
            time=time,
            length=length,
        )
