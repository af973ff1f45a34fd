"""Places in an ordered list: always room before, behind and between."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.library.places import places_between


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 40)), max_size=60))
def test_whatever_is_put_anywhere_stands_where_it_was_put(steps: list[tuple[float, int]]) -> None:
    """The list sorted by places is the list as it was built."""
    places: list[str] = []
    for where, count in steps:
        at = round(where * len(places))
        low = places[at - 1] if at else None
        high = places[at] if at < len(places) else None
        places[at:at] = places_between(low, high, count)
    assert places == sorted(set(places))


def test_places_stay_short_where_lists_only_grow() -> None:
    """At the end and at the beginning by whole numbers, 100,000 times."""
    last, first = places_between(None, None, 1) * 2
    for _ in range(100_000):
        (last,) = places_between(last, None, 1)
    for _ in range(1000):
        (first,) = places_between(None, first, 1)
    assert first < last
    assert len(last) == len(first) == 12


def test_a_place_grows_slowly_where_everything_is_put_between_the_same_two() -> None:
    """A digit for three or four moves: a hundred cost some dozens of letters."""
    low, high = places_between(None, None, 2)
    chance = random.Random(5)
    for _ in range(100):
        (place,) = places_between(low, high, 1)
        low, high = (place, high) if chance.random() < 0.5 else (low, place)
    assert len(place) < 60


def test_there_is_nothing_between_a_place_and_itself() -> None:
    """Nor between two in the wrong order."""
    low, high = places_between(None, None, 2)
    for one, other in ((low, low), (high, low)):
        with pytest.raises(ValueError, match="not before"):
            places_between(one, other, 1)
