"""Libraries of an older program: given the columns that they lack, nothing of people lost."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
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
from cocadesk.library.notices import set_pending
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


def test_the_tables_and_their_version_change_together() -> None:
    """Other columns: raise SCHEMA_VERSION, then note it here with the columns' new hash."""
    schemas = {**TABLES, "views": views_schema(2)}
    columns = [
        f"{table}.{column.name} {column.type} {column.nullable}"
        for table, schema in sorted(schemas.items())
        for column in sorted(schema, key=lambda each: each.name)
    ]
    digest = hashlib.sha256("\n".join(columns).encode()).hexdigest()[:16]
    assert (SCHEMA_VERSION, digest) == (9, "8e9f43ca79456743")


def test_damage_met_at_an_update_is_healed_from_the_backup_of_before(older: Path) -> None:
    """A backup of the damaged tables would be newer and have no words."""
    manifest = read_manifest(older)
    assert manifest is not None
    with Library.open(older) as library:
        of_the_day = library.care.back_up()
    for path in backups_of(older):
        if path != of_the_day:
            path.unlink()
    of_the_day.rename(of_the_day.with_name("2020-01-01.zip"))
    write_manifest(older, manifest)
    for name in (EDITS, MEDIA):
        shutil.rmtree(older / "store" / f"{name}.lance")
    set_pending(older, (EDITS, MEDIA))
    with Library.open(older) as library:
        assert [edit.new for edit in library.edits.all()] == ['"mine"']


class Killed(BaseException):
    """The end of a process: nothing in the program catches it."""


@pytest.mark.parametrize(("added", "pending"), [(0, ()), (1, ()), (5, ()), (1, (EDITS, MEDIA))])
def test_an_update_that_was_killed_is_refused_by_the_older_program_and_goes_on(
    older: Path, monkeypatch: pytest.MonkeyPatch, added: int, pending: tuple[str, ...]
) -> None:
    """After so many additions of columns, also with damage to heal; one backup, or none."""
    table_type, left = lancedb.table.LanceTable, [Killed()] + [None] * added
    whole = table_type.add_columns

    def add_columns(table: Any, columns: Any) -> None:
        if (killed := left.pop()) is not None:
            raise killed
        whole(table, columns)

    set_pending(older, pending)
    with monkeypatch.context() as patch:
        patch.setattr(table_type, "add_columns", add_columns)
        with pytest.raises(Killed):
            Library.open(older)
    assert json.loads((older / "library.json").read_bytes())["schema"] == SCHEMA_VERSION
    backups = [(path, path.stat().st_mtime_ns) for path in backups_of(older)]
    assert len(backups) == (0 if pending else 1)
    with Library.open(older) as library:
        (row,) = library.media.iter_rows()
        assert (row.human_caption, row.keywords) == ("mine", ())
        assert not library.manifest.is_older
        insert(library, media_row(b"b.jpg"))
    assert [(path, path.stat().st_mtime_ns) for path in backups_of(older)] == backups


def test_an_older_library_opens_where_no_backup_can_be_written(older: Path) -> None:
    """Nothing is taken from its tables."""
    (older / "backups").write_bytes(b"")
    with Library.open(older) as library:
        assert [row.human_caption for row in library.media.iter_rows()] == ["mine"]


def test_tags_with_scores_can_be_a_new_column(older: Path) -> None:
    """They are none in the rows of before."""
    make_older(older, {MEDIA: ["machine_tags"]})
    with Library.open(older) as library:
        assert [row.machine_tags for row in library.media.iter_rows()] == [()]
    column = table_of(older, MEDIA).schema.field("machine_tags")
    assert column.type == TABLES[MEDIA].field("machine_tags").type


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
