"""The values of fields of a real library, with numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cocadesk.library.columns import Mask, MediaColumns
from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import ALBUM, Edit, MediaState, new_key
from cocadesk.search.field_values import FieldValues
from cocadesk.search.filters import Filter, parse_filter
from tests.support.library_rows import insert, media_row

ALBUMS = {f"01BBBBBBBBBBBBBBBBBBBBB{n:03}": f"Album {n:03}" for n in range(300)}


@pytest.fixture(params=[Sizes(), Sizes(memory_rows=0)], ids=["in memory", "in the store"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A photo in each of many albums, and two in the last one."""
    with Library.open(tmp_path / "library", sizes=request.param) as opened:
        now = datetime(2026, 3, 1, tzinfo=UTC)
        opened.edits.record(
            [
                Edit(
                    batch=album, key=album, who="person", when=now, field=ALBUM, old="null",
                    new=json.dumps(name),
                )
                for album, name in ALBUMS.items()
            ]
        )  # fmt: skip
        for albums, year in ((tuple(ALBUMS), 2014), (tuple(ALBUMS)[-1:], 2015)):
            key = new_key()
            row = media_row(
                key.encode(), key=key, path=f"/photos/{key}.jpg".encode(), human_albums=albums,
                human_places=("000000000001",) * len(albums), taken_local=datetime(year, 1, 1),
            )  # fmt: skip
            insert(opened, row)
        yield opened


def test_albums_are_counted_at_once_whatever_their_number(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look at the media for all of them, and only those that are asked for are counted."""
    looks: list[Filter] = []
    mask = Filter.mask

    def counted(self: Filter, columns: MediaColumns) -> Mask:
        looks.append(self)
        return mask(self, columns)

    monkeypatch.setattr(Filter, "mask", counted)
    values = FieldValues(library)
    found = values.of("album", "album 2", limit=100)
    assert [one.text for one in found] == [f"Album {n}" for n in range(200, 300)]
    assert [one.count for one in found] == [1] * 99 + [2]
    among = parse_filter('taken:2015 album:"album 299"')
    assert [one.count for one in values.of("album", "album 29", among)] == [0] * 9 + [1]
    assert len(looks) <= 2


def test_years_are_chosen_by_digits_of_any_kind_without_an_error(library: Library) -> None:
    """Only those of ASCII make a year."""
    values = FieldValues(library)
    assert [one.text for one in values.of("taken", "2014")] == ["January 2014"]
    assert values.of("taken", "٢٠١٤") == []


def test_numbers_follow_what_comes_and_what_goes(library: Library) -> None:
    """What was counted for the letter before counts only while nothing has changed."""
    values = FieldValues(library)

    def photos() -> list[int]:
        return [one.count for one in values.completing("photo") if one.field == "folder"]

    assert photos() == [2]
    assert photos() == [2]
    key = new_key()
    insert(library, media_row(key.encode(), key=key, path=f"/photos/{key}.jpg".encode()))
    assert photos() == [3]
    assert [one.count for one in values.of("folder", "photo", parse_filter("taken:2014"))] == [1]
    assert photos() == [3]
    library.media.set_state([key], MediaState.MISSING, None)
    assert photos() == [2]
