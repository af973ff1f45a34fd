"""A photo that has been opened but not yet decoded: what the two decoders share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from cocadesk.media.formats import PhotoFormat
from cocadesk.media.metadata.exif import Exif
from cocadesk.media.types import RgbImage

# Averaging 1.2 pixels into one blurs some and not others. Twice the side needed keeps the
# embedding of the reduced decode within cosine 0.995 of the full one's (measured on camera
# photos with EfficientNet-Lite2: at 1x down to 0.966), for a third more decoding time.
OVERSAMPLING = 2
# Twice the largest of the common small inputs (260): for those one decode serves both. To
# change it is to change every stored picture hash.
HASH_SIDE_PX = 520
THUMBNAIL_PX = 320
FULL_PX = 65_500
"""The longest side that a JPEG may have: a thumbnail of this size has every pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The least that a decode must give, in pixels of the upright or the raw picture alike."""

    short_side_px: int
    long_side_px: int

    def reduction(self, width: int, height: int, steps: tuple[int, ...]) -> int:
        """The largest of ``steps`` that a picture may be divided by and still cover this."""
        short, long = min(width, height), max(width, height)
        fitting = [
            step
            for step in steps
            if short >= step * self.short_side_px and long >= step * self.long_side_px
        ]
        return max(fitting, default=1)


def coverage_for(side_px: int, long_side_px: int = 0) -> Coverage:
    """The coverage that a square of ``side_px`` and a thumbnail need."""
    short_side_px = OVERSAMPLING * side_px
    return Coverage(short_side_px=short_side_px, long_side_px=max(short_side_px, long_side_px))


HASH_COVERAGE = Coverage(short_side_px=HASH_SIDE_PX, long_side_px=HASH_SIDE_PX)
"""The picture hash is taken from the scale that this gives: it depends on the file alone."""

WHOLE = Coverage(short_side_px=1 << 30, long_side_px=1 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMetadata:
    """Blocks of metadata as they lie in the file; None where absent."""

    exif: Exif
    xmp: bytes | None = None
    photoshop: bytes | None = None
    iptc: bytes | None = None
    png_texts: tuple[tuple[str, str], ...] = ()


class PhotoSource(Protocol):
    """An opened photo. ``width`` and ``height`` are upright and of the full picture."""

    format: PhotoFormat
    width: int
    height: int
    metadata: RawMetadata
    steps: tuple[int, ...]
    """The scales that ``decode`` knows."""
    on_part: Callable[[], None] = staticmethod(lambda: None)
    """Called whenever a part of a picture that takes long has been decoded."""

    def reduction(self, coverage: Coverage) -> int:
        """The scale (1, 2, 4 ...) at which ``decode`` should be asked for this coverage."""
        return coverage.reduction(self.width, self.height, self.steps)

    def whole_metadata(self) -> RawMetadata:
        """The metadata, with what of them can only be read behind or out of the pixels.

        Raises:
            PhotoError: the data are broken or need too much memory.
        """
        return self.metadata

    def decode(self, reduction: int) -> RgbImage:
        """Upright sRGB on white at 1/``reduction`` of the full size.

        Raises:
            PhotoError: the data are broken or need too much memory.
        """
