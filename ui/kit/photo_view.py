"""Shows one picture: fitted, or enlarged at the pointer and dragged about."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from cocadesk.protocol.paths import printable
from ui.kit.theme import colour

MAX_ZOOM = 8.0
STEP = 1.2


class PhotoView(QWidget):
    """``can_zoom``: wheel enlarges, drag moves, double click toggles.

    Without it a double click is ``opened``. ``looked`` tells of every zoom and move by the
    person, as the zoom and the middle in parts of the picture: for ``look`` of others.
    """

    opened = Signal()
    looked = Signal(float, QPointF)

    def __init__(self, *, can_zoom: bool, message_colour: str = "muted") -> None:
        """``message_colour`` is a name of the theme's."""
        super().__init__()
        self._can_zoom = can_zoom
        self._pixmap: QPixmap | None = None
        self._message = ""
        self._zoom = 1.0
        self._centre = QPointF(0.5, 0.5)
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
        return self._zoom

    def show_picture(self, pixmap: QPixmap, *, keeps_zoom: bool = False) -> None:
        """Shows a picture; ``keeps_zoom`` where it is the same one, sharper."""
        self._pixmap = None if pixmap.isNull() else pixmap
        self._message = "" if self._pixmap else "This picture cannot be shown."
        if not keeps_zoom:
            self.reset_zoom()
        self.update()

    def show_message(self, text: str) -> None:
        """A sentence in place of the picture."""
        self._pixmap = None
        self._message = printable(text)
        self.update()

    def reset_zoom(self) -> None:
        """The whole picture again."""
        self._zoom = 1.0
        self._centre = QPointF(0.5, 0.5)
        self.update()

    def look(self, zoom: float, centre: QPointF) -> None:
        """The part of the picture that another view, of one much like it, shows."""
        self._zoom = zoom
        self._centre = QPointF(centre)
        self.update()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Enlarges around a point of the widget (default: its middle)."""
        if self._pixmap is None:
            return
        at = at or QPointF(self.rect().center())
        before = self._target()
        u = (at.x() - before.x()) / before.width()
        v = (at.y() - before.y()) / before.height()
        self._zoom = min(MAX_ZOOM, max(1.0, self._zoom * factor))
        after = self._target()
        self._move(QPointF(at.x() - u * after.width(), at.y() - v * after.height()), after)

    def sizeHint(self) -> QSize:  # noqa: N802
        """The size that it would like to have."""
        return QSize(320, 240)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Draws itself in the colours of its theme."""
        painter = QPainter(self)
        if self._pixmap is None:
            painter.setPen(colour(self._message_colour))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(20, 20, -20, -20), int(flags), self._message)
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self._target(), self._pixmap, QRectF(self._pixmap.rect()))
        painter.end()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """The wheel enlarges at the pointer."""
        if not self._can_zoom or not event.angleDelta().y():
            super().wheelEvent(event)
            return
        self.zoom_by(STEP ** (event.angleDelta().y() / 120), event.position())

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Takes hold of an enlarged picture."""
        if self._can_zoom and self._zoom > 1.0 and event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Drags the picture along."""
        if self._grip is not None:
            target = self._target()
            self._move(target.topLeft() + event.position() - self._grip, target)
            self._grip = event.position()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Lets the picture go."""
        self._grip = None
        self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Enlarges, fits again, or opens."""
        if not self._can_zoom:
            self.opened.emit()
        elif self._zoom > 1.0:
            self.reset_zoom()
            self.looked.emit(self._zoom, self._centre)
        else:
            self.zoom_by(self._full_size_zoom(), event.position())

    def _fit(self) -> float:
        assert self._pixmap is not None
        width, height = self._pixmap.width(), self._pixmap.height()
        return min(self.width() / width, self.height() / height)

    def _full_size_zoom(self) -> float:
        """The zoom at which one picture pixel is one screen pixel, at least double."""
        if self._pixmap is None:
            return 1.0
        return max(2.0, 1.0 / max(1e-6, self._fit() * self.devicePixelRatioF()))

    def _target(self) -> QRectF:
        """The rectangle of the whole picture, in the widget's coordinates."""
        assert self._pixmap is not None
        largest = 1.0 if self._zoom > 1.0 else 2.0  # do not blow small pictures up
        scale = min(self._fit(), largest / self.devicePixelRatioF()) if self._zoom == 1.0 else (
            self._fit() * self._zoom
        )  # fmt: skip
        width, height = self._pixmap.width() * scale, self._pixmap.height() * scale
        return QRectF(
            self.width() / 2 - self._centre.x() * width,
            self.height() / 2 - self._centre.y() * height,
            width,
            height,
        )

    def _move(self, corner: QPointF, target: QRectF) -> None:
        """Puts the picture's corner there, as far as it keeps covering the middle."""
        x = (self.width() / 2 - corner.x()) / target.width()
        y = (self.height() / 2 - corner.y()) / target.height()
        half_x = min(0.5, self.width() / 2 / target.width())
        half_y = min(0.5, self.height() / 2 / target.height())
        self._centre = QPointF(min(1 - half_x, max(half_x, x)), min(1 - half_y, max(half_y, y)))
        self.update()
        self.looked.emit(self._zoom, self._centre)
