"""Orders of lists: by relevance, by the time taken or added, by name, size or stars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import NEWEST
from cocadesk.library.columns import Column, ListColumn, TextColumn
from cocadesk.library.key_numbers import KeyList
from cocadesk.library.texts import Texts
from cocadesk.search.filters import Filter
from cocadesk.search.matching import newest_keys, newest_matching, passing_numbers, with_album_ids
from cocadesk.search.natural import natural_ranks

if TYPE_CHECKING:
    from cocadesk.library.library import Library
    from cocadesk.library.result_rows import ResultRows
    from cocadesk.library.snapshot import Snapshot


class SortKey(StrEnum):
    """The values by which a list can be sorted.

    RELEVANCE: a list's own order: the best match first; without words that of the one album
    that is asked for, else the newest first. The time taken is that of the file where nothing
    else is known; one of 1970-01-01 is none.
    """

    RELEVANCE = "relevance"
    TAKEN = "taken"
    ADDED = "added"
    NAME = "name"
    SIZE = "size"
    RATING = "rating"


@dataclass(frozen=True, slots=True)
class Order:
    """An order of a list.

    Names begin with the first letter, all else with the best, newest or largest;
    ``is_reversed`` turns that round. Media without the value come last both ways.
    """

    key: SortKey = SortKey.RELEVANCE
    is_reversed: bool = False

    @property
    def column(self) -> str:
        """The column of media that it reads; empty where it reads none."""
        return _COLUMNS.get(self.key, "")

    @property
    def ascends(self) -> bool:
        """True where the smallest value comes first."""
        return (self.key is SortKey.NAME) is not self.is_reversed


OWN_ORDER = Order()
"""A list's own order."""
_NEWEST = Order(SortKey.TAKEN)

_COLUMNS = {
    SortKey.TAKEN: NEWEST,
    SortKey.ADDED: "added",
    SortKey.NAME: "name",
    SortKey.SIZE: "size",
    SortKey.RATING: "rating",
}


def ordered_matching(
    rows: ResultRows | Snapshot, among: Filter, order: Order = OWN_ORDER
) -> Sequence[str]:
    """The keys of the media that pass, in that order.

    Of as many stars the newest come first, else of equal values those that were added first.
    A million are sorted in some tenths of a second where they are in memory.
    """
    if not order.column:
        keys = newest_matching(rows, among)
        return _turned(keys) if order.is_reversed else keys
    among = with_album_ids(rows, among)
    by_date = NEWEST if order.key is SortKey.RATING else ""
    wanted = {order.column, by_date} - {""}
    columns = rows.columns(among.fields() | wanted)
    if columns is None:
        keys, found = rows.columns_where(among.where() or "true", wanted)
        places = np.argsort(np.array(keys, "S"), kind="stable")
        places = places[_sorted(found[by_date], places, _NEWEST)] if by_date else places
        return [keys[place] for place in places[_sorted(found[order.column], places, order)]]
    passing = passing_numbers(columns, among)
    if by_date:
        passing = passing[_sorted(columns.columns[by_date], passing, _NEWEST)]
    return KeyList(columns.keys, passing[_sorted(columns.columns[order.column], passing, order)])


def ordered_keys(library: Library, among: Filter, order: Order = OWN_ORDER) -> Sequence[str]:
    """As ``ordered_matching``; the newest also of a library that is too large for memory."""
    if order.column:
        return ordered_matching(library.results, among, order)
    keys = newest_keys(library, among)
    return _turned(keys) if order.is_reversed else keys


def sorted_places(rows: ResultRows | Snapshot, keys: Sequence[str], order: Order) -> Sequence[int]:
    """The places in ``keys`` in the order that is asked for; equal ones stay as they came."""
    if not order.column:
        return range(len(keys))[:: -1 if order.is_reversed else 1]
    columns = rows.columns({order.column})
    if columns is None:
        there, found = rows.columns_of(keys, {order.column})
        column, place_of = found[order.column], {key: place for place, key in enumerate(there)}
        numbers = np.array([place_of.get(key, -1) for key in keys], np.int64)
    else:
        column, found_in = columns.columns[order.column], columns.keys.numbers(keys)
        numbers = np.where(found_in < len(columns.is_there), found_in, -1)
    known = np.flatnonzero(numbers >= 0)
    places = known[_sorted(column, numbers[known], order)]
    return [*places.tolist(), *np.flatnonzero(numbers < 0).tolist()]


def _turned(keys: Sequence[str]) -> Sequence[str]:
    return KeyList(keys.keys, keys.numbers[::-1]) if isinstance(keys, KeyList) else keys[::-1]


def _sorted(column: Column, numbers: NDArray[np.integer], order: Order) -> NDArray[np.intp]:
    """The places in ``numbers`` in the order of their values; without one they come last."""
    values, has_value = _values(column, numbers)
    there = np.flatnonzero(has_value)
    values = values[there]
    places = np.argsort(values if order.ascends else -values, kind="stable")
    return np.concatenate([there[places], np.flatnonzero(~has_value)])


def _values(
    column: Column, numbers: NDArray[np.integer]
) -> tuple[NDArray[np.int64] | NDArray[np.float64], NDArray[np.bool_]]:
    """Numbers in the order of the media's values, and True where there is one."""
    if isinstance(column, TextColumn):
        codes = column.codes[numbers]
        if len(numbers) * 4 < len(column.texts):  # few of many: rank their texts alone
            used, codes = np.unique(codes, return_inverse=True)
            has_none = int(used[:1].sum() < 0)
            ranks = natural_ranks(column.texts.some(used[has_none:]))
            codes = codes - has_none
        else:
            ranks = _ranks(column.texts)
        return np.append(ranks, -1)[codes], codes >= 0
    if isinstance(column, ListColumn):
        raise TypeError("a list of texts has no order")
    values = column.values[numbers]
    has_value = values == values  # NaN and NaT differ from themselves
    return (values.astype(np.int64) if values.dtype.kind == "M" else values), has_value


_RANKS: WeakKeyDictionary[Texts, NDArray[np.int64]] = WeakKeyDictionary()
"""Of whole columns, whose texts are the same object while nothing changes."""


def _ranks(texts: Texts) -> NDArray[np.int64]:
    ranks = _RANKS.get(texts)
    if ranks is None:
        ranks = _RANKS[texts] = natural_ranks(texts)
    return ranks
