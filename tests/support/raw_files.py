"""Small camera RAW files: DNG as a camera writes it, its sensor's numbers uncompressed."""

from __future__ import annotations

import struct
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.uint8]
_Tag: TypeAlias = tuple[int, int, int, bytes]

_BYTE, _ASCII, _SHORT, _LONG, _RATIONAL, _SRATIONAL = 1, 2, 3, 4, 5, 10
# The camera sees in linear sRGB: from CIE XYZ to its colours.
_MATRIX = (3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.2040, 1.0570)


def dng(
    picture: Picture,
    *,
    orientation: int = 1,
    preview: bytes = b"",
    preview_size: tuple[int, int] = (0, 0),
    taken: str = "2021:06:01 10:20:30",
) -> bytes:
    """(H, W, 3), sides even, as a DNG file; a white border keeps LibRaw from brightening it.

    ``preview`` is a JPEG of ``preview_size`` that the camera stored beside the numbers.
    """
    numbers = _mosaic(picture)
    height, width = numbers.shape
    camera = [
        _shorts(274, orientation),
        _ascii(271, "Drawn"),
        _ascii(272, "Sensor"),
        (50706, _BYTE, 4, bytes([1, 4, 0, 0])),
        _ascii(50708, "Drawn Sensor"),
        _rationals(50721, _SRATIONAL, _MATRIX),
        _rationals(50728, _RATIONAL, (1, 1, 1)),
        _shorts(50778, 21),
    ]
    sensor = [
        *(_longs(254, 0), _longs(256, width), _longs(257, height), _shorts(258, 16)),
        *(_shorts(259, 1), _shorts(262, 32803), _shorts(277, 1), _longs(278, height)),
        *(_shorts(33421, 2, 2), (33422, _BYTE, 4, bytes([0, 1, 1, 2])), _shorts(50717, 65535)),
    ]
    exif = [_ascii(36867, taken)]
    if not preview:
        return _file([*camera, *sensor], [], exif, numbers.tobytes(), b"")
    small = [
        *(_longs(254, 1), _longs(256, preview_size[0]), _longs(257, preview_size[1])),
        *(_shorts(258, 8, 8, 8), _shorts(259, 7), _shorts(262, 6), _shorts(277, 3)),
        _longs(278, preview_size[1]),
    ]
    return _file([*camera, *small], sensor, exif, numbers.tobytes(), preview)


def _mosaic(picture: Picture) -> NDArray[np.uint16]:
    """What a sensor under red, green, green and blue filters counts of it."""
    framed = picture.copy()
    border_px = max(2, min(picture.shape[:2]) // 64)
    for edge in (
        np.s_[:border_px],
        np.s_[-border_px:],
        np.s_[:, :border_px],
        np.s_[:, -border_px:],
    ):
        framed[edge] = 255
    code = framed / 255.0
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    counted = np.round(light * 65535).astype("<u2")
    numbers = counted[..., 1].copy()
    numbers[::2, ::2] = counted[::2, ::2, 0]
    numbers[1::2, 1::2] = counted[1::2, 1::2, 2]
    return numbers


def _file(
    main: list[_Tag], sub: list[_Tag], exif: list[_Tag], numbers: bytes, preview: bytes
) -> bytes:
    """Three directories one after the other, then the pictures that the first two describe."""
    strips = (273, _LONG, 1, bytes(4)), (279, _LONG, 1, bytes(4))
    first = [*main, *strips, _longs(34665, 0), *([_longs(330, 0)] if sub else [])]
    second = [*sub, *strips] if sub else []
    at = 8
    second_at = at + len(_directory(first, at))
    exif_at = second_at + (len(_directory(second, second_at)) if sub else 0)
    pictures_at = exif_at + len(_directory(exif, exif_at))
    head = preview or numbers
    own = {273: pictures_at, 279: len(head), 34665: exif_at, 330: second_at}
    deep = {273: pictures_at + len(head), 279: len(numbers)}
    body = _directory(_placed(first, own), at)
    if sub:
        body += _directory(_placed(second, deep), second_at)
    body += _directory(exif, exif_at)
    return b"II*\x00" + struct.pack("<I", at) + body + head + (numbers if preview else b"")


def _placed(tags: list[_Tag], places: dict[int, int]) -> list[_Tag]:
    return [_longs(tag[0], places[tag[0]]) if tag[0] in places else tag for tag in tags]


def _directory(tags: list[_Tag], at: int) -> bytes:
    entries, values = struct.pack("<H", len(tags)), b""
    values_at = at + 2 + 12 * len(tags) + 4
    for tag, kind, count, value in sorted(tags):
        entries += struct.pack("<HHI", tag, kind, count)
        if len(value) <= 4:
            entries += value.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", values_at + len(values))
            values += value + bytes(len(value) % 2)
    return entries + bytes(4) + values


def _shorts(tag: int, *values: int) -> _Tag:
    return tag, _SHORT, len(values), struct.pack(f"<{len(values)}H", *values)


def _longs(tag: int, *values: int) -> _Tag:
    return tag, _LONG, len(values), struct.pack(f"<{len(values)}I", *values)


def _ascii(tag: int, text: str) -> _Tag:
    value = text.encode() + b"\0"
    return tag, _ASCII, len(value), value


def _rationals(tag: int, kind: int, values: tuple[float, ...]) -> _Tag:
    flat = [part for value in values for part in (round(value * 10_000), 10_000)]
    return tag, kind, len(values), struct.pack(f"<{len(flat)}i", *flat)
