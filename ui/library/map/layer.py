"""The picture of a map, painted a few milliseconds at a time beside what a person does.

While one zooms or moves, what was painted last is shown at its new place; it is as sharp as it
was until the next picture is whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass

from PySide6.QtCore import QObject, QPointF, QRectF, QSize, Signal
from PySide6.QtGui import QImage, QPainter

from ui.kit.timers import single_shot
from ui.library.map.look import Look

MARGIN_PX = 160
"""So much around the view is painted as well: there, moving shows nothing blank."""
SLICE_S = 0.005
FIRST_SLICE_S = 0.003
"""As long as a picture is painted before the one of before is shown in its place."""
_FAR = 2.0
"""Beyond so many times the size, a picture that is being painted is begun anew."""
Painting = Generator[None, None, None]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is painted: the part of the map that a view of this size and sharpness shows.

    ``version`` is another one where something else is to be painted there.
    """

    look: Look
    size: QSize
    ratio: float
    version: object


_Whole = tuple[Scene, QImage]


class MapLayer(QObject):
    """Keeps the last whole picture, the widest one, and the one that is being painted.

    ``paint`` gives the steps of painting a scene, each of at most some milliseconds. ``came``: a
    picture is whole.
    """

    came = Signal()

    def __init__(self, paint: Callable[[QPainter, Look, QSize], Painting], parent: QObject) -> None:
        super().__init__(parent)
        self._paint = paint
        self._done: _Whole | None = None
        self._wide: _Whole | None = None
        self._work: tuple[Scene, QImage, Painting] | None = None
        self._timer = single_shot(self, self._go_on)

    @property
    def is_whole(self) -> bool:
        """True where nothing is being painted."""
        return self._work is None

    def forget(self) -> None:
        """Another map: nothing of the old one is shown."""
        self.stop()
        self._done = self._wide = None

    def stop(self) -> None:
        """Gives the picture up that is being painted; its painter is closed before it goes."""
        if self._work is not None:
            self._work[2].close()
            self._work = None

    def show(self, painter: QPainter, scene: Scene) -> None:
        """Draws the scene as far as it is painted, and goes on with it."""
        if not self._is_shown(scene):
            self._begin(scene)
            self._go_on(FIRST_SLICE_S)
        if self._done is not None:
            place = _place(self._done[0], scene.look)
            if self._wide is not None and not place.contains(QRectF(QPointF(0, 0), scene.size)):
                _draw(painter, self._wide, scene.look)  # what comes into sight is not blank
            _draw(painter, self._done, scene.look)

    def touch(self, paint: Callable[[QPainter, Look], None]) -> bool:
        """Paints something more into the last whole picture; False where there is none."""
        if self._done is None:
            return False
        scene, image = self._done
        painter = QPainter(image)
        paint(painter, _inner(scene.look))
        painter.end()
        return True

    def _is_shown(self, scene: Scene) -> bool:
        """True where the last picture holds all of it, as sharp as it can be."""
        if self._done is None:
            return False
        known, look = self._done[0], self._done[0].look
        by = max(abs(look.left - scene.look.left), abs(look.top - scene.look.top))
        return _is_same(known, scene) and look.scale == scene.look.scale and by <= MARGIN_PX / 2

    def _begin(self, scene: Scene) -> None:
        """Begins a picture, unless one is being painted that helps."""
        if self._work is not None and _helps(self._work[0], scene):
            return
        self.stop()
        outer = (scene.size + QSize(2 * MARGIN_PX, 2 * MARGIN_PX)) * scene.ratio
        image = QImage(outer, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(scene.ratio)
        self._work = (scene, image, self._painting(scene, image))

    def _painting(self, scene: Scene, image: QImage) -> Painting:
        size = scene.size + QSize(2 * MARGIN_PX, 2 * MARGIN_PX)
        painter = QPainter(image)
        try:
            yield from self._paint(painter, _inner(scene.look), size)
        finally:
            painter.end()

    def _go_on(self, slice_s: float | None = None) -> None:
        if self._work is None:
            return
        scene, image, painting = self._work
        end_s = time.perf_counter() + (SLICE_S if slice_s is None else slice_s)
        for _ in painting:
            if time.perf_counter() > end_s:
                self._timer.start()
                return
        self._work, self._done = None, (scene, image)
        wide = self._wide
        if wide is None or not _is_same(wide[0], scene) or scene.look.scale <= wide[0].look.scale:
            self._wide = self._done
        self.came.emit()


def _inner(look: Look) -> Look:
    """The look of the picture with its margin."""
    return look.moved(QPointF(MARGIN_PX, MARGIN_PX))


def _is_same(one: Scene, other: Scene) -> bool:
    """True where they differ by nothing but the part of the map."""
    return (one.size, one.ratio, one.version) == (other.size, other.ratio, other.version)


def _helps(work: Scene, wanted: Scene) -> bool:
    """True where what is being painted is nearer to what is wanted than nothing."""
    by = work.look.scale / wanted.look.scale
    return _is_same(work, wanted) and 1 / _FAR < by < _FAR


def _place(scene: Scene, look: Look) -> QRectF:
    """Where the picture of a scene lies in a look."""
    by = look.scale / scene.look.scale
    return QRectF(
        look.left - (scene.look.left + MARGIN_PX) * by,
        look.top - (scene.look.top + MARGIN_PX) * by,
        (scene.size.width() + 2 * MARGIN_PX) * by,
        (scene.size.height() + 2 * MARGIN_PX) * by,
    )


def _draw(painter: QPainter, whole: _Whole, look: Look) -> None:
    scene, image = whole
    place = _place(scene, look)
    if look.scale == scene.look.scale:  # a copy, pixel by pixel
        painter.drawImage(QPointF(round(place.left()), round(place.top())), image)
    else:
        painter.drawImage(place, image)
