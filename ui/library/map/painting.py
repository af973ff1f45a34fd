"""A map's picture as it is now: painted anew where something else is to be seen on it."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, QSize, Signal
from PySide6.QtGui import QPainter

from ui.kit.image_loader import ImageLoader
from ui.kit.theme import colour
from ui.kit.timers import single_shot
from ui.library.map.drawing import MapDrawing
from ui.library.map.layer import MapLayer, Scene
from ui.library.map.look import Look

PICTURES_AT_ONCE = 8


class MapPainting(QObject):
    """Paints a drawing beside what a person does, and pictures into it as they come.

    ``changed``: the view is to be drawn again. ``whole``: a picture has become whole.
    """

    changed = Signal()
    whole = Signal()

    def __init__(self, drawing: MapDrawing, loader: ImageLoader, parent: QObject) -> None:
        super().__init__(parent)
        self._drawing = drawing
        self._version = 0
        self._late: dict[str, None] = {}
        self._layer = MapLayer(drawing.paint, self)
        self._layer.came.connect(self._on_whole)
        self._more = single_shot(self, self._paint_more)
        loader.arrived.connect(self._on_picture)

    @property
    def is_whole(self) -> bool:
        """True where all that has come is painted."""
        return self._layer.is_whole and not self._late

    def forget(self) -> None:
        """Another map: nothing of the old one is shown."""
        self._layer.forget()
        self._late.clear()

    def paint_anew(self) -> None:
        """Other points, colours or pictures are to be seen: no step goes on with the old ones."""
        self._layer.stop()
        self._version += 1
        self.changed.emit()

    def paint_later(self, keys: Iterable[str]) -> None:
        """Pictures of these keys may have come: they are painted a few at a time."""
        self._late.update(dict.fromkeys(keys))
        if self._late and not self._more.isActive():
            self._more.start()

    def show(self, painter: QPainter, look: Look, size: QSize) -> None:
        """Draws it as far as it is painted."""
        drawing, ground = self._drawing, colour("window")
        painter.fillRect(0, 0, size.width(), size.height(), ground)
        version = (self._version, drawing.with_pictures, ground.name())
        ratio = painter.device().devicePixelRatioF()
        self._layer.show(painter, Scene(look, size, ratio, version))

    def _paint_more(self) -> None:
        """What comes while a whole picture is being painted waits for that one."""
        if not self._layer.is_whole or not self._late:
            return
        some = list(self._late)[:PICTURES_AT_ONCE]
        drawing = self._drawing
        self._layer.touch(lambda painter, look: drawing.paint_more(painter, look, some))
        for key in some:
            del self._late[key]
        self.paint_later(())
        self.changed.emit()

    def _on_whole(self) -> None:
        self.paint_later(())
        self.whole.emit()
        self.changed.emit()

    def _on_picture(self, key: object) -> None:
        if str(key) in self._drawing.rows:
            self.paint_later([str(key)])
            self.changed.emit()
