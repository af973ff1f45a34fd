"""PSD and PSB: the merged picture that Photoshop puts behind the layers, read in bands of rows.

A document of 500 megapixels in 16 bits is 4 GB unpacked; a band is a few MB of that. Layers are
never read: what they add up to is the program's affair that made them.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from cocadesk.errors import kept
from cocadesk.media.formats import PhotoFormat
from cocadesk.media.metadata.exif import Exif
from cocadesk.media.metadata.iptc import image_resources
from cocadesk.media.photo.bands import BAND_PIXELS, join_bands
from cocadesk.media.photo.hdr import srgb_curve
from cocadesk.media.source import PhotoSource, RawMetadata
from cocadesk.media.types import TOO_MUCH_MEMORY, DecodeLimits, PhotoError, RgbImage

_ICC, _VERSION, _EXIF, _XMP, _INDEXED = 1039, 1057, 1058, 1060, 2
_RAW, _PACKED, _ZIP, _ZIP_PREDICTED = range(4)
# Photoshop's colour modes: Pillow's mode of the same, and the channels that it takes.
_MODES = {
    0: ("L", 1),
    1: ("L", 1),
    2: ("P", 1),
    3: ("RGB", 3),
    4: ("CMYK", 4),
    7: ("L", 1),
    8: ("L", 1),
    9: ("LAB", 3),
}
_CUT_SHORT = kept("The Photoshop file ends too early: it was cut short.")
_NOT_MERGED = kept(
    "The Photoshop file was saved without its merged picture. In Photoshop, switch on"
    " “Maximize compatibility” and save it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PsdHeader:
    """The document as its head describes it. ``compression`` and ``start`` are the picture's."""

    is_large: bool
    channels: int
    width: int
    height: int
    bits: int
    mode: str
    has_alpha: bool
    palette: bytes
    resources: bytes
    compression: int
    start: int


class PsdSource(PhotoSource):
    """A Photoshop document whose head has been read."""

    steps = tuple(range(1, 65))

    def __init__(
        self, data: bytes, header: PsdHeader, photo_format: PhotoFormat, limits: DecodeLimits
    ) -> None:
        self.format = photo_format
        self.width, self.height = header.width, header.height
        self._data = data
        self._header = header
        self._limits = limits
        resources = dict(image_resources(header.resources))
        # 32 bits are light, which is given sRGB's curve here: a profile would curve it again.
        self._icc = None if header.bits == 32 else resources.get(_ICC)
        # Photoshop turns the picture itself: the orientation in its EXIF is that of the past.
        self.metadata = RawMetadata(
            exif=Exif(resources.get(_EXIF)), xmp=resources.get(_XMP), photoshop=header.resources
        )

    def decode(self, reduction: int) -> RgbImage:
        header = self._header
        is_zipped = header.compression in (_ZIP, _ZIP_PREDICTED)
        unpacked = header.channels * max(1, header.bits // 8) if is_zipped else 0
        self._limits.check_size(self.width, self.height, unpacked + 6 / reduction**2)
        try:
            return join_bands(self._bands(reduction), reduction, self._icc, self.on_part)
        except MemoryError as error:
            raise PhotoError(TOO_MUCH_MEMORY) from error
        except (ValueError, OSError, IndexError, struct.error, zlib.error) as error:
            raise PhotoError(_CUT_SHORT) from error

    def _bands(self, reduction: int) -> Iterator[Image.Image]:
        header = self._header
        rows = max(1, BAND_PIXELS // (header.width * reduction)) * reduction
        planes = _Planes(self._data, header)
        for top in range(0, header.height, rows):
            yield self._picture(planes, top, min(rows, header.height - top))

    def _picture(self, planes: _Planes, top: int, rows: int) -> Image.Image:
        header = self._header
        wanted = len(header.mode) + header.has_alpha
        channels = [planes.band(number, top, rows) for number in range(wanted)]
        if header.mode == "CMYK":  # stored as light, not as ink
            channels = [255 - channel for channel in channels]
        bands = [Image.fromarray(channel) for channel in channels]
        if header.mode == "P":
            bands[0].putpalette(header.palette[:768], "RGB;L")
            return bands[0].convert("RGB")
        if header.mode == "L":
            return bands[0]
        if header.has_alpha:  # Photoshop has put it on white already, other programs have not
            white = Image.fromarray(255 - channels[-1])
            bands = [ImageChops.lighter(band, white) for band in bands[:-1]]
        return Image.merge(header.mode, bands)


def open_psd(data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> PsdSource:
    """The document in ``data``, its head read.

    Raises:
        PhotoError: the head is broken, or there is no merged picture.
    """
    try:
        header = read_header(data)
    except (struct.error, IndexError, ValueError) as error:
        raise PhotoError(_CUT_SHORT) from error
    limits.check_size(header.width, header.height, 0)
    return PsdSource(data, header, photo_format, limits)


def read_header(data: bytes) -> PsdHeader:
    """The head of a document, from its first bytes to where its merged picture begins.

    Raises:
        PhotoError: it is of a kind that cannot be read, or has no merged picture.
        struct.error: it is cut.
    """
    version, channels, height, width, bits, colours = struct.unpack(">H6xHIIHH", data[4:26])
    found = _MODES.get(colours)
    if found is None or bits not in (1, 8, 16, 32) or channels < found[1]:
        raise PhotoError(
            kept(
                "The Photoshop file has colours of a kind that cannot be read ({bits} bits).",
                bits=bits,
            )
        )
    mode, needed = found
    palette, at = _section(data, 26, 4)
    resources, at = _section(data, at, 4)
    layers, at = _section(data, at, 8 if version == 2 else 4, most=64)
    (compression,) = struct.unpack(">H", data[at : at + 2])
    info = dict(image_resources(resources)).get(_VERSION, b"")
    if layers and len(info) > 4 and not info[4]:
        raise PhotoError(_NOT_MERGED)
    return PsdHeader(
        is_large=version == 2,
        channels=channels,
        width=width,
        height=height,
        bits=bits,
        mode=mode,
        has_alpha=mode == "RGB" and channels > needed and _first_is_alpha(layers, version),
        palette=palette,
        resources=resources,
        compression=compression,
        start=at + 2,
    )


def _section(data: bytes, at: int, size_bytes: int, most: int = 64 << 20) -> tuple[bytes, int]:
    """The (beginning of the) section at ``at``, and where the next one begins."""
    if at + size_bytes > len(data):
        raise PhotoError(_CUT_SHORT)
    size = int.from_bytes(data[at : at + size_bytes], "big")
    start = at + size_bytes
    return data[start : start + min(size, most)], start + size


def _first_is_alpha(layers: bytes, version: int) -> bool:
    """True where the channel behind the colours is transparency, not a selection put aside.

    Photoshop says so by a negative number of layers; a flat document has no other use for it.
    """
    at = 8 if version == 2 else 4
    if len(layers) < at + 2 or not any(layers[:at]):
        return True
    return int.from_bytes(layers[at : at + 2], "big", signed=True) < 0


class _Planes:
    """The channels of the merged picture, one after the other, each in rows."""

    def __init__(self, data: bytes, header: PsdHeader) -> None:
        self._header = header
        self._row_bytes = -(-header.width * header.bits // 8)
        self._data, self._start = data, header.start
        rows = header.channels * header.height
        self._row_starts: NDArray[np.int64] | None = None
        if header.compression == _PACKED:
            kind = np.dtype(">u4" if header.is_large else ">u2")
            sizes = np.frombuffer(data, kind, rows, header.start)
            first = header.start + rows * kind.itemsize
            self._row_starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]) + first
            if self._row_starts[-1] > len(data):
                raise PhotoError(_CUT_SHORT)
        elif header.compression in (_ZIP, _ZIP_PREDICTED):
            whole = rows * self._row_bytes
            self._data = zlib.decompressobj().decompress(data[header.start :], whole)
            self._start = 0
        elif header.compression != _RAW:
            raise PhotoError(kept("The Photoshop file is packed in a way that cannot be read."))
        if header.compression != _PACKED and len(self._data) - self._start < rows * self._row_bytes:
            raise PhotoError(_CUT_SHORT)

    def band(self, channel: int, top: int, rows: int) -> NDArray[np.uint8]:
        """(rows, width) of one channel, in 8 bits."""
        stored = np.frombuffer(self._unpacked(channel * self._header.height + top, rows), np.uint8)
        stored = stored.reshape(rows, self._row_bytes)
        bits, width = self._header.bits, self._header.width
        if bits == 1:
            return (1 - np.unpackbits(stored, axis=1)[:, :width]) * np.uint8(255)
        if self._header.compression == _ZIP_PREDICTED:
            stored = _without_prediction(stored, bits)
        if bits == 32:
            light = np.nan_to_num(stored.view(">f4").astype(np.float32))
            return np.round(255 * srgb_curve(np.clip(light, 0.0, 1.0))).astype(np.uint8)
        return np.ascontiguousarray(stored[:, ::2]) if bits == 16 else stored

    def _unpacked(self, first: int, rows: int) -> bytes:
        if self._row_starts is None:
            start = self._start + first * self._row_bytes
            return self._data[start : start + rows * self._row_bytes]
        start, end = (int(self._row_starts[place]) for place in (first, first + rows))
        size = (self._row_bytes, rows)
        return Image.frombytes("L", size, self._data[start:end], "packbits", "L").tobytes()


def _without_prediction(stored: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Rows in which each sample stood as its difference from the one before it.

    Samples of 32 bits lie in four planes a row, the highest bytes first.
    """
    if bits == 16:
        samples = np.cumsum(stored.view(">u2"), axis=1, dtype=np.uint16)
        return samples.astype(">u2").view(np.uint8)
    summed = np.cumsum(stored, axis=1, dtype=np.uint8)
    if bits == 8:
        return summed
    planes = summed.reshape(len(summed), 4, -1)
    return np.ascontiguousarray(planes.transpose(0, 2, 1)).reshape(len(summed), -1)
