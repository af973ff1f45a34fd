"""The points of a map: added a stretch at a time, found by place, drawn group by group."""

from __future__ import annotations

import sys
from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QByteArray, QDataStream, QPointF, QRectF, Qt
from PySide6.QtGui import QPolygonF

from cocadesk.protocol.messages import MAP_STEPS, MapPoints

CELLS = 64
"""The plane has so many cells each way: what is asked about a small place reads few points."""
_STEPS_A_CELL = MAP_STEPS // CELLS
_Found = defaultdict[tuple[int, int], dict[int, tuple[int, int]]]
"""Of each place the first point of each group, and how many there are."""


@dataclass(frozen=True, slots=True)
class Stack:
    """The points of one small place: how many there are, and one of their largest group."""

    first: int
    count: int
    place: QRectF


class PointSet:
    """Points by number, from 0 on, with places from 0 to 1 to the right and down."""

    def __init__(self) -> None:
        self.keys: list[str] = []
        self.x = array("d")
        self.y = array("d")
        self.group = array("h")
        self._bounds: list[float] = []
        # Some points of a group each, so that they can be drawn a few at a time.
        self._parts: list[tuple[int, QPolygonF]] = []
        self._cells: defaultdict[int, array[int]] = defaultdict(lambda: array("l"))
        self._stacked: dict[tuple[float, float], dict[int, list[Stack]]] = {}
        self._hidden: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, part: MapPoints) -> None:
        """Some more points."""
        if not part.keys:
            return
        begin, cells = len(self.keys), self._cells
        x = [steps / MAP_STEPS for steps in part.x]
        y = [steps / MAP_STEPS for steps in part.y]
        rows = (steps // _STEPS_A_CELL * CELLS for steps in part.y)
        columns = (steps // _STEPS_A_CELL for steps in part.x)
        for number, (row, column) in enumerate(zip(rows, columns, strict=True), begin):
            cells[row + column].append(number)
        self.keys.extend(part.keys)
        self.x.extend(x)
        self.y.extend(y)
        self.group.extend(part.group)
        of_group: defaultdict[int, list[float]] = defaultdict(list)
        for group, at_x, at_y in zip(part.group, x, y, strict=True):
            own = of_group[group]
            own.append(at_x)
            own.append(at_y)
        self._parts += ((group, _polygon(own)) for group, own in of_group.items())
        ends = (min(x), min(y), max(x), max(y))
        old = self._bounds or list(ends)
        self._bounds = [
            *(min(pair) for pair in zip(old[:2], ends[:2], strict=True)),
            *(max(pair) for pair in zip(old[2:], ends[2:], strict=True)),
        ]
        self._stacked.clear()

    def parts(self, hidden: Collection[int]) -> Iterator[tuple[int, QPolygonF]]:
        """All points whose group is not hidden, some of a group at a time, group after group."""
        for group, polygon in sorted(self._parts, key=lambda part: part[0]):
            if group not in hidden:
                yield group, polygon

    def place(self, number: int) -> QPointF:
        """The place of a point."""
        return QPointF(self.x[number], self.y[number])

    def bounds(self) -> QRectF:
        """The smallest rectangle with all points in it."""
        if not self.keys:
            return QRectF(0, 0, 1, 1)
        left, top, right, bottom = self._bounds
        return QRectF(left, top, right - left, bottom - top)

    def inside(self, area: QRectF, hidden: Collection[int]) -> Iterator[int]:
        """The numbers of the points in a rectangle whose group is not hidden."""
        left, right = area.left(), area.right()
        top, bottom = area.top(), area.bottom()
        x, y, group = self.x, self.y, self.group
        for cell in self._touched(area):
            for number in self._cells[cell]:
                if left <= x[number] <= right and top <= y[number] <= bottom:
                    if hidden and group[number] in hidden:
                        continue
                    yield number

    def _touched(self, area: QRectF) -> Iterator[int]:
        """The cells with points that a rectangle touches."""
        columns = range(_cell(area.left()), _cell(area.right()) + 1)
        for row in range(_cell(area.top()), _cell(area.bottom()) + 1):
            for column in columns:
                if (cell := row * CELLS + column) in self._cells:
                    yield cell

    def count_about(self, area: QRectF) -> int:
        """The number of points in the cells that a rectangle touches: not less than in it."""
        return sum(len(self._cells[cell]) for cell in self._touched(area))

    def nearest(
        self, at: QPointF, across: float, down: float, hidden: Collection[int]
    ) -> int | None:
        """The point nearest to a place, at most so far ``across`` and ``down`` from it."""
        area = QRectF(at.x() - across, at.y() - down, 2 * across, 2 * down)

        def distance(number: int) -> float:
            return ((self.x[number] - at.x()) / across) ** 2 + (
                (self.y[number] - at.y()) / down
            ) ** 2

        return min(self.inside(area, hidden), key=distance, default=None)

    def in_outline(self, outline: QPolygonF, hidden: Collection[int]) -> list[int]:
        """The numbers of the points within a closed line."""
        odd = Qt.FillRule.OddEvenFill
        return [
            number
            for number in self.inside(outline.boundingRect(), hidden)
            if outline.containsPoint(self.place(number), odd)
        ]

    # Small places ---------------------------------------------------------------------

    def stacks(
        self, area: QRectF, across: float, down: float, hidden: Collection[int]
    ) -> Iterator[list[Stack]]:
        """The points about a rectangle by small places of this size, some at a time.

        The size is a power of two each way, so that places never move; each is gone through
        once and then known. Places that touch the rectangle come with all of their points.
        """
        if self._hidden != frozenset(hidden):
            self._hidden = frozenset(hidden)
            self._stacked.clear()
        known = self._stacked.setdefault((across, down), {})
        wide, high = max(across, 1 / CELLS), max(down, 1 / CELLS)
        for row in _numbers_of(area.top(), area.bottom(), high):
            for column in _numbers_of(area.left(), area.right(), wide):
                block = row * CELLS + column
                if block not in known:
                    whole = QRectF(column * wide, row * high, wide, high)
                    found: _Found = defaultdict(dict)
                    for _ in self._go_through(whole, across, down, found):
                        yield []
                    known[block] = [_stack(of, at, across, down) for at, of in found.items()]
                yield [stack for stack in known[block] if stack.place.intersects(area)]

    def _go_through(
        self, block: QRectF, across: float, down: float, found: _Found
    ) -> Iterator[None]:
        """Counts the points of whole cells by places, cell by cell."""
        half = 0.5 / CELLS
        x, y, groups, hidden = self.x, self.y, self.group, self._hidden
        for cell in self._touched(block.adjusted(half, half, -half, -half)):
            for number in self._cells[cell]:
                group = groups[number]
                if group not in hidden:
                    of_group = found[int(x[number] / across), int(y[number] / down)]
                    first, count = of_group.get(group, (number, 0))
                    of_group[group] = first, count + 1
            yield


def _polygon(coordinates: list[float]) -> QPolygonF:
    """The points of x and y in turn, read as Qt writes them: one by one they take ten times."""
    numbers = array("d", coordinates)
    if sys.byteorder == "little":
        numbers.byteswap()
    count = (len(coordinates) // 2).to_bytes(4, "big")
    polygon = QPolygonF()
    QDataStream(QByteArray(count + numbers.tobytes())) >> polygon
    return polygon


def _stack(
    of_group: dict[int, tuple[int, int]], at: tuple[int, int], across: float, down: float
) -> Stack:
    """The largest group lends its first point."""
    first, _ = max(of_group.values(), key=lambda group: group[1])
    place = QRectF(at[0] * across, at[1] * down, across, down)
    return Stack(first, sum(count for _, count in of_group.values()), place)


def _cell(share: float) -> int:
    return min(CELLS - 1, max(0, int(share * CELLS)))


def _numbers_of(start: float, end: float, size: float) -> range:
    """The numbers of the places of this size that lie between two of the plane's places."""
    last = round(1 / size) - 1
    return range(max(0, int(start / size)), min(last, int(end / size)) + 1)
