"""Photos in formats that Pillow alone cannot write: HEIC from HEVC frames, PSD, JPEG XL."""

from __future__ import annotations

import io
import struct
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

_VPS, _SPS, _PPS = 32, 33, 34  # kinds of HEVC units; pictures lie below


def psd(
    picture: Picture,
    *,
    bits: int = 8,
    is_large: bool = False,
    is_packed: bool = False,
    mode: int = 3,
    layers: bytes = b"",
    resources: bytes = b"",
) -> bytes:
    """(H, W, channels) as a PSD file, or a PSB where ``is_large``.

    ``is_packed``: by rows, as Photoshop does. ``layers`` and ``resources`` are these sections.
    """
    height, width, channels = picture.shape
    version = 2 if is_large else 1
    head = b"8BPS" + struct.pack(">H6xHIIHH", version, channels, height, width, bits, mode)
    planes = picture.transpose(2, 0, 1)
    deep = np.ascontiguousarray(planes).astype(">u2") * 257
    stored = deep.astype(">u2").view(np.uint8) if bits == 16 else planes
    if bits == 32:
        stored = (np.ascontiguousarray(planes) / 255).astype(">f4").view(np.uint8)
    rows = [bytes(row) for row in np.ascontiguousarray(stored).reshape(channels * height, -1)]
    sections = bytes(4) + struct.pack(">I", len(resources)) + resources
    sections += struct.pack(">Q" if is_large else ">I", len(layers)) + layers
    if not is_packed:
        return head + sections + struct.pack(">H", 0) + b"".join(rows)
    packed = [_packed(row) for row in rows]
    sizes = struct.pack(f">{len(packed)}{'I' if is_large else 'H'}", *map(len, packed))
    return head + sections + struct.pack(">H", 1) + sizes + b"".join(packed)


def _packed(row: bytes) -> bytes:
    """One row in PackBits: runs of equal bytes, and what lies between them as it is."""
    parts, at = b"", 0
    while at < len(row):
        run = next((n for n in range(1, min(128, len(row) - at)) if row[at + n] != row[at]), 0)
        run = run or min(128, len(row) - at)
        parts += struct.pack("bB", 1 - run, row[at]) if run > 1 else bytes([0, row[at]])
        at += run
    return parts


def resource(number: int, content: bytes) -> bytes:
    """One of Photoshop's image resources."""
    head = b"8BIM" + struct.pack(">HHI", number, 0, len(content))
    return head + content + bytes(len(content) % 2)


def jxl(picture: Picture | Image.Image, **options: Any) -> bytes:
    """(H, W) or (H, W, channels) as a JPEG XL file."""
    import pylibjxl

    pixels = np.array(picture, order="C")
    with pylibjxl.JXL(threads=1, pool_size=1) as library:
        return bytes(library.encode(pixels, **{"distance": 0.5, "effort": 3, **options}))


def jxl_of_jpeg(jpeg: bytes) -> bytes:
    """The JPEG recompressed without loss, as most converted libraries are."""
    import pylibjxl

    with pylibjxl.JXL(threads=1, pool_size=1) as library:
        return bytes(library.jpeg_to_jxl(jpeg, effort=3))


def heic(
    picture: Picture,
    *,
    brands: bytes = b"heicmif1heic",
    turns: int = 0,
    nclx: tuple[int, int, int] | None = None,
    pixel_format: str = "yuv420p",
) -> bytes:
    """(H, W, 3), sides even, as a HEIC file.

    ``brands`` are the major one, then the compatible ones; ``turns`` is how many
    quarters counter-clockwise a reader must turn the picture (the ``irot`` property);
    ``nclx`` its primaries, curve and matrix by their numbers.
    """
    configuration, sample = _hevc_frame(picture, pixel_format)
    height, width = picture.shape[:2]
    properties = [
        _box(b"hvcC", configuration),
        _full_box(b"ispe", struct.pack(">II", width, height)),
        *([_box(b"irot", bytes([turns]))] if turns else []),
        *([_box(b"colr", b"nclx" + struct.pack(">HHHB", *nclx, 0x80))] if nclx else []),
    ]
    numbers = bytes([0x81, *range(2, len(properties) + 1)])
    return _heif(brands, properties, [(b"hvc1", numbers, sample)], references=b"")


def heic_grid(picture: Picture, rows: int, columns: int) -> bytes:
    """The picture in tiles, as iPhones store theirs; the sides of a tile are even."""
    height, width = picture.shape[0] // rows, picture.shape[1] // columns
    tiles = [
        picture[row * height : (row + 1) * height, column * width : (column + 1) * width]
        for row in range(rows)
        for column in range(columns)
    ]
    frames = [_hevc_frame(tile) for tile in tiles]
    properties = [
        _box(b"hvcC", frames[0][0]),
        _full_box(b"ispe", struct.pack(">II", width, height)),
        _full_box(b"ispe", struct.pack(">II", picture.shape[1], picture.shape[0])),
    ]
    head = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, picture.shape[1], picture.shape[0])
    items = [(b"grid", bytes([3]), head)]
    items += [(b"hvc1", bytes([0x81, 2]), sample) for _, sample in frames]
    numbers = range(2, len(items) + 1)
    dimg = struct.pack(f">HH{len(frames)}H", 1, len(frames), *numbers)
    references = _full_box(b"iref", _box(b"dimg", dimg))
    return _heif(b"heicmif1heic", properties, items, references)


def _heif(
    brands: bytes,
    properties: list[bytes],
    items: list[tuple[bytes, bytes, bytes]],
    references: bytes,
) -> bytes:
    """A file of items, each its kind, its properties by their places, and its bytes."""
    ftyp = _box(b"ftyp", brands[:4] + bytes(4) + brands[4:])

    def meta(start: int) -> bytes:
        places, kinds, links = b"", b"", b""
        for number, (kind, owned, content) in enumerate(items, start=1):
            places += struct.pack(">HHHII", number, 0, 1, start, len(content))
            kinds += _full_box(b"infe", struct.pack(">HH4sx", number, 0, kind), version=2)
            links += struct.pack(">HB", number, len(owned)) + owned
            start += len(content)
        count = struct.pack(">H", len(items))
        association = struct.pack(">I", len(items)) + links
        children = [
            _full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)),
            _full_box(b"pitm", struct.pack(">H", 1)),
            _full_box(b"iloc", b"\x44\x00" + count + places),
            _full_box(b"iinf", count + kinds),
            references,
            _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full_box(b"ipma", association)),
        ]
        return _full_box(b"meta", b"".join(children))

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + _box(b"mdat", b"".join(content for _, _, content in items))


def _hevc_frame(picture: Picture, pixel_format: str = "yuv420p") -> tuple[bytes, bytes]:
    """The decoder's configuration (``hvcC``) and the coded picture, each unit with its length.

    Not by way of an MP4: FFmpeg's muxer refuses x265's parameter sets now and then.
    """
    height, width = picture.shape[:2]
    stream = io.BytesIO()
    with av.open(stream, "w", format="hevc") as video:
        options = {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=none:info=0"}
        track = video.add_stream("libx265", rate=1, options=options)
        assert isinstance(track, av.VideoStream)
        track.width, track.height, track.pix_fmt = width, height, pixel_format
        stored = "rgb48le" if picture.dtype == np.uint16 else "rgb24"
        frame = av.VideoFrame.from_ndarray(picture, format=stored)
        for packet in (*track.encode(frame), *track.encode(None)):
            video.mux(packet)
    units = [unit.strip(b"\0") for unit in stream.getvalue().split(b"\0\0\1") if unit.strip(b"\0")]
    sets = [unit for unit in units if _VPS <= unit[0] >> 1 <= _PPS]
    coded = [unit for unit in units if unit[0] >> 1 < _VPS]
    (sps,) = (unit for unit in sets if unit[0] >> 1 == _SPS)
    profile_and_level = sps.replace(b"\0\0\3", b"\0\0")[3:15]
    depth = 0xF8 | (2 if "10" in pixel_format else 0)
    fixed = bytes([0xF0, 0, 0xFC, 0xFD, depth, depth, 0, 0, 0x0F])  # 4:2:0, lengths of four bytes
    arrays = b"".join(
        struct.pack(">BHH", 0x80 | unit[0] >> 1, 1, len(unit)) + unit for unit in sets
    )
    configuration = b"\x01" + profile_and_level + fixed + bytes([len(sets)]) + arrays
    return configuration, b"".join(struct.pack(">I", len(unit)) + unit for unit in coded)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full_box(kind: bytes, content: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + content)
