"""The part of a map that is seen: from places on the map to pixels, and back."""

from __future__ import annotations

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QTransform

CLOSEST = 2000.0
"""Pixels of the window to those of the whole map, at most."""
MARGIN = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """``scale`` is the width of the whole map in pixels, ``flat`` its height by its width.

    ``left`` and ``top`` are the pixels of the map's corner in the view.
    """

    scale: float
    flat: float
    left: float
    top: float

    @classmethod
    def at_all(cls, bounds: QRectF, size: QSizeF, flat: float) -> Look:
        """The look at a rectangle of the map, as large as it goes in a view of this size."""
        width, height = max(bounds.width(), 1e-3), max(bounds.height() * flat, 1e-3)
        room = 1 - 2 * MARGIN
        scale = min(size.width() * room / width, size.height() * room / height)
        middle = bounds.center()
        return cls(
            scale=scale,
            flat=flat,
            left=size.width() / 2 - middle.x() * scale,
            top=size.height() / 2 - middle.y() * scale * flat,
        )

    def transform(self) -> QTransform:
        """From the map to the view."""
        return QTransform(self.scale, 0, 0, self.scale * self.flat, self.left, self.top)

    def pixel(self, place: QPointF) -> QPointF:
        """The pixel of a place on the map."""
        return QPointF(
            self.left + place.x() * self.scale, self.top + place.y() * self.scale * self.flat
        )

    def place(self, pixel: QPointF) -> QPointF:
        """The place on the map of a pixel."""
        return QPointF(
            (pixel.x() - self.left) / self.scale, (pixel.y() - self.top) / (self.scale * self.flat)
        )

    def area(self, size: QSizeF) -> QRectF:
        """The part of the map that a view of this size shows."""
        return QRectF(self.place(QPointF(0, 0)), self.place(QPointF(size.width(), size.height())))

    def moved(self, by: QPointF) -> Look:
        """The map drawn along by so many pixels."""
        return replace(self, left=self.left + by.x(), top=self.top + by.y())

    def zoomed(self, by: float, at: QPointF, size: QSizeF) -> Look:
        """``by`` times as large; the place under the pixel ``at`` stays there."""
        smallest = 0.5 * min(size.width(), size.height() / self.flat)
        scale = min(max(self.scale * by, smallest), CLOSEST * size.width())
        by = scale / self.scale
        return replace(
            self,
            scale=scale,
            left=at.x() - (at.x() - self.left) * by,
            top=at.y() - (at.y() - self.top) * by,
        )
