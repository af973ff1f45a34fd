"""Where a picture lies in a view, without any widget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QSizeF

from ui.kit.zooming import Look, Stage


def _stage(width: int = 4000, height: int = 3000, ratio: float = 1.0) -> Stage:
    return Stage(QSizeF(800, 600), ratio, QSizeF(width, height))


def test_at_100_percent_one_pixel_is_one_of_the_screen() -> None:
    """On a screen of ratio two as well, where a point is two pixels."""
    for ratio in (1.0, 2.0):
        stage = _stage(ratio=ratio)
        target = stage.target(Look(zoom=stage.real))
        assert target.width() * ratio == pytest.approx(4000)
        assert stage.percent(Look(zoom=stage.real)) == 100


def test_small_pictures_are_fitted_at_twice_their_size_and_can_be_seen_at_100_percent() -> None:
    """Real pixels are then smaller than fitted."""
    stage = _stage(100, 80)
    assert stage.target(Look()).width() == 200
    assert stage.real == pytest.approx(0.5)
    assert stage.bounded(stage.real) == stage.real


@given(
    zoom=st.floats(1.0, 20.0), factor=st.floats(1.0, 4.0),
    x=st.floats(350, 450), y=st.floats(250, 350),
)  # fmt: skip
def test_what_lies_at_the_pointer_stays_there(
    zoom: float, factor: float, x: float, y: float
) -> None:
    """To half a pixel: corners lie on whole ones. Away from the edges, where it can't always."""
    stage, at = _stage(), QPointF(x, y)
    before = Look(zoom=zoom)
    after = stage.zoomed(before, zoom * factor, at)
    old, new = stage.target(before), stage.target(after)
    assert new.width() >= old.width() * 0.999
    seen = (x - old.x()) / old.width()
    assert new.x() + seen * new.width() == pytest.approx(x, abs=1.5 + factor)


def test_a_dragged_picture_keeps_covering_the_view() -> None:
    """It cannot be lost outside."""
    stage = _stage()
    look = stage.moved(4.0, QPointF(10_000, 10_000))
    target = stage.target(look)
    assert target.left() <= 0
    assert target.top() <= 0
    assert target.right() >= 800


def test_the_part_that_is_seen_is_told_in_pixels_of_the_picture() -> None:
    """What is to be read of a large file."""
    stage = _stage()
    seen = stage.seen(Look(zoom=stage.real, x=0.5, y=0.5))
    assert (seen.x(), seen.y(), seen.width(), seen.height()) == pytest.approx(
        (1600, 1200, 800, 600), abs=1
    )
