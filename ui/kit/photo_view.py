"""Shows one picture: fitted, at real pixels, or enlarged at the pointer and dragged about."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from cocadesk.protocol.paths import printable
from ui.kit.theme import colour
from ui.kit.translation import tr
from ui.kit.zooming import Look, Stage

STEP = 1.2
CRISP = 2.0
"""From so many screen pixels along a pixel, pixels are shown as the squares that they are."""


class PhotoView(QWidget):
    """``can_zoom``: wheel enlarges, drag moves, double click toggles real pixels.

    Without it a double click is ``opened``. ``looked`` tells of every zoom and move by the
    person, as the zoom and the middle in parts of the picture: for ``look`` of others.
    """

    opened = Signal()
    looked = Signal(float, QPointF)
    changed = Signal()

    def __init__(self, *, can_zoom: bool, message_colour: str = "muted") -> None:
        """``message_colour`` is a name of the theme's."""
        super().__init__()
        self._can_zoom = can_zoom
        self._pixmap: QPixmap | None = None
        self._size = QSize()
        self._message = ""
        self._look = Look()
        self._grip: QPointF | None = None
        self._message_colour = message_colour
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    @property
    def has_picture(self) -> bool:
        """True where a picture is shown, and no message."""
        return self._pixmap is not None

    @property
    def zoom(self) -> float:
        """1.0 is fitted into the widget."""
        return self._look.zoom

    @property
    def percent(self) -> int:
        """The size on the screen in percent of the picture's own pixels."""
        return self.stage().percent(self._look)

    def show_picture(
        self,
        pixmap: QPixmap,
        *,
        full_size: QSize | None = None,
        keeps_zoom: bool = False,
        keeps_scale: bool = False,
    ) -> None:
        """Shows a picture, which may be a smaller one of ``full_size`` (as it is stored).

        ``keeps_zoom`` where it is the same one, sharper; ``keeps_scale`` where another one
        is looked at in the same percent and at the same place.
        """
        scale = self.stage().fit * self._look.zoom
        was_fitted = self._look.zoom == 1.0 or not self.has_picture
        self._size = pixmap.size() if full_size is None or full_size.isEmpty() else full_size
        self._pixmap = None if pixmap.isNull() else pixmap
        self._message = "" if self._pixmap else tr("This picture cannot be shown.")
        if keeps_scale and not was_fitted:
            stage = self.stage()
            look = replace(self._look, zoom=stage.bounded(scale / stage.fit))
            self._see(stage.moved(look.zoom, stage.target(look).topLeft()))
        elif not keeps_zoom:
            self.reset_zoom()
        self.update()
        self.changed.emit()

    def show_message(self, text: str) -> None:
        """A sentence in place of the picture."""
        self._pixmap = None
        self._message = printable(text)
        self.update()
        self.changed.emit()

    def reset_zoom(self) -> None:
        """The whole picture again."""
        self._see(Look())

    def look(self, zoom: float, centre: QPointF) -> None:
        """The part of the picture that another view, of one much like it, shows."""
        self._see(Look(zoom, centre.x(), centre.y()))

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Enlarges around a point of the widget (default: its middle)."""
        self._zoom_to(self._look.zoom * factor, at)

    def toggle_real(self, at: QPointF | None = None) -> None:
        """Real pixels around a point of the widget, or the whole picture again."""
        real = self.stage().real
        is_real = abs(self._look.zoom / real - 1) < 0.01
        self._zoom_to(1.0 if is_real else real, at)

    def pan(self, right: float, down: float) -> None:
        """Moves the part that is seen by so many parts of the view."""
        if self._pixmap is not None and self._look.zoom != 1.0:
            by = QPointF(right * self.width(), down * self.height())
            self._see(self.stage().moved(self._look.zoom, self._corner() - by), by_person=True)

    def stage(self) -> Stage:
        """The widget, and the picture in all its pixels."""
        return Stage(QSizeF(self.size()), self.devicePixelRatioF(), QSizeF(self._size))

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size that it would like to have."""
        return QSize(320, 240)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fits its content to the new size."""
        super().resizeEvent(event)
        self.changed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        painter = QPainter(self)
        if self._pixmap is None:
            painter.setPen(colour(self._message_colour))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), int(flags), self._message)
        else:
            self.paint_picture(painter, self._pixmap)
        painter.end()

    def paint_picture(self, painter: QPainter, pixmap: QPixmap) -> None:
        """Draws the picture where it lies."""
        stage = self.stage()
        is_crisp = stage.percent(self._look) >= 100 * CRISP and pixmap.width() >= self._size.width()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_crisp)
        painter.drawPixmap(stage.target(self._look), pixmap, QRectF(pixmap.rect()))

    def event(self, event: QEvent) -> bool:
        """Two fingers that move apart enlarge at their middle."""
        if self._can_zoom and isinstance(event, QNativeGestureEvent):
            kinds = Qt.NativeGestureType
            if event.gestureType() == kinds.ZoomNativeGesture:
                self.zoom_by(1.0 + event.value(), event.position())
                return True
            if event.gestureType() == kinds.SmartZoomNativeGesture:
                self.toggle_real(event.position())
                return True
        return super().event(event)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """The wheel enlarges at the pointer."""
        if not self._can_zoom or not event.angleDelta().y():
            super().wheelEvent(event)
            return
        self.zoom_by(STEP ** (event.angleDelta().y() / 120), event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Takes hold of an enlarged picture."""
        if self._can_zoom and self._look.zoom > 1.0 and event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Drags the picture along."""
        if self._grip is not None:
            corner = self._corner() + event.position() - self._grip
            self._see(self.stage().moved(self._look.zoom, corner), by_person=True)
            self._grip = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Lets the picture go."""
        if self._grip is not None:
            self._grip = None
            self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Real pixels, fits again, or opens."""
        if not self._can_zoom:
            self.opened.emit()
        elif self._look.zoom != 1.0:
            self._zoom_to(1.0, None)
        else:
            self._zoom_to(self.stage().real, event.position())

    def _corner(self) -> QPointF:
        return self.stage().target(self._look).topLeft()

    def _zoom_to(self, zoom: float, at: QPointF | None) -> None:
        if self._pixmap is not None:
            where = at or QPointF(self.rect().center())
            look = Look() if zoom == 1.0 else self.stage().zoomed(self._look, zoom, where)
            self._see(look, by_person=True)

    def _see(self, look: Look, *, by_person: bool = False) -> None:
        self._look = look
        self.update()
        self.changed.emit()
        if by_person:
            self.looked.emit(look.zoom, QPointF(look.x, look.y))
