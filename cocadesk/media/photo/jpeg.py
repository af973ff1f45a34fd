"""JPEG through OpenCV at a reduced DCT scale."""

from __future__ import annotations

import numpy as np

from cocadesk.media.formats import JPEG
from cocadesk.media.limits import check_size
from cocadesk.media.metadata.exif import Exif
from cocadesk.media.opencv import cv2
from cocadesk.media.photo.colour import rgb_to_srgb, turn_upright, upright_size
from cocadesk.media.photo.jpeg_header import JpegHeader, is_complete, read_jpeg_header
from cocadesk.media.source import Coverage, RawMetadata
from cocadesk.media.types import DecodeLimits, PhotoError, RgbImage

STEPS = (1, 2, 4, 8)
# OpenCV's reduced modes are 16, 32 and 64; beside IMREAD_COLOR_RGB they give RGB at once.
_FLAGS = {1: 0, 2: 16, 4: 32, 8: 64}


class JpegSource:
    """A JPEG whose header has been read. Grey, YCbCr and RGB; not CMYK (see ``pillow``)."""

    format = JPEG

    def __init__(self, data: bytes, header: JpegHeader, limits: DecodeLimits) -> None:
        self._data = data
        self._header = header
        self._limits = limits
        self._exif = Exif(header.exif)
        self.width, self.height = upright_size(header.width, header.height, self._exif.orientation)
        self.metadata = RawMetadata(exif=self._exif, xmp=header.xmp, photoshop=header.photoshop)

    def reduction(self, coverage: Coverage) -> int:
        return coverage.reduction(self.width, self.height, STEPS)

    def decode(self, reduction: int) -> RgbImage:
        header = self._header
        check_size(header.width, header.height, self._needed_bytes(reduction), self._limits)
        flags = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION | _FLAGS[reduction]
        try:
            rgb = cv2.imdecode(np.frombuffer(self._data, np.uint8), flags)
        except cv2.error as error:
            raise PhotoError(f"The JPEG data are broken ({error.err}).") from error
        if rgb is None:
            raise PhotoError("The JPEG data are broken.")
        rgb = rgb_to_srgb(rgb, header.icc, is_grey=header.components == 1)
        return turn_upright(rgb, self._exif.orientation)

    def _needed_bytes(self, reduction: int) -> int:
        pixels = self._header.width * self._header.height
        # A progressive file keeps all its coefficients (2 bytes each) until the last scan.
        coefficients = 2 * self._header.samples_per_pixel if self._header.is_progressive else 0
        return int(pixels * coefficients + 6 * pixels / reduction**2)


def open_jpeg(data: bytes, limits: DecodeLimits) -> JpegSource | None:
    """The JPEG in ``data``; None where it is of a kind that OpenCV should not read.

    Raises:
        PhotoError: the header is cut, or the end of the file is missing.
    """
    header = read_jpeg_header(data)
    if header.width == 0 or header.height == 0 or header.scan_offset == 0:
        raise PhotoError("The JPEG's header is incomplete: the file was cut short or damaged.")
    if not is_complete(data, header):
        raise PhotoError("The JPEG ends too early: the file was cut short.")
    if header.components == 4 or header.precision_bits != 8:
        return None
    return JpegSource(data, header, limits)
