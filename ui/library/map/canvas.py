"""The map itself: points, pictures where they are few, and what is chosen with a lasso."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
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
from ui.kit.focus_ring import FocusRing
from ui.kit.image_loader import ImageLoader
from ui.kit.theme import colour
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.library.map.drawing import MapDrawing
from ui.library.map.look import Look
from ui.library.map.painting import MapPainting
from ui.library.map.points import PointSet

WORLD_FLAT = 0.63
"""A degree to the north by one to the east, true at 37°: half the world's people live there."""
INHABITED = QRectF(0, 0.08, 1, 0.75)
"""The world without the ice of the south."""
KEYS = tr(
    "Arrows move, plus and minus zoom, 0 shows all, Ctrl+A chooses what is seen, Enter opens it"
)
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
        self.setAccessibleName(tr("Map"))
        self.setAccessibleDescription(KEYS)
        self._ring = FocusRing(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(200, 160)
        self._drawing = MapDrawing(loader)
        self._look: Look | None = None
        self._pressed: QPointF | None = None
        self._is_moved = False
        self._lasso: list[QPointF] = []
        self._under: int | None = None
        self.chosen: list[int] = []
        self.with_pictures = True
        self.draws_lasso = False
        self.painting = MapPainting(self._drawing, loader, self)
        self.painting.changed.connect(self.update)
        self._ask = single_shot(self, self._ask_rows, ASK_MS)
        self.painting.whole.connect(self._ask.start)

    # What the page brings -----------------------------------------------------------

    def show_points(self, kind: MapKind, points: PointSet) -> None:
        """Another map; of the same kind the part that is seen stays."""
        is_same = kind is self._drawing.kind and len(self._drawing.points) > 0
        self._drawing.show_points(kind, points)
        self._under = None
        self.choose(())
        if not is_same:
            self._look = None
            self.painting.forget()
        self.painting.paint_anew()

    def show_groups(self, count: int, hidden: Collection[int]) -> None:
        """The number of groups, by which they are coloured, and those that are not drawn."""
        self._drawing.show_groups(count, hidden)
        group = self._drawing.points.group
        self.choose([number for number in self.chosen if group[number] not in hidden])
        self.painting.paint_anew()

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Rows that were wanted have come."""
        for row in rows:
            self._drawing.rows[row.key] = row
            self._drawing.wanted.discard(row.key)
        self.painting.paint_later(row.key for row in rows)

    def forget_rows(self, keys: Collection[str] = ()) -> None:
        """These rows (none named: all) are asked for again when they are seen."""
        for key in keys or list(self._drawing.rows):
            self._drawing.rows.pop(key, None)
        self._drawing.wanted.clear()
        self.painting.paint_anew()

    # What a person does -------------------------------------------------------------

    def point_count(self) -> int:
        """The number of points, hidden ones included."""
        return len(self._drawing.points)

    def place_of(self, number: int) -> QPointF:
        """The place of a point on the map."""
        return self._drawing.points.place(number)

    def chosen_keys(self) -> list[str]:
        """The keys of what is chosen."""
        return [self._drawing.points.keys[number] for number in self.chosen]

    def choose(self, numbers: Sequence[int]) -> None:
        """Chooses these points and no others."""
        if list(numbers) != self.chosen:
            self.chosen = list(numbers)
            self.chosen_changed.emit()
            self.painting.paint_anew()

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
            points, flat = self._drawing.points, 1.0
            bounds = points.bounds()
            if self._drawing.kind is MapKind.WORLD:
                flat = WORLD_FLAT
                bounds = bounds.adjusted(-0.02, -0.02, 0.02, 0.02) if len(points) else INHABITED
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
            number = self._number_at(event.position())
            self.choose([] if number is None else [number])
        elif len(lasso) > 2:
            look = self.look()
            outline = QPolygonF([look.place(pixel) for pixel in _thinned(lasso)])
            self.choose(self._drawing.points.in_outline(outline, self._drawing.hidden))
        self.update()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Opens a point; where several lie together it comes nearer."""
        stack = self._drawing.stack_at(self.look(), event.position())
        if stack is not None and stack.count > 1:
            self.zoom(ZOOM**3, event.position())
        elif (number := self._number_at(event.position())) is not None:
            self.opened.emit(self._drawing.points.keys[number])

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
            self.choose(
                list(self._drawing.points.inside(self.look().area(size), self._drawing.hidden))
            )
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.chosen:
            self.opened.emit(self._drawing.points.keys[self.chosen[0]])
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
        super().resizeEvent(event)

    # Drawing ------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Land, points, pictures, what is chosen, and the lasso."""
        painter = QPainter(self)
        drawing = self._drawing
        drawing.size = self.size()
        drawing.chosen, drawing.with_pictures = self.chosen, self.with_pictures
        self.painting.show(painter, self.look(), self.size())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._lasso:
            painter.setPen(QPen(colour("accent"), 2, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(QPolygonF(self._lasso))
        if self._under is not None and self._pressed is None:
            self._drawing.draw_under(painter, self.look(), self._under)

    # Where things are ---------------------------------------------------------------

    def _size(self) -> QSizeF:
        return QSizeF(max(1, self.width()), max(1, self.height()))

    def _number_at(self, pixel: QPointF) -> int | None:
        """The point under a pixel, or the one that a picture there stands for."""
        stack = self._drawing.stack_at(self.look(), pixel)
        return self._drawing.number_at(self.look(), pixel) if stack is None else stack.first

    def _look_under(self, pixel: QPointF) -> None:
        look, drawing = self.look(), self._drawing
        is_stack = drawing.stack_at(look, pixel) is not None
        number = None if is_stack else drawing.number_at(look, pixel)
        if number != self._under:
            self._under = number
            if number is not None and (key := drawing.points.keys[number]) not in drawing.rows:
                drawing.wanted.add(key)
                self._ask.start()
            self.update()

    def _ask_rows(self) -> None:
        if self._drawing.wanted:
            self.rows_wanted.emit(tuple(self._drawing.wanted))


def _thinned(line: Sequence[QPointF]) -> Sequence[QPointF]:
    """At most some 200 corners of a line."""
    return line[:: max(1, len(line) // 200)]
