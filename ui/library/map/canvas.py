"""The map itself: points, pictures where they are few, and what is chosen with a lasso."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from cocadesk.protocol.messages import MapKind
from cocadesk.protocol.values import Row
from ui.kit.cells import paint_badge
from ui.kit.image_loader import ImageLoader, paint_thumbnail
from ui.kit.theme import colour
from ui.kit.timers import single_shot
from ui.library.map.colours import group_colour
from ui.library.map.land import land
from ui.library.map.look import Look
from ui.library.map.points import PointSet, Stack

WORLD_FLAT = 0.63
"""A degree to the north by one to the east, true at 37°: half the world's people live there."""
DOT_PX = 3
ROUND_PX = 3.5
FEW = 3000
"""Up to so many points are drawn round."""
PICTURE_PX = 46
"""The smallest side of a picture; it grows to twice that until its place falls into four."""
PICTURE_GAP_PX = 8
FADED = 0.25
NEAR_PX = 9
DRAG_PX = 4
PAN_PX = 80
ZOOM = 1.25
ASK_MS = 60


class MapCanvas(QWidget):
    """Draws points; the wheel zooms, dragging moves, and with Shift it draws a lasso.

    ``chosen_changed``: other points are chosen. ``rows_wanted`` carries the keys of pictures
    that are seen. ``opened`` carries the key of a point that was clicked twice.
    """

    chosen_changed = Signal()
    rows_wanted = Signal(object)
    opened = Signal(str)

    def __init__(self, loader: ImageLoader) -> None:
        super().__init__()
        self.setAccessibleName("Map")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(200, 160)
        self._loader = loader
        self._kind = MapKind.LIKENESS
        self._points = PointSet()
        self._groups = 0
        self._hidden: frozenset[int] = frozenset()
        self._rows: dict[str, Row] = {}
        self._wanted: set[str] = set()
        self._look: Look | None = None
        self._dots: tuple[object, QImage] | None = None
        self._pressed: QPointF | None = None
        self._is_moved = False
        self._lasso: list[QPointF] = []
        self._under: int | None = None
        self._stacks: list[Stack] = []
        self.chosen: list[int] = []
        self.with_pictures = True
        self.draws_lasso = False
        self._ask = single_shot(self, self._ask_rows, ASK_MS)
        loader.arrived.connect(self.update)

    # What the page brings -----------------------------------------------------------

    def show_points(self, kind: MapKind, points: PointSet) -> None:
        """Another map; of the same kind the part that is seen stays."""
        is_same = kind is self._kind and len(self._points) > 0
        self._kind, self._points = kind, points
        self._under, self._dots = None, None
        self.choose(())
        if not is_same:
            self._look = None
        self.update()

    def show_groups(self, count: int, hidden: Collection[int]) -> None:
        """The number of groups, by which they are coloured, and those that are not drawn."""
        self._groups, self._hidden = count, frozenset(hidden)
        self._dots = None
        self.choose([n for n in self.chosen if self._points.group[n] not in self._hidden])
        self.update()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Rows that were wanted have come."""
        for row in rows:
            self._rows[row.key] = row
            self._wanted.discard(row.key)
        self.update()

    def forget_rows(self, keys: Collection[str] = ()) -> None:
        """These rows (none named: all) are asked for again when they are seen."""
        for key in keys or list(self._rows):
            self._rows.pop(key, None)
        self._wanted.clear()
        self.update()

    # What a person does -------------------------------------------------------------

    def point_count(self) -> int:
        """The number of points, hidden ones included."""
        return len(self._points)

    def place_of(self, number: int) -> QPointF:
        """The place of a point on the map."""
        return self._points.place(number)

    def chosen_keys(self) -> list[str]:
        """The keys of what is chosen."""
        return [self._points.keys[number] for number in self.chosen]

    def choose(self, numbers: Sequence[int]) -> None:
        """Chooses these points and no others."""
        if list(numbers) != self.chosen:
            self.chosen = list(numbers)
            self.chosen_changed.emit()
            self.update()

    def show_all(self) -> None:
        """All points in sight."""
        self._look = None
        self.update()

    def zoom(self, by: float, at: QPointF | None = None) -> None:
        """``by`` times as large around a pixel, else around the middle."""
        middle = QPointF(self.width() / 2, self.height() / 2)
        self._look = self.look().zoomed(by, middle if at is None else at, self._size())
        self.update()

    def look(self) -> Look:
        """The part of the map that is seen."""
        if self._look is None:
            flat = WORLD_FLAT if self._kind is MapKind.WORLD else 1.0
            whole = QRectF(0, 0.08, 1, 0.75)  # without the ice of the south
            bounds = self._points.bounds()
            if self._kind is MapKind.WORLD and not len(self._points):
                bounds = whole
            elif self._kind is MapKind.WORLD:
                bounds = bounds.adjusted(-0.02, -0.02, 0.02, 0.02)
            self._look = Look.at_all(bounds, self._size(), flat)
        return self._look

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Zooms at the pointer."""
        self.zoom(ZOOM ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Begins to move the map, or a lasso."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self._pressed, self._is_moved = event.position(), False
        has_shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        self._lasso = [event.position()] if has_shift or self.draws_lasso else []

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Moves the map, draws the lasso on, or names the point under the pointer."""
        here = event.position()
        if self._pressed is None:
            self._look_under(here)
            return
        by = here - self._pressed
        self._is_moved = self._is_moved or by.manhattanLength() > DRAG_PX
        if not self._is_moved:
            return
        if self._lasso:
            self._lasso.append(here)
        else:
            self._look, self._pressed = self.look().moved(by), here
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ends what was begun: a lasso chooses what it holds, a click the point under it."""
        lasso, self._lasso = self._lasso, []
        was_pressed, self._pressed = self._pressed, None
        if was_pressed is None:
            return
        if not self._is_moved:
            stack = self._stack_at(event.position())
            number = self._number_at(event.position()) if stack is None else stack.first
            self.choose([] if number is None else [number])
        elif len(lasso) > 2:
            look = self.look()
            outline = QPolygonF([look.place(pixel) for pixel in _thinned(lasso)])
            self.choose(self._points.in_outline(outline, self._hidden))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Opens a point; where several lie together it comes nearer."""
        stack = self._stack_at(event.position())
        number = self._number_at(event.position()) if stack is None else stack.first
        if stack is not None and stack.count > 1:
            self.zoom(ZOOM**3, event.position())
        elif number is not None:
            self.opened.emit(self._points.keys[number])

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Arrows move, plus and minus zoom, 0 shows all, Ctrl+A chooses all that is seen."""
        key, size = event.key(), self._size()
        steps = {
            Qt.Key.Key_Left: QPointF(PAN_PX, 0),
            Qt.Key.Key_Right: QPointF(-PAN_PX, 0),
            Qt.Key.Key_Up: QPointF(0, PAN_PX),
            Qt.Key.Key_Down: QPointF(0, -PAN_PX),
        }
        if key in steps:
            self._look = self.look().moved(steps[Qt.Key(key)])
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(ZOOM)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / ZOOM)
        elif key == Qt.Key.Key_0:
            self.show_all()
        elif key == Qt.Key.Key_A and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.choose(list(self._points.inside(self.look().area(size), self._hidden)))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chosen:
            self.opened.emit(self._points.keys[self.chosen[0]])
        else:
            super().keyPressEvent(event)
            return
        self.update()

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802
        """Nothing is under the pointer."""
        self._look_under(QPointF(-1000, -1000))
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """The middle of what is seen stays in the middle."""
        old, new = event.oldSize(), event.size()
        if self._look is not None and old.isValid():
            by = QPointF(new.width() - old.width(), new.height() - old.height()) / 2
            self._look = self._look.moved(by)
        self._dots = None
        super().resizeEvent(event)

    # Drawing ------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Land, points, pictures, what is chosen, and the lasso."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour("window"))
        look = self.look()
        if self._kind is MapKind.WORLD:
            painter.save()
            painter.setTransform(look.transform(), True)
            painter.setClipRect(QRectF(0, 0, 1, 1))
            painter.fillRect(QRectF(0, 0, 1, 1), colour("surface"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour("line"))
            painter.drawPath(land())
            painter.restore()
        painter.setOpacity(FADED if self.chosen else 1)
        self._draw_points(painter, look)
        painter.setOpacity(1)
        self._draw_chosen(painter, look)
        shows_pictures = self.with_pictures and not self.chosen
        self._stacks = self._draw_pictures(painter, look) if shows_pictures else []
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._lasso:
            painter.setPen(QPen(colour("accent"), 2, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(QPolygonF(self._lasso))
        self._draw_under(painter, look)

    def _draw_points(self, painter: QPainter, look: Look) -> None:
        area = look.area(self._size())
        if self._points.count_about(area, self._hidden) <= FEW:
            self._draw_round(painter, look, self._points.inside(area, self._hidden))
            return
        state = (look, self.size(), len(self._points), self._hidden, colour("window").name())
        if self._dots is None or self._dots[0] != state:
            self._dots = state, self._dots_image(look)
        painter.drawImage(self.rect(), self._dots[1])

    def _dots_image(self, look: Look) -> QImage:
        """All points as single pixels of a small picture: a square each when it is drawn.

        Qt draws 100,000 single pixels in 10 ms, squares of three pixels in 45.
        """
        small = -(-self.width() // DOT_PX), -(-self.height() // DOT_PX)
        image = QImage(*small, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        painter.scale(small[0] / self.width(), small[1] / self.height())
        painter.setTransform(look.transform(), True)
        for group, polygon in self._points.whole_groups(self._hidden):
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
            painter.drawEllipse(look.pixel(self._points.place(number)), ROUND_PX, ROUND_PX)
        painter.restore()

    def _draw_pictures(self, painter: QPainter, look: Look) -> list[Stack]:
        """One picture for all points of a small place, where it has been read."""
        step = PICTURE_PX + PICTURE_GAP_PX
        across = _power_of_two(step / look.scale)
        down = _power_of_two(step / (look.scale * look.flat))
        area = look.area(self._size())
        stacks = self._points.stacks(area, across, down, self._hidden)
        missing = []
        for stack in stacks:
            key = self._points.keys[stack.first]
            row = self._rows.get(key)
            if row is None:
                missing.append(key)
            elif row.thumbnail is not None:
                self._draw_picture(painter, self._box(stack, look), row, stack)
        self._wanted = set(missing)
        if missing and not self._ask.isActive():
            self._ask.start()
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

    def _draw_chosen(self, painter: QPainter, look: Look) -> None:
        """What is chosen keeps its colour; all else has faded."""
        area = look.area(self._size())
        seen = (n for n in self.chosen if area.contains(self._points.place(n)))
        self._draw_round(painter, look, islice(seen, FEW))

    def _draw_under(self, painter: QPainter, look: Look) -> None:
        """The picture of the point under the pointer, large, beside it."""
        row = None if self._under is None else self._rows.get(self._points.keys[self._under])
        if self._under is None or row is None or row.thumbnail is None or self._pressed is not None:
            return
        picture = self._loader.pixmap(row.key, row.thumbnail.to_str())
        if picture is None or picture.isNull():
            return
        at = look.pixel(self._points.place(self._under)).toPoint()
        box = QRect(0, 0, *_fitted(picture.width(), picture.height(), 200))
        box.moveTo(
            at.x() + 14 if at.x() + 14 + box.width() < self.width() else at.x() - 14 - box.width(),
            min(max(8, at.y() - box.height() // 2), self.height() - box.height() - 8),
        )
        painter.fillRect(box.adjusted(-3, -3, 3, 3), self._colour(self._under))
        painter.drawPixmap(box, picture)

    # Where things are ---------------------------------------------------------------

    def _size(self) -> QSizeF:
        return QSizeF(max(1, self.width()), max(1, self.height()))

    def _colour(self, number: int) -> QColor:
        return group_colour(self._points.group[number], self._groups)

    def _box(self, stack: Stack, look: Look) -> QRect:
        """The square of a picture: around its point, and inside its own small place."""
        at = look.pixel(self._points.place(stack.first))
        low, high = look.pixel(stack.place.topLeft()), look.pixel(stack.place.bottomRight())
        side = min(high.x() - low.x(), high.y() - low.y()) - PICTURE_GAP_PX
        side = min(side, 2.0 * PICTURE_PX)
        room = side / 2 + 3
        x = min(max(at.x(), low.x() + room), high.x() - room)
        y = min(max(at.y(), low.y() + room), high.y() - room)
        return QRect(round(x - side / 2), round(y - side / 2), round(side), round(side))

    def _stack_at(self, pixel: QPointF) -> Stack | None:
        look = self.look()
        for stack in self._stacks:
            is_drawn = self._points.keys[stack.first] in self._rows
            if is_drawn and self._box(stack, look).contains(pixel.toPoint()):
                return stack
        return None

    def _number_at(self, pixel: QPointF) -> int | None:
        look = self.look()
        across, down = NEAR_PX / look.scale, NEAR_PX / (look.scale * look.flat)
        return self._points.nearest(look.place(pixel), across, down, self._hidden)

    def _look_under(self, pixel: QPointF) -> None:
        number = None if self._stack_at(pixel) is not None else self._number_at(pixel)
        if number != self._under:
            self._under = number
            if number is not None and self._points.keys[number] not in self._rows:
                self._wanted.add(self._points.keys[number])
                self._ask.start()
            self.update()

    def _ask_rows(self) -> None:
        if self._wanted:
            self.rows_wanted.emit(tuple(self._wanted))


def _power_of_two(at_least: float) -> float:
    """The next larger power of two: places of stacks stay while one zooms a little."""
    size = 1.0
    while size / 2 >= at_least:
        size /= 2
    while size < at_least:
        size *= 2
    return size


def _thinned(line: Sequence[QPointF]) -> Sequence[QPointF]:
    """At most some 200 corners of a line."""
    return line[:: max(1, len(line) // 200)]


def _fitted(width: int, height: int, most: int) -> tuple[int, int]:
    by = most / max(width, height, 1)
    return max(1, round(width * by)), max(1, round(height * by))
