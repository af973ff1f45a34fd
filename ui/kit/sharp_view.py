"""A photo view that brings the real pixels of what is looked at closely, and turns the picture."""

from __future__ import annotations

import math

from PySide6.QtCore import QRect, QRectF, QSize, QSizeF, Signal
from PySide6.QtGui import QImage, QPainter, QPixmap, QShowEvent, QTransform

from ui.kit.photo_view import CRISP, PhotoView
from ui.kit.pixels import Part, PartReader
from ui.kit.timers import single_shot
from ui.kit.zooming import Stage

PAUSE_MS = 40
AROUND = 0.25
"""So much of what is seen is read beside it, so that small moves find it there."""
BLOCK_PX = 16
ENOUGH = 1.05


class SharpView(PhotoView):
    """``full_wanted``: the file with all pixels is needed; ``show_full`` gives it."""

    full_wanted = Signal()

    def __init__(self) -> None:
        super().__init__(can_zoom=True, message_colour="on_stage")
        self._reader = PartReader(self)
        self._reader.came.connect(self._on_part)
        self._plain = QPixmap()
        self._full = ""
        self._is_asked = False
        self._part: Part | None = None
        self._pixels = QPixmap()
        self._wanted: Part | None = None
        self._quarters = 0
        self._layer: QPixmap | None = None
        self._pause = single_shot(self, self._want, PAUSE_MS)
        self.changed.connect(self._on_changed)

    @property
    def has_real_pixels(self) -> bool:
        """True where what is seen has as many pixels as the screen, or all there are."""
        return not self._needs_more() or self._covers_seen()

    @property
    def quarters(self) -> int:
        """Quarter turns to the right by which pictures are shown turned."""
        return self._quarters

    def show_picture(
        self,
        pixmap: QPixmap,
        *,
        full_size: QSize | None = None,
        keeps_zoom: bool = False,
        keeps_scale: bool = False,
    ) -> None:
        """Shows a picture; with ``keeps_zoom`` the same one, whose real pixels stay."""
        if not keeps_zoom:
            self.forget_full()
        self._plain = pixmap
        super().show_picture(
            pixmap.transformed(QTransform().rotate(90 * self._quarters)),
            full_size=pixmap.size() if full_size is None or full_size.isEmpty() else full_size,
            keeps_zoom=keeps_zoom,
            keeps_scale=keeps_scale,
        )

    def show_message(self, text: str) -> None:
        """A sentence in place of the picture."""
        self.forget_full()
        super().show_message(text)

    def show_full(self, path: str, size: QSize) -> None:
        """The file with all pixels of the picture that is shown, and how many they are."""
        self._full, self._size = path, size
        self._want()

    def forget_full(self) -> None:
        """Lets go of all pixels, e.g. where nobody looks any more."""
        self._full, self._is_asked = "", False
        self._part = self._wanted = None
        self._pixels = QPixmap()
        self._reader.forget()

    def turn(self, quarters: int) -> None:
        """Shows pictures turned by so many quarters to the right, the one that is shown fitted."""
        if quarters % 4 != self._quarters:
            self._quarters = quarters % 4
            if self.has_picture:
                turned = QTransform().rotate(90 * self._quarters)
                self._part, self._pixels = None, QPixmap()
                super().show_picture(self._plain.transformed(turned), full_size=self._size)

    def show_layer(self, layer: QPixmap | None) -> None:
        """A picture with alpha over the whole of whatever photo is shown, or none."""
        self._layer = layer
        self.update()

    def close_reader(self) -> None:
        """Ends the thread that reads pixels."""
        self._reader.close()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Brings what is lacking, now that it is seen."""
        super().showEvent(event)
        self._on_changed()

    def stage(self) -> Stage:
        """The widget, and the picture as it is shown, turned, in all its pixels."""
        size = self._size.transposed() if self._quarters % 2 else self._size
        return Stage(QSizeF(self.size()), self.devicePixelRatioF(), QSizeF(size))

    def paint_picture(self, painter: QPainter, pixmap: QPixmap) -> None:
        """The picture, over it the real pixels where they have come, and the layer over both."""
        super().paint_picture(painter, pixmap)
        if self._part is not None:
            self._paint_part(painter, self._part)
        if self._layer is not None:
            turned = self._layer.transformed(QTransform().rotate(90 * self._quarters))
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(self.stage().target(self._look), turned, QRectF(turned.rect()))

    def _paint_part(self, painter: QPainter, part: Part) -> None:
        stage, look = self.stage(), self._look
        scale, corner = stage.fit * look.zoom, stage.target(look).topLeft()
        rect = self._turning().mapRect(QRectF(part.rect))
        place = QRectF(
            corner.x() + rect.x() * scale,
            corner.y() + rect.y() * scale,
            rect.width() * scale,
            rect.height() * scale,
        )
        is_crisp = stage.percent(look) >= 100 * CRISP
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, not is_crisp)
        painter.drawPixmap(place, self._pixels, QRectF(self._pixels.rect()))

    def _on_changed(self) -> None:
        if self._needs_more():
            self._pause.start()

    def _needs_more(self) -> bool:
        """True where the screen has more pixels for what is seen than the picture that is there."""
        if not self.has_picture or self._size.isEmpty() or not self.isVisible():
            return False
        here = max(self._plain.width(), self._plain.height())
        all_px = max(self._size.width(), self._size.height())
        return here < all_px and min(1.0, self._screen_px()) * all_px > ENOUGH * here

    def _screen_px(self) -> float:
        """Pixels of the screen along one of the picture."""
        stage = self.stage()
        return stage.fit * self._look.zoom * stage.ratio

    def _want(self) -> None:
        if not self._needs_more() or self._covers_seen():
            return
        if not self._full:
            if not self._is_asked:
                self._is_asked = True
                self.full_wanted.emit()
            return
        part = self._part_around()
        if part != self._wanted:
            self._wanted = part
            self._reader.ask(part)

    def _step(self) -> int:
        return max(1, 1 << int(math.log2(max(1.0, 1.0 / self._screen_px()))))

    def _seen(self) -> QRect:
        """What is seen, in pixels of the file."""
        back, _is_possible = self._turning().inverted()
        seen = back.mapRect(self.stage().seen(self._look)).toAlignedRect()
        return seen.intersected(QRect(0, 0, self._size.width(), self._size.height()))

    def _covers_seen(self) -> bool:
        part = self._part
        return part is not None and part.step <= self._step() and part.rect.contains(self._seen())

    def _part_around(self) -> Part:
        seen = self._seen()
        wide, high = round(AROUND * seen.width()), round(AROUND * seen.height())
        left = max(0, seen.left() - wide) // BLOCK_PX * BLOCK_PX
        top = max(0, seen.top() - high) // BLOCK_PX * BLOCK_PX
        right = min(self._size.width(), -(-(seen.right() + wide) // BLOCK_PX) * BLOCK_PX)
        bottom = min(self._size.height(), -(-(seen.bottom() + high) // BLOCK_PX) * BLOCK_PX)
        return Part(self._full, QRect(left, top, right - left, bottom - top), self._step())

    def _turning(self) -> QTransform:
        """From pixels of the file to those of the picture as it is shown."""
        turn = QTransform().rotate(90 * self._quarters)
        whole = turn.mapRect(QRectF(0, 0, self._size.width(), self._size.height()))
        return turn * QTransform.fromTranslate(-whole.x(), -whole.y())

    def _on_part(self, part: Part, image: QImage) -> None:
        if part != self._wanted or image.isNull():
            return
        turned = QPixmap.fromImage(image).transformed(QTransform().rotate(90 * self._quarters))
        self._part, self._pixels = part, turned
        self.update()
