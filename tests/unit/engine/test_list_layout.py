"""The days of lists: of what was taken, of what was only filed, and of what has no time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from cocadesk.engine.list_layout import ListLayout
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange
from cocadesk.protocol.values import NO_DAY, Days
from cocadesk.search.filters import EVERYTHING
from cocadesk.search.ordering import Order, SortKey, ordered_keys
from tests.support.library_rows import media_row

IMAGE_ID = "tiny-000000000000"
EPOCH = date(1970, 1, 1).toordinal()
NEW, OLD = date(2024, 5, 3).toordinal() - EPOCH, date(1931, 7, 1).toordinal() - EPOCH


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A photo of 2024, two scans of 1931, and two files that nobody knows the time of."""
    rows = [
        media_row(b"/p/a.jpg", taken_local=datetime(2024, 5, 3, 12)),
        media_row(b"/p/b.jpg", mtime_ns=0),
        media_row(b"/p/c.jpg", taken_local=datetime(1931, 7, 1)),
        media_row(b"/p/d.jpg", taken_local=datetime(1931, 7, 1, 23)),
        media_row(b"/p/e.jpg", mtime_ns=3_600 * 10**9),
    ]
    with Library.open(tmp_path / "library") as opened:
        opened.views.create(IMAGE_ID, 2)
        opened.set_model(IMAGE_ID)
        opened.media.commit([MediaChange(row=row, is_new=True) for row in rows])
        yield opened


def test_what_has_no_time_stands_behind_all_days(library: Library) -> None:
    """Both ways; a file's first of January 1970 is no day on which a photo was taken."""
    layout = ListLayout(library.results)
    newest = ordered_keys(library, EVERYTHING)
    assert layout.days(newest) == Days(days=(NEW, OLD, NO_DAY), counts=(1, 2, 2))
    oldest = ordered_keys(library, EVERYTHING, Order(SortKey.TAKEN, is_reversed=True))
    assert layout.days(oldest) == Days(days=(OLD, NEW, NO_DAY), counts=(2, 1, 2))


def test_a_list_in_which_they_stand_between_has_no_days(library: Library) -> None:
    """It is in no order of time; one of them alone is."""
    layout = ListLayout(library.results)
    *dated, first, last = ordered_keys(library, EVERYTHING)
    assert layout.days([first, *dated, last]) is None
    assert layout.days([first, last]) == Days(days=(NO_DAY,), counts=(2,))
