"""JPEG XL by libjxl, through pillow-jxl-plugin's binding; this is the one door to it.

The codestream's header is read here first, so that a picture too large is refused before the
library reserves its canvas. A file that holds a JPEG (most of those that were converted) gives
that JPEG again, which is decoded at a reduced scale like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from PIL import Image

from cocadesk.media.formats import PhotoFormat
from cocadesk.media.isobmff import boxes
from cocadesk.media.metadata.exif import Exif, starts_as_tiff
from cocadesk.media.photo.colour import image_to_srgb, upright_size
from cocadesk.media.photo.jpeg import JpegSource, open_jpeg
from cocadesk.media.photo.modes import flatten_on_white, to_plain_mode
from cocadesk.media.source import PhotoSource, RawMetadata
from cocadesk.media.types import DecodeLimits, PhotoError, RgbImage

_CODESTREAM = b"\xff\x0a"
_HEADER_BYTES = 64
_BYTES_PER_PIXEL = 16
"""Measured: 7.4 for common pictures; those stored in one piece keep four planes of 32 bits."""
_CUT_SHORT = "The JPEG XL data end too early: the file was cut short."
_NO_LIBRARY = (
    "To read JPEG XL, CocaDesk needs the package pillow-jxl-plugin, which is not installed."
)
# Width by height, as the header numbers them.
_RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
_SIDE_BITS = (9, 13, 18, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class JxlHeader:
    """The size as stored, and the EXIF orientation that makes the picture upright."""

    width: int
    height: int
    orientation: int = 1


class _Bits:
    """Reads numbers from a codestream, whose bits lie lowest first."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next number of ``count`` bits."""
        if count > self._left:
            raise PhotoError(_CUT_SHORT)
        number = self._value & ((1 << count) - 1)
        self._value >>= count
        self._left -= count
        return number


def read_header(codestream: bytes) -> JxlHeader:
    """The header of a codestream (ISO/IEC 18181-1, annex D).

    Raises:
        PhotoError: it is cut.
    """
    bits = _Bits(codestream[2:40])
    is_small = bits.take(1)

    def side() -> int:
        if is_small:
            return 8 * (1 + bits.take(5))
        return 1 + bits.take(_SIDE_BITS[bits.take(2)])

    height = side()
    ratio = _RATIOS.get(bits.take(3))
    width = side() if ratio is None else height * ratio[0] // ratio[1]
    is_all_default = bits.take(1)
    has_extra_fields = 0 if is_all_default else bits.take(1)
    return JxlHeader(
        width=width, height=height, orientation=1 + bits.take(3) if has_extra_fields else 1
    )


class JxlSource(PhotoSource):
    """A JPEG XL whose header has been read; its pixels come out once, in full."""

    def __init__(self, data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> None:
        self.format = photo_format
        self._data = data
        self._limits = limits
        self._decoded: tuple[Image.Image, bytes | None] | JpegSource | None = None
        found: dict[bytes, bytes] = {}
        codestream = data[:_HEADER_BYTES] if data.startswith(_CODESTREAM) else b""
        for kind, content in () if codestream else boxes(data):
            found.setdefault(kind, content)
            if kind in (b"jxlc", b"jxlp") and len(codestream) < _HEADER_BYTES:
                part = content if kind == b"jxlc" else content[4:]
                codestream += part[:_HEADER_BYTES]
        if not codestream.startswith(_CODESTREAM):
            raise PhotoError(_CUT_SHORT)
        self._header = header = read_header(codestream)
        self.width, self.height = upright_size(header.width, header.height, header.orientation)
        limits.check_size(self.width, self.height, 0)
        self._holds_jpeg = b"jbrd" in found
        self.steps = JpegSource.steps if self._holds_jpeg else tuple(range(1, 65))
        self.metadata = RawMetadata(exif=_exif(found.get(b"Exif")), xmp=found.get(b"xml "))

    def whole_metadata(self) -> RawMetadata:
        if self._holds_jpeg:
            self._opened()
        return self.metadata

    def decode(self, reduction: int) -> RgbImage:
        decoded = self._opened()
        if isinstance(decoded, JpegSource):
            return decoded.decode(reduction)
        image, icc = decoded
        if reduction > 1:
            image = image.reduce(reduction)
        return flatten_on_white(image, lambda part: image_to_srgb(part, icc))

    def _opened(self) -> tuple[Image.Image, bytes | None] | JpegSource:
        if self._decoded is None:
            self._decoded = self._decode()
        return self._decoded

    def _decode(self) -> tuple[Image.Image, bytes | None] | JpegSource:
        self._limits.check_size(self.width, self.height, _BYTES_PER_PIXEL)
        is_jpeg, info, pixels, icc, _ = _run_library(self._data)
        if is_jpeg:
            jpeg = open_jpeg(pixels, self._limits, orientation=self._header.orientation)
            if jpeg is not None:
                self.metadata = jpeg.metadata  # boxes may lie compressed, the JPEG has it all
                return jpeg
            raise PhotoError("The JPEG XL file holds a JPEG of a kind that cannot be read.")
        size = (info.width, info.height)
        if size != (self.width, self.height):
            raise PhotoError("The JPEG XL header and its picture do not agree: it is damaged.")
        image = Image.frombytes(info.mode, size, pixels)
        return to_plain_mode(image), icc


def open_jxl(data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> JxlSource:
    """The JPEG XL in ``data``, its header read.

    Raises:
        PhotoError: the header is cut, or the picture is too large.
    """
    return JxlSource(data, photo_format, limits)


def _run_library(data: bytes) -> tuple[bool, Any, bytes, bytes | None, Any]:
    """The library's answer: whether it is a JPEG, its facts, its bytes, its profile, its boxes."""
    try:
        decoder = import_module("pillow_jxl").Decoder(num_threads=1)
    except ImportError as error:
        raise PhotoError(_NO_LIBRARY, is_passing=True) from error
    try:
        answer: tuple[bool, Any, bytes, bytes | None, Any] = decoder(data)
    except MemoryError as error:
        raise PhotoError("Decoding needs more memory than is allowed.") from error
    except BaseException as error:  # a panic of the library in Rust is no Exception
        if isinstance(error, Exception) or type(error).__name__ == "PanicException":
            raise PhotoError("The JPEG XL data are broken or were cut short.") from error
        raise
    return answer


def _exif(box: bytes | None) -> Exif:
    """EXIF from its box, which begins with the distance to the block itself.

    Some programs leave that out (pillow-jxl-plugin does).
    """
    if box is None or starts_as_tiff(box):
        return Exif(box)
    return Exif(box[4 + int.from_bytes(box[:4], "big") :])
