"""Pictures: read on worker threads, those of the newest view first, and drawn as thumbnails."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QBrush,
    QImage,
    QImageIOHandler,
    QImageReader,
    QPainter,
    QPainterPath,
    QPixmap,
    QTransform,
)

from ui.kit.theme import colour

WORKERS = 2


TILES_BYTES = 40_000_000
"""The memory for pictures of a grid's cells."""
Place = tuple[str, bool]
"""A key, and True where a cell shows its picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A picture to be read: whole, or cut and rounded to fill ``size`` pixels."""

    path: str
    size: tuple[int, int] | None = None
    radius_px: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A picture that was read; ``image`` is null where it could not be."""

    key: str
    wanted: Wanted
    image: QImage


class ImageLoader(QObject):
    """A cache of pixmaps that is filled by workers.

    ``pixmap`` never waits: it gives what is there and asks for what is not.
    Requests that are no longer wanted are dropped before they are read. Those of one turn of
    the event loop, as of one view, are read in their order, and those of the last turn first.
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
        self._tiles: OrderedDict[str, tuple[Wanted, QPixmap]] = OrderedDict()
        self._tiles_bytes = 0
        self._turn = 0
        self._turn_ends = False
        # By turns, the last one at the end.
        self._stack: dict[Place, tuple[int, Wanted]] = {}
        self._reading: set[Place] = set()
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
        self._want((key, False), Wanted(path=path))
        return None

    def tile(self, key: str, wanted: Wanted) -> QPixmap | None:
        """The picture of a cell, of the size that is wanted or, until that is read, another."""
        known = self._tiles.get(key)
        if known is not None and known[0].path == wanted.path:
            self._tiles.move_to_end(key)
            if known[0] != wanted and not known[1].isNull():
                self._want((key, True), wanted)
            return known[1]
        self._want((key, True), wanted)
        return None

    def known_tile(self, key: str) -> QPixmap | None:
        """The picture of a cell where it has been read, in whatever size; nothing is asked for."""
        known = self._tiles.get(key)
        return None if known is None or known[1].isNull() else known[1]

    def _want(self, place: Place, wanted: Wanted) -> None:
        with self._changed:
            if place not in self._reading:
                self._stack.pop(place, None)
                self._stack[place] = self._turn, wanted
                self._changed.notify()
        if not self._turn_ends:
            self._turn_ends = True
            QTimer.singleShot(0, self, self._begin_turn)

    def _begin_turn(self) -> None:
        self._turn, self._turn_ends = self._turn + 1, False

    def want_only(self, keys: Collection[str]) -> None:
        """Forgets waiting requests for all other keys."""
        with self._changed:
            for place in [place for place in self._stack if place[0] not in keys]:
                del self._stack[place]

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
                place = self._first_of_last_turn()
                _, wanted = self._stack.pop(place)
                self._reading.add(place)
            if wanted.size is None:
                image = read_image(wanted.path, self._long_side_px)
            else:
                image = read_tile(wanted)
            with self._changed:
                if self._is_closed:
                    return
                self._read.emit(Loaded(key=place[0], wanted=wanted, image=image))

    def _first_of_last_turn(self) -> Place:
        """The request to be read next; there is one."""
        last = reversed(self._stack.items())
        first, (turn, _) = next(last)
        for place, (own, _) in last:
            if own != turn:
                break
            first = place
        return first

    def _on_read(self, loaded: Loaded) -> None:
        wanted, picture = loaded.wanted, QPixmap.fromImage(loaded.image)
        with self._changed:
            self._reading.discard((loaded.key, wanted.size is not None))
        if wanted.size is None:
            self._pixmaps[loaded.key] = (wanted.path, picture)
            while len(self._pixmaps) > self._keep:
                self._pixmaps.popitem(last=False)
        else:
            self._keep_tile(loaded.key, wanted, picture)
        self.arrived.emit(loaded.key)

    def _keep_tile(self, key: str, wanted: Wanted, picture: QPixmap) -> None:
        old = self._tiles.pop(key, None)
        self._tiles[key] = (wanted, picture)
        self._tiles_bytes += _bytes_of(picture) - (0 if old is None else _bytes_of(old[1]))
        while self._tiles_bytes > TILES_BYTES and len(self._tiles) > 1:
            self._tiles_bytes -= _bytes_of(self._tiles.popitem(last=False)[1][1])


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


def read_tile(wanted: Wanted) -> QImage:
    """The middle of the picture, upright, of the size of a cell, with round corners.

    Workers do all of it, so that drawing a cell is a copy.
    """
    width, height = wanted.size or (1, 1)
    reader = QImageReader(os.fsdecode(os.fsencode(wanted.path)))
    reader.setAutoTransform(True)
    size = reader.size()
    is_upright = reader.transformation() == QImageIOHandler.Transformation.TransformationNone
    scale = max(width / max(1, size.width()), height / max(1, size.height()))
    if size.isValid() and is_upright and scale < 1:
        scaled = QSize(
            max(width, round(size.width() * scale)), max(height, round(size.height() * scale))
        )
        reader.setScaledSize(scaled)
        middle = QRect(QPoint(0, 0), QSize(width, height))
        middle.moveCenter(QRect(QPoint(0, 0), scaled).center())
        reader.setScaledClipRect(middle)
    image = reader.read()
    if image.isNull():
        return image
    return _rounded(image, width, height, wanted.radius_px)


def _rounded(image: QImage, width: int, height: int, radius_px: float) -> QImage:
    """The middle of an image in this shape and size."""
    made = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    made.fill(0)
    scale = max(width / image.width(), height / image.height())
    fit = QTransform()
    fit.translate((width - image.width() * scale) / 2, (height - image.height() * scale) / 2)
    fit.scale(scale, scale)
    brush = QBrush(image)
    brush.setTransform(fit)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(brush)
    painter.drawRoundedRect(QRectF(made.rect()), radius_px, radius_px)
    painter.end()
    return made


def _bytes_of(picture: QPixmap) -> int:
    return 4 * picture.width() * picture.height() + 200


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
