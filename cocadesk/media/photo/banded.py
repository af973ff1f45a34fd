"""PNG and TIFF: common pictures by Pillow, large ones in bands of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from PIL import Image

from cocadesk.media.formats import Decoder, PhotoFormat
from cocadesk.media.photo.bands import BAND_PIXELS, LARGE_PIXELS, join_bands
from cocadesk.media.photo.colour import turn_upright, upright_size
from cocadesk.media.photo.pillow import DECODER_ERRORS, PillowSource, explain, open_with_pillow
from cocadesk.media.photo.png_bands import png_bands, read_png_header
from cocadesk.media.photo.tiff_bands import read_strips, tiff_bands
from cocadesk.media.source import PhotoSource
from cocadesk.media.types import TOO_MUCH_MEMORY, DecodeLimits, PhotoError, RgbImage

Bands: TypeAlias = Callable[[int], Iterator[Image.Image]]
"""The bands of a picture, with about so many rows each."""


def open_banded(
    data: bytes,
    photo_format: PhotoFormat,
    limits: DecodeLimits,
    large_pixels: int = LARGE_PIXELS,
    band_pixels: int = BAND_PIXELS,
) -> PhotoSource:
    """The PNG or TIFF in ``data``, its head read.

    Raises:
        PhotoError: the head is broken or the picture is too large.
    """
    common = open_with_pillow(data, photo_format, limits)
    if common.width * common.height < large_pixels:
        return common
    find = _bands_of_png if photo_format.decoder is Decoder.PNG else _bands_of_tiff
    bands = find(data, common, limits)
    return common if bands is None else BandedSource(common, bands, limits, band_pixels)


def _bands_of_png(data: bytes, _common: PillowSource, _limits: DecodeLimits) -> Bands | None:
    """The bands of a PNG; None where it can only be read whole."""
    header = read_png_header(data)
    return (lambda rows: png_bands(data, header, rows)) if header.can_be_banded else None


def _bands_of_tiff(data: bytes, common: PillowSource, limits: DecodeLimits) -> Bands | None:
    """The same of a TIFF, whose bands can be no smaller than its strips."""
    strips = read_strips(data)
    if strips is None or common.has_own_white:  # each band would have another white
        return None

    def bands(rows: int) -> Iterator[Image.Image]:
        limits.check_size(strips.width, max(strips.rows, rows), common.bytes_per_pixel)
        return tiff_bands(data, strips, rows)

    return bands


class BandedSource(PhotoSource):
    """A large picture that is read from top to bottom for each scale that is wanted."""

    steps = tuple(range(1, 65))

    def __init__(
        self, common: PillowSource, bands: Bands, limits: DecodeLimits, band_pixels: int
    ) -> None:
        self.format, self.metadata = common.format, common.metadata
        self.width, self.height = common.width, common.height
        self._orientation = common.metadata.exif.orientation
        stored_width, _ = upright_size(self.width, self.height, self._orientation)
        self._band_rows = band_pixels // stored_width
        self._bands = bands
        self._limits = limits
        self._icc = common.icc

    def decode(self, reduction: int) -> RgbImage:
        self._limits.check_size(self.width, self.height, 6 / reduction**2)
        rows = max(1, self._band_rows // reduction) * reduction
        try:
            rgb = join_bands(self._bands(rows), reduction, self._icc, self.on_part)
        except MemoryError as error:
            raise PhotoError(TOO_MUCH_MEMORY) from error
        except DECODER_ERRORS as error:
            raise PhotoError(explain(self.format, error)) from error
        return turn_upright(rgb, self._orientation)
