"""The log of human edits is the truth; columns of media are its projection."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cocadesk.library.edits import FILE_FIELD, NO_WORDS, projected
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, MediaRow
from tests.support.library_rows import insert, media_row


def edit(row: MediaRow | str, field: str, new: object, **values: object) -> Edit:
    """One edit of a person."""
    fields: dict[str, object] = {"batch": "b1", "old": "null", **values}
    return Edit(
        key=row if isinstance(row, str) else row.key,
        who="person",
        when=datetime(2020, 1, 1, tzinfo=UTC),
        field=field,
        new=json.dumps(new),
        **fields,  # type: ignore[arg-type]
    )


@pytest.fixture
def rows() -> list[MediaRow]:
    """Three media."""
    return [media_row(name) for name in (b"a", b"b", b"c")]


@pytest.fixture
def library(tmp_path: Path, rows: list[MediaRow]) -> Iterator[Library]:
    """A library of them."""
    with Library.open(tmp_path / "library") as opened:
        insert(opened, *rows)
        yield opened


def test_edits_are_numbered_in_their_order_and_go_on_after_a_restart(
    library: Library, rows: list[MediaRow]
) -> None:
    """No number is given twice."""
    first = library.edits.record(
        [edit(rows[0], "human_caption", "x"), edit(rows[1], "human_rating", 3)]
    )
    assert [one.seq for one in first] == [1, 2]
    folder = library.folder
    library.close()
    with Library.open(folder) as again:
        assert again.edits.next_seq() == 3
        assert [one.seq for one in again.edits.record([edit(rows[2], "human_rating", 4)])] == [3]
        assert [one.seq for one in again.edits.all()] == [1, 2, 3]


def test_the_last_edit_of_a_field_is_what_the_row_says(
    library: Library, rows: list[MediaRow]
) -> None:
    """Each field by itself; media without edits stay untouched."""
    row = rows[0]
    library.edits.record(
        [
            edit(row, "human_caption", "first"),
            edit(row, "human_tags_added", ["x", "y"]),
            edit(row, "human_caption", "second"),
            edit(row, "human_rating", 5),
        ]
    )
    said = library.media.rows([row.key])[0]
    assert (said.human_caption, said.human_tags_added, said.human_rating) == (
        "second",
        ("x", "y"),
        5,
    )
    assert library.media.rows([rows[1].key])[0] == rows[1]
    library.edits.record([edit(row, "human_caption", None), edit(row, "human_tags_added", [])])
    said = library.media.rows([row.key])[0]
    assert (said.human_caption, said.human_tags_added) == (None, ())


def test_an_edit_of_no_field_is_refused_and_nothing_is_written(
    library: Library, rows: list[MediaRow]
) -> None:
    """Machine columns have no human edits; the good ones beside it are not written either."""
    with pytest.raises(ValueError, match="machine_caption"):
        library.edits.record(
            [edit(rows[0], "human_caption", "x"), edit(rows[0], "machine_caption", "y")]
        )
    assert library.edits.all() == []
    assert library.edits.record([]) == []


def test_edits_of_files_have_no_column(library: Library, rows: list[MediaRow]) -> None:
    """They are found again, and change no row."""
    library.edits.record([edit(rows[0], FILE_FIELD, {"path": "a.txt"}, batch="files")])
    assert library.media.rows([rows[0].key])[0] == rows[0]
    assert [one.batch for one in library.edits.of_files()] == ["files"]
    assert projected(library.edits.all()) == {}


def test_edits_are_found_by_medium_and_by_batch(library: Library, rows: list[MediaRow]) -> None:
    """Oldest first, even where a name has quotes."""
    library.edits.record(
        [edit(rows[0], "human_rating", 1, batch="it's"), edit(rows[1], "human_rating", 2)]
    )
    library.edits.record([edit(rows[0], "human_rating", 3, batch="it's")])
    assert [one.new for one in library.edits.of_batch("it's")] == ["1", "3"]
    assert [one.new for one in library.edits.of_keys([rows[0].key])] == ["1", "3"]
    assert library.edits.of_keys([]) == []


def test_batches_are_marked_in_the_order_of_their_first_edits(
    library: Library, rows: list[MediaRow]
) -> None:
    """With the batch that each takes back."""
    for batch, undoes in (("z", None), ("a", None), ("m", "a")):
        library.edits.record([edit(rows[0], "human_rating", 1, batch=batch, undoes=undoes)])
    assert [tuple(mark) for mark in library.edits.marks()] == [
        ("z", None),
        ("a", None),
        ("m", "a"),
    ]


def test_opening_mends_a_projection_that_a_crash_has_left_behind(
    library: Library, rows: list[MediaRow]
) -> None:
    """The log was written, the columns were not; or the columns say what the log does not."""
    library.edits.record([edit(rows[0], "human_caption", "kept")])
    stale = media_row(b"a", key=rows[0].key, human_caption=None, human_rating=2)
    insert(library, stale)
    assert library.media.rows([rows[0].key])[0].human_caption is None
    folder = library.folder
    library.close()
    with Library.open(folder) as again:
        row = again.media.rows([rows[0].key])[0]
        assert (row.human_caption, row.human_rating) == ("kept", None)


def test_a_version_tells_whether_anything_was_said(library: Library, rows: list[MediaRow]) -> None:
    """It changes with an edit, not with other writes."""
    before = library.edits.version()
    library.media.set_captions({rows[0].key: "machine"}, "m")
    assert library.edits.version() == before
    library.edits.record([edit(rows[0], "human_rating", 1)])
    assert library.edits.version() != before


def test_thousands_of_media_are_edited_at_once(tmp_path: Path) -> None:
    """Beyond what is asked by key the table is read whole; the result is the same."""
    rows = [media_row(b"%d" % number) for number in range(2100)]
    with Library.open(tmp_path / "many") as library:
        insert(library, *rows)
        library.edits.record([edit(row, "human_rating", 4) for row in rows[1:]])
        ratings = [row.human_rating for row in library.media.rows([row.key for row in rows])]
        assert ratings == [None] + [4] * 2099


def test_thousands_of_media_are_edited_at_once_where_the_log_is_long(tmp_path: Path) -> None:
    """Then its entries are asked for by key, which is the same again."""
    rows = [media_row(b"%d" % number) for number in range(2100)]
    with Library.open(tmp_path / "long") as library:
        insert(library, *rows)
        file = edit(rows[0], FILE_FIELD, {"path": "a.txt"})
        library.edits.record([edit(rows[0], "human_caption", "kept"), *[file] * 9000])
        library.edits.record([edit(row, "human_rating", 4) for row in rows])
        found = library.media.rows([row.key for row in rows])
        assert {row.human_rating for row in found} == {4}
        assert [row.human_caption for row in found] == ["kept"] + [None] * 2099


def test_nothing_said_is_what_a_new_row_holds() -> None:
    """The columns of human annotations, empty."""
    row = media_row(b"a")
    assert {name: getattr(row, name) for name in NO_WORDS} == NO_WORDS
    assert all(name.startswith("human_") for name in NO_WORDS)
