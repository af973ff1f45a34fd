"""Reads EXIF's directory of tags, bounded at every step.

Only the tags that CocaDesk uses are read. A directory that points at itself,
a count of two billion or a value past the end yields fewer tags, never an
error: the photo matters more than what it says about itself.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

ExifValue: TypeAlias = bytes | tuple[int, ...] | tuple[float, ...]
Ifd: TypeAlias = dict[int, ExifValue]

ORIENTATION = 0x0112
_EXIF_POINTER = 0x8769
_GPS_POINTER = 0x8825
_SUB_POINTERS = 0x014A
_MAKER_NOTE = 0x927C
_APPLE = b"Apple iOS\x00\x00\x01MM"
"""The beginning of Apple's maker note; its directory follows, with places counted from here."""
_CONTENT_IDENTIFIER = 0x0011
_MAX_CHAIN = 8
_MAX_ENTRIES = 1024
_MAX_VALUE_BYTES = 1 << 17
_MAX_DIRECTORY_BYTES = 1 << 19
"""Of all values together: a thousand may lie one over the other in a small file."""

_NUMBER_CODES = {3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}


# TIFF's own beginnings, and those of Olympus' and Panasonic's RAW files, which are TIFF otherwise.
_ORDERS = {
    **dict.fromkeys((b"II*\x00", b"IIRO", b"IIRS", b"IIU\x00"), "<"),
    **dict.fromkeys((b"MM\x00*", b"MMOR"), ">"),
}


def starts_as_tiff(data: bytes) -> bool:
    """True where ``Exif`` knows the beginning."""
    return data[:4] in _ORDERS


class Exif:
    """The three directories of an EXIF block; empty where they are missing or broken."""

    __slots__ = ("gps", "main", "photo")

    def __init__(self, data: bytes | None) -> None:
        self.main: Ifd = {}
        self.photo: Ifd = {}
        self.gps: Ifd = {}
        if data is None:
            return
        if data.startswith(b"Exif\x00\x00"):
            data = data[6:]
        order = _ORDERS.get(data[:4])
        if order is None or len(data) < 8:
            return
        self.main = _read_ifd(data, order, *struct.unpack(order + "I", data[4:8]))
        self.photo = self._sub_ifd(data, order, _EXIF_POINTER)
        self.gps = self._sub_ifd(data, order, _GPS_POINTER)

    def _sub_ifd(self, data: bytes, order: str, tag: int) -> Ifd:
        pointer = self.main.get(tag)
        if isinstance(pointer, tuple) and pointer and isinstance(pointer[0], int):
            return _read_ifd(data, order, pointer[0])
        return {}

    @property
    def content_id(self) -> str:
        """Apple's name for what both files of a Live Photo show; empty where there is none."""
        note = self.photo.get(_MAKER_NOTE)
        if not isinstance(note, bytes) or not note.startswith(_APPLE):
            return ""
        found = _read_ifd(note, ">", len(_APPLE)).get(_CONTENT_IDENTIFIER)
        return found.rstrip(b"\x00").decode("ascii", "replace") if isinstance(found, bytes) else ""

    @property
    def orientation(self) -> int:
        """The EXIF orientation, 1 to 8; 1 where there is none or it is not valid."""
        value = self.main.get(ORIENTATION)
        if isinstance(value, tuple) and value and value[0] in range(1, 9):
            return int(value[0])
        return 1


def directories(data: bytes) -> list[Ifd]:
    """The directories of a file that ``starts_as_tiff``, each followed by those below it."""
    order = _ORDERS.get(data[:4])
    found: list[Ifd] = []
    if order is None or len(data) < 8:
        return found
    (at,) = struct.unpack_from(order + "I", data, 4)
    for _ in range(_MAX_CHAIN):
        if at < 8 or at + 2 > len(data):
            break
        found.append(_read_ifd(data, order, at))
        below = found[-1].get(_SUB_POINTERS, ())
        places = (place for place in below[:_MAX_CHAIN] if isinstance(place, int))
        found += [_read_ifd(data, order, place) for place in places]
        next_at = at + 2 + 12 * struct.unpack_from(order + "H", data, at)[0]
        (at,) = struct.unpack_from(order + "I", data, next_at) if next_at + 4 <= len(data) else (0,)
    return found


def _read_ifd(data: bytes, order: str, offset: int) -> Ifd:
    if offset < 8 or offset + 2 > len(data):
        return {}
    (count,) = struct.unpack_from(order + "H", data, offset)
    entries: Ifd = {}
    left = _MAX_DIRECTORY_BYTES
    for index in range(min(count, _MAX_ENTRIES)):
        at = offset + 2 + 12 * index
        if at + 12 > len(data):
            break
        tag, kind, number = struct.unpack_from(order + "HHI", data, at)
        size = _SIZES.get(kind, 0) * number
        value = _read_value(data, order, at + 8, kind, number) if size <= left else None
        if value is not None:
            left -= size
            entries.setdefault(tag, value)
    return entries


def _read_value(data: bytes, order: str, at: int, kind: int, number: int) -> ExifValue | None:
    size = _SIZES.get(kind, 0) * number
    if not 0 < size <= _MAX_VALUE_BYTES:
        return None
    start = at if size <= 4 else struct.unpack_from(order + "I", data, at)[0]
    if start + size > len(data):
        return None
    if kind in (1, 2, 7, 129):
        return data[start : start + size]
    if kind in (5, 10):
        code = "I" if kind == 5 else "i"
        flat = struct.unpack_from(f"{order}{2 * number}{code}", data, start)
        pairs = zip(flat[::2], flat[1::2], strict=True)
        return tuple(top / bottom if bottom else float("nan") for top, bottom in pairs)
    numbers: tuple[int, ...] = struct.unpack_from(
        f"{order}{number}{_NUMBER_CODES[kind]}", data, start
    )
    return numbers
