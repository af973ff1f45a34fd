"""Libraries of an older program: given the columns that they lack, nothing of people lost."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import MISSING
from pathlib import Path
from typing import Any

import lancedb
import pytest

from cocadesk.errors import UserError
from cocadesk.library.backups import backups_of, read_backup
from cocadesk.library.layout import (
    MEDIA,
    SCHEMA_VERSION,
    read_manifest,
    views_table,
    write_manifest,
)
from cocadesk.library.library import Library
from cocadesk.library.lock import WriterLock
from cocadesk.library.rows import Edit, FailureRow, JobRow, MediaRow, RootRow, ViewRow
from cocadesk.library.schema import EDITS, FAILURES, JOBS, ROOTS, TABLES, views_schema
from cocadesk.search.filters import parse_filter
from cocadesk.search.matching import matching_keys
from tests.support.index_tools import set_human_caption
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row

ROWS = {MEDIA: MediaRow, EDITS: Edit, ROOTS: RootRow, JOBS: JobRow, FAILURES: FailureRow}
# What the oldest program that is read had already, whatever its default is now.
FIRST = {"kind", "state", "embedded", "human_caption", "size_bytes", "shows", "machine_tags"}


def made_later(row_type: type) -> list[str]:
    """The columns of a table that an older program may not have had: those with a default."""
    return [
        field.name
        for field in dataclasses.fields(row_type)
        if field.default is not MISSING and field.name not in FIRST
    ]


def make_older(folder: Path, columns: dict[str, list[str]]) -> None:
    """Take ``columns`` away from the tables of a library, as if they had never been there."""
    store = lancedb.connect(str(folder / "store"))
    for name, lacking in columns.items():
        if lacking:
            store.open_table(name).drop_columns(lacking)
    manifest = read_manifest(folder)
    assert manifest is not None
    write_manifest(folder, dataclasses.replace(manifest, schema=SCHEMA_VERSION - 1))


def table_of(folder: Path, name: str) -> Any:
    """A table as LanceDB opens it."""
    return lancedb.connect(str(folder / "store")).open_table(name)


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A library with an annotated photo whose tables have only their first columns."""
    folder = tmp_path / "library"
    row = media_row(b"a.jpg", width=3, height=2, keywords=("x",), rating=4)
    with Library.open(folder) as library:
        library.views.create(IMAGE_ID, 2)
        library.views.commit(IMAGE_ID, [view_row(row, [1, 0])])
        library.set_model(IMAGE_ID)
        library.roots.add(b"/photos")
        insert(library, row)
        set_human_caption(library, row.key, "mine")
    lacking = {name: made_later(row_type) for name, row_type in ROWS.items()}
    make_older(folder, {**lacking, views_table(IMAGE_ID): made_later(ViewRow)})
    return folder


@pytest.mark.parametrize("writer", [True, False])
def test_an_older_library_opens_and_keeps_what_people_wrote(older: Path, writer: bool) -> None:
    """For a writer and for a reader; a field that it lacked is as if the file had not said it."""
    with Library.open(older, writer=writer) as library:
        (row,) = library.media.iter_rows()
        assert (row.path, row.human_caption, row.embedded) == (
            b"/photos/a.jpg",
            "mine",
            (IMAGE_ID,),
        )
        assert (row.rating, row.keywords, row.human_tags_added) == (None, (), ())
        assert library.manifest.schema == SCHEMA_VERSION
        assert library.views.of_keys(IMAGE_ID, [row.key])[row.key][0].latitude is None
        assert matching_keys(library.results, parse_filter("has:caption -has:keyword")) == {row.key}


def test_the_columns_of_an_older_library_are_those_of_a_new_one(older: Path) -> None:
    """In every table, views too, with the same types; what has a value has no null."""
    Library.open(older).close()
    views = views_table(IMAGE_ID)
    for name, schema in {**TABLES, views: views_schema(2)}.items():
        table = table_of(older, name)
        assert {f.name: f.type for f in table.schema} == {f.name: f.type for f in schema}
        rows = table.to_arrow()
        nulls = [f.name for f in schema if not f.nullable and rows.column(f.name).null_count]
        assert nulls == []


def test_every_column_that_was_added_has_a_default() -> None:
    """Without one, an older library could not be given it; these were there from the first."""
    first = {
        MEDIA: {"key", "root", "path", "size_bytes", "mtime_ns", "file_hash", "picture_hash"},
        EDITS: {"batch", "key", "who", "when", "field", "old", "new"},
        ROOTS: {"path", "added_utc"},
        JOBS: {"id", "kind", "spec", "state", "created_utc", "updated_utc"},
        FAILURES: {"path", "root", "reason", "stage", "when"},
    }
    for name, row_type in ROWS.items():
        required = {f.name for f in dataclasses.fields(row_type) if f.default is MISSING}
        assert required == first[name], name


def test_an_older_library_takes_new_rows_and_changes(older: Path) -> None:
    """Commits, edits, views and words go on as in a new one, and it opens again."""
    with Library.open(older) as library:
        new = media_row(b"b.jpg", rating=2, keywords=("y", "z"), latitude=1.5)
        insert(library, new)
        library.views.commit(IMAGE_ID, [view_row(new, [0, 1])])
        library.views.set_places([new])
        set_human_caption(library, new.key, "another")
        library.tidy()
    with Library.open(older) as library:
        found = {row.path: row for row in library.media.iter_rows()}
        assert found[b"/photos/b.jpg"] == dataclasses.replace(new, human_caption="another")
        assert found[b"/photos/a.jpg"].human_caption == "mine"


def test_a_backup_is_written_before_an_older_library_changes(older: Path) -> None:
    """What people wrote is in it."""
    Library.open(older).close()
    (path,) = backups_of(older)
    assert [edit.new for edit in read_backup(path).edits] == ['"mine"']


def test_a_library_that_is_up_to_date_is_left_alone(tmp_path: Path) -> None:
    """No backup, and no new version of a table, at each start."""
    with Library.open(tmp_path) as library:
        library.roots.add(b"/photos")
    versions = {name: table_of(tmp_path, name).version for name in TABLES}
    Library.open(tmp_path).close()
    assert {name: table_of(tmp_path, name).version for name in TABLES} == versions
    assert backups_of(tmp_path) == []


def test_an_update_that_was_killed_half_way_goes_on(older: Path) -> None:
    """One table has its columns, the next lacks some, the description is still the old one."""
    Library.open(older).close()
    make_older(older, {MEDIA: ["keywords"], ROOTS: ["excludes"], views_table(IMAGE_ID): []})
    with Library.open(older) as library:
        (row,) = library.media.iter_rows()
        assert (row.human_caption, row.keywords) == ("mine", ())
        assert library.roots.all()[0].excludes == ()


def test_a_reader_says_so_where_an_older_library_can_not_be_brought_up_to_date(
    older: Path,
) -> None:
    """Another program holds its lock: one sentence, and nothing is changed."""
    lock = WriterLock(older)
    lock.acquire()
    try:
        with pytest.raises(UserError, match=rf"older CocaDesk.*{os.getpid()}"):
            Library.open(older, writer=False)
    finally:
        lock.release()
    manifest = read_manifest(older)
    assert manifest is not None
    assert manifest.is_older
