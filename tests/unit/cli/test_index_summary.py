"""The line at the end of an index."""

from __future__ import annotations

from cocadesk.cli.commands.library import summary
from cocadesk.protocol.values import IndexReport


def test_a_folder_without_photos_and_videos_is_said_to_have_none() -> None:
    """Two zeros would leave a newcomer guessing."""
    assert summary(IndexReport()) == "No photos or videos were found there."


def test_counts_that_are_nought_are_left_out_but_for_the_first_two() -> None:
    """Videos are counted among the indexed; what is missing now is told."""
    assert summary(IndexReport(seconds=1.5, unchanged=3)) == "0 indexed, 3 unchanged in 1.5 s."
    assert (
        summary(IndexReport(seconds=1.5, missing=2))
        == "0 indexed, 0 unchanged, 2 missing in 1.5 s."
    )
    assert summary(IndexReport(seconds=1.5, unchanged=9, refreshed=4)) == (
        "0 indexed, 9 unchanged, 4 with details read again in 1.5 s."
    )
    assert summary(IndexReport(seconds=1.5, indexed=5, videos=2)) == (
        "5 indexed (2 of them videos), 0 unchanged in 1.5 s."
    )
