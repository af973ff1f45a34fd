"""JPEG XL by libjxl, through pylibjxl's binding; this is the one door to it.

The codestream's header is read first (``jxl_header``), so that a picture too large is refused
before the library reserves its canvas. A file that holds a JPEG (most of those that were
converted) gives that JPEG again, which is decoded at a reduced scale like any other.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from cocadesk.errors import kept
from cocadesk.media.formats import PhotoFormat
from cocadesk.media.isobmff import boxes
from cocadesk.media.metadata.exif import Exif, starts_as_tiff
from cocadesk.media.photo.colour import image_to_srgb, upright_size
from cocadesk.media.photo.hdr import Curve, to_screen, wide_to_screen
from cocadesk.media.photo.jpeg import JpegSource, open_jpeg
from cocadesk.media.photo.jxl_header import CODESTREAM, CUT_SHORT, JxlColours, read_header
from cocadesk.media.photo.modes import flatten_on_white, to_plain_mode
from cocadesk.media.source import PhotoSource, RawMetadata
from cocadesk.media.types import TOO_MUCH_MEMORY, DecodeLimits, PhotoError, RgbImage

_HEADER_BYTES = 4096
_BYTES_PER_PIXEL = 16
"""Measured: 5.8 for common pictures; 15.4 of address space for those without loss."""
_NO_LIBRARY = kept("To read JPEG XL, CocaDesk needs the package pylibjxl, which is not installed.")
_EXIF_MARK = b"Exif\0\0"
_BROKEN = kept("The JPEG XL data are broken or were cut short.")


class _Picture(NamedTuple):
    """A decoded picture, upright, in the colours of its profile or of the header."""

    image: Image.Image
    icc: bytes | None


class JxlSource(PhotoSource):
    """A JPEG XL whose header has been read; its pixels come out once, in full."""

    def __init__(self, data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> None:
        self.format = photo_format
        self._data = data
        self._limits = limits
        self._decoded: _Picture | JpegSource | None = None
        found: dict[bytes, bytes] = {}
        codestream = data[:_HEADER_BYTES] if data.startswith(CODESTREAM) else b""
        for kind, content in () if codestream else boxes(data):
            found.setdefault(kind, content)
            if kind in (b"jxlc", b"jxlp") and len(codestream) < _HEADER_BYTES:
                part = content if kind == b"jxlc" else content[4:]
                codestream += part[:_HEADER_BYTES]
        if not codestream.startswith(CODESTREAM):
            raise PhotoError(CUT_SHORT)
        self._header = header = read_header(codestream)
        self.width, self.height = upright_size(header.width, header.height, header.orientation)
        limits.check_size(self.width, self.height, 0)
        self._holds_jpeg = b"jbrd" in found
        self._has_packed_boxes = b"brob" in found
        self.steps = JpegSource.steps if self._holds_jpeg else tuple(range(1, 65))
        self.metadata = RawMetadata(exif=_exif(found.get(b"Exif")), xmp=found.get(b"xml "))

    def whole_metadata(self) -> RawMetadata:
        if self._holds_jpeg or self._has_packed_boxes:
            self._opened()
        return self.metadata

    def decode(self, reduction: int) -> RgbImage:
        decoded = self._opened()
        if isinstance(decoded, JpegSource):
            return decoded.decode(reduction)
        image, icc = decoded
        if reduction > 1:
            image = image.reduce(reduction)
        return flatten_on_white(image, lambda part: self._to_srgb(part, icc))

    def _to_srgb(self, image: Image.Image, icc: bytes | None) -> Image.Image:
        if icc is not None and icc[16:20] == b"CMYK":
            return image_to_srgb(_in_inks(image), icc)
        if icc is not None or self._header.colours is None:
            return image_to_srgb(image, icc)
        return Image.fromarray(_shown(np.asarray(image.convert("RGB")), self._header.colours))

    def _opened(self) -> _Picture | JpegSource:
        if self._decoded is None:
            self._decoded = self._decode()
        return self._decoded

    def _decode(self) -> _Picture | JpegSource:
        self._limits.check_size(self.width, self.height, _BYTES_PER_PIXEL)
        jpeg_bytes = _jpeg_within(self._data) if self._holds_jpeg else None
        if jpeg_bytes is not None:
            jpeg = open_jpeg(jpeg_bytes, self._limits, orientation=self._header.orientation)
            if jpeg is None:
                raise PhotoError(
                    kept("The JPEG XL file holds a JPEG of a kind that cannot be read.")
                )
            self.metadata = jpeg.metadata  # boxes may lie compressed, the JPEG has it all
            return jpeg
        pixels, boxes_read = _decoded(self._data)
        if pixels.shape[:2] != (self.height, self.width):
            raise PhotoError(
                kept("The JPEG XL header and its picture do not agree: it is damaged.")
            )
        if self._has_packed_boxes:
            exif, xmp = boxes_read.get("exif"), boxes_read.get("xmp")
            self.metadata = RawMetadata(exif=_exif(exif), xmp=xmp)
        channels = pixels.shape[2] if pixels.ndim == 3 else 1
        image = Image.fromarray(pixels.reshape(pixels.shape[:2]) if channels == 1 else pixels)
        return _Picture(to_plain_mode(image), boxes_read.get("icc"))


def open_jxl(data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> JxlSource:
    """The JPEG XL in ``data``, its header read.

    Raises:
        PhotoError: the header is cut, or the picture is too large.
    """
    return JxlSource(data, photo_format, limits)


def _in_inks(image: Image.Image) -> Image.Image:
    """CMYK of a picture whose channels say how little ink there is; black the library lacks."""
    inks = ImageChops.invert(image.convert("RGB")).split()
    return Image.merge("CMYK", (*inks, Image.new("L", image.size, 0)))


def _shown(rgb_HWC: RgbImage, colours: JxlColours) -> RgbImage:
    """A picture without a profile, whose colours the header numbers, in sRGB."""
    if colours.curve in {curve.value for curve in Curve}:
        return to_screen(rgb_HWC.astype(np.uint16) * 257, Curve(colours.curve))
    return wide_to_screen(rgb_HWC, colours.primaries, colours.gamma)


def _library() -> Any:
    """One thread: the pool is the parallelism."""
    try:
        return import_module("pylibjxl").JXL(threads=1, pool_size=1)
    except ImportError as error:
        raise PhotoError(_NO_LIBRARY, is_passing=True) from error


def _jpeg_within(data: bytes) -> bytes | None:
    """The JPEG that was converted; None where it cannot be had again."""
    with _library() as library:
        try:
            return bytes(library.jxl_to_jpeg(data))
        except (RuntimeError, ValueError):
            return None


def _decoded(data: bytes) -> tuple[NDArray[np.uint8], dict[str, bytes]]:
    """The first picture, (H, W) or (H, W, channels), and its profile and boxes."""
    with _library() as library:
        try:
            pixels, boxes_read = library.decode(data, metadata=True)
        except MemoryError as error:
            raise PhotoError(TOO_MUCH_MEMORY) from error
        except (RuntimeError, ValueError) as error:
            raise PhotoError(_BROKEN) from error
    return pixels, boxes_read


def _exif(box: bytes | None) -> Exif:
    """EXIF from its box, which begins with the distance to the block itself.

    Some programs leave that out, others put the mark of a JPEG's EXIF before the block.
    """
    block = (box or b"").removeprefix(_EXIF_MARK)
    if block and not starts_as_tiff(block):
        block = block[4 + int.from_bytes(block[:4], "big") :].removeprefix(_EXIF_MARK)
    return Exif(block or None)
