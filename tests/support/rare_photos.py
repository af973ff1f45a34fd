"""Photos in formats that Pillow cannot write: HEIC from one HEVC frame, and flat PSD."""

from __future__ import annotations

import io
import struct

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_VPS, _SPS, _PPS = 32, 33, 34  # kinds of HEVC units; pictures lie below


def psd(picture: Picture) -> bytes:
    """(H, W, 3) as an uncompressed PSD file without layers."""
    height, width = picture.shape[:2]
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, height, width, 8, 3)
    empty_sections = bytes(12)
    uncompressed = struct.pack(">H", 0)
    return header + empty_sections + uncompressed + picture.transpose(2, 0, 1).tobytes()


def heic(picture: Picture, *, brands: bytes = b"heicmif1heic", turns: int = 0) -> bytes:
    """(H, W, 3), sides even, as a HEIC file.

    ``brands`` are the major one, then the compatible ones; ``turns`` is how many
    quarters counter-clockwise a reader must turn the picture (the ``irot`` property).
    """
    configuration, sample = _hevc_frame(picture)
    height, width = picture.shape[:2]
    properties = [
        _box(b"hvcC", configuration),
        _full_box(b"ispe", struct.pack(">II", width, height)),
        *([_box(b"irot", bytes([turns]))] if turns else []),
    ]
    numbers = bytes([0x81, 2, *([0x83] if turns else [])])
    ftyp = _box(b"ftyp", brands[:4] + bytes(4) + brands[4:])

    def meta(sample_at: int) -> bytes:
        place = struct.pack(">HHHHHII", 0x4400, 1, 1, 0, 1, sample_at, len(sample))
        entry = _full_box(b"infe", struct.pack(">HH4sx", 1, 0, b"hvc1"), version=2)
        association = struct.pack(">IHB", 1, 1, len(numbers)) + numbers
        children = [
            _full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)),
            _full_box(b"pitm", struct.pack(">H", 1)),
            _full_box(b"iloc", place),
            _full_box(b"iinf", struct.pack(">H", 1) + entry),
            _box(b"iprp", _box(b"ipco", b"".join(properties)) + _full_box(b"ipma", association)),
        ]
        return _full_box(b"meta", b"".join(children))

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + _box(b"mdat", sample)


def _hevc_frame(picture: Picture) -> tuple[bytes, bytes]:
    """The decoder's configuration (``hvcC``) and the coded picture, each unit with its length.

    Not by way of an MP4: FFmpeg's muxer refuses x265's parameter sets now and then.
    """
    height, width = picture.shape[:2]
    stream = io.BytesIO()
    with av.open(stream, "w", format="hevc") as video:
        options = {"preset": "ultrafast", "crf": "8", "x265-params": "log-level=none:info=0"}
        track = video.add_stream("libx265", rate=1, options=options)
        assert isinstance(track, av.VideoStream)
        track.width, track.height, track.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        for packet in (*track.encode(frame), *track.encode(None)):
            video.mux(packet)
    units = [unit.strip(b"\0") for unit in stream.getvalue().split(b"\0\0\1") if unit.strip(b"\0")]
    sets = [unit for unit in units if _VPS <= unit[0] >> 1 <= _PPS]
    coded = [unit for unit in units if unit[0] >> 1 < _VPS]
    (sps,) = (unit for unit in sets if unit[0] >> 1 == _SPS)
    profile_and_level = sps.replace(b"\0\0\3", b"\0\0")[3:15]
    fixed = b"\xf0\x00\xfc\xfd\xf8\xf8\x00\x00\x0f"  # 4:2:0, 8 bits, lengths of four bytes
    arrays = b"".join(
        struct.pack(">BHH", 0x80 | unit[0] >> 1, 1, len(unit)) + unit for unit in sets
    )
    configuration = b"\x01" + profile_and_level + fixed + bytes([len(sets)]) + arrays
    return configuration, b"".join(struct.pack(">I", len(unit)) + unit for unit in coded)


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full_box(kind: bytes, content: bytes, version: int = 0) -> bytes:
    return _box(kind, bytes([version, 0, 0, 0]) + content)
