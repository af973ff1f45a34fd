"""A row of thumbnails of the list that one steps through."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cocadesk.protocol.values import Row
from ui.kit.image_loader import ImageLoader, paint_thumbnail
from ui.kit.theme import colour
from ui.kit.translation import grouped, tr
from ui.library.results_model import ROW_ROLE, ResultsModel

CELL_PX = QSize(92, 66)
GAP_PX = 4
RADIUS_PX = 5


class Filmstrip(QWidget):
    """The photo that is shown in the middle; a click is ``chosen``, the wheel moves the row.

    Only cells on the screen are asked for, however long the list is.
    """

    chosen = Signal(int)

    def __init__(self, model: ResultsModel, thumbnails: ImageLoader) -> None:
        super().__init__()
        self.setAccessibleName(tr("Filmstrip"))
        self.setFixedHeight(CELL_PX.height() + 2 * GAP_PX)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._model = model
        self._thumbnails = thumbnails
        self.position = 0
        self._scrolled_px = 0
        for signal in (model.dataChanged, model.modelReset, model.rowsInserted):
            signal.connect(self.update)
        thumbnails.arrived.connect(self.update)

    def show_position(self, position: int) -> None:
        """The place in the list of the photo that is shown."""
        self.position, self._scrolled_px = position, 0
        self.setAccessibleDescription(place_text(position, self._model))
        self.update()

    def cell(self, position: int) -> QRect:
        """The place of a photo in the strip; it may lie outside."""
        step = CELL_PX.width() + GAP_PX
        left = (self.width() - CELL_PX.width()) // 2 + self._scrolled_px
        return QRect(
            left + (position - self.position) * step, GAP_PX, CELL_PX.width(), CELL_PX.height()
        )

    def visible(self) -> range:
        """The positions that are seen, in part at least."""
        step = CELL_PX.width() + GAP_PX
        first = self.position - (self.cell(self.position).right() // step)
        last = first + self.width() // step + 2
        return range(max(0, first), min(self._model.rowCount(), last + 1))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws the thumbnails that are seen."""
        painter = QPainter(self)
        for position in self.visible():
            rect = self.cell(position)
            if not rect.intersects(event.rect()):
                continue
            row = self._model.index(position).data(ROW_ROLE)
            is_current = position == self.position
            painter.setOpacity(1.0 if is_current else 0.72)
            path = self._model.thumbnail_of(row) if isinstance(row, Row) else None
            picture = None if path is None else self._thumbnails.pixmap(row.key, path)
            if picture is None:  # the grey of other lists would shine on the dark stage
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour("stage_hover"))
                painter.drawRoundedRect(rect, RADIUS_PX, RADIUS_PX)
            else:
                paint_thumbnail(painter, rect, RADIUS_PX, picture)
            if is_current:
                painter.setPen(QPen(colour("on_stage"), 3))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                frame = QRectF(rect).adjusted(1.5, 1.5, -1.5, -1.5)
                painter.drawRoundedRect(frame, RADIUS_PX, RADIUS_PX)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """A click chooses a photo."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        where = event.position().toPoint()
        for position in self.visible():
            if self.cell(position).contains(where):
                self.chosen.emit(position)
                return

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Moves the row; the photo that is shown stays."""
        delta = event.angleDelta()
        by = delta.x() if abs(delta.x()) > abs(delta.y()) else delta.y()
        step = CELL_PX.width() + GAP_PX
        behind = (self._model.rowCount() - 1 - self.position) * step
        self._scrolled_px = min(self.position * step, max(-behind, self._scrolled_px + by))
        self.update()
        event.accept()


def place_text(position: int, model: ResultsModel) -> str:
    """``7 of 1,204``: the place of a photo in the list."""
    return tr("{done} of {all}", done=grouped(position + 1), all=grouped(model.rowCount()))
