"""Columns in memory, the results that searches show, and the files of a library."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from cocadesk.errors import UserError
from cocadesk.library.columns import TextMatch, TextTest
from cocadesk.library.layout import (
    Manifest,
    Thumbnails,
    is_manifest_right,
    make_folder,
    mend_manifest,
    read_manifest,
    views_table,
    write_manifest,
)
from cocadesk.library.library import Library, Sizes
from cocadesk.library.lock import WriterLock
from cocadesk.library.rows import JobRow, MediaState, Tag
from tests.support.columns import columns_of
from tests.support.library_rows import insert, media_row

ROWS = [
    media_row(b"a", camera="NIKON", keywords=("Sea", "sea", "sun"), rating=3),
    media_row(b"b", camera="", machine_tags=(Tag(tag="Dog", score=0.5),)),
    media_row(b"c", camera="nikon", taken_local=datetime(2014, 5, 3), rating=1, human_rating=5),
]
FIELDS = ["camera", "keyword", "tag", "rating", "taken", "position"]


def test_texts_are_compared_folded_and_kept_once() -> None:
    """An empty text is none."""
    column = columns_of(ROWS, FIELDS).texts("camera")
    assert list(column.texts) == ["nikon"]
    assert column.where(TextTest(TextMatch.CONTAINS, "nik")).tolist() == [True, False, True]
    assert column.present().tolist() == [True, False, True]


def test_one_text_of_a_list_is_enough() -> None:
    """Lists may be empty; equal ones count once."""
    columns = columns_of(ROWS, FIELDS)
    is_sea = TextTest(TextMatch.EQUAL, "sea")
    assert columns.texts("keyword").where(is_sea).tolist() == [True, False, False]
    assert columns.texts("tag").present().tolist() == [False, True, False]
    assert columns.texts("tag").where(TextTest(TextMatch.EQUAL, "cat")).tolist() == [False] * 3


def test_ranges_hold_their_ends_and_never_what_is_not_known() -> None:
    """Numbers and times; a person's rating stands before the file's."""
    columns = columns_of(ROWS, FIELDS)
    assert columns.ordered("rating").where(3, 5).tolist() == [True, False, True]
    assert columns.ordered("rating").where(None, 3).tolist() == [True, False, False]
    day = np.datetime64("2014-05-03T00:00:00", "us")
    assert columns.ordered("taken").where(day, day).tolist() == [False, False, True]
    assert columns.ordered("taken").where(None, None).tolist() == [False, False, True]
    assert not columns.ordered("position").present().any()


def test_a_column_is_asked_by_its_form() -> None:
    """Texts have no range, numbers no text."""
    columns = columns_of(ROWS, FIELDS)
    with pytest.raises(TypeError, match="rating"):
        columns.texts("rating")
    with pytest.raises(TypeError, match="camera"):
        columns.ordered("camera")


def test_no_media_have_empty_columns() -> None:
    """Every form of column may be empty."""
    columns = columns_of([], FIELDS)
    assert [len(column.present()) for column in columns.columns.values()] == [0] * len(FIELDS)


@pytest.fixture(params=[Sizes(), Sizes(memory_rows=0)], ids=["in memory", "too many"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A library of three media that fit into memory, or not."""
    with Library.open(tmp_path / "library", sizes=request.param) as opened:
        insert(opened, *ROWS)
        yield opened


def test_results_come_in_the_order_of_their_keys(library: Library) -> None:
    """With what a list shows; a person's caption stands before a machine's."""
    first, second, third = ROWS
    library.media.set_captions({first.key: "a machine's"}, "m")
    found = library.results.of_keys([third.key, "unknown", first.key])
    assert [(one.key, one.path, one.caption) for one in found] == [
        (third.key, third.path, None),
        (first.key, first.path, "a machine's"),
    ]
    library.media.set_state([first.key], MediaState.MISSING, None)
    assert library.results.of_keys([first.key])[0].state is MediaState.MISSING
    assert library.results.keys_where("rating = 1") == {third.key}
    assert second.key not in library.results.keys_where("rating >= 1")


def test_columns_of_results_follow_each_commit(tmp_path: Path) -> None:
    """The same while nothing changes; a new field joins those that are there."""
    with Library.open(tmp_path / "library") as library:
        insert(library, *ROWS)
        one = library.results.columns(["camera"])
        other = library.results.columns(["camera", "rating"])
        assert one is not None
        assert other is not None
        assert one.is_there is other.is_there
        assert other.columns["camera"] is one.columns["camera"]
        insert(library, media_row(b"d", camera="Leica"))
        after = library.results.columns(["camera", "rating"])
        assert after is not None
        assert np.count_nonzero(after.is_there) == 4
        assert "leica" in after.texts("camera").texts
        assert len(after.columns["rating"].present()) == 4


def test_too_many_media_have_no_columns(tmp_path: Path) -> None:
    """They would have to be read at once: the store is asked instead."""
    sizes = Sizes(memory_rows=2)
    with Library.open(tmp_path / "library", sizes=sizes) as library:
        insert(library, *ROWS[:2])
        assert library.results.columns(["camera"]) is not None
        insert(library, ROWS[2])
    with Library.open(tmp_path / "library", sizes=sizes) as library:
        assert library.results.columns(["camera"]) is None


def test_a_manifest_is_replaced_whole(tmp_path: Path) -> None:
    """What is written is read; no temporary file stays."""
    assert read_manifest(tmp_path) is None
    manifest = Manifest(id="x")
    write_manifest(tmp_path, manifest)
    assert read_manifest(tmp_path) == manifest
    full = Manifest(id="x", image_id="i", model_id="m", model_source="run:1")
    write_manifest(tmp_path, full)
    assert read_manifest(tmp_path) == full
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["library.json", "library.json.copy"]


@pytest.mark.parametrize("damage", [b"", b"{", b'{"id": "y"}', None])
def test_the_copy_of_a_manifest_steps_in(tmp_path: Path, damage: bytes | None) -> None:
    """For a file that is cut, of another content or gone; then both are the same again."""
    manifest = Manifest(id="x", image_id="i")
    write_manifest(tmp_path, manifest)
    file = tmp_path / "library.json"
    file.unlink() if damage is None else file.write_bytes(damage)
    assert read_manifest(tmp_path) == manifest
    assert mend_manifest(tmp_path)
    assert not mend_manifest(tmp_path)
    assert is_manifest_right(tmp_path)


def test_a_letter_changed_in_a_manifest_is_noticed(tmp_path: Path) -> None:
    """It would be another model: the checksum does not fit, and the copy is read."""
    manifest = Manifest(id="x", image_id="fake-1")
    write_manifest(tmp_path, manifest)
    file = tmp_path / "library.json"
    file.write_bytes(file.read_bytes().replace(b"fake-1", b"fake-2"))
    assert read_manifest(tmp_path) == manifest


def test_entries_that_a_manifest_does_not_know_are_passed_over(tmp_path: Path) -> None:
    """Another program of the same schema may have noted something."""
    write_manifest(tmp_path, Manifest(id="x"))
    raw = json.loads((tmp_path / "library.json").read_text())
    (tmp_path / "library.json").write_text(json.dumps({**raw, "note": 1}))
    assert read_manifest(tmp_path) == Manifest(id="x")


def test_a_lock_is_one_writers_until_it_is_given_back(tmp_path: Path) -> None:
    """Twice given back is once; the file stays, empty."""
    one, other = WriterLock(tmp_path), WriterLock(tmp_path)
    one.acquire()
    with pytest.raises(UserError, match=f"process {os.getpid()}"):
        other.acquire()
    one.release()
    one.release()
    other.acquire()
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    other.release()
    assert (tmp_path / "lock").read_bytes() == b""


def test_a_lock_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    """The folder is not there, or is none."""
    with pytest.raises(UserError, match="can't be written"):
        WriterLock(tmp_path / "nowhere").acquire()


def test_a_folder_of_ones_own_becomes_a_library(tmp_path: Path) -> None:
    """What belongs in it may lie there already; what does not is named."""
    make_folder(tmp_path / "new" / "library")
    assert (tmp_path / "new" / "library").is_dir()
    for name in ("store", "thumbs", "runs", "engine.log", ".hidden"):
        (tmp_path / "new" / "library" / name).mkdir()
    make_folder(tmp_path / "new" / "library")
    (tmp_path / "new" / "library" / "holiday.jpg").write_bytes(b"")
    with pytest.raises(UserError, match=r"holiday\.jpg"):
        make_folder(tmp_path / "new" / "library")
    with pytest.raises(UserError, match="can't be made"):
        make_folder(tmp_path / "new" / "library" / "holiday.jpg")


def test_thumbnails_of_a_medium_and_of_its_moments_lie_together(tmp_path: Path) -> None:
    """The first one written stays: the same picture has the same thumbnail."""
    thumbnails = Thumbnails(tmp_path)
    thumbnails.write("abcdef", b"whole")
    thumbnails.write("abcdef", b"moment", 3)
    thumbnails.write("abcdef", b"another", 3)
    assert thumbnails.path("abcdef") == tmp_path / "ab" / "cd" / "abcdef.jpg"
    assert thumbnails.path("abcdef").read_bytes() == b"whole"
    assert thumbnails.moment_path("abcdef", 3).read_bytes() == b"moment"
    assert len(list((tmp_path / "ab" / "cd").iterdir())) == 2


def test_a_table_of_views_is_named_by_what_a_file_may_be_called() -> None:
    """Letters that a file system refuses are replaced."""
    assert views_table("starter-0123ab") == "views_starter-0123ab"
    assert views_table("a/b:c d") == "views_a_b_c_d"


def test_roots_and_jobs_are_kept_by_their_names(tmp_path: Path) -> None:
    """Adding or saving again replaces; a root keeps the day it was added."""
    with Library.open(tmp_path / "library") as library:
        folder = os.fsencode(tmp_path)
        first = library.roots.add(folder)
        scanned = datetime(2020, 1, 1, tzinfo=UTC)
        again = library.roots.add(folder, scanned_utc=scanned)
        assert (again.added_utc, again.scanned_utc) == (first.added_utc, scanned)
        assert library.roots.add(folder).scanned_utc == scanned
        assert library.roots.all() == [library.roots.add(folder)]
        library.roots.add(b"/nowhere")
        first = library.roots.all()[0]
        assert (first.path, first.device) == (b"/nowhere", None)
        now = datetime(2020, 1, 1, tzinfo=UTC)
        jobs = [
            JobRow(id=state, kind="index", spec="{}", state=state, created_utc=now, updated_utc=now)
            for state in ("done", "waiting")
        ]
        for job in (*jobs, *jobs):
            library.jobs.save(job)
        assert library.jobs.all() == jobs
        library.jobs.forget(jobs[0].id)
        library.jobs.forget("unknown")
        assert library.jobs.all() == jobs[1:]
