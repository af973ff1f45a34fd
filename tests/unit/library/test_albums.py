"""Albums in the log and in the columns of media: each can be made again from the other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cocadesk.library.albums import AlbumContent, unknown_name
from cocadesk.library.edits import NO_WORDS, columns_of, fields_of, place_field
from cocadesk.library.library import Library
from cocadesk.library.rows import ALBUM, SAVED_SEARCH, Edit, MediaRow, MediaState
from tests.support.library_rows import insert, media_row

FIRST, SECOND = "01AAAAAAAAAAAAAAAAAAAAAAAA", "01BBBBBBBBBBBBBBBBBBBBBBBB"


def said(key: str, field: str, new: object) -> Edit:
    """One edit of a person."""
    when = datetime(2026, 5, 1, tzinfo=UTC)
    return Edit(
        batch="b", key=key, who="person", when=when, field=field, old="null", new=json.dumps(new)
    )


@pytest.fixture
def rows() -> list[MediaRow]:
    """Three photos."""
    return [media_row(name) for name in (b"a", b"b", b"c")]


@pytest.fixture
def library(tmp_path: Path, rows: list[MediaRow]) -> Iterator[Library]:
    """A library of them, in two albums: c and a in the first, b and c in the second."""
    a, b, c = rows
    with Library.open(tmp_path / "library") as opened:
        insert(opened, *rows)
        opened.edits.record(
            [
                said(FIRST, ALBUM, "Sea"),
                said(SECOND, ALBUM, "Best"),
                said(c.key, place_field(FIRST), "1"),
                said(a.key, place_field(FIRST), "2"),
                said(b.key, place_field(SECOND), "3"),
                said(c.key, place_field(SECOND), "4"),
            ]
        )
        yield opened


def test_columns_and_fields_of_the_log_say_the_same() -> None:
    """A place is a field of its own there; one that is None is none."""
    fields = {
        **fields_of(NO_WORDS),
        "human_rating": 3,
        place_field(SECOND): "7",
        place_field(FIRST): "9",
    }
    columns = columns_of({**fields, place_field("gone"): None, ALBUM: "not a medium's"})
    assert (columns["human_albums"], columns["human_places"]) == ((FIRST, SECOND), ("9", "7"))
    assert columns["human_rating"] == 3
    assert fields_of(columns) == fields
    assert columns_of({}) == NO_WORDS


def test_albums_have_names_media_in_order_and_a_cover(
    library: Library, rows: list[MediaRow]
) -> None:
    """What is missing is in none that is shown, but keeps its place."""
    a, b, c = rows
    assert library.albums.names() == {FIRST: "Sea", SECOND: "Best"}
    assert [*library.albums.places(FIRST)] == [c.key, a.key]
    assert library.albums.contents() == {
        FIRST: AlbumContent(count=2, cover=c.picture_hash),
        SECOND: AlbumContent(count=2, cover=b.picture_hash),
    }
    library.media.set_state([c.key], MediaState.MISSING, None)
    assert library.albums.contents()[FIRST] == AlbumContent(count=1, cover=a.picture_hash)
    assert [*library.albums.places(FIRST)] == [c.key, a.key]


def test_names_are_told_apart_where_a_backup_brought_the_same_twice(library: Library) -> None:
    """The older one keeps its name; case does not count."""
    third = "01CCCCCCCCCCCCCCCCCCCCCCCC"
    library.edits.record([said(third, ALBUM, "SEA"), said("x", SAVED_SEARCH, ["q", "dog"])])
    assert library.albums.names() == {FIRST: "Sea", SECOND: "Best", third: "SEA (2)"}
    assert [(one.name, one.query) for one in library.albums.searches()] == [("q", "dog")]


def test_a_deleted_album_has_a_name_in_the_history_alone(library: Library) -> None:
    """So that old entries can be told."""
    library.edits.record([said(FIRST, ALBUM, None)])
    assert library.albums.names() == {SECOND: "Best"}
    assert library.albums.name_ever(FIRST) == "Sea"
    assert library.albums.name_ever("never") == "never"


def test_places_survive_a_log_that_was_lost(library: Library, rows: list[MediaRow]) -> None:
    """They are taken from the columns; an album whose name is gone gets one."""
    library.edits.replace_all([said(SECOND, ALBUM, "Best")])
    assert library.edits.differing() == 3
    assert library.edits.rebuild("recovered", only_unknown=False) == 5
    assert library.edits.differing() == 0
    folder = library.folder
    library.close()
    with Library.open(folder) as again:
        assert again.albums.names() == {FIRST: "Recovered album 1", SECOND: "Best"}
        assert [*again.albums.places(FIRST)] == [rows[2].key, rows[0].key]


def test_columns_are_written_anew_from_the_log(library: Library, rows: list[MediaRow]) -> None:
    """As after a crash between the two."""
    insert(library, media_row(b"c", key=rows[2].key, human_albums=("x",), human_places=("1",)))
    folder = library.folder
    library.close()
    with Library.open(folder) as again:
        row = again.media.rows([rows[2].key])[0]
        assert (row.human_albums, row.human_places) == ((FIRST, SECOND), ("1", "4"))


def test_an_unknown_name_is_a_sentence_that_helps() -> None:
    """The nearest, else all that there are."""
    assert "Did you mean Summer?" in str(unknown_name("album", "sumer", ["Summer", "Winter"]))
    assert "There are: Summer, Winter." in str(unknown_name("album", "x", ["Summer", "Winter"]))
    assert "none yet" in str(unknown_name("album", "x", []))
