"""Where a picture lies in a view: fitted, at real pixels, enlarged at a point. Pure geometry."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, QSizeF

MOST = 8.0
"""Screen pixels along a picture pixel, or eight times the fitted size where that is more."""
FIT_MOST = 2.0
"""Small pictures are fitted no larger than with so many screen pixels along one of theirs."""


@dataclass(frozen=True, slots=True)
class Look:
    """A zoom, of which 1.0 is fitted, and the middle of the view in parts of the picture."""

    zoom: float = 1.0
    x: float = 0.5
    y: float = 0.5


@dataclass(frozen=True, slots=True)
class Stage:
    """A view and its picture. Sizes of the view are in points, of ``ratio`` screen pixels each."""

    view: QSizeF
    ratio: float
    picture: QSizeF

    @property
    def fit(self) -> float:
        """Points along a pixel of the fitted picture."""
        across = self.view.width() / max(1.0, self.picture.width())
        down = self.view.height() / max(1.0, self.picture.height())
        return max(1e-6, min(across, down, FIT_MOST / self.ratio))

    @property
    def real(self) -> float:
        """The zoom at which one pixel of the picture is one of the screen: 100 %."""
        return 1.0 / (self.fit * self.ratio)

    def percent(self, look: Look) -> int:
        """The size on the screen, in percent of the picture's pixels."""
        return round(100 * look.zoom / self.real)

    def bounded(self, zoom: float) -> float:
        """The zoom within what is allowed; fitted and real pixels always are."""
        return min(max(MOST, MOST * self.real), max(min(1.0, self.real), zoom))

    def target(self, look: Look) -> QRectF:
        """The rectangle of the whole picture, in the view's coordinates.

        Its corner lies on a pixel of the screen, so that real pixels stay what they are.
        """
        scale = self.fit * look.zoom
        width, height = self.picture.width() * scale, self.picture.height() * scale
        left = self.view.width() / 2 - look.x * width
        top = self.view.height() / 2 - look.y * height
        ratio = self.ratio
        return QRectF(round(left * ratio) / ratio, round(top * ratio) / ratio, width, height)

    def moved(self, zoom: float, corner: QPointF) -> Look:
        """The look with the picture's corner there, as far as it keeps covering the middle."""
        width = self.picture.width() * self.fit * zoom
        height = self.picture.height() * self.fit * zoom
        x = (self.view.width() / 2 - corner.x()) / max(1e-6, width)
        y = (self.view.height() / 2 - corner.y()) / max(1e-6, height)
        half_x = min(0.5, self.view.width() / 2 / max(1e-6, width))
        half_y = min(0.5, self.view.height() / 2 / max(1e-6, height))
        return Look(zoom, min(1 - half_x, max(half_x, x)), min(1 - half_y, max(half_y, y)))

    def zoomed(self, look: Look, zoom: float, at: QPointF) -> Look:
        """The look at another zoom, with what lies at this point of the view staying there."""
        zoom = self.bounded(zoom)
        before, scale = self.target(look), zoom / look.zoom
        corner = QPointF(
            at.x() - (at.x() - before.x()) * scale, at.y() - (at.y() - before.y()) * scale
        )
        return self.moved(zoom, corner)

    def seen(self, look: Look) -> QRectF:
        """The part of the picture that is in the view, in its pixels."""
        target, scale = self.target(look), self.fit * look.zoom
        seen = target.intersected(QRectF(0, 0, self.view.width(), self.view.height()))
        return QRectF(
            (seen.x() - target.x()) / scale,
            (seen.y() - target.y()) / scale,
            seen.width() / scale,
            seen.height() / scale,
        )
