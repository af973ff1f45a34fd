"""Shapes of pictures as one byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.protocol.shapes import ASPECTS, SQUARE_SHAPE, UNKNOWN_SHAPE, shape_of


@given(st.integers(1, 60_000), st.integers(1, 60_000))
def test_a_shape_is_within_a_hundredth_of_the_picture(width: int, height: int) -> None:
    """Up to 1 : 15; longer ones are as long as that."""
    aspect = min(15, max(1 / 15, width / height))
    assert ASPECTS[shape_of(width, height)] == pytest.approx(aspect, rel=0.045)
    if 1 / 14 < width / height < 14:
        assert ASPECTS[shape_of(width, height)] == pytest.approx(width / height, rel=0.011)


def test_sizes_that_are_none_have_no_shape() -> None:
    """Nor have those that nobody knows."""
    assert [shape_of(0, 3), shape_of(3, 0), shape_of(-1, 2), shape_of(float("nan"), 1)] == [
        UNKNOWN_SHAPE
    ] * 4
    assert shape_of(7, 7) == SQUARE_SHAPE
    assert ASPECTS[UNKNOWN_SHAPE] == 1.5
