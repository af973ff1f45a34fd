"""The orders of the fake engine's lists, written out slowly."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from cocadesk.protocol.values import Row, SortKey

_PIECE = re.compile(r"\d+|\D")

_VALUES: dict[SortKey, Callable[[Row], str | int | list[tuple[int, int, str]] | None]] = {
    SortKey.TAKEN: lambda row: row.taken,
    SortKey.ADDED: lambda row: row.key,
    SortKey.NAME: lambda row: _natural(row.name.lower()),
    SortKey.SIZE: lambda row: row.size_bytes,
    SortKey.RATING: lambda row: row.stars or None,
}


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A name by which img2 comes before img10."""
    return [
        (ord("0"), int(piece), "") if piece.isdecimal() else (ord(piece), 0, piece)
        for piece in _PIECE.findall(name)
    ]


def in_order(rows: Iterable[Row], sort: SortKey, *, is_reversed: bool) -> tuple[str, ...]:
    """The keys of these rows, which come in their own order, in the order asked for."""
    rows = list(rows)
    value = _VALUES.get(sort)
    if value is None:
        return tuple(row.key for row in (rows[::-1] if is_reversed else rows))
    there = [row for row in rows if value(row) is not None]
    there.sort(key=value, reverse=(sort is SortKey.NAME) is is_reversed)  # type: ignore[arg-type]
    return tuple(row.key for row in there) + tuple(row.key for row in rows if value(row) is None)
