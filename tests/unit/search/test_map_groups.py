"""Groups of media by year, folder and tag, from columns."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import COLUMN_FIELDS, NEWEST
from cocadesk.library.columns import MediaColumns, column_of
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.rows import MediaRow
from cocadesk.search.map_groups import (
    MOST_GROUPS,
    NO_TAG,
    NO_TIME,
    OTHERS,
    Grouped,
    by_folder,
    by_tag,
    by_year,
)
from tests.support.library_rows import media_row


def _columns(rows: list[MediaRow], field: str) -> tuple[MediaColumns, NDArray[np.int64]]:
    spec = COLUMN_FIELDS[field]
    values = ([getattr(row, column) for column in spec.columns] for row in rows)
    keys = KeyNumbers()
    keys.add([row.key for row in rows])
    columns = MediaColumns(keys, np.ones(len(rows), np.bool_), {field: column_of(spec, values)})
    return columns, np.arange(len(rows))


def _names(grouped: Grouped) -> list[str]:
    return [grouped.names[number] for number in grouped.group_N]


def _of_years(*years: int) -> Grouped:
    rows = [
        media_row(b"%d-%d.jpg" % (n, y), taken_local=datetime(y, 5, 3)) for n, y in enumerate(years)
    ]
    return by_year(*_columns(rows, NEWEST))


def test_few_years_are_groups_of_their_own_the_latest_first() -> None:
    """A year in which nothing was taken is none."""
    grouped = _of_years(2019, 2024, 2019, 2021)
    assert grouped.names == ("2024", "2021", "2019")
    assert _names(grouped) == ["2019", "2024", "2019", "2021"]


def test_many_years_are_put_together() -> None:
    """In steps that can be said; each lies in the group that names it."""
    years = list(range(1931, 2026, 3))
    grouped = _of_years(*years)
    assert 1 < len(grouped.names) <= MOST_GROUPS + 1
    for year, name in zip(years, _names(grouped), strict=True):
        first, last = map(int, name.split("–"))
        assert first <= year <= last


def test_what_has_no_time_is_a_group_of_its_own() -> None:
    """The last one, beside the years that there are; a file's 1970 is no year."""
    rows = [
        media_row(b"a.jpg", taken_local=datetime(2019, 5, 3)),
        media_row(b"b.jpg", mtime_ns=0),
        media_row(b"c.jpg", taken_local=datetime(2021, 5, 3)),
    ]
    grouped = by_year(*_columns(rows, NEWEST))
    assert grouped.names == ("2021", "2019", NO_TIME)
    assert _names(grouped) == ["2019", NO_TIME, "2021"]
    assert by_year(*_columns(rows[1:2], NEWEST)).names == (NO_TIME,)


def test_no_media_have_no_groups() -> None:
    """An empty library is no error."""
    assert _of_years().names == ()


def test_the_largest_folders_have_their_names() -> None:
    """All smaller ones are one group, the last."""
    rows = [
        media_row(b"trip %02d/%d.jpg" % (folder, number))
        for folder in range(MOST_GROUPS + 4)
        for number in range(folder + 1)
    ]
    grouped = by_folder(*_columns(rows, "folder"))
    counts = Counter(_names(grouped))
    assert len(grouped.names) == MOST_GROUPS + 1
    assert grouped.names[-1] == OTHERS
    assert grouped.names[0] == f"trip {MOST_GROUPS + 3:02}"
    assert counts[OTHERS] == 1 + 2 + 3 + 4


def test_a_folder_that_was_read_in_parts_is_one_group() -> None:
    """What an index commits later has codes of its own for the same texts."""
    rows = [media_row(b"trip/%d.jpg" % number) for number in range(5)]
    columns, numbers = _columns(rows, "folder")
    (later, _), some = _columns(rows[2:4], "folder"), numbers[2:4]
    column = columns.texts("folder").put([(some, later.texts("folder"))], len(rows))
    in_parts = MediaColumns(columns.keys, columns.is_there, {"folder": column})
    grouped = by_folder(in_parts, numbers)
    assert grouped.names == ("trip",)
    assert _names(grouped) == ["trip"] * 5


def test_a_medium_of_several_tags_is_of_the_rarest() -> None:
    """Of those that have a colour; tags that nothing is left for are no group."""
    tags = [("dog", "beach"), ("dog",), ("dog", "beach"), (), ("beach", "kite", "dog"), ("hat",)]
    rows = [media_row(b"%d.jpg" % number, human_tags_added=own) for number, own in enumerate(tags)]
    grouped = by_tag(*_columns(rows, "tag"))
    assert _names(grouped) == ["beach", "dog", "beach", NO_TAG, "kite", "hat"]
    assert set(grouped.names) == set(_names(grouped))
    numbers = np.array([5, 1])
    some = by_tag(_columns(rows, "tag")[0], numbers)
    assert _names(some) == ["hat", "dog"]
