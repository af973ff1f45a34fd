"""A video as a row of its moments: thumbnails with their times."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent, QPainter, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyleOptionViewItem,
)

from cocadesk.protocol.values import Hit, VideoMoment
from ui.kit.cells import CellDelegate, Index, set_font
from ui.kit.image_loader import ImageLoader, paint_thumbnail
from ui.kit.plain_text import tip_of
from ui.kit.texts import clock
from ui.kit.theme import SMALL_PX, colour
from ui.kit.translation import tr
from ui.kit.widgets import keeps_key

CELL_PX = QSize(104, 86)
PICTURE_HEIGHT_PX = 58
MOMENT_ROLE = int(Qt.ItemDataRole.UserRole) + 1
BEST_ROLE = MOMENT_ROLE + 1
MATCHES_ROLE = MOMENT_ROLE + 2
PLAY_KEYS = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)


class _MomentDelegate(CellDelegate):
    """A thumbnail over its time; the best match says so."""

    def draw(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draws one cell."""
        rect = QRect(option.rect).adjusted(3, 3, -3, -3)
        picture = QRect(rect.left(), rect.top(), rect.width(), PICTURE_HEIGHT_PX)
        paint_thumbnail(painter, picture, 6, self._picture(index.data(MOMENT_ROLE)))
        state = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(QPen(colour("accent"), 3))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(picture).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        self._paint_time(painter, rect.adjusted(0, PICTURE_HEIGHT_PX + 2, 0, 0), index)

    def _picture(self, moment: object) -> QPixmap | None:
        if not isinstance(moment, VideoMoment) or moment.thumbnail is None:
            return None
        path = moment.thumbnail.to_str()
        return self.loader.pixmap(path, path)

    def _paint_time(self, painter: QPainter, rect: QRect, index: Index) -> None:
        is_best = bool(index.data(BEST_ROLE))
        set_font(painter, SMALL_PX, is_bold=is_best)
        is_match = is_best or bool(index.data(MATCHES_ROLE))
        painter.setPen(colour("accent" if is_match else "muted"))
        text = str(index.data(Qt.ItemDataRole.DisplayRole))
        words = tr("{time} · best", time=text) if is_best else text
        painter.drawText(
            rect, int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop), words
        )


class MomentStrip(QListWidget):
    """Arrow keys and clicks choose a moment; Enter or Space plays from it."""

    chosen = Signal(object)
    play_wanted = Signal()

    def __init__(self, frames: ImageLoader) -> None:
        super().__init__()
        self.setObjectName("moments")
        self.setAccessibleName(tr("Moments of the video"))
        self._is_filling = False
        self._moments: tuple[VideoMoment, ...] = ()
        self._delegate = _MomentDelegate(frames, CELL_PX, self)
        self.setItemDelegate(self._delegate)
        self.setFlow(QListWidget.Flow.LeftToRight)
        self.setWrapping(False)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._fit()
        self.currentItemChanged.connect(self._on_current)
        self.itemDoubleClicked.connect(self.play_wanted)
        frames.arrived.connect(self._on_frame)

    def show_moments(self, moments: Sequence[VideoMoment], hit: Hit | None) -> None:
        """These moments; those of the hit are marked, and its best one is current."""
        self._is_filling = True
        self.clear()
        self._moments = tuple(moments)
        best_s = None if hit is None else hit.time_s
        best = None if best_s is None or len(moments) < 2 else nearest(moments, best_s)
        matching = {nearest(moments, m.time_s) for m in hit.moments} if hit is not None else set()
        for place, moment in enumerate(moments):
            item = QListWidgetItem(clock(moment.time_s))
            item.setData(MOMENT_ROLE, moment)
            item.setData(BEST_ROLE, place == best)
            item.setData(MATCHES_ROLE, place in matching)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, _spoken(moment, place == best))
            item.setToolTip(tip_of(_spoken(moment, place == best)))
            self.addItem(item)
        self.setCurrentRow(best or 0)
        self._is_filling = False
        self._fit()
        current = self.currentItem()
        if current is not None:
            self.scrollToItem(current, QListWidget.ScrollHint.PositionAtCenter)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Room for a scroll bar only where there is something to scroll."""
        is_long = self.count() * CELL_PX.width() > self.width()
        self.setFixedHeight(CELL_PX.height() + (14 if is_long else 2))

    def current_s(self) -> float:
        """The time of the chosen moment; 0 without one."""
        moment = self._current()
        return 0.0 if moment is None else moment.time_s

    def start_s(self) -> float:
        """The beginning of the chosen moment's shot, to play from; 0 without one."""
        moment = self._current()
        return 0.0 if moment is None else moment.start_s

    def thumbnail(self) -> str | None:
        """The picture file of the chosen moment."""
        moment = self._current()
        path = None if moment is None else moment.thumbnail
        return None if path is None else path.to_str()

    def step(self, by: int) -> None:
        """Chooses a moment before or after, staying inside the video."""
        if self.count():
            self.setCurrentRow(min(self.count() - 1, max(0, self.currentRow() + by)))

    def follow(self, time_s: float) -> None:
        """Marks the moment that is being played; nothing is chosen by it."""
        place = nearest(self._moments, time_s)
        if place is not None and place != self.currentRow():
            self._is_filling = True
            self.setCurrentRow(place)
            self._is_filling = False

    def event(self, event: QEvent) -> bool:
        """Keeps keys of its own away from the window's shortcuts."""
        return keeps_key(event, PLAY_KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Handles the keys that mean something here."""
        if event.key() in PLAY_KEYS:
            self.play_wanted.emit()
        else:
            super().keyPressEvent(event)

    def _current(self) -> VideoMoment | None:
        item = self.currentItem()
        moment = None if item is None else item.data(MOMENT_ROLE)
        return moment if isinstance(moment, VideoMoment) else None

    def _on_current(self) -> None:
        moment = self._current()
        if not self._is_filling and moment is not None:
            self.chosen.emit(moment.time_s)

    def _on_frame(self) -> None:
        self.viewport().update()


def nearest(moments: Sequence[VideoMoment], time_s: float) -> int | None:
    """The place of the moment that this time belongs to; None of no moments."""
    if not moments:
        return None
    return min(range(len(moments)), key=lambda place: abs(moments[place].time_s - time_s))


def _spoken(moment: VideoMoment, is_best: bool) -> str:
    time = clock(moment.time_s)
    if is_best:
        return tr("Moment at {time}, the best match", time=time)
    return tr("Moment at {time}", time=time)
