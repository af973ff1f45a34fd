"""The points of a map: added a stretch at a time, found by place, drawn group by group."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPolygonF

from cocadesk.protocol.messages import MAP_STEPS, MapPoints

CELLS = 64
"""The plane has so many cells each way: what is asked about a small place reads few points."""


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
        self._of_group: defaultdict[int, QPolygonF] = defaultdict(QPolygonF)
        # The points of each cell, group by group.
        self._cells: defaultdict[int, dict[int, array[int]]] = defaultdict(dict)

    def __len__(self) -> int:
        return len(self.keys)

    def add(self, part: MapPoints) -> None:
        """Some more points."""
        for key, x_steps, y_steps, group in zip(part.keys, part.x, part.y, part.group, strict=True):
            x, y = x_steps / MAP_STEPS, y_steps / MAP_STEPS
            cell = self._cells[int(y * CELLS) * CELLS + int(x * CELLS)]
            cell.setdefault(group, array("l")).append(len(self.keys))
            self.keys.append(key)
            self.x.append(x)
            self.y.append(y)
            self.group.append(group)
            self._of_group[group].append(QPointF(x, y))

    def whole_groups(self, hidden: Collection[int]) -> Iterator[tuple[int, QPolygonF]]:
        """Each group that is not hidden with all its points."""
        for group in sorted(self._of_group):
            if group not in hidden:
                yield group, self._of_group[group]

    def place(self, number: int) -> QPointF:
        """The place of a point."""
        return QPointF(self.x[number], self.y[number])

    def bounds(self) -> QRectF:
        """The smallest rectangle with all points in it."""
        if not self.keys:
            return QRectF(0, 0, 1, 1)
        left, top = min(self.x), min(self.y)
        return QRectF(left, top, max(self.x) - left, max(self.y) - top)

    def inside(self, area: QRectF, hidden: Collection[int]) -> Iterator[int]:
        """The numbers of the points in a rectangle whose group is not hidden."""
        left, right = area.left(), area.right()
        top, bottom = area.top(), area.bottom()
        for _, _, numbers in self._touched(area, hidden):
            for number in numbers:
                if left <= self.x[number] <= right and top <= self.y[number] <= bottom:
                    yield number

    def _touched(
        self, area: QRectF, hidden: Collection[int]
    ) -> Iterator[tuple[int, int, array[int]]]:
        """Column, row and points of the cells that a rectangle touches, group by group."""
        for row in range(_cell(area.top()), _cell(area.bottom()) + 1):
            for column in range(_cell(area.left()), _cell(area.right()) + 1):
                for group, numbers in self._cells.get(row * CELLS + column, {}).items():
                    if group not in hidden:
                        yield column, row, numbers

    def count_about(self, area: QRectF, hidden: Collection[int]) -> int:
        """The number of points in the cells that a rectangle touches: not less than in it."""
        return sum(len(numbers) for _, _, numbers in self._touched(area, hidden))

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

    def stacks(
        self, area: QRectF, across: float, down: float, hidden: Collection[int]
    ) -> list[Stack]:
        """The points in a rectangle by small places of this size, powers of two: they never move.

        Places that are no smaller than a cell are counted by whole cells.
        """
        found: defaultdict[tuple[int, int], dict[int, tuple[int, int]]] = defaultdict(dict)

        def add(place: tuple[int, int], first: int, count: int) -> None:
            of_group = found[place]
            known = of_group.get(self.group[first], (first, 0))
            of_group[self.group[first]] = min(first, known[0]), known[1] + count

        if min(across, down) >= 1 / CELLS:
            for column, row, numbers in self._touched(area, hidden):
                place = int(column / CELLS / across), int(row / CELLS / down)
                add(place, numbers[0], len(numbers))
        else:
            for number in self.inside(area, hidden):
                add((int(self.x[number] / across), int(self.y[number] / down)), number, 1)
        return [
            _stack(list(of_group.values()), QRectF(x * across, y * down, across, down))
            for (x, y), of_group in found.items()
        ]


def _stack(groups: list[tuple[int, int]], place: QRectF) -> Stack:
    """The largest group lends its first point."""
    first, _ = max(groups, key=lambda group: group[1])
    return Stack(first, sum(count for _, count in groups), place)


def _cell(share: float) -> int:
    return min(CELLS - 1, max(0, int(share * CELLS)))
