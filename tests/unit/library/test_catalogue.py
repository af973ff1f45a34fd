"""The catalogue of media follows all that is written, and files give it back."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.library.catalogue import COLUMN_FIELDS, Catalogue
from cocadesk.library.columns import Column, TextMatch, TextTest, column_of
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.rows import MediaRow, ResultRow
from cocadesk.library.snapshot import Snapshot, open_snapshot, write_snapshot
from cocadesk.library.vector_memory import VectorMemory, no_views
from tests.support.library_rows import media_row

KEYS = "abcdef"
ROWS = st.builds(
    lambda key, camera, keywords, rating, taken, caption: media_row(
        key.encode(),
        key=key,
        camera=camera,
        keywords=tuple(keywords),
        rating=rating,
        taken_local=taken,
        machine_caption=caption,
    ),
    st.sampled_from(KEYS),
    st.sampled_from([None, "", "Leica", "Nikon"]),
    st.lists(st.sampled_from(["sea", "Sun", "dog"]), max_size=3),
    st.sampled_from([None, 1, 5]),
    st.sampled_from([None, datetime(2014, 5, 3), datetime(2015, 1, 1)]),
    st.sampled_from([None, "a dog"]),
)
STEPS = st.lists(st.tuples(st.lists(ROWS, max_size=4), st.sets(st.sampled_from(KEYS))), max_size=6)


class Rows:
    """Media rows as a part of a catalogue."""

    def __init__(self, rows: Sequence[MediaRow]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, field: str) -> Column:
        """The column of one of the fields."""
        names = COLUMN_FIELDS[field].columns
        return column_of(
            COLUMN_FIELDS[field], ([getattr(r, name) for name in names] for r in self.rows)
        )

    def result(self, place: int) -> ResultRow:
        """What a search shows."""
        row = self.rows[place]
        return ResultRow(row.key, row.path, row.kind, row.state, row.picture_hash, row.caption)


def check(media: Catalogue, expected: dict[str, MediaRow]) -> None:
    """The catalogue says of each medium what its row says."""
    found = media.results([*KEYS, "unknown"])
    assert [row.key for row in found] == sorted(expected)
    assert [row.caption for row in found] == [expected[row.key].caption for row in found]
    columns = media.columns(["camera", "keyword", "rating", "taken"])

    def keys(mask: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> set[str]:
        return {media.keys.key(int(number)) for number in np.flatnonzero(mask & columns.is_there)}

    def those(passes: object) -> set[str]:
        assert callable(passes)
        return {key for key, row in expected.items() if passes(row)}

    is_leica, is_sun = (TextTest(TextMatch.EQUAL, text) for text in ("leica", "sun"))
    day = np.datetime64("2014-12-31", "us")
    assert keys(columns.is_there) == set(expected)
    assert keys(columns.texts("camera").where(is_leica)) == those(lambda r: r.camera == "Leica")
    assert keys(columns.texts("camera").present()) == those(lambda r: bool(r.camera))
    assert keys(columns.texts("keyword").where(is_sun)) == those(lambda r: "Sun" in r.keywords)
    assert keys(columns.texts("keyword").present()) == those(lambda r: bool(r.keywords))
    assert keys(columns.ordered("rating").where(2, None)) == those(lambda r: (r.rating or 0) > 1)
    assert keys(columns.ordered("taken").where(None, day)) == those(
        lambda r: r.taken is not None and r.taken.year == 2014
    )


@settings(max_examples=60, deadline=None)
@given(steps=STEPS, asked=st.integers(0, 6))
def test_a_catalogue_says_what_was_put_last(
    steps: list[tuple[list[MediaRow], set[str]]], asked: int
) -> None:
    """Whenever columns are asked for; what is gone is gone until it is put again."""
    media = Catalogue(KeyNumbers())
    expected: dict[str, MediaRow] = {}
    for number, (rows, gone) in enumerate(steps):
        unique = list({row.key: row for row in rows}.values())
        lost = sorted(gone - {row.key for row in unique})
        media.put([row.key for row in unique], Rows(unique), media.keys.numbers(lost))
        expected.update({row.key: row for row in unique})
        for key in lost:
            expected.pop(key, None)
        if number >= asked:
            check(media, expected)
    check(media, expected)


@settings(max_examples=30, deadline=None)
@given(steps=STEPS, more=STEPS)
def test_a_file_gives_the_catalogue_back(
    steps: list[tuple[list[MediaRow], set[str]]], more: list[tuple[list[MediaRow], set[str]]]
) -> None:
    """And it goes on from there; nothing of media that are gone is in the file."""
    expected: dict[str, MediaRow] = {}
    media = Catalogue(KeyNumbers())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in (steps, more):
            for rows, gone in part:
                unique = list({row.key: row for row in rows}.values())
                lost = sorted(gone - {row.key for row in unique})
                media.put([row.key for row in unique], Rows(unique), media.keys.numbers(lost))
                expected.update({row.key: row for row in unique})
                for key in lost:
                    expected.pop(key, None)
            vectors = VectorMemory(later=(no_views(4),))
            write_snapshot(folder, Snapshot(model="m", media=media, vectors=vectors), "state")
            assert open_snapshot(folder, "another", "m") is None
            opened = open_snapshot(folder, "state", "m")
            assert opened is not None
            media = opened.media
            check(media, expected)
            data = (folder / "search.snapshot").read_bytes()
            cameras = {row.camera for row in expected.values()}
            assert (b"leica" in data) == ("Leica" in cameras)
