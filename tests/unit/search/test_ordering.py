"""The orders of lists: from memory and from the store alike, against a slow version."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from cocadesk.library.library import Library
from cocadesk.library.marks import stars_of
from cocadesk.library.rows import MediaChange, MediaRow
from cocadesk.search.filters import EVERYTHING, parse_filter
from cocadesk.search.ordering import (
    OWN_ORDER,
    Order,
    SortKey,
    ordered_keys,
    ordered_matching,
    sorted_places,
)
from tests.support.library_rows import media_row
from tests.unit.search.test_natural import slow_key

IMAGE_ID = "tiny-000000000000"
SORTED = [key for key in SortKey if key is not SortKey.RELEVANCE]
NO_TIMES = (0, -3600 * 10**9, 20)
"""File times that file systems and tools give where they know none."""


def _filed(row: MediaRow) -> datetime | None:
    if row.mtime_ns in NO_TIMES:
        return None
    return datetime.fromtimestamp(row.mtime_ns / 1e9, UTC).replace(tzinfo=None)


VALUES = {
    SortKey.TAKEN: lambda row: row.taken or _filed(row),
    SortKey.ADDED: lambda row: row.added_utc,
    SortKey.NAME: lambda row: slow_key(row.name_text),
    SortKey.SIZE: lambda row: row.size_bytes,
    SortKey.RATING: lambda row: stars_of(row.human_rating, row.rating),
}  # fmt: skip


def _rows() -> list[MediaRow]:
    rng = random.Random(7)
    names = ["img2.jpg", "img10.jpg", "IMG10.jpg", "b.jpg", "a 1.jpg", "a 02.jpg"]
    taken = [None, datetime(2014, 5, 3), datetime(1969, 1, 1)]
    added = [None, datetime(2020, 1, 1, tzinfo=UTC), datetime(2021, 1, 1, tzinfo=UTC)]
    return [
        media_row(
            f"/photos/{number}/{rng.choice(names)}".encode(),
            size_bytes=rng.choice([5, 100, 2**40]),
            mtime_ns=rng.choice([*NO_TIMES, 1_400_000_000 * 10**9, -90_000 * 10**9]),
            taken_local=rng.choice(taken),
            rating=rng.choice([None, -1, 0, 3, 5]),
            added_utc=rng.choice(added),
        )
        for number in range(40)
    ]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Forty media with few different values, so that many are equal."""
    with Library.open(tmp_path_factory.mktemp("orders") / "library") as opened:
        opened.views.create(IMAGE_ID, 2)
        opened.set_model(IMAGE_ID)
        opened.media.commit([MediaChange(row=row, is_new=True) for row in _rows()])
        yield opened


@pytest.fixture(params=["memory", "store"])
def place(request: pytest.FixtureRequest, library: Library) -> Library:
    """The library with its columns in memory, and one that is too large for it."""
    if request.param == "store":
        monkeypatch = request.getfixturevalue("monkeypatch")
        monkeypatch.setattr(library.results, "columns", lambda _fields: None)
    return library


def _expected(rows: Sequence[MediaRow], order: Order) -> list[str]:
    value = VALUES[order.key]
    there = [row for row in rows if value(row) is not None]
    there.sort(key=value, reverse=not order.ascends)
    return [row.key for row in (*there, *(row for row in rows if value(row) is None))]


def _in_turn(rows: Sequence[MediaRow], order: Order) -> list[MediaRow]:
    """The rows as they come where their values are equal."""
    rows = sorted(rows, key=lambda row: row.key)
    if order.key is SortKey.RATING:
        rows.sort(key=lambda row: VALUES[SortKey.TAKEN](row) or datetime.min, reverse=True)
    return rows


@pytest.mark.parametrize("key", SORTED)
@pytest.mark.parametrize("is_reversed", [False, True])
def test_a_list_is_sorted_by_each_value_both_ways(
    place: Library, key: SortKey, is_reversed: bool
) -> None:
    """Media without the value come last either way; equal ones as they were added.

    Of as many stars the newest come first.
    """
    order = Order(key, is_reversed)
    rows = _in_turn(place.media.rows(place.media.all_keys()), order)
    assert list(ordered_matching(place.results, EVERYTHING, order)) == _expected(rows, order)
    among = parse_filter("size:>=100")
    some = [row for row in rows if row.size_bytes >= 100]
    assert list(ordered_keys(place, among, order)) == _expected(some, order)


@pytest.mark.parametrize("key", SORTED)
def test_hits_are_sorted_by_each_value(place: Library, key: SortKey) -> None:
    """Equal ones stay as they came; a key that is gone meanwhile comes last and harms nobody."""
    rows, order = place.media.rows(place.media.all_keys())[5:25], Order(key)
    asked = ["gone", *(row.key for row in rows)]
    places = sorted_places(place.results, asked, order)
    assert [asked[n] for n in places] == [*_expected(rows, order), "gone"]


def test_a_lists_own_order_can_be_turned_round(library: Library) -> None:
    """The oldest first, and the weakest match first."""
    newest = list(ordered_keys(library, EVERYTHING, OWN_ORDER))
    turned = Order(SortKey.RELEVANCE, is_reversed=True)
    assert list(ordered_keys(library, EVERYTHING, turned)) == newest[::-1]
    assert list(ordered_matching(library.results, EVERYTHING, turned)) == newest[::-1]
    assert list(sorted_places(library.results, newest, turned)) == list(range(40))[::-1]


def test_the_newest_are_the_list_by_the_time_taken(library: Library) -> None:
    """The order that a list has unless it is asked for in another."""
    by_time = ordered_keys(library, EVERYTHING, Order(SortKey.TAKEN))
    assert list(by_time) == list(ordered_keys(library, EVERYTHING))
    assert list(by_time) == library.media.all_keys()


def test_what_has_no_time_is_the_last_of_all_both_ways(library: Library) -> None:
    """Whoever copies a file without its time has not taken a photo in 1970."""
    without = {row.key for row in library.media.iter_rows() if VALUES[SortKey.TAKEN](row) is None}
    assert without
    for is_reversed in (False, True):
        keys = ordered_keys(library, EVERYTHING, Order(SortKey.TAKEN, is_reversed))
        assert set(keys[-len(without) :]) == without
