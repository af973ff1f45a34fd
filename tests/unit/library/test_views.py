"""The tables of vectors: commits, what falls away, and the copy in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from cocadesk.library.library import Library, Sizes
from cocadesk.library.rows import Chosen, MediaKind, MediaRow, ViewRow, ViewShows
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row

OTHER_ID = "other-0123456789ab"


@pytest.fixture(params=[Sizes(), Sizes(memory_rows=0)], ids=["in memory", "from the table"])
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A library whose vectors fit into memory, or not."""
    with Library.open(tmp_path / "library", sizes=request.param) as opened:
        opened.views.create(IMAGE_ID, 2)
        yield opened


def video(library: Library, *, moments: int, picture_hash: str = "film") -> MediaRow:
    """A video with its views committed: the whole and some moments."""
    row = media_row(b"film.mp4", kind=MediaKind.VIDEO, picture_hash=picture_hash)
    spans = [
        view_row(row, [0, 1], n, shows=ViewShows.SPAN, start_s=n, end_s=n + 1, time_s=n + 0.5)
        for n in range(1, moments + 1)
    ]
    library.views.commit(IMAGE_ID, [view_row(row, [1, 0]), *spans])
    insert(library, row)
    return row


def test_views_committed_twice_are_there_once(library: Library) -> None:
    """Keyed by key and number; the last vector counts."""
    row = media_row(b"a")
    for vector in ([1, 0], [0, 1], [0, 1]):
        library.views.commit(IMAGE_ID, [view_row(row, vector)])
    stored = library.views.of_keys(IMAGE_ID, [row.key])[row.key]
    assert [view.vector.tolist() for view in stored] == [[0, 1]]
    assert library.views.count(IMAGE_ID) == 1


def test_the_same_views_written_by_two_threads_at_once_are_there_once(library: Library) -> None:
    """An index and a switch of models may meet over one photo: one of them adds its views."""
    for n in range(15):
        row = media_row(b"photo %d.jpg" % n, picture_hash=f"picture {n}")
        views = [view_row(row, [1, 0])]
        start = threading.Barrier(2)

        def write(views: list[ViewRow] = views, start: threading.Barrier = start) -> None:
            start.wait()
            library.views.commit(IMAGE_ID, views)

        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(library.views.marks(IMAGE_ID)) == 15


def test_an_image_id_without_a_table_has_nothing(library: Library) -> None:
    """Every question has an empty answer."""
    views, vector = library.views, np.asarray([1, 0], np.float32)
    assert not views.has(OTHER_ID)
    assert views.count(OTHER_ID) == 0
    assert views.marks(OTHER_ID) == []
    assert views.of_keys(OTHER_ID, ["x"]) == {}
    assert views.vectors_of(OTHER_ID, ["x"]) == {}
    assert views.nearest(OTHER_ID, vector, 5) == []


def test_views_from_a_number_on_can_be_dropped(library: Library) -> None:
    """Of each medium its own; zero drops all."""
    one, other = video(library, moments=3), media_row(b"b")
    library.views.commit(IMAGE_ID, [view_row(other, [1, 0])])
    library.views.remove_from(IMAGE_ID, {one.key: 2, other.key: 0})
    marks = library.views.marks(IMAGE_ID)
    assert sorted((mark.key, mark.view) for mark in marks) == [(one.key, 0), (one.key, 1)]
    assert [mark.view for mark in library.views.whole_marks(IMAGE_ID)] == [0]


def test_boxes_and_spans_are_told_apart(library: Library) -> None:
    """Neither is the whole."""
    spans, boxes = video(library, moments=2), media_row(b"b")
    parts = [view_row(boxes, [1, 0], n, shows=ViewShows.BOX) for n in (1, 2, 3)]
    library.views.commit(IMAGE_ID, [view_row(boxes, [1, 0]), *parts])
    for shows, key, count in ((ViewShows.SPAN, spans.key, 2), (ViewShows.BOX, boxes.key, 3)):
        marks = library.views.part_marks(IMAGE_ID, shows)
        assert sorted((mark.key, mark.view) for mark in marks) == [
            (key, number) for number in range(1, count + 1)
        ]


def test_moments_of_an_earlier_picture_are_stale(library: Library) -> None:
    """A crash between two commits leaves them; those of the picture shown now stay."""
    row = video(library, moments=4, picture_hash="old")
    shown = replace(row, picture_hash="new")
    fresh = [view_row(shown, [0, 1], number, time_s=1.0 * number) for number in range(3)]
    library.views.commit(IMAGE_ID, fresh)
    library.views.remove_stale(IMAGE_ID)
    marks = sorted(library.views.marks(IMAGE_ID), key=lambda mark: mark.view)
    assert [(mark.view, mark.picture_hash) for mark in marks] == [(n, "new") for n in range(3)]


def test_only_the_tables_of_given_ids_are_kept(library: Library) -> None:
    """None stands for no model; vectors of two ids never meet."""
    library.views.create(OTHER_ID, 3)
    library.views.commit(OTHER_ID, [view_row(media_row(b"a"), [1, 0, 0])])
    video(library, moments=0)
    assert library.views.count(OTHER_ID) == 1
    library.views.keep_only([IMAGE_ID, None])
    assert library.views.has(IMAGE_ID)
    assert not library.views.has(OTHER_ID)
    assert library.views.count(OTHER_ID) == 0


def test_views_follow_their_medium_to_another_place(library: Library) -> None:
    """The columns to filter by are brought up to date in every table."""
    row = video(library, moments=1)
    library.views.create(OTHER_ID, 2)
    library.views.commit(OTHER_ID, [view_row(row, [1, 0])])
    moved = media_row(
        b"", key=row.key, root=b"/else", path=b"/else/Sub/film.mp4", kind=MediaKind.VIDEO,
        taken_local=datetime(2014, 5, 3), latitude=1.0, longitude=2.0,
    )  # fmt: skip
    library.views.set_places([moved])
    for image_id, count in ((IMAGE_ID, 2), (OTHER_ID, 1)):
        views = library.views.of_keys(image_id, [row.key])[row.key]
        assert len(views) == count
        for view in views:
            assert (view.root, view.folder_text, view.kind) == (b"/else", "/else/sub/", "video")
            assert (view.taken, view.latitude) == (datetime(2014, 5, 3), 1.0)
    library.views.set_places([])


def test_the_vectors_of_a_medium_come_by_number_with_their_times(library: Library) -> None:
    """From memory or the table alike; unknown keys are not among them."""
    row = video(library, moments=2)
    found = library.views.vectors_of(IMAGE_ID, [row.key, "unknown"])
    assert list(found) == [row.key]
    assert [(one.view, one.time_s) for one in found[row.key]] == [(0, None), (1, 1.5), (2, 2.5)]
    np.testing.assert_allclose([one.vector for one in found[row.key]], [[1, 0], [0, 1], [0, 1]])


def test_of_each_medium_the_nearest_view_is_given(library: Library) -> None:
    """In the order asked for; media without views are left out."""
    row, photo = video(library, moments=2), media_row(b"photo.jpg")
    library.views.commit(IMAGE_ID, [view_row(photo, [0.6, 0.8])])
    for query, nearest in ([0, 1], [0, 1]), ([1, 0], [1, 0]):
        asked = np.array(query, np.float32)
        keys, vectors = library.views.nearest_of(IMAGE_ID, [photo.key, "nobody", row.key], asked)
        assert keys == [photo.key, row.key]
        np.testing.assert_allclose(vectors, [[0.6, 0.8], nearest], atol=1e-3)
    assert library.views.nearest_of(IMAGE_ID, ["nobody"], asked)[0] == []


def test_only_chosen_media_are_found(library: Library) -> None:
    """Few of many, many of many, none; the limit counts those that are chosen."""
    rng = np.random.default_rng(2)
    rows = [media_row(b"%d" % number) for number in range(300)]
    vectors = rng.standard_normal((300, 2)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    library.views.commit(
        IMAGE_ID, [view_row(row, vector) for row, vector in zip(rows, vectors, strict=True)]
    )
    query = np.asarray([0.6, 0.8], np.float32)
    order = [rows[i].key for i in np.argsort(-(vectors @ query), kind="stable")]
    for count in (0, 2, 150, 300):
        keys = {row.key for row in rows[:count]}
        found = [hit.key for hit in library.views.nearest(IMAGE_ID, query, 5, Chosen(keys))]
        wanted = [key for key in order if key in keys][:5]
        assert len(found) == len(wanted)
        # Half floats may turn near equals round.
        assert len(set(found) - set([key for key in order if key in keys][:7])) == 0


def test_memory_follows_every_write(library: Library) -> None:
    """Commits and removals are seen by the next question."""
    query = np.asarray([1, 0], np.float32)
    row = video(library, moments=1)
    assert len(library.views.nearest(IMAGE_ID, query, 9)) == 2
    library.views.remove_from(IMAGE_ID, {row.key: 1})
    assert len(library.views.nearest(IMAGE_ID, query, 9)) == 1
    library.views.commit(IMAGE_ID, [view_row(media_row(b"b"), [0, 1])])
    assert len(library.views.nearest(IMAGE_ID, query, 9)) == 2
