"""Progress within a long video: it moves, never back, and never beyond the file."""

from __future__ import annotations

import pytest

from cocadesk.eta import UnderWay


class _Decoder:
    """Says what the test puts in."""

    def __init__(self) -> None:
        self.shares: dict[bytes, float] = {}

    def under_way(self) -> dict[bytes, float]:
        """As the pool's."""
        return self.shares


def test_a_video_counts_by_its_seconds_until_it_is_committed() -> None:
    """Decoded, it stands at nearly one; then it is one file, and the next begins."""
    decoder, under_way = _Decoder(), UnderWay()
    under_way.decoder = decoder
    shown = []
    for done, share in ((0, 0.0), (0, 0.5), (0, 1.0), (0, None), (1, None), (1, 0.5)):
        decoder.shares = {} if share is None else {b"/a.mp4": share}
        fraction, _ = under_way.after(done)
        shown.append(round(done + fraction, 3))
    assert shown == [0.0, 0.475, 0.95, 0.95, 1.0, 1.475]


def test_the_video_in_hand_is_named_and_several_stay_below_one() -> None:
    """Two halves are no whole file."""
    decoder, under_way = _Decoder(), UnderWay()
    under_way.decoder = decoder
    decoder.shares = {b"/a.mp4": 0.8, b"/b.mp4": 0.7}
    fraction, path = under_way.after(3)
    assert fraction == pytest.approx(0.95)
    assert path == b"/a.mp4"


def test_a_decoder_that_tells_nothing_leaves_whole_files() -> None:
    """Tests and photos have no other."""
    assert UnderWay().after(2) == (0.0, None)
