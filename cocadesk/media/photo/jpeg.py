"""JPEG through OpenCV at a reduced DCT scale, its segments read without decoding it.

A plain loop over the markers costs some tens of microseconds, where opening
the file with Pillow costs about a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cocadesk.errors import kept
from cocadesk.media.formats import JPEG
from cocadesk.media.metadata.exif import Exif
from cocadesk.media.opencv import cv2
from cocadesk.media.photo.colour import rgb_to_srgb, turn_upright, upright_size
from cocadesk.media.source import PhotoSource, RawMetadata
from cocadesk.media.types import DecodeLimits, PhotoError, RgbImage

# OpenCV's reduced modes are 16, 32 and 64; beside IMREAD_COLOR_RGB they give RGB at once.
_FLAGS = {1: 0, 2: 16, 4: 32, 8: 64}
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_MAX_SEGMENTS = 4096
_END = b"\xff\xd9"
_MORE_PIXELS = b"\0" + b"\x5a\xc3" * 256 + _END
_CUT_SHORT = kept("The JPEG ends too early: the file was cut short.")


@dataclass(slots=True, kw_only=True)
class JpegHeader:
    """A JPEG's segments before its first scan. ``width`` is 0 without a frame header."""

    width: int = 0
    height: int = 0
    components: int = 0
    precision_bits: int = 8
    is_progressive: bool = False
    samples_per_pixel: float = 3.0
    scan_offset: int = 0
    exif: bytes | None = None
    xmp: bytes | None = None
    icc_parts: dict[int, bytes] = field(default_factory=dict)
    photoshop_parts: list[bytes] = field(default_factory=list)

    @property
    def icc(self) -> bytes | None:
        """The colour profile, which may lie in several segments."""
        return b"".join(self.icc_parts[number] for number in sorted(self.icc_parts)) or None

    @property
    def photoshop(self) -> bytes | None:
        """The image resources, which may lie in several segments."""
        return b"".join(self.photoshop_parts) or None


def read_jpeg_header(data: bytes) -> JpegHeader:
    """The header of ``data``; what is broken or missing keeps its default."""
    header = JpegHeader()
    at = 2
    for _ in range(_MAX_SEGMENTS):
        at = data.find(b"\xff", at)
        if at < 0 or at + 4 > len(data):
            break
        marker = data[at + 1]
        if marker in (0x00, 0xFF) or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        if marker == 0xD9:
            break
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            header.scan_offset = at + 2 + length
            break
        _take_segment(header, marker, data[at + 4 : at + 2 + length])
        at += 2 + max(length, 2)
    return header


def _take_segment(header: JpegHeader, marker: int, body: bytes) -> None:
    if marker in _FRAME_MARKERS:
        _take_frame(header, marker, body)
    elif marker == 0xE1 and body.startswith(b"Exif\x00"):
        header.exif = header.exif or body[6:]
    elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\x00"):
        header.xmp = header.xmp or body[29:]
    elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\x00") and len(body) > 14:
        header.icc_parts.setdefault(body[12], body[14:])
    elif marker == 0xED and body.startswith(b"Photoshop 3.0\x00"):
        header.photoshop_parts.append(body[14:])


def _take_frame(header: JpegHeader, marker: int, body: bytes) -> None:
    if len(body) < 6 or header.width:
        return
    header.precision_bits = body[0]
    header.height = int.from_bytes(body[1:3], "big")
    header.width = int.from_bytes(body[3:5], "big")
    header.components = body[5]
    header.is_progressive = marker in _PROGRESSIVE
    samplings = [body[7 + 3 * i] for i in range(header.components) if 7 + 3 * i < len(body)]
    areas = [(value >> 4) * (value & 15) for value in samplings]
    if areas and max(areas) > 0:
        header.samples_per_pixel = sum(areas) / max(areas)


def header_metadata(head: bytes) -> RawMetadata | None:
    """The metadata of the JPEG that begins with ``head``; None where they may go on behind it."""
    header = read_jpeg_header(head)
    if not 0 < header.scan_offset <= len(head):
        return None
    return RawMetadata(exif=Exif(header.exif), xmp=header.xmp, photoshop=header.photoshop)


def has_end(data: bytes, header: JpegHeader) -> bool:
    """True where an end marker follows the first scan."""
    return data.rfind(_END, header.scan_offset) >= 0  # from the end: there it nearly always is


def _may_lack_its_end_alone(data: bytes, header: JpegHeader) -> bool:
    """True where all pixels may be there though the end marker is not (``JpegSource._prove``).

    Of a progressive file whole scans could be missing, and a run of zeros is where a disk or a
    download failed.
    """
    return not header.is_progressive and data.find(bytes(64), header.scan_offset) < 0


class JpegSource(PhotoSource):
    """A JPEG whose header has been read. Grey, YCbCr and RGB; not CMYK (see ``pillow``)."""

    format = JPEG
    steps = (1, 2, 4, 8)

    def __init__(
        self,
        data: bytes,
        header: JpegHeader,
        limits: DecodeLimits,
        orientation: int | None = None,
        *,
        lacks_end: bool = False,
    ) -> None:
        self._data = data + _END if lacks_end else data
        self._lacks_end = lacks_end
        self._header = header
        self._limits = limits
        exif = Exif(header.exif)
        self._orientation = exif.orientation if orientation is None else orientation
        self.width, self.height = upright_size(header.width, header.height, self._orientation)
        self.metadata = RawMetadata(exif=exif, xmp=header.xmp, photoshop=header.photoshop)

    def decode(self, reduction: int) -> RgbImage:
        rgb = self._decoded(self._data, reduction)
        if self._lacks_end:
            self._prove(rgb, reduction)
        rgb = rgb_to_srgb(rgb, self._header.icc, is_grey=self._header.components == 1)
        return turn_upright(rgb, self._orientation)

    def _prove(self, rgb_HWC: RgbImage, reduction: int) -> None:
        """Makes sure that no pixel is missing: what follows the data must then change nothing.

        Samsung's panoramas have no end marker (libjpeg-turbo#163). The decoder would paint
        missing pixels grey without a word.

        Raises:
            PhotoError: the file was cut short.
        """
        longer = self._data.removesuffix(_END) + _MORE_PIXELS
        if not np.array_equal(self._decoded(longer, reduction), rgb_HWC):
            raise PhotoError(_CUT_SHORT)

    def _decoded(self, data: bytes, reduction: int) -> RgbImage:
        """The picture as stored, neither turned nor in sRGB."""
        header = self._header
        # A progressive file keeps all its coefficients (2 bytes each) until the last scan.
        coefficients = 2 * header.samples_per_pixel if header.is_progressive else 0
        bytes_per_pixel = coefficients + 6 / reduction**2
        self._limits.check_size(header.width, header.height, bytes_per_pixel)
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION | _FLAGS[reduction]
        try:
            rgb: RgbImage | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
        except cv2.error as error:
            raise PhotoError(
                kept("The JPEG data are broken ({fault}).", fault=error.err)
            ) from error
        if rgb is None:
            raise PhotoError(kept("The JPEG data are broken."))
        return rgb


def open_jpeg(
    data: bytes, limits: DecodeLimits, orientation: int | None = None
) -> JpegSource | None:
    """The JPEG in ``data``; None where it is of a kind that OpenCV should not read.

    ``orientation`` counts instead of EXIF's for a JPEG that lies in another file.

    Raises:
        PhotoError: the header is cut, or pixels are missing.
    """
    header = read_jpeg_header(data)
    if header.width == 0 or header.height == 0 or header.scan_offset == 0:
        raise PhotoError(
            kept("The JPEG's header is incomplete: the file was cut short or damaged.")
        )
    lacks_end = not has_end(data, header)
    if lacks_end and not _may_lack_its_end_alone(data, header):
        raise PhotoError(_CUT_SHORT)
    if header.components == 4 or header.precision_bits != 8:
        return None
    return JpegSource(data, header, limits, orientation, lacks_end=lacks_end)
