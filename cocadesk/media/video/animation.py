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
_FREE_PIXELS, _PIXELS_PER_BYTE = 1_000_000_000, 1_000
"""A recorded screen has some 300 for each byte; some kilobytes can claim thousands of frames."""


class Animation:
    """An opened picture with more than one frame: a ``FrameSource``."""

    pixel_aspect = Fraction(1)
    hinted_duration_s: float | None = None
    stated_duration_s: float | None = None
    usual_interval_s = _USUAL_S

    def __init__(self, source: PillowSource, most_pixels: int = _MOST_PIXELS) -> None:
        self._source = source
        self._most_pixels = most_pixels
        self.is_begun = False
        self.format_name = source.format.name
        self.end_s: float | None = None

    @property
    def metadata(self) -> PhotoMetadata:
        """The metadata of the picture."""
        return read_metadata(self._source.metadata)

    def frames(self) -> Iterator[ShownFrame]:
        """The frames, upright, on white; a fault ends them, unless it is in the first.

        So does the limit of pixels: what there is until then stands for the whole.

        Raises:
            PhotoError: not even the first can be decoded.
        """
        time_s, left = 0.0, self._most_pixels
        for number in range(self._source.frame_count):
            try:
                rgb, shown_s = self._source.frame(number)
            except PhotoError:
                if number == 0:
                    raise
                break
            left -= rgb.size // 3
            if left < 0 and number > 0:
                break
            self.is_begun = True
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            yield ShownFrame(time_s, frame)
            time_s += shown_s if shown_s >= _SHORTEST_S else _USUAL_S
        self.end_s = time_s

    def close(self) -> None:
        """Lets go of the picture."""
        self._source.close()


def open_animation(
    data: bytes, limits: DecodeLimits, free_pixels: int = _FREE_PIXELS
) -> Animation | None:
    """The animation in ``data``; None where it is a still picture, or cannot be opened.

    Why it cannot, the decoder of photos says. ``free_pixels`` of all frames are read whatever
    the size of the file, and some for each of its bytes.
    """
    photo_format = sniff_format(data[:SNIFF_BYTES])
    if photo_format is None or photo_format.moves is None or not photo_format.moves(data):
        return None
    try:
        source = open_with_pillow(data, photo_format, limits)
        most = min(_MOST_PIXELS, free_pixels + _PIXELS_PER_BYTE * len(data))
        return Animation(source, most) if source.frame_count > 1 else None
    except PhotoError:
        return None
