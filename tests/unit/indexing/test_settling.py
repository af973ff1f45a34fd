"""Files that are being written are left for the next index, where one asks for that."""

from __future__ import annotations

import os
import time
from pathlib import Path

from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from tests.support.index_tools import row_at, run_index, write_photo

SETTLING = IndexOptions(settle_s=3600.0)


def _aged(path: Path) -> Path:
    """The file as one that was changed two hours ago."""
    long_ago_s = time.time() - 7200
    os.utime(path, (long_ago_s, long_ago_s))
    return path


def test_a_file_that_was_changed_just_now_is_left_for_later(tmp_path: Path) -> None:
    """It is counted, not read; once it has been still, it is."""
    photos = tmp_path / "photos"
    _aged(write_photo(photos / "old.jpg", 1))
    young = write_photo(photos / "young.jpg", 2)
    with Library.open(tmp_path / "library") as library:
        first = run_index(library, [photos], options=SETTLING)
        assert (first.indexed, first.unsettled) == (1, 1)
        assert library.media.row_by_path(os.fsencode(young)) is None
        _aged(young)
        second = run_index(library, [photos], options=SETTLING)
        assert (second.indexed, second.unchanged, second.unsettled) == (1, 1, 0)


def test_a_known_file_that_is_being_written_stays_as_it_was(tmp_path: Path) -> None:
    """Neither missing nor edited, until its new content is whole."""
    photos = tmp_path / "photos"
    path = _aged(write_photo(photos / "a.jpg", 1))
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos])
        before = row_at(library, path)
        path.write_bytes(b"\xff\xd8 half a pho")
        report = run_index(library, [photos], options=SETTLING)
        assert (report.missing, report.failed, report.unsettled) == (0, (), 1)
        assert row_at(library, path) == before
        write_photo(path, 3)
        _aged(path)
        run_index(library, [photos], options=SETTLING)
        after = row_at(library, path)
        assert after.key == before.key
        assert after.picture_hash != before.picture_hash
        assert after.state is MediaState.PRESENT


def test_a_file_from_the_future_is_read(tmp_path: Path) -> None:
    """A camera's clock may be wrong; nobody waits for years."""
    path = write_photo(tmp_path / "photos" / "a.jpg", 1)
    later_s = time.time() + 1e6
    os.utime(path, (later_s, later_s))
    with Library.open(tmp_path / "library") as library:
        assert run_index(library, [tmp_path / "photos"], options=SETTLING).indexed == 1


def test_an_index_that_a_person_starts_waits_for_nothing(tmp_path: Path) -> None:
    """What was copied a moment ago is meant."""
    write_photo(tmp_path / "photos" / "a.jpg", 1)
    with Library.open(tmp_path / "library") as library:
        report = run_index(library, [tmp_path / "photos"])
        assert (report.indexed, report.unsettled) == (1, 0)
