"""Large TIFF files in bands of rows.

A TIFF holds strips or rows of tiles, each packed by itself. A band is a small TIFF with some of
them and with the tags of the large one, which Pillow decodes like any other.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

_WIDTH, _HEIGHT, _BITS, _PACKING, _CHANNELS, _ROWS, _PLANAR = 256, 257, 258, 259, 277, 278, 284
_STRIPS, _STRIP_BYTES, _TILE_HEIGHT, _TILES, _TILE_BYTES = 273, 279, 323, 324, 325
_TILE_WIDTH = 322
# What a decoder needs: no metadata, no turn, and no offsets into the large file.
_COPIED = frozenset(
    {_WIDTH, _BITS, _PACKING, 262, 266, _CHANNELS, _PLANAR, 317, 320, _TILE_WIDTH, _TILE_HEIGHT}
    | {332, 338, 339, 340, 341, 347, 529, 530, 531, 532}
)
_READ = _COPIED | {_HEIGHT, _ROWS, _STRIPS, _STRIP_BYTES, _TILES, _TILE_BYTES}
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 16: 8, 17: 8}
_CODES = {1: "B", 3: "H", 4: "I", 16: "Q"}
_MAX_ENTRIES, _MAX_COUNT = 512, 4_000_000
_UNPACKED = 1


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    count: int
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class TiffStrips:
    """The first picture of a TIFF: its tags, and its strips or tiles from top to bottom.

    ``places`` are the offset and size of each; ``columns`` of them lie side by side in rows of
    ``rows`` pixels, and ``planes`` times that one plane after the other.
    """

    order: str
    entries: dict[int, _Entry]
    width: int
    height: int
    rows: int
    columns: int
    planes: int
    is_tiled: bool
    is_packed: bool
    places: list[tuple[int, int]]


def read_strips(data: bytes) -> TiffStrips | None:
    """The strips of the first picture in ``data``; None where it can only be read whole."""
    try:
        return _read(data)
    except (struct.error, KeyError, IndexError, ValueError, ZeroDivisionError):
        return None


def tiff_bands(data: bytes, strips: TiffStrips, rows: int) -> Iterator[Image.Image]:
    """The picture from top to bottom, about ``rows`` rows at a time, turned by no tag.

    A band is of whole strips or rows of tiles, and never of more rows than one of them or
    ``rows``.
    """
    count = max(1, rows // strips.rows)
    total = -(-strips.height // strips.rows)
    for first in range(0, total, count):
        last = min(first + count, total)
        top, bottom = first * strips.rows, min(last * strips.rows, strips.height)
        with Image.open(io.BytesIO(_small_tiff(data, strips, first, last, bottom - top))) as image:
            image.load()
            yield image


def _read(data: bytes) -> TiffStrips | None:
    order = {b"II": "<", b"MM": ">"}[data[:2]]
    (version,) = struct.unpack_from(order + "H", data, 2)
    entries = _entries(data, order, is_big=version == 43)

    def numbers(tag: int) -> tuple[int, ...]:
        entry = entries[tag]
        return struct.unpack(f"{order}{entry.count}{_CODES[entry.kind]}", entry.value)

    def number(tag: int, default: int) -> int:
        return numbers(tag)[0] if tag in entries else default

    width, height = number(_WIDTH, 0), number(_HEIGHT, 0)
    is_tiled = _TILES in entries
    tags = (_TILES, _TILE_BYTES) if is_tiled else (_STRIPS, _STRIP_BYTES)
    places = list(zip(numbers(tags[0]), numbers(tags[1]), strict=True))
    channels = number(_CHANNELS, 1)
    planes = channels if number(_PLANAR, 1) == 2 else 1
    rows = number(_TILE_HEIGHT, height) if is_tiled else min(number(_ROWS, height), height)
    columns = -(-width // number(_TILE_WIDTH, width)) if is_tiled else 1
    is_packed = is_tiled or planes > 1 or number(_PACKING, _UNPACKED) != _UNPACKED
    if not is_packed:
        bits = sum(numbers(_BITS)) if _BITS in entries else 1
        places = _rows_of(places, rows, height, -(-width * bits // 8))
        rows = 1
    if len(places) < planes * columns * -(-height // rows) or rows >= height:
        return None
    if any(start + size > len(data) for start, size in places):
        raise ValueError("a strip lies behind the end")
    if sum(size for _, size in places) > 2 * len(data):
        raise ValueError("the strips lie one over the other")
    return TiffStrips(
        order=order,
        entries=entries,
        width=width,
        height=height,
        rows=rows,
        columns=columns,
        planes=planes,
        is_tiled=is_tiled,
        is_packed=is_packed,
        places=places,
    )


def _rows_of(
    places: list[tuple[int, int]], rows: int, height: int, row_bytes: int
) -> list[tuple[int, int]]:
    """The place of each row of a picture that is not packed."""
    return [(places[row // rows][0] + row % rows * row_bytes, row_bytes) for row in range(height)]


def _entries(data: bytes, order: str, *, is_big: bool) -> dict[int, _Entry]:
    offset_code, entry_bytes, inline = ("Q", 20, 8) if is_big else ("I", 12, 4)
    (at,) = struct.unpack_from(order + offset_code, data, 8 if is_big else 4)
    (count,) = struct.unpack_from(order + ("Q" if is_big else "H"), data, at)
    at += 8 if is_big else 2
    found: dict[int, _Entry] = {}
    for start in range(at, at + entry_bytes * min(count, _MAX_ENTRIES), entry_bytes):
        tag, kind, amount = struct.unpack_from(order + "HH" + offset_code, data, start)
        size = _SIZES.get(kind, 0) * amount
        if tag not in _READ or tag in found or not size or amount > _MAX_COUNT:
            continue
        value_at = start + 4 + inline
        if size > inline:
            (value_at,) = struct.unpack_from(order + offset_code, data, value_at)
        found[tag] = _Entry(kind, amount, data[value_at : value_at + size])
    return found


def _small_tiff(data: bytes, strips: TiffStrips, first: int, last: int, rows: int) -> bytes:
    """A TIFF with the strips or rows of tiles from ``first`` up to ``last``."""
    order, across = strips.order, strips.columns
    in_plane = across * -(-strips.height // strips.rows)
    chosen = [
        strips.places[plane * in_plane + place]
        for plane in range(strips.planes)
        for place in range(first * across, last * across)
    ]
    if not strips.is_packed:
        chosen = _joined(chosen)
    pixels = b"".join(data[start : start + size] for start, size in chosen)
    starts, at = [], 8
    for _, size in chosen:
        starts.append(at)
        at += size
    entries = {tag: one for tag, one in strips.entries.items() if tag in _COPIED}
    sizes = [size for _, size in chosen]
    tags = (_TILES, _TILE_BYTES) if strips.is_tiled else (_STRIPS, _STRIP_BYTES)
    for tag, values in ((tags[0], starts), (tags[1], sizes), (_HEIGHT, [rows])):
        entries[tag] = _Entry(4, len(values), struct.pack(f"{order}{len(values)}I", *values))
    if not strips.is_tiled:
        per_strip = rows if len(chosen) == strips.planes else strips.rows
        entries[_ROWS] = _Entry(4, 1, struct.pack(order + "I", per_strip))
    return _written(order, entries, pixels)


def _joined(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Places that follow each other as one."""
    joined = places[:1]
    for start, size in places[1:]:
        last_start, last_size = joined[-1]
        if last_start + last_size == start:
            joined[-1] = (last_start, last_size + size)
        else:
            return places
    return joined


def _in_32_bits(entry: _Entry, order: str) -> _Entry:
    """An entry of a large TIFF as a common one has it."""
    if entry.kind != 16:
        return entry
    numbers = struct.unpack(f"{order}{entry.count}Q", entry.value)
    return _Entry(4, entry.count, struct.pack(f"{order}{entry.count}I", *numbers))


def _written(order: str, entries: dict[int, _Entry], pixels: bytes) -> bytes:
    mark = b"II" if order == "<" else b"MM"
    directory_at = 8 + len(pixels) + len(pixels) % 2
    values_at = directory_at + 2 + 12 * len(entries) + 4
    directory, values = struct.pack(order + "H", len(entries)), b""
    for tag, stored in sorted(entries.items()):
        entry = _in_32_bits(stored, order)
        directory += struct.pack(order + "HHI", tag, entry.kind, entry.count)
        if len(entry.value) <= 4:
            directory += entry.value.ljust(4, b"\0")
        else:
            directory += struct.pack(order + "I", values_at + len(values))
            values += entry.value + bytes(len(entry.value) % 2)
    head = mark + struct.pack(order + "HI", 42, directory_at)
    return head + pixels + bytes(len(pixels) % 2) + directory + bytes(4) + values
