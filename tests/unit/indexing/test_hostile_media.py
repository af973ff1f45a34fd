"""Files that were made to break a decoder take no other file with them.

The short form; ``tests/bench/faults.py`` draws thousands.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.hostile_media import hostile_among_good, odd_photos, odd_videos
from tests.support.shared import shared_path


def test_damaged_files_fail_by_themselves_and_good_ones_are_indexed(tmp_path: Path) -> None:
    """Cut, flipped, blown up, mislabelled; pipes, loops and bombs. None breaks a decoder."""
    assert hostile_among_good(tmp_path, seed=1, count=30) == 30


@pytest.mark.shared
@pytest.mark.timeout(600)
@pytest.mark.skipif(os.name == "nt", reason="Windows can't hold these names")
def test_odd_photos_are_indexed_with_their_size_and_a_second_run_indexes_none(
    tmp_path: Path,
) -> None:
    """Every readable one as the table says; the others are recorded with a reason."""
    assert odd_photos(tmp_path, shared_path("media/photos").resolve()) > 200


@pytest.mark.shared
@pytest.mark.timeout(600)
def test_odd_videos_are_indexed_as_their_table_says_and_a_second_run_indexes_none(
    tmp_path: Path,
) -> None:
    """No crash, no hang; what can't be read has a reason; sizes and durations are right."""
    assert odd_videos(tmp_path, shared_path("media/videos")) > 40
