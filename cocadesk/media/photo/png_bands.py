"""Large PNG files in bands of rows.

Pillow decodes a PNG whole. Here its stream is unpacked piece by piece, and the filters of a
band, whose first row needs the last one of the band before, are undone by a decoder of small
PNG files: it is given one whose pixels have as many bytes as those of the large one.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cocadesk.media.opencv import cv2

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PIECE_BYTES = 1 << 20
_GREY, _RGB, _PALETTE, _GREY_ALPHA, _RGBA = 0, 2, 3, 4, 6
_CHANNELS = {_GREY: 1, _RGB: 3, _PALETTE: 1, _GREY_ALPHA: 2, _RGBA: 4}
# Colour type and bits of the small PNG whose pixels have so many bytes, and as what it is read.
_CARRIERS = {
    1: (_GREY, 8),
    2: (_GREY, 16),
    3: (_RGB, 8),
    4: (_RGBA, 8),
    6: (_RGB, 16),
    8: (_RGBA, 16),
}
_TO_RGB = {_RGB: cv2.COLOR_BGR2RGB, _RGBA: cv2.COLOR_BGRA2RGBA}  # OpenCV gives blue first


@dataclass(slots=True, kw_only=True)
class PngHeader:
    """The chunks of a PNG that its pixels need; ``pieces`` are the places of its stream."""

    width: int = 0
    height: int = 0
    bits: int = 8
    colours: int = 0
    is_interlaced: bool = False
    palette: bytes = b""
    transparent: bytes = b""
    pieces: list[tuple[int, int]] = field(default_factory=list)

    @property
    def can_be_banded(self) -> bool:
        """True where rows follow each other, in pixels that a PNG may have."""
        return not self.is_interlaced and self.colours in _CHANNELS and bool(self.width)

    @property
    def row_bytes(self) -> int:
        """Bytes of a row without its filter."""
        return -(-self.width * self.bits * _CHANNELS[self.colours] // 8)


def read_png_header(data: bytes) -> PngHeader:
    """The chunks of ``data``; what is broken or missing keeps its default."""
    header = PngHeader()
    at = len(_SIGNATURE)
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        start, at = at + 8, at + 12 + size
        body = data[start : start + min(size, 1024)]
        if kind == b"IHDR" and len(body) >= 13 and not header.width:  # the first one counts
            header.width, header.height, header.bits, header.colours = struct.unpack(
                ">IIBB", body[:10]
            )
            header.is_interlaced = bool(body[12])
        elif kind == b"PLTE":
            header.palette = body
        elif kind == b"tRNS":
            header.transparent = body
        elif kind == b"IDAT":
            header.pieces.append((start, min(start + size, len(data))))
        elif kind == b"IEND":
            break
    return header


def png_bands(data: bytes, header: PngHeader, rows: int) -> Iterator[Image.Image]:
    """The picture from top to bottom, ``rows`` rows at a time.

    Raises:
        ValueError: the data are broken, or there are too few.
        zlib.error: the stream is broken.
    """
    before = np.zeros(header.row_bytes, np.uint8)
    stream = _unpacked(data, header)
    waiting = bytearray()
    for top in range(0, header.height, rows):
        count = min(rows, header.height - top)
        needed = count * (1 + header.row_bytes)
        while len(waiting) < needed:
            piece = next(stream, b"")
            if not piece:
                raise ValueError("image file is truncated")
            waiting += piece
        band = _without_filters(bytes(waiting[:needed]), count, before, header)
        del waiting[:needed]
        before = band[-1]
        yield _picture(band, header)


def _unpacked(data: bytes, header: PngHeader) -> Iterator[bytes]:
    unpacker = zlib.decompressobj()
    for start, end in header.pieces:
        for at in range(start, end, _PIECE_BYTES):
            piece = unpacker.decompress(data[at : min(at + _PIECE_BYTES, end)], _PIECE_BYTES)
            while piece:
                yield piece
                piece = unpacker.decompress(unpacker.unconsumed_tail, _PIECE_BYTES)


def _without_filters(
    filtered: bytes, rows: int, before: NDArray[np.uint8], header: PngHeader
) -> NDArray[np.uint8]:
    """(rows, bytes of a row): the bytes as they were before they were filtered."""
    pixel_bytes = max(1, header.bits * _CHANNELS[header.colours] // 8)
    colours, bits = _CARRIERS[pixel_bytes]
    width = header.row_bytes // pixel_bytes
    shape = struct.pack(">IIBBBBB", width, rows + 1, bits, colours, 0, 0, 0)
    stream = zlib.compress(b"\0" + before.tobytes() + filtered, 0)
    small = _SIGNATURE + _chunk(b"IHDR", shape) + _chunk(b"IDAT", stream) + _chunk(b"IEND", b"")
    read = cv2.imdecode(np.frombuffer(small, np.uint8), cv2.IMREAD_UNCHANGED)
    if read is None or len(read) != rows + 1:
        raise ValueError("a row has a filter that does not exist")
    if colours in _TO_RGB:
        read = cv2.cvtColor(read, _TO_RGB[colours])
    if bits == 16:
        read = read.astype(">u2")
    stored = np.ascontiguousarray(read).view(np.uint8)
    return stored.reshape(rows + 1, -1)[1:, : header.row_bytes]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _picture(band: NDArray[np.uint8], header: PngHeader) -> Image.Image:
    """The band in Pillow's mode L, RGB or RGBA."""
    rows, width, channels = len(band), header.width, _CHANNELS[header.colours]
    samples = band
    if header.bits < 8:
        bits = np.unpackbits(band, axis=1).reshape(rows, -1, header.bits)
        samples = (np.packbits(bits, axis=2)[..., 0] >> np.uint8(8 - header.bits))[:, :width, None]
    else:
        samples = band.reshape(rows, width, channels, header.bits // 8)
    if header.colours == _PALETTE:
        return _from_palette(samples.reshape(rows, width), header)
    alpha = _alpha_of_key(samples, header)
    if header.bits < 8:
        samples = samples * np.uint8(255 // (2**header.bits - 1))
    else:
        samples = samples[..., 0]
    if alpha is not None:
        samples = np.concatenate([samples, alpha], axis=2)
    if samples.shape[2] == 2:
        samples = samples[..., [0, 0, 0, 1]]
    samples = np.ascontiguousarray(samples)
    return Image.fromarray(samples[..., 0] if samples.shape[2] == 1 else samples)


def _from_palette(places: NDArray[np.uint8], header: PngHeader) -> Image.Image:
    colours = np.zeros((256, 4), np.uint8)
    colours[:, 3] = 255
    known = np.frombuffer(header.palette[: 3 * (len(header.palette) // 3)], np.uint8)
    colours[: len(known) // 3, :3] = known.reshape(-1, 3)
    seen_through = np.frombuffer(header.transparent[:256], np.uint8)
    colours[: len(seen_through), 3] = seen_through
    return Image.fromarray(colours[places][..., : 4 if len(seen_through) else 3].copy())


def _alpha_of_key(samples: NDArray[np.uint8], header: PngHeader) -> NDArray[np.uint8] | None:
    """(rows, width, 1): transparent where a pixel has the colour that stands for that."""
    channels = _CHANNELS[header.colours]
    if header.colours not in (_GREY, _RGB) or len(header.transparent) < 2 * channels:
        return None
    key = np.frombuffer(header.transparent[: 2 * channels], ">u2")
    if header.bits == 16:
        values = np.ascontiguousarray(samples).view(">u2")[..., 0]
    else:
        values = samples if header.bits < 8 else samples[..., 0]
    return np.where((values == key).all(axis=2, keepdims=True), 0, 255).astype(np.uint8)
