"""Pictures: read on worker threads, the newest request first, and drawn as thumbnails."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QImageReader, QPainter, QPainterPath, QPixmap

from ui.kit.theme import colour

WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A picture that was read; ``image`` is null where it could not be."""

    key: str
    path: str
    image: QImage


class ImageLoader(QObject):
    """A cache of pixmaps that is filled by workers.

    ``pixmap`` never waits: it gives what is there and asks for what is not.
    Requests that are no longer wanted are dropped before they are read.
    """

    arrived = Signal(object)
    _read = Signal(object)

    def __init__(
        self,
        *,
        long_side_px: int,
        keep: int,
        workers: int = WORKERS,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._long_side_px = long_side_px
        self._keep = keep
        self._pixmaps: OrderedDict[str, tuple[str, QPixmap]] = OrderedDict()
        self._stack: dict[str, str] = {}
        self._reading: set[str] = set()
        self._changed = threading.Condition()
        self._is_closed = False
        self._read.connect(self._on_read, Qt.ConnectionType.QueuedConnection)
        # A lambda, since a method of its own is disconnected before it would be called: a
        # worker that has just read a picture must not tell an object that is gone.
        self.destroyed.connect(lambda: self._end())
        self._threads = [
            threading.Thread(target=self._work, name=f"pictures-{n}", daemon=True)
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def pixmap(self, key: str, path: str) -> QPixmap | None:
        """The picture if it has been read; else it is asked for."""
        known = self._pixmaps.get(key)
        if known is not None and known[0] == path:
            self._pixmaps.move_to_end(key)
            return known[1]
        with self._changed:
            if key not in self._reading:
                self._stack.pop(key, None)
                self._stack[key] = path
                self._changed.notify()
        return None

    def want_only(self, keys: Collection[str]) -> None:
        """Forgets waiting requests for all other keys."""
        with self._changed:
            for key in [key for key in self._stack if key not in keys]:
                del self._stack[key]

    def waiting(self) -> int:
        """The number of requests that have not been read yet."""
        with self._changed:
            return len(self._stack) + len(self._reading)

    def close(self) -> None:
        """Ends the workers and waits for them."""
        self._end()
        for thread in self._threads:
            thread.join()

    def _end(self) -> None:
        with self._changed:
            self._is_closed = True
            self._stack.clear()
            self._changed.notify_all()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._stack and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                key, path = self._stack.popitem()
                self._reading.add(key)
            image = read_image(path, self._long_side_px)
            with self._changed:
                if self._is_closed:
                    return
                self._read.emit(Loaded(key=key, path=path, image=image))

    def _on_read(self, loaded: Loaded) -> None:
        with self._changed:
            self._reading.discard(loaded.key)
        self._pixmaps[loaded.key] = (loaded.path, QPixmap.fromImage(loaded.image))
        while len(self._pixmaps) > self._keep:
            self._pixmaps.popitem(last=False)
        self.arrived.emit(loaded.key)


def read_image(path: str, long_side_px: int) -> QImage:
    """The picture, upright, scaled while reading to at most this long side."""
    reader = QImageReader(os.fsdecode(os.fsencode(path)))
    reader.setAutoTransform(True)
    size = reader.size()
    longest = max(size.width(), size.height())
    if longest > long_side_px:
        scale = long_side_px / longest
        reader.setScaledSize(
            QSize(max(1, round(size.width() * scale)), max(1, round(size.height() * scale)))
        )
    return reader.read()


def paint_thumbnail(
    painter: QPainter, place: QRect, radius_px: int, picture: QPixmap | None
) -> None:
    """The middle of the picture, rounded, in the shape of its place; a grey place without one."""
    rect = QRectF(place)
    outline = QPainterPath()
    outline.addRoundedRect(rect, radius_px, radius_px)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setClipPath(outline)
    painter.fillRect(rect, colour("placeholder"))
    if picture is not None and not picture.isNull():
        scale = min(picture.width() / rect.width(), picture.height() / rect.height())
        middle = QRectF(0, 0, rect.width() * scale, rect.height() * scale)
        middle.moveCenter(QRectF(picture.rect()).center())
        painter.drawPixmap(rect, picture, middle)
    painter.setClipping(False)


def paint_whole(painter: QPainter, place: QRect, radius_px: int, picture: QPixmap | None) -> None:
    """All of the picture in the middle of its place, on grey."""
    outline = QPainterPath()
    outline.addRoundedRect(QRectF(place), radius_px, radius_px)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.fillPath(outline, colour("placeholder"))
    if picture is not None and not picture.isNull():
        size = picture.size().scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio)
        whole = QRect(QPoint(0, 0), size)
        whole.moveCenter(place.center())
        painter.setClipPath(outline)
        painter.drawPixmap(whole, picture)
        painter.setClipping(False)
