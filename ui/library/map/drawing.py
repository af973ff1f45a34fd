"""The drawing of a map: land, points, and pictures where they have been read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap

from cocadesk.protocol.messages import MapKind
from cocadesk.protocol.values import Row
from ui.kit.cells import paint_badge
from ui.kit.image_loader import ImageLoader
from ui.kit.land import land
from ui.kit.theme import colour
from ui.kit.translation import grouped
from ui.library.map.colours import group_colour
from ui.library.map.layer import Painting
from ui.library.map.look import Look
from ui.library.map.points import PointSet, Stack

DOT_PX = 3
ROUND_PX = 3.5
FEW = 3000
"""Up to so many points are drawn round."""
AT_ONCE = 200
"""So many of them in one step."""
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
        self.chosen: Sequence[int] = ()
        self.with_pictures = True
        self.rows: dict[str, Row] = {}
        self.wanted: set[str] = set()
        self.size = QSize(1, 1)
        self._groups = 0
        self._stacks: dict[str, Stack] = {}

    def show_groups(self, count: int, hidden: Collection[int]) -> None:
        """The number of groups, by which they are coloured, and those that are not drawn."""
        self._groups, self.hidden = count, frozenset(hidden)

    def show_points(self, kind: MapKind, points: PointSet) -> None:
        """Another map."""
        self.kind, self.points = kind, points
        self._stacks = {}

    def paint(self, painter: QPainter, look: Look, size: QSize) -> Painting:
        """The steps of drawing all of it: land, points, then pictures or what is chosen.

        Where some are ``chosen``, all others fade and there are no pictures.
        """
        painter.fillRect(QRect(QPoint(0, 0), size), colour("window"))
        if self.kind is MapKind.WORLD:
            _draw_world(painter, look)
        yield
        area = look.area(size.toSizeF())
        painter.setOpacity(FADED if self.chosen else 1)
        yield from self._paint_points(painter, look, size, area)
        painter.setOpacity(1)
        stacks = dict[str, Stack]()
        if self.chosen:
            yield from self._paint_chosen(painter, look, area)
        elif self.with_pictures:
            yield from self._paint_pictures(painter, look, area, stacks)
        self._stacks = stacks

    def _paint_points(self, painter: QPainter, look: Look, size: QSize, area: QRectF) -> Painting:
        if self.points.count_about(area) <= FEW:
            yield from self._paint_round(painter, look, self.points.inside(area, self.hidden))
            return
        image, inner = _small_image(look, size)
        for group, polygon in self.points.parts(self.hidden):
            if not polygon.boundingRect().intersects(area):
                continue
            inner_painter = QPainter(image)
            inner_painter.setTransform(inner.transform())
            pen = QPen(group_colour(group, self._groups), 1)
            pen.setCosmetic(True)
            inner_painter.setPen(pen)
            inner_painter.drawPoints(polygon)
            inner_painter.end()
            yield
        painter.drawImage(QRect(QPoint(0, 0), image.size() * DOT_PX), image)
        yield

    def _paint_round(self, painter: QPainter, look: Look, numbers: Iterable[int]) -> Painting:
        dots = dict[int, QPixmap]()
        ratio = painter.device().devicePixelRatioF()
        middle, group = ROUND_PX + 1, self.points.group
        for count, number in enumerate(numbers):
            if group[number] not in dots:
                dots[group[number]] = _dot(self._colour(number), ratio)
            at = look.pixel(self.points.place(number))
            painter.drawPixmap(QPointF(at.x() - middle, at.y() - middle), dots[group[number]])
            if count % AT_ONCE == AT_ONCE - 1:
                yield
        yield

    def _paint_pictures(
        self, painter: QPainter, look: Look, area: QRectF, stacks: dict[str, Stack]
    ) -> Painting:
        """One picture for all points of a small place, where it has been read."""
        step = PICTURE_PX + PICTURE_GAP_PX
        across = _power_of_two(step / look.scale)
        down = _power_of_two(step / (look.scale * look.flat))
        missing = set[str]()
        for some in self.points.stacks(area, across, down, self.hidden):
            for stack in some:
                key = self.points.keys[stack.first]
                stacks[key] = stack
                if key not in self.rows:
                    missing.add(key)
                elif self._paint_picture(painter, look, key, stack):
                    yield
            yield
        self.wanted = missing

    def paint_more(self, painter: QPainter, look: Look, keys: Iterable[str]) -> None:
        """Pictures that have come since the others were drawn."""
        for key in keys:
            if (stack := self._stacks.get(key)) is not None and key in self.rows:
                self._paint_picture(painter, look, key, stack)

    def _paint_picture(self, painter: QPainter, look: Look, key: str, stack: Stack) -> bool:
        """True where there is one."""
        row = self.rows[key]
        if row.thumbnail is None:
            return False
        picture = self._loader.pixmap(key, row.thumbnail.to_str())
        if picture is None or picture.isNull():
            return False
        box = self._box(stack, look)
        painter.fillRect(box.adjusted(-2, -2, 2, 2), self._colour(stack.first))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        side = min(picture.width(), picture.height())
        middle = QRect(0, 0, side, side)
        middle.moveCenter(picture.rect().center())
        painter.drawPixmap(box, picture, middle)
        if stack.count > 1:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            paint_badge(painter, box, grouped(stack.count), is_right=True)
        return True

    def _paint_chosen(self, painter: QPainter, look: Look, area: QRectF) -> Painting:
        """Those of the chosen that are in sight, as many as are drawn round."""
        seen = list[int]()
        for count, number in enumerate(self.chosen):
            if area.contains(self.points.place(number)):
                seen.append(number)
            if len(seen) == FEW:
                break
            if count % 1000 == 999:
                yield
        yield from self._paint_round(painter, look, seen)

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
        for key, stack in self._stacks.items():
            if key in self.rows and self._box(stack, look).contains(pixel.toPoint()):
                return stack
        return None

    def number_at(self, look: Look, pixel: QPointF) -> int | None:
        across, down = NEAR_PX / look.scale, NEAR_PX / (look.scale * look.flat)
        return self.points.nearest(look.place(pixel), across, down, self.hidden)


def _small_image(look: Look, size: QSize) -> tuple[QImage, Look]:
    """A picture in which each pixel stands for a dot, and the look of it.

    Qt draws 100,000 single pixels in 10 ms, squares of three pixels in 45.
    """
    image = QImage(
        -(-size.width() // DOT_PX), -(-size.height() // DOT_PX),
        QImage.Format.Format_ARGB32_Premultiplied,
    )  # fmt: skip
    image.fill(Qt.GlobalColor.transparent)
    by = 1 / DOT_PX
    return image, Look(
        scale=look.scale * by, flat=look.flat, left=look.left * by, top=look.top * by
    )


def _dot(ink: QColor, ratio: float) -> QPixmap:
    """A round point with a rim, to be drawn many times."""
    side = 2 * ROUND_PX + 2
    made = QPixmap(QSize(round(side), round(side)) * ratio)
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(colour("window"), 1))
    painter.setBrush(ink)
    painter.drawEllipse(QPointF(side / 2, side / 2), ROUND_PX, ROUND_PX)
    painter.end()
    return made


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
