"""Rows survive the way into Arrow and back, whatever they hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.library.layout import MEDIA
from cocadesk.library.paths import fold, fold_path, is_under, storable
from cocadesk.library.rows import (
    Edit,
    FailureRow,
    JobRow,
    MediaKind,
    MediaRow,
    MediaState,
    RootRow,
    Tag,
    ViewRow,
    ViewShows,
)
from cocadesk.library.schema import (
    EDITS,
    FAILURES,
    JOBS,
    ROOTS,
    TABLES,
    arrow_to_identities,
    arrow_to_rows,
    arrow_to_views,
    placed_to_arrow,
    rows_to_arrow,
    views_to_arrow,
)

TEXT = st.text(max_size=6)
STORABLE = TEXT.map(storable)
BYTES = st.binary(max_size=6)
INTEGERS = st.integers(min_value=-(2**40), max_value=2**40)
FLOATS = st.floats(allow_nan=False, width=32)
NAIVE = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30))
IN_UTC = NAIVE.map(lambda when: when.replace(tzinfo=UTC))
TEXTS = st.lists(STORABLE, max_size=3).map(tuple)
TAGS = st.lists(st.builds(Tag, tag=STORABLE, score=FLOATS), max_size=3).map(tuple)

ROWS = st.builds(
    MediaRow,
    key=STORABLE,
    root=BYTES,
    path=BYTES.map(lambda name: b"/" + name),
    kind=st.sampled_from(MediaKind),
    size_bytes=INTEGERS,
    mtime_ns=INTEGERS,
    file_hash=STORABLE,
    picture_hash=STORABLE,
    duration_s=st.none() | FLOATS,
    taken_utc=st.none() | IN_UTC,
    taken_local=st.none() | NAIVE,
    utc_offset_min=st.none() | INTEGERS,
    latitude=st.none() | FLOATS,
    camera=st.none() | STORABLE,
    rating=st.none() | INTEGERS,
    keywords=TEXTS,
    state=st.sampled_from(MediaState),
    embedded=TEXTS,
    machine_tags=TAGS,
    human_caption=st.none() | STORABLE,
    human_tags_added=TEXTS,
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROWS, max_size=3))
def test_media_come_back_as_they_were(rows: list[MediaRow]) -> None:
    """Every field, whatever bytes, letters and times it holds."""
    table = rows_to_arrow(MEDIA, rows)
    assert table.schema == TABLES[MEDIA]
    assert arrow_to_rows(MediaRow, table) == rows
    identities = arrow_to_identities(table)
    assert [(one.key, one.path, one.embedded) for one in identities] == [
        (row.key, row.path, row.embedded) for row in rows
    ]


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(categories=["Cs", "Lu", "Ll", "Nd"]), max_size=8))
def test_text_that_no_table_can_hold_becomes_storable(text: str) -> None:
    """Only lone surrogates change; case never counts in what is folded."""
    assert storable(text).encode().decode() == storable(text)
    assert storable(storable(text)) == storable(text)
    assert len(storable(text)) == len(text)
    assert fold(fold(text)) == fold(text)
    row = MediaRow(
        key="k", root=b"", path=b"/", size_bytes=1, mtime_ns=1, file_hash="f", picture_hash="p",
        title=text, keywords=(text,), machine_tags=(Tag(tag=text, score=0.0),),
    )  # fmt: skip
    (back,) = arrow_to_rows(MediaRow, rows_to_arrow(MEDIA, [row]))
    kept = storable(text)
    assert (back.title, back.keywords, back.machine_tags[0].tag) == (kept, (kept,), kept)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_rows_of_small_tables_come_back(data: st.DataObject) -> None:
    """Failures, roots, jobs and edits."""
    for table, row_type, strategy in (
        (FAILURES, FailureRow, st.builds(
            FailureRow, path=BYTES, root=BYTES, reason=STORABLE, stage=STORABLE, when=IN_UTC,
            size_bytes=INTEGERS, mtime_ns=INTEGERS)),
        (ROOTS, RootRow, st.builds(
            RootRow, path=BYTES, added_utc=IN_UTC, is_folder=st.booleans(),
            device=st.none() | INTEGERS, inode=st.none() | INTEGERS,
            scanned_utc=st.none() | IN_UTC)),
        (JOBS, JobRow, st.builds(
            JobRow, id=STORABLE, kind=STORABLE, spec=STORABLE, state=STORABLE,
            created_utc=IN_UTC, updated_utc=IN_UTC, stage=STORABLE, done=INTEGERS,
            total=st.none() | INTEGERS, failed=INTEGERS, message=st.none() | STORABLE,
            report=st.none() | STORABLE)),
        (EDITS, Edit, st.builds(
            Edit, seq=INTEGERS, batch=STORABLE, key=STORABLE, who=STORABLE, when=IN_UTC,
            field=STORABLE, old=STORABLE, new=STORABLE, undoes=st.none() | STORABLE)),
    ):  # fmt: skip
        rows = data.draw(st.lists(strategy, max_size=2))  # type: ignore[attr-defined]
        assert arrow_to_rows(row_type, rows_to_arrow(table, rows)) == rows  # type: ignore[type-var]


def test_views_come_back_with_half_the_digits_of_their_vectors() -> None:
    """Vectors are stored as float16; the rest is exact."""
    vector = np.random.default_rng(1).standard_normal(16).astype(np.float32)
    view = ViewRow(
        key="k", view=3, picture_hash="p", vector=vector, root=b"\xff", folder_text="/a/",
        shows=ViewShows.SPAN, kind=MediaKind.VIDEO, start_s=0.5, end_s=1.5, time_s=1.0,
        taken=datetime(2014, 5, 3) + timedelta(microseconds=7), latitude=1.25,
    )  # fmt: skip
    (back,) = arrow_to_views(views_to_arrow([view]), 16)
    np.testing.assert_allclose(back.vector, vector, rtol=1e-3)
    for name in ViewRow.__dataclass_fields__:
        if name != "vector":
            assert getattr(back, name) == getattr(view, name)


def test_the_place_of_a_medium_is_written_to_its_views_by_key() -> None:
    """Those columns alone that follow the row."""
    row = MediaRow(
        key="k", root=b"/r", path=b"/r/Sub/x.jpg", size_bytes=1, mtime_ns=1, file_hash="f",
        picture_hash="p", taken_local=datetime(2014, 1, 2), longitude=3.0,
    )  # fmt: skip
    assert placed_to_arrow([row]).to_pylist() == [
        {
            "key": "k",
            "root": b"/r",
            "folder_text": "/r/sub/",
            "kind": "photo",
            "taken": datetime(2014, 1, 2),
            "latitude": None,
            "longitude": 3.0,
        }
    ]


def test_a_path_lies_under_its_folders_alone() -> None:
    """Names that begin alike are no folders of it."""
    assert is_under(b"/a/b", b"/a")
    assert is_under(b"/a/b", b"/a/")
    assert is_under(b"/a", b"/a")
    assert is_under(b"/a", b"/")
    assert not is_under(b"/ab", b"/a")
    assert fold_path("Ä/B") == "ä/b"
