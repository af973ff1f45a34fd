"""The structure of a HEIF file (ISO/IEC 23008-12): its main picture, and how that is coded.

Only what is needed to decode the main picture by tiles is read. A file that breaks the rules
gives fewer items; the decoder of common pictures then has the word.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from cocadesk.media.isobmff import boxes

_MAX_ITEMS = 20_000
_MAX_EXTENTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Nclx:
    """Colours by the numbers of ISO/IEC 23091-2."""

    primaries: int
    curve: int
    matrix: int
    is_full_range: bool


@dataclass(slots=True, kw_only=True)
class Item:
    """One item: its coding (``hvc1``, ``av01``, ``grid`` ...), properties, and where it lies."""

    kind: bytes = b""
    properties: list[tuple[bytes, bytes]] = field(default_factory=list)
    extents: list[tuple[int, int]] = field(default_factory=list)
    is_in_meta: bool = False
    parts: list[int] = field(default_factory=list)

    def property_of(self, kind: bytes) -> bytes:
        """The content of its first property of this kind; empty where it has none."""
        return next((content for name, content in self.properties if name == kind), b"")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height as coded; (0, 0) where it does not say."""
        content = self.property_of(b"ispe")
        return struct.unpack(">II", content[4:12]) if len(content) >= 12 else (0, 0)

    @property
    def nclx(self) -> Nclx | None:
        """Its colours, where they are given by numbers."""
        for name, content in self.properties:
            if name == b"colr" and content[:4] == b"nclx" and len(content) >= 11:
                primaries, curve, matrix = struct.unpack(">HHH", content[4:10])
                is_full = bool(content[10] & 0x80)
                return Nclx(primaries=primaries, curve=curve, matrix=matrix, is_full_range=is_full)
        return None


class HeifItems:
    """The items of the file in ``data``. Never raises for what a file may hold."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._idat = b""
        self._items: dict[int, Item] = {}
        self._main = 0
        meta = next((content for kind, content in boxes(data) if kind == b"meta"), b"")
        try:
            self._read(dict(boxes(meta, 4)))
        except (struct.error, IndexError):
            self._items.clear()

    @property
    def main(self) -> Item | None:
        """The picture that the file is about."""
        return self._items.get(self._main)

    def tiles(self, item: Item) -> list[Item]:
        """The items of which a grid consists, row by row."""
        return [self._items[number] for number in item.parts if number in self._items]

    def content(self, item: Item) -> bytes:
        """The bytes of an item."""
        source = self._idat if item.is_in_meta else self._data
        return b"".join(source[start : start + size] for start, size in item.extents)

    def _read(self, found: dict[bytes, bytes]) -> None:
        self._idat = found.get(b"idat", b"")
        main = found.get(b"pitm", b"")
        self._main = int.from_bytes(main[4 : 8 if main[:1] == b"\1" else 6], "big")
        for number, kind in _kinds(found.get(b"iinf", b"")):
            self._items[number] = Item(kind=kind)
        for number, is_in_meta, extents in _places(found.get(b"iloc", b"")):
            item = self._items.setdefault(number, Item())
            item.extents, item.is_in_meta = extents, is_in_meta
        references = found.get(b"iref", b"")
        for kind, content in boxes(references, 4):
            if kind == b"dimg":
                number, *parts = _numbers(content, is_wide=references[:1] == b"\1")
                self._items.setdefault(number, Item()).parts = parts
        known = dict(boxes(found.get(b"iprp", b"")))
        shared = list(boxes(known.get(b"ipco", b"")))
        for number, places in _associations(known.get(b"ipma", b"")):
            item = self._items.setdefault(number, Item())
            item.properties = [shared[place - 1] for place in places if 0 < place <= len(shared)]


def _kinds(iinf: bytes) -> Iterator[tuple[int, bytes]]:
    start = 6 if iinf[:1] == b"\0" else 8
    for kind, content in boxes(iinf, start):
        wide = 2 if content[:1] == b"\3" else 0
        if kind == b"infe" and content[:1] in (b"\2", b"\3"):
            yield int.from_bytes(content[4 : 6 + wide], "big"), content[8 + wide : 12 + wide]


def _places(iloc: bytes) -> Iterator[tuple[int, bool, list[tuple[int, int]]]]:
    """Number of each item, whether it lies in ``idat``, and its extents."""
    if not iloc:
        return
    version = iloc[0]
    offset_bytes, length_bytes = iloc[4] >> 4, iloc[4] & 15
    base_bytes, index_bytes = iloc[5] >> 4, (iloc[5] & 15) if version else 0
    at = 6

    def take(size: int) -> int:
        nonlocal at
        if at + size > len(iloc):
            raise IndexError("the list of places is cut")
        at += size
        return int.from_bytes(iloc[at - size : at], "big")

    for _ in range(min(take(4 if version == 2 else 2), _MAX_ITEMS)):
        number = take(4 if version == 2 else 2)
        method = take(2) & 15 if version else 0
        take(2)  # another file, of which nothing is ever read
        base = take(base_bytes)
        extents = []
        for _ in range(min(take(2), _MAX_EXTENTS)):
            take(index_bytes)
            start = base + take(offset_bytes)
            extents.append((start, take(length_bytes)))
        yield number, method == 1, extents


def _numbers(content: bytes, *, is_wide: bool) -> list[int]:
    """The numbers of an item and of those that it refers to."""
    size, code = (4, "I") if is_wide else (2, "H")
    (count,) = struct.unpack_from(">H", content, size)
    first = struct.unpack_from(f">{code}", content)
    return [*first, *struct.unpack_from(f">{min(count, _MAX_ITEMS)}{code}", content, size + 2)]


def _associations(ipma: bytes) -> Iterator[tuple[int, list[int]]]:
    """Number of each item, and its properties by their places, counted from 1."""
    if not ipma:
        return
    is_wide, id_bytes = bool(ipma[3] & 1), 4 if ipma[0] else 2
    (count,) = struct.unpack_from(">I", ipma, 4)
    at = 8
    for _ in range(min(count, _MAX_ITEMS)):
        number, at = int.from_bytes(ipma[at : at + id_bytes], "big"), at + id_bytes
        amount, at = ipma[at], at + 1
        step, mask = (2, 0x7FFF) if is_wide else (1, 0x7F)
        starts = range(at, at + step * amount, step)
        yield number, [int.from_bytes(ipma[one : one + step], "big") & mask for one in starts]
        at += step * amount
