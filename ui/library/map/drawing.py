"""The drawing of a map: land, points, and pictures where they have been read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from cocadesk.protocol.messages import MapKind
from cocadesk.protocol.values import Row
from ui.kit.cells import paint_badge
from ui.kit.image_loader import ImageLoader, paint_thumbnail
from ui.kit.land import land
from ui.kit.theme import colour
from ui.library.map.colours import group_colour
from ui.library.map.look import Look
from ui.library.map.points import PointSet, Stack

DOT_PX = 3
ROUND_PX = 3.5
FEW = 3000
"""Up to so many points are drawn round."""
PICTURE_PX = 46
"""The smallest side of a picture; it grows to twice that until its place falls into four."""
PICTURE_GAP_PX = 8
NEAR_PX = 9
FADED = 0.25


class MapDrawing:
    """The points of a map with their colours and pictures, in a view of some ``size``.

    ``wanted`` are the keys of pictures that are seen and whose rows are not here.
    """

    def __init__(self, loader: ImageLoader) -> None:
        self._loader = loader
        self.kind = MapKind.LIKENESS
        self.points = PointSet()
        self.hidden: frozenset[int] = frozenset()
        self.rows: dict[str, Row] = {}
        self.wanted: set[str] = set()
        self.size = QSize(1, 1)
        self._groups = 0
        self._stacks: list[Stack] = []
        self._dots: tuple[object, QImage] | None = None

    def show_groups(self, count: int, hidden: Collection[int]) -> None:
        """The number of groups, by which they are coloured, and those that are not drawn."""
        self._groups, self.hidden = count, frozenset(hidden)
        self._dots = None

    def show_points(self, kind: MapKind, points: PointSet) -> None:
        """Another map."""
        self.kind, self.points = kind, points
        self._dots, self._stacks = None, []

    def area(self, look: Look) -> QRectF:
        """The part of the map that is in the view."""
        return look.area(self.size.toSizeF())

    def draw(
        self, painter: QPainter, look: Look, chosen: Sequence[int], *, with_pictures: bool
    ) -> None:
        """All of it; where some are ``chosen``, all others fade and there are no pictures."""
        painter.fillRect(QRect(0, 0, self.size.width(), self.size.height()), colour("window"))
        if self.kind is MapKind.WORLD:
            _draw_world(painter, look)
        painter.setOpacity(FADED if chosen else 1)
        self._draw_points(painter, look)
        painter.setOpacity(1)
        self._draw_chosen(painter, look, chosen)
        shows_pictures = with_pictures and not chosen
        self._stacks = self._draw_pictures(painter, look) if shows_pictures else []

    def _draw_points(self, painter: QPainter, look: Look) -> None:
        area = self.area(look)
        if self.points.count_about(area, self.hidden) <= FEW:
            self._draw_round(painter, look, self.points.inside(area, self.hidden))
            return
        state = (look, self.size, len(self.points), self.hidden, colour("window").name())
        if self._dots is None or self._dots[0] != state:
            self._dots = state, self._dots_image(look)
        painter.drawImage(QRect(0, 0, self.size.width(), self.size.height()), self._dots[1])

    def _dots_image(self, look: Look) -> QImage:
        """All points as single pixels of a small picture: a square each when it is drawn.

        Qt draws 100,000 single pixels in 10 ms, squares of three pixels in 45.
        """
        small = -(-self.size.width() // DOT_PX), -(-self.size.height() // DOT_PX)
        image = QImage(*small, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.scale(small[0] / self.size.width(), small[1] / self.size.height())
        painter.setTransform(look.transform(), True)
        for group, polygon in self.points.whole_groups(self.hidden):
            pen = QPen(group_colour(group, self._groups), 1)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawPoints(polygon)
        painter.end()
        return image

    def _draw_round(self, painter: QPainter, look: Look, numbers: Iterable[int]) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour("window"), 1))
        for number in numbers:
            painter.setBrush(self._colour(number))
            painter.drawEllipse(look.pixel(self.points.place(number)), ROUND_PX, ROUND_PX)
        painter.restore()

    def _draw_pictures(self, painter: QPainter, look: Look) -> list[Stack]:
        """One picture for all points of a small place, where it has been read."""
        step = PICTURE_PX + PICTURE_GAP_PX
        across = _power_of_two(step / look.scale)
        down = _power_of_two(step / (look.scale * look.flat))
        area = self.area(look)
        stacks = self.points.stacks(area, across, down, self.hidden)
        missing = []
        for stack in stacks:
            key = self.points.keys[stack.first]
            row = self.rows.get(key)
            if row is None:
                missing.append(key)
            elif row.thumbnail is not None:
                self._draw_picture(painter, self._box(stack, look), row, stack)
        self.wanted = set(missing)
        return stacks

    def _draw_picture(self, painter: QPainter, box: QRect, row: Row, stack: Stack) -> None:
        assert row.thumbnail is not None
        picture = self._loader.pixmap(row.key, row.thumbnail.to_str())
        if picture is None:
            return
        painter.fillRect(box.adjusted(-2, -2, 2, 2), self._colour(stack.first))
        paint_thumbnail(painter, box, 0, picture)
        if stack.count > 1:
            paint_badge(painter, box, f"{stack.count:,}", is_right=True)

    def _draw_chosen(self, painter: QPainter, look: Look, chosen: Sequence[int]) -> None:
        area = self.area(look)
        seen = (n for n in chosen if area.contains(self.points.place(n)))
        self._draw_round(painter, look, islice(seen, FEW))

    def draw_under(self, painter: QPainter, look: Look, number: int) -> None:
        """The picture of a point, large, beside it."""
        row = self.rows.get(self.points.keys[number])
        if row is None or row.thumbnail is None:
            return
        picture = self._loader.pixmap(row.key, row.thumbnail.to_str())
        if picture is None or picture.isNull():
            return
        at = look.pixel(self.points.place(number)).toPoint()
        box = QRect(0, 0, *_fitted(picture.width(), picture.height(), 200))
        box.moveTo(
            at.x() + 14
            if at.x() + 14 + box.width() < self.size.width()
            else at.x() - 14 - box.width(),
            min(max(8, at.y() - box.height() // 2), self.size.height() - box.height() - 8),
        )
        painter.fillRect(box.adjusted(-3, -3, 3, 3), self._colour(number))
        painter.drawPixmap(box, picture)

    def _colour(self, number: int) -> QColor:
        return group_colour(self.points.group[number], self._groups)

    def _box(self, stack: Stack, look: Look) -> QRect:
        """The square of a picture: around its point, and inside its own small place."""
        at = look.pixel(self.points.place(stack.first))
        low, high = look.pixel(stack.place.topLeft()), look.pixel(stack.place.bottomRight())
        side = min(high.x() - low.x(), high.y() - low.y()) - PICTURE_GAP_PX
        side = min(side, 2.0 * PICTURE_PX)
        room = side / 2 + 3
        x = min(max(at.x(), low.x() + room), high.x() - room)
        y = min(max(at.y(), low.y() + room), high.y() - room)
        return QRect(round(x - side / 2), round(y - side / 2), round(side), round(side))

    def stack_at(self, look: Look, pixel: QPointF) -> Stack | None:
        for stack in self._stacks:
            is_drawn = self.points.keys[stack.first] in self.rows
            if is_drawn and self._box(stack, look).contains(pixel.toPoint()):
                return stack
        return None

    def number_at(self, look: Look, pixel: QPointF) -> int | None:
        across, down = NEAR_PX / look.scale, NEAR_PX / (look.scale * look.flat)
        return self.points.nearest(look.place(pixel), across, down, self.hidden)


def _draw_world(painter: QPainter, look: Look) -> None:
    painter.save()
    painter.setTransform(look.transform(), True)
    painter.setClipRect(QRectF(0, 0, 1, 1))
    painter.fillRect(QRectF(0, 0, 1, 1), colour("surface"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour("line"))
    painter.drawPath(land())
    painter.restore()


def _power_of_two(at_least: float) -> float:
    """The next larger power of two: places of stacks stay while one zooms a little."""
    size = 1.0
    while size / 2 >= at_least:
        size /= 2
    while size < at_least:
        size *= 2
    return size


def _fitted(width: int, height: int, most: int) -> tuple[int, int]:
    by = most / max(width, height, 1)
    return max(1, round(width * by)), max(1, round(height * by))
