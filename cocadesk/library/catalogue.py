"""The media of a library in memory: what searches show of them, and what filters read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

import numpy as np

from cocadesk.library.columns import Column, Mask, MediaColumns, Numbers, column_of
from cocadesk.library.fields import FIELD_OF, Field, Form
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.paths import fold
from cocadesk.library.rows import NO_TIME_NS, ResultRow

_MOST_PARTS = 500
_MOST_DEAD_ROWS = 10_000
_MOST_READ = 10_000
_NONE: Numbers = np.zeros(0, np.int32)
NEWEST = "time"
"""The column that the order of all media follows: the time taken, else that of the file, if any."""

OWN_TAG = "own tag"
WRITTEN_TAG = "own tag as written"
OWN_CAPTION = "own caption"
"""The columns of what a person wrote, without what a machine did."""


def _folded(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(fold, texts)))


def _time(taken: datetime | None, mtime_ns: int) -> np.datetime64:
    if taken is not None:
        return np.datetime64(taken, "us")
    return np.datetime64(mtime_ns // 1000 if abs(mtime_ns) >= NO_TIME_NS else "NaT", "us")


COLUMN_FIELDS: dict[str, Field] = {
    **{name: field for name, field in FIELD_OF.items() if field.match is not None},
    NEWEST: Field(NEWEST, "", Form.TIME, columns=("taken", "mtime_ns"), value=_time),
    OWN_TAG: Field(OWN_TAG, "", Form.LIST, columns=("human_tags_added",), value=_folded),
    WRITTEN_TAG: Field(WRITTEN_TAG, "", Form.LIST, columns=("human_tags_added",)),
    OWN_CAPTION: Field(OWN_CAPTION, "", columns=("human_caption",)),
}
"""The fields of media that are in memory as columns."""


class MediaPart(Protocol):
    """Some media, by their places in it."""

    def __len__(self) -> int: ...

    def column(self, field: str) -> Column:
        """The column of one of ``COLUMN_FIELDS``."""
        ...

    def result(self, place: int) -> ResultRow:
        """A medium as a search shows it."""
        ...


class Catalogue:
    """All media by number: those of ``base``, and parts that took the place of some. One thread.

    Media of the base have its places as numbers.
    """

    def __init__(self, keys: KeyNumbers, base: MediaPart | None = None) -> None:
        self.keys = keys
        self._base = base
        self._parts: list[tuple[Numbers, MediaPart]] = []
        self._base_count = len(base) if base is not None else 0
        # For each number the part that has its medium (0: the base, -1: none), and the place.
        self._part_of = np.zeros(self._base_count, np.int32)
        self._place_in = np.arange(self._base_count, dtype=np.int32)
        self.is_there: Mask = self._part_of >= 0
        self._columns: dict[str, tuple[int, Mask, Column]] = {}
        # Letter by letter a search finds mostly the same: the media that were read last.
        self._read: dict[tuple[int, int], ResultRow] = {}

    def put(self, keys: Sequence[str], part: MediaPart, gone: Numbers = _NONE) -> None:
        """Let the media of ``part`` take the place of those with these ``keys``; some are gone."""
        numbers = self.keys.add(keys)
        more = len(self.keys) - len(self._part_of)
        self._part_of = np.concatenate([self._part_of, np.full(more, -1, np.int32)])
        self._place_in = np.concatenate([self._place_in, np.zeros(more, np.int32)])
        if len(numbers):
            self._parts.append((numbers, part))
            self._part_of[numbers] = len(self._parts)
            self._place_in[numbers] = np.arange(len(numbers), dtype=np.int32)
        self._part_of[gone[(gone >= 0) & (gone < len(self._part_of))]] = -1
        self._read.clear()
        self.is_there = self._part_of >= 0

    @property
    def is_scattered(self) -> bool:
        """True where so much of what was put counts no more that ``put_anew`` pays."""
        rows = sum(len(numbers) for numbers, _ in self._parts)
        dead = rows - int(np.count_nonzero(self._part_of > 0))
        return len(self._parts) > _MOST_PARTS or dead > rows // 2 + _MOST_DEAD_ROWS

    def put_anew(self, keys: Sequence[str], part: MediaPart, gone: Numbers = _NONE) -> None:
        """Let ``part`` take the place of all that was put: days of changes are in memory else."""
        self._parts, self._columns = [], {}
        self._part_of = np.where(self._part_of > 0, -1, self._part_of).astype(np.int32)
        self.put(keys, part, gone)

    def columns(self, fields: Collection[str]) -> MediaColumns:
        """The columns of these fields; the same ones as long as nothing is put."""
        return MediaColumns(self.keys, self.is_there, {name: self._column(name) for name in fields})

    def _column(self, name: str) -> Column:
        known = self._columns.get(name)
        if known is None:
            if self._base is not None:
                column = self._base.column(name)
            else:
                column = column_of(COLUMN_FIELDS[name], ())
            known = (0, self.is_there[: self._base_count], column)
        done, is_there, column = known
        if done < len(self._parts) or len(is_there) != len(self.is_there):
            pieces = [(numbers, part.column(name)) for numbers, part in self._parts[done:]]
            column = column.put(pieces, len(self.is_there))
        self._columns[name] = (len(self._parts), self.is_there, column)
        return column

    def results(self, keys: Sequence[str]) -> list[ResultRow]:
        """The media of ``keys`` in that order, without unknown ones."""
        numbers = self.keys.numbers(keys)
        numbers = numbers[(numbers >= 0) & (numbers < len(self._part_of))]
        numbers = numbers[self.is_there[numbers]]
        if len(self._read) > _MOST_READ:
            self._read.clear()
        places = zip(self._part_of[numbers].tolist(), self._place_in[numbers].tolist(), strict=True)
        return [self._read.get(place) or self._result(place) for place in places]

    def _result(self, place: tuple[int, int]) -> ResultRow:
        number, row = place
        part = self._base if number == 0 else self._parts[number - 1][1]
        assert part is not None
        found = self._read[place] = part.result(row)
        return found

    def later(self) -> tuple[Numbers, Numbers]:
        """The numbers of media that are not those of the base, and of those of it that are gone."""
        later = np.flatnonzero(self._part_of > 0).astype(np.int32)
        gone = np.flatnonzero(self._part_of[: self._base_count] < 0).astype(np.int32)
        return later, gone
