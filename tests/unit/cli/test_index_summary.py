"""The line at the end of an index."""

from __future__ import annotations

from cocadesk.cli.index import Outcome, summary


def _outcome(*, indexed: int = 0, unchanged: int = 0, missing: int = 0, videos: int = 0) -> Outcome:
    return Outcome(
        indexed=indexed,
        videos=videos,
        unchanged=unchanged,
        moved=0,
        copied=0,
        missing=missing,
        offline=0,
        failed=(),
        seconds=1.5,
    )


def test_a_folder_without_photos_and_videos_is_said_to_have_none() -> None:
    """Two zeros would leave a newcomer guessing."""
    assert summary(_outcome()) == "No photos or videos were found there."


def test_counts_that_are_nought_are_left_out_but_for_the_first_two() -> None:
    """Videos are counted among the indexed; what is missing now is told."""
    assert summary(_outcome(unchanged=3)) == "0 indexed, 3 unchanged in 1.5 s."
    assert summary(_outcome(missing=2)) == "0 indexed, 0 unchanged, 2 missing in 1.5 s."
    assert summary(_outcome(indexed=5, videos=2)) == (
        "5 indexed (2 of them videos), 0 unchanged in 1.5 s."
    )
