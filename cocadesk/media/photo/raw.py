"""Camera RAW by LibRaw, through rawpy; this is the one door to it.

Nearly every camera stores a JPEG of its own beside the sensor's numbers. Where that has pixels
enough it is taken: it is what the photographer saw, and costs a hundredth of developing. Else
the sensor's numbers are developed, two by two where half the size is enough.
"""

from __future__ import annotations

import io
from importlib import import_module
from typing import Any

import numpy as np

from cocadesk.errors import kept
from cocadesk.media.formats import PhotoFormat
from cocadesk.media.metadata.exif import directories
from cocadesk.media.metadata.raw import camera_raw_metadata
from cocadesk.media.photo.colour import turn_upright, upright_size
from cocadesk.media.photo.jpeg import JpegSource, open_jpeg
from cocadesk.media.source import PhotoSource
from cocadesk.media.types import TOO_MUCH_MEMORY, DecodeLimits, PhotoError, RgbImage

_ORIENTATIONS = (1, 2, 4, 3, 5, 8, 6, 7)
"""EXIF's orientation by LibRaw's ``flip``."""
_PIECES = ((273, 279), (324, 325))
"""The tags of where strips and tiles begin, and of their sizes."""
_SUBFILE_TYPE = 254
"""The tag whose lowest bit means a picture of reduced size."""
_NOWHERE = 0xFFFF_FFFF
"""Panasonic's offset of pixels, which lie where a tag of its own says."""
_DAMAGED = kept("The camera raw data are damaged or were cut short.")
_SRGB_CURVE = (2.4, 12.92)
_SAME_SHAPE = 0.05
_BORDER = 0.03
"""The share of a side that a preview may lack: cameras cut some pixels off the sensor's border."""
_FULL_BYTES, _HALF_BYTES = 24, 6
"""For one pixel of the sensor: its numbers, the four colours made of them, and the result."""


class RawSource(PhotoSource):
    """A camera RAW file whose tags have been read. ``decode`` takes the cheapest way."""

    steps = tuple(range(1, 65))

    def __init__(self, data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> None:
        self.format = photo_format
        self._limits = limits
        self._library = _library()
        self._raw = self._opened(data)
        self._is_cut = is_cut(data)
        sizes = self._raw.sizes
        limits.check_size(sizes.raw_width, sizes.raw_height, 0)
        width, height = _with_square_pixels(sizes.width, sizes.height, sizes.pixel_aspect)
        thumbnail = self._thumbnail(data)
        preview = _open_preview(thumbnail, limits, orientation=1)
        self._orientation = _ORIENTATIONS[sizes.flip & 7]
        if sizes.flip == 0 and preview is not None:
            self._orientation = preview.metadata.exif.orientation
        self._preview = _fitting_preview(
            preview, thumbnail, limits, (width, height), self._orientation
        )
        self.width, self.height = upright_size(width, height, self._orientation)
        limits.check_size(self.width, self.height, 0)
        self.metadata = camera_raw_metadata(data, thumbnail)

    def decode(self, reduction: int) -> RgbImage:
        needed_px = (1 - _BORDER) * max(self.width, self.height) / reduction
        preview = self._preview
        if preview is not None and max(preview.width, preview.height) >= needed_px:
            longest_px = max(preview.width, preview.height)
            step = max(
                step for step in preview.steps if step == 1 or longest_px >= step * needed_px
            )
            try:
                return preview.decode(step)
            except PhotoError:
                self._preview = None  # it is damaged: the sensor's numbers may be whole
        return self._develop(is_half=reduction > 1)

    def _develop(self, *, is_half: bool) -> RgbImage:
        if self._is_cut:
            raise PhotoError(_DAMAGED)
        self._limits.check_size(self.width, self.height, _HALF_BYTES if is_half else _FULL_BYTES)
        rgb: RgbImage = self._ask(
            lambda: self._raw.postprocess(
                half_size=is_half,
                use_camera_wb=True,
                output_bps=8,
                user_flip=0,
                gamma=_SRGB_CURVE,
                # A model and a screen see no difference, and it is many times as fast.
                demosaic_algorithm=self._library.DemosaicAlgorithm.LINEAR,
            )
        )
        if rgb.shape[2] == 1:
            rgb = np.repeat(rgb, 3, axis=2)
        return turn_upright(np.ascontiguousarray(rgb), self._orientation)

    def _opened(self, data: bytes) -> Any:
        raw = self._library.RawPy()
        self._ask(lambda: raw.open_buffer(io.BytesIO(data)))
        return raw

    def _thumbnail(self, data: bytes) -> bytes | None:
        """The largest JPEG that the camera put in; None where there is none."""
        try:
            found = self._raw.extract_thumb()
        except (self._library.LibRawError, NotImplementedError):
            # One that can't be read leaves the library unable to read the sensor's numbers.
            self._raw.close()
            self._raw = self._opened(data)
            return None
        return found.data if isinstance(found.data, bytes) else None

    def _ask(self, question: Any) -> Any:
        """The library's answer.

        Raises:
            PhotoError: the file is damaged, or of a kind that the library does not know.
        """
        library = self._library
        try:
            return question()
        except library.LibRawFileUnsupportedError as error:
            raise PhotoError(
                kept("The camera raw header is broken or of a kind that cannot be read.")
            ) from error
        except (
            MemoryError,
            library.LibRawUnsufficientMemoryError,
            library.LibRawTooBigError,
        ) as error:
            raise PhotoError(TOO_MUCH_MEMORY) from error
        except (library.LibRawError, library.NotSupportedError, RuntimeError, ValueError) as error:
            raise PhotoError(_DAMAGED) from error


def open_raw(data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> RawSource:
    """The camera RAW file in ``data``, its tags and its preview read.

    Raises:
        PhotoError: it is damaged, of a kind that LibRaw does not know, or too large.
    """
    return RawSource(data, photo_format, limits)


def is_cut(data: bytes) -> bool:
    """True where a piece of the sensor's numbers lies behind the end: LibRaw would show noise.

    A preview that does is of no account.
    """
    for directory in directories(data):
        if any(int(kind) & 1 for kind in directory.get(_SUBFILE_TYPE, ())):
            continue
        for starts, sizes in _PIECES:
            pieces = zip(directory.get(starts, ()), directory.get(sizes, ()), strict=False)
            if any(start + size > len(data) and start != _NOWHERE for start, size in pieces):
                return True
    return False


def _library() -> Any:
    try:
        return import_module("rawpy")
    except ImportError as error:
        reason = kept(
            "To read camera raw, CocaDesk needs the package rawpy, which is not installed."
        )
        raise PhotoError(reason, is_passing=True) from error


def _with_square_pixels(width: int, height: int, pixel_aspect: float) -> tuple[int, int]:
    """The size in which LibRaw develops: it stretches the pixels that are not square."""
    if pixel_aspect > 1:
        return round(width * pixel_aspect), height
    return width, round(height / pixel_aspect) if pixel_aspect > 0 else height


def _open_preview(
    thumbnail: bytes | None, limits: DecodeLimits, orientation: int
) -> JpegSource | None:
    if thumbnail is None:
        return None
    try:
        return open_jpeg(thumbnail, limits, orientation=orientation)
    except PhotoError:
        return None


def _fitting_preview(
    stored: JpegSource | None,
    thumbnail: bytes | None,
    limits: DecodeLimits,
    sensor: tuple[int, int],
    orientation: int,
) -> JpegSource | None:
    """The preview, turned as the photo is; None where it shows another cut of the picture.

    ``stored`` is the preview as it lies in the file. Most lie as the sensor saw it; one whose
    sides are already exchanged has been turned by whoever put it in.
    """
    if stored is None:
        return None
    if _has_shape((stored.width, stored.height), sensor):
        return _open_preview(thumbnail, limits, orientation)
    if orientation >= 5 and _has_shape((stored.height, stored.width), sensor):
        return stored
    return None


def _has_shape(size: tuple[int, int], other: tuple[int, int]) -> bool:
    first, second = size[0] * other[1], size[1] * other[0]
    return abs(first - second) <= _SAME_SHAPE * max(first, second)
