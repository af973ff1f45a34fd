"""An index killed at any moment and run again loses nothing and doubles nothing.

The short form; ``tests/bench/faults.py`` kills more often and before each write.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cocadesk.library.library import Library
from tests.support.index_tools import (
    CountingBackend,
    row_at,
    run_index,
    set_human_caption,
    write_photo,
)
from tests.support.killed_index import (
    IMAGE_ID,
    check_whole,
    index_and_kill,
    index_cut_between_writes,
    index_killed_at_random,
    recut_videos_cut_between_writes,
    switch_cut_between_writes,
    switch_killed_at_random,
)
from tests.support.killed_parts import parts_cut_between_writes
from tests.support.power_cut import kill_after

needs_sigkill = pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")


@needs_sigkill
def test_an_index_killed_at_random_moments_ends_whole(tmp_path: Path) -> None:
    """Real processes, SIGKILL, real files, videos among them, that change between the runs."""
    index_killed_at_random(tmp_path, seed=1, kills=2, photos=20, videos=3)


@needs_sigkill
def test_a_kill_keeps_what_was_committed_before(tmp_path: Path) -> None:
    """Work goes on where it stopped rather than from the beginning."""
    photos, folder = tmp_path / "photos", tmp_path / "library"
    for number in range(30):
        write_photo(photos / f"{number}.jpg", number)
    index_and_kill(folder, photos, 8)
    with Library.open(folder) as library:
        committed = sum(IMAGE_ID in row.embedded for row in library.media.iter_rows())
        stored = library.views.count(IMAGE_ID)
        backend = CountingBackend()
        run_index(library, [photos], backend=backend)
        assert committed <= stored
        assert backend.embedded == 30 - stored
        check_whole(library, photos)


@needs_sigkill
def test_photos_that_are_shown_before_a_kill_get_their_vectors_from_the_next_index(
    tmp_path: Path,
) -> None:
    """Killed while the model opens: each keeps its key and what a person has said of it."""
    photos, folder = tmp_path / "photos", tmp_path / "library"
    for number in range(6):
        write_photo(photos / f"{number}.jpg", number)
    kill_after(
        "tests.support.index_child",
        (folder, photos, "opening"),
        lambda _, line: int(line.split()[2]) > 0,
    )
    with Library.open(folder) as library:
        shown = {row.path: row for row in library.media.iter_rows()}
        assert shown
        assert {row.embedded for row in shown.values()} == {()}
        assert all(library.thumbnails.path(row.picture_hash).exists() for row in shown.values())
        assert library.views.count(IMAGE_ID) == 0
        some = next(iter(shown.values()))
        set_human_caption(library, some.key, "the sea")
        (photos / "moved").mkdir()
        moved = photos / "moved" / "photo.jpg"
        Path(os.fsdecode(some.path)).rename(moved)
        assert run_index(library, [photos]).indexed >= 5
        assert (row_at(library, moved).key, row_at(library, moved).caption) == (some.key, "the sea")
        keys = {path: row.key for path, row in shown.items() if path != some.path}
        assert keys.items() <= {row.path: row.key for row in library.media.iter_rows()}.items()
        moved.rename(photos / "photo.jpg")
        (photos / "moved").rmdir()
        run_index(library, [photos])
        check_whole(library, photos)
        assert run_index(library, [photos]).indexed == 0


def test_a_crash_between_any_two_writes_of_an_index_heals(tmp_path: Path) -> None:
    """A write of an index is the last that reaches the disk."""
    assert index_cut_between_writes(tmp_path, every=5) > 8


def test_a_crash_between_any_two_writes_of_a_recut_video_heals(tmp_path: Path) -> None:
    """Moments of the picture before are gone after the next index, whichever write was the last."""
    assert recut_videos_cut_between_writes(tmp_path, every=4) > 4


@needs_sigkill
def test_a_switch_that_is_killed_again_and_again_ends_whole(tmp_path: Path) -> None:
    """Real processes, SIGKILL at random steps; the library answers in between."""
    switch_killed_at_random(tmp_path, seed=4, kills=1)


def test_a_crash_between_any_two_writes_of_a_switch_heals(tmp_path: Path) -> None:
    """A write of a switch is the last that reaches the disk."""
    assert switch_cut_between_writes(tmp_path, every=4) > 4


def test_a_crash_between_any_two_writes_of_an_index_of_shots_heals(tmp_path: Path) -> None:
    """Media that are joined, shown by another file or by a new video keep what people said."""
    assert parts_cut_between_writes(tmp_path, every=4) > 8
