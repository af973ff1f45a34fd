"""Animated pictures (GIF, WebP, APNG, AVIF) as short videos."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av

from cocadesk.media.formats import sniff_format
from cocadesk.media.metadata.merge import read_metadata
from cocadesk.media.photo.pillow import PillowSource, open_with_pillow
from cocadesk.media.sniffing import SNIFF_BYTES
from cocadesk.media.types import DecodeLimits, PhotoError, PhotoMetadata
from cocadesk.media.video.source import ShownFrame

_SHORTEST_S, _USUAL_S = 0.011, 0.1
"""What is shown shorter than any screen can was meant to be shown as long as browsers do."""
_MOST_PIXELS = 40_000_000_000
"""Of all frames: five minutes of the largest pictures that are animated in earnest."""


class Animation:
    """An opened picture with more than one frame: a ``FrameSource``."""

    pixel_aspect = Fraction(1)
    hinted_duration_s: float | None = None
    stated_duration_s: float | None = None
    usual_interval_s = _USUAL_S

    def __init__(self, source: PillowSource) -> None:
        self._source = source
        self.format_name = source.format.name
        self.end_s: float | None = None

    @property
    def metadata(self) -> PhotoMetadata:
        """The metadata of the picture."""
        return read_metadata(self._source.metadata)

    def frames(self) -> Iterator[ShownFrame]:
        """The frames, upright, on white; a fault ends them, unless it is in the first.

        Raises:
            PhotoError: not even the first can be decoded, or there are more than is allowed.
        """
        time_s, left = 0.0, _MOST_PIXELS
        for number in range(self._source.frame_count):
            try:
                rgb, shown_s = self._source.frame(number)
            except PhotoError:
                if number == 0:
                    raise
                break
            left -= rgb.size // 3
            if left < 0:
                raise PhotoError("The animation has more frames than CocaDesk reads.")
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            yield ShownFrame(time_s, frame)
            time_s += shown_s if shown_s >= _SHORTEST_S else _USUAL_S
        self.end_s = time_s

    def close(self) -> None:
        """Lets go of the picture."""
        self._source.close()


def open_animation(data: bytes, limits: DecodeLimits) -> Animation | None:
    """The animation in ``data``; None where it is a still picture, or cannot be opened.

    Why it cannot, the decoder of photos says.
    """
    photo_format = sniff_format(data[:SNIFF_BYTES])
    if photo_format is None or photo_format.moves is None or not photo_format.moves(data):
        return None
    try:
        source = open_with_pillow(data, photo_format, limits)
        return Animation(source) if source.frame_count > 1 else None
    except PhotoError:
        return None
