"""The points of a map and the part of it that is seen."""

from __future__ import annotations

import random

import pytest
from PySide6.QtCore import QPointF, QRectF, QSizeF
from PySide6.QtGui import QPolygonF

from cocadesk.protocol.messages import MAP_STEPS, MapPoints
from ui.kit.land import land
from ui.library.map.look import Look
from ui.library.map.points import PointSet


def _points(count: int = 2000, groups: int = 4) -> PointSet:
    rng = random.Random(count)
    points = PointSet()
    for start in range(0, count, 700):
        some = range(start, min(count, start + 700))
        points.add(
            MapPoints(
                keys=tuple(f"key{number}" for number in some),
                x=tuple(rng.randrange(MAP_STEPS) for _ in some),
                y=tuple(rng.randrange(MAP_STEPS) for _ in some),
                group=tuple(rng.randrange(groups) for _ in some),
            )
        )
    return points


def _slowly_inside(points: PointSet, area: QRectF, hidden: set[int]) -> list[int]:
    return [
        n
        for n in range(len(points))
        if area.left() <= points.x[n] <= area.right()
        and area.top() <= points.y[n] <= area.bottom()
        and points.group[n] not in hidden
    ]


@pytest.mark.parametrize("seed", range(12))
def test_points_of_a_place_are_those_of_a_slow_look(seed: int) -> None:
    """In rectangles, in lines, nearest, and in stacks."""
    points, rng = _points(), random.Random(seed)
    hidden = {seed % 5}
    area = QRectF(rng.random() - 0.1, rng.random() - 0.1, rng.random(), rng.random())
    inside = _slowly_inside(points, area, hidden)
    assert sorted(points.inside(area, hidden)) == inside
    assert points.count_about(area) >= len(inside)
    assert sorted(points.in_outline(QPolygonF(area), hidden)) == inside
    size = 2.0 ** -rng.randrange(1, 9)
    everywhere = QRectF(0, 0, 1, 1)
    stacks = [s for some in points.stacks(everywhere, size, size / 2, hidden) for s in some]
    assert sum(stack.count for stack in stacks) == len(_slowly_inside(points, everywhere, hidden))
    assert all(stack.place.contains(points.place(stack.first)) for stack in stacks)
    assert len({(s.place.left(), s.place.top()) for s in stacks}) == len(stacks)


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_is_the_nearest(seed: int) -> None:
    """As far as it reaches, by the ellipse that a circle of the window is on the map."""
    points, rng = _points(), random.Random(seed)
    at, across, down = QPointF(rng.random(), rng.random()), 0.03, 0.05
    near = _slowly_inside(
        points, QRectF(at.x() - across, at.y() - down, 2 * across, 2 * down), set()
    )

    def distance(n: int) -> float:
        return ((points.x[n] - at.x()) / across) ** 2 + ((points.y[n] - at.y()) / down) ** 2

    assert points.nearest(at, across, down, ()) == min(near, key=distance, default=None)


def test_a_stack_shows_a_point_of_its_largest_group() -> None:
    """Its picture stands for most of it."""
    points = PointSet()
    half = MAP_STEPS // 2
    points.add(
        MapPoints(keys=tuple("abcd"), x=(half,) * 4, y=(half,) * 4, group=(0, 1, 1, 0)),
    )
    points.add(MapPoints(keys=("e",), x=(half,), y=(half,), group=(1,)))
    (stack,) = [s for some in points.stacks(QRectF(0, 0, 1, 1), 0.25, 0.25, ()) for s in some]
    assert (stack.count, points.keys[stack.first]) == (5, "b")


def test_a_look_leads_from_place_to_pixel_and_back() -> None:
    """What is under the pointer stays there while one zooms."""
    size = QSizeF(800, 500)
    look = Look.at_all(QRectF(0.2, 0.3, 0.4, 0.2), size, 0.63)
    for corner in (QPointF(0.2, 0.3), QPointF(0.6, 0.5)):
        assert QRectF(QPointF(0, 0), size).contains(look.pixel(corner))
    at = QPointF(123, 45)
    for by in (0.5, 3.0, 1e9, 1e-9):
        nearer = look.zoomed(by, at, size)
        assert (nearer.pixel(look.place(at)) - at).manhattanLength() < 1e-3
        assert 100 < nearer.scale < 1e7
    assert look.transform().map(QPointF(0.5, 0.4)) == look.pixel(QPointF(0.5, 0.4))


@pytest.mark.parametrize(
    ("longitude", "latitude", "is_land"),
    [
        (10, 50, True), (100, 60, True), (-100, 40, True), (25, -30, True), (179.0, 67.5, True),
        (135, -25, True), (-40, 40, False), (-150, 10, False), (80, -20, False), (0, -85, True),
        (5, 43, False),
    ],
)  # fmt: skip
def test_land_is_where_it_is(longitude: float, latitude: float, is_land: bool) -> None:
    """Both sides of the 180th meridian and the south pole included."""
    place = QPointF((longitude + 180) / 360, (90 - latitude) / 180)
    assert land().contains(place) is is_land
