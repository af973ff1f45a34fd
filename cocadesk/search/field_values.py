"""The values that the media of a library have, with numbers: to choose filters from.

Counted over columns in memory, for a million media in some hundredths of a second; where they
are not in memory, from the table.
"""

from __future__ import annotations

import calendar
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import OWN_TAG
from cocadesk.library.columns import Column, ListColumn, Mask, MediaColumns, OrderedColumn
from cocadesk.library.fields import FIELD_OF, Form, Match
from cocadesk.library.paths import fold, fold_path, folder_of, upwards
from cocadesk.library.rows import MediaRow
from cocadesk.library.shown import ABOVE
from cocadesk.library.tallies import AlbumTally
from cocadesk.library.texts import Texts
from cocadesk.search.filters import EVERYTHING, Filter, unless_missing
from cocadesk.search.grammar import print_term
from cocadesk.search.matching import with_album_ids
from cocadesk.search.term_words import label_of, term_words, value_text
from cocadesk.search.terms import ALBUM, NumberRange, Term

if TYPE_CHECKING:
    from cocadesk.library.library import Library

_MOST_TEXTS = 20_000
"""Of so many texts that fit, those that most media have are told apart."""
_TALLIES_KEPT = 15
_MOST_WORDS = 4
"""Of so many words at the end of a text a value may be meant."""
_ROW_COLUMNS = {"tag": ("human_tags_added", "machine_tag_names"), "name": ("name_text",)}
Key: TypeAlias = Callable[[int], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldValue:
    """A value, the filter for it, how people write it, and how many media have it."""

    field: str
    term: str
    text: str
    count: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class _Counted:
    """A folded text with its number of media, and the number of one of them."""

    text: str
    count: int
    example: int


class FieldValues:
    """Answers for one library. Any thread."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._kept = _Kept()

    def of(
        self, field: str, prefix: str = "", among: Filter = EVERYTHING, limit: int = 50
    ) -> list[FieldValue]:
        """The values of a field that begin with ``prefix``, those of most media first.

        Whole values first, then those in which a later word begins so. Of a time, its years
        or, where ``prefix`` is one, that year's months, the last first.
        """
        if field == ALBUM:
            return self._albums(prefix, among, limit)
        if field not in FIELD_OF or FIELD_OF[field].match in (None, Match.PRESENT):
            return []
        column, shown, key = self._column(field, among)
        if isinstance(column, OrderedColumn):
            is_time = FIELD_OF[field].form is Form.TIME
            return (_times if is_time else _numbers)(field, column, shown, prefix)[:limit]
        if field == "folder":
            return self._folders(column, shown, key, fold_path(prefix), limit)
        wanted = fold_path(prefix) if field == "name" else fold(prefix)
        tally = self._kept.tally(column, shown)
        found = _counted(tally, limit, partial(_fitting, wanted=wanted), wanted)
        return self._written(field, found, key)

    def completing(self, text: str, limit: int = 8) -> list[FieldValue]:
        """Values that ``text`` begins, or its last words do: a person's own words come first."""
        words = text.split()
        for start in range(max(0, len(words) - _MOST_WORDS), len(words)):
            if found := self._completing(" ".join(words[start:]), limit):
                return found
        return []

    def _completing(self, wanted: str, limit: int) -> list[FieldValue]:
        found: dict[tuple[str, str], FieldValue] = {}
        for field in ("own tag", "album", "person", "folder", "keyword", "tag", "camera", "place"):
            if not wanted or len(found) >= limit:
                break
            for one in (
                self._own_tags(wanted, limit)
                if field == OWN_TAG
                else self.of(field, wanted, limit=limit)
            ):
                found.setdefault((one.field, fold(one.text)), one)
        return list(found.values())[:limit]

    def _own_tags(self, text: str, limit: int) -> list[FieldValue]:
        column, shown, key = self._column(OWN_TAG, EVERYTHING)
        wanted = fold(text)
        tally = self._kept.tally(column, shown)
        found = _counted(tally, limit, partial(_fitting, wanted=wanted), wanted)
        return self._written("tag", found, key)

    def count_without(self, among: Filter) -> tuple[int, list[int]]:
        """The number of media that pass, and of those that pass all terms but each one."""
        among = with_album_ids(self._library.results, among)
        each = [
            Filter(among.terms[:place] + among.terms[place + 1 :])
            for place in range(len(among.terms))
        ]
        return self._count(among), [self._count(one) for one in each]

    def _count(self, among: Filter) -> int:
        among = unless_missing(among)
        columns = self._library.results.columns(among.fields())
        if columns is None:
            return self._library.results.count_where(among.where() or "true")
        return int(np.count_nonzero(among.mask(columns)))

    def _column(self, name: str, among: Filter) -> tuple[Column, Mask, Key]:
        """The column of a field, True for its media that pass, and what gives their keys."""
        rows = self._library.results
        among = with_album_ids(rows, unless_missing(among))
        columns = rows.columns(among.fields() | {name})
        if columns is None:
            keys, found = rows.columns_where(among.where() or "true", {name})
            return found[name], np.ones(len(keys), np.bool_), keys.__getitem__
        return columns.columns[name], self._kept.shown(columns, among), columns.keys.key

    def _albums(self, prefix: str, among: Filter, limit: int) -> list[FieldValue]:
        wanted = fold(prefix)
        names = {
            album: name
            for album, name in self._library.albums.names().items()
            if _begins(fold(name), wanted)
        }
        by_name = sorted(names, key=lambda album: fold(names[album]))
        by_name.sort(key=lambda album: not fold(names[album]).startswith(wanted))
        fits = by_name[:limit]
        column, shown, _ = self._column(ALBUM, among)
        assert isinstance(column, ListColumn)
        counts = AlbumTally().counts(fits, column, shown)
        return [
            _value(ALBUM, names[album], count) for album, count in zip(fits, counts, strict=True)
        ]

    def _folders(
        self, column: Column, shown: Mask, key: Key, wanted: str, limit: int
    ) -> list[FieldValue]:
        """Folders whose own name begins so, with the media in and below them."""
        counts: dict[str, _Counted] = {}

        def fits(texts: Texts) -> Mask:
            return texts.containing(f"/{wanted}")

        for one in _counted(self._kept.tally(column, shown), _MOST_TEXTS, fits):
            parts = one.text.rstrip("/").split("/")
            # Without a beginning only folders that media lie in themselves.
            ends = range(1, len(parts)) if wanted else [len(parts) - 1]
            for end in (end for end in ends if parts[end].startswith(wanted)):
                folder = "/".join(parts[: end + 1]) + "/"
                before = counts.get(folder)
                count = one.count + (before.count if before else 0)
                counts[folder] = _Counted(folder, count, one.example)
        found = sorted(counts.values(), key=lambda one: (-one.count, one.text))[:limit]
        rows = self._rows([one.example for one in found], key)
        paths = [_folder_as_written(one.text, rows.get(one.example)) for one in found]
        return [_value("folder", path, one.count) for one, path in zip(found, paths, strict=True)]

    def _written(self, field: str, found: Sequence[_Counted], key: Key) -> list[FieldValue]:
        """Each value as one of its media has it, whose letters are not all small."""
        rows = {} if FIELD_OF[field].choices else self._rows([one.example for one in found], key)
        return [
            _value(field, _as_written(field, one.text, rows.get(one.example)), one.count)
            for one in found
        ]

    def _rows(self, numbers: Sequence[int], key: Key) -> dict[int, MediaRow]:
        numbers_of: dict[str, list[int]] = {}
        for number in numbers:
            numbers_of.setdefault(key(number), []).append(number)
        rows = self._library.media.rows(list(numbers_of))
        return {number: row for row in rows for number in numbers_of[row.key]}


def _value(field: str, value: str, count: int) -> FieldValue:
    term = print_term(Term(field=field, values=(value,)))
    text = value_text(field, value)
    return FieldValue(field=field, term=term, text=text, count=count, label=label_of(field))


def _fitting(texts: Texts, *, wanted: str) -> Mask:
    """True for texts that begin so, or a later word of which does."""
    return texts.starting(wanted) | texts.containing(f" {wanted}")


def _begins(text: str, wanted: str) -> bool:
    return text.startswith(wanted) or f" {wanted}" in text


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """How many media have each text of a column, and the number of one of them."""

    texts: Texts
    counts: NDArray[np.int32]
    examples: NDArray[np.int32]

    @classmethod
    def of(cls, column: Column, shown: Mask) -> _Tally:
        """Those of the media that are shown."""
        if isinstance(column, OrderedColumn):
            raise TypeError("numbers are no texts")
        numbers: NDArray[np.integer]
        if isinstance(column, ListColumn):
            is_shown = shown[column.owners]
            numbers, codes = column.owners[is_shown], column.codes[is_shown]
        else:
            numbers = np.flatnonzero(shown & (column.codes >= 0))
            codes = column.codes[numbers]
        texts = column.texts
        examples = np.zeros(len(texts), np.int32)
        examples[codes] = numbers
        counts = np.bincount(codes, minlength=len(texts)).astype(np.int32)
        return cls(texts, counts, examples)


class _Kept:
    """What was counted last, as long as the columns are the same: each letter asks for it again.

    Any thread: what two of them count at once is counted twice.
    """

    def __init__(self) -> None:
        self._shown: tuple[Filter, Mask, Mask] | None = None
        self._tallies: tuple[Mask, tuple[tuple[Column, _Tally], ...]] | None = None

    def shown(self, columns: MediaColumns, among: Filter) -> Mask:
        """True for the media that pass; the same array while nothing changes."""
        known = self._shown
        # The same array of those that are there means that nothing has changed.
        if known is not None and known[0] == among and known[1] is columns.is_there:
            return known[2]
        mask = among.mask(columns)
        self._shown = (among, columns.is_there, mask)
        return mask

    def tally(self, column: Column, shown: Mask) -> _Tally:
        """The numbers of a column's texts; those of few different texts are kept."""
        known = self._tallies
        kept = known[1] if known is not None and known[0] is shown else ()
        for counted, tally in kept:
            if counted is column:
                return tally
        made = _Tally.of(column, shown)
        if len(made.texts) <= _MOST_TEXTS:
            self._tallies = (shown, (*kept[-_TALLIES_KEPT:], (column, made)))
        return made


def _counted(
    tally: _Tally, limit: int, fits: Callable[[Texts], Mask], first: str = ""
) -> list[_Counted]:
    """The texts that fit, of media that are shown: of most media first.

    Those that begin with ``first`` come before the others.
    """
    texts, counts, examples = tally.texts, tally.counts, tally.examples
    places = np.flatnonzero((counts > 0) & fits(texts))
    places = places[np.argsort(-counts[places], kind="stable")[:_MOST_TEXTS]]
    merged: dict[str, _Counted] = {}
    for place in places.tolist():  # a text may stand in a column twice
        text = texts[place]
        before = merged[text].count if text in merged else 0
        merged[text] = _Counted(text, before + int(counts[place]), int(examples[place]))
    found = sorted(
        merged.values(), key=lambda one: (not one.text.startswith(first), -one.count, one.text)
    )
    return found[:limit]


def _times(field: str, column: OrderedColumn, shown: Mask, prefix: str) -> list[FieldValue]:
    """The years, or the months of one, the last first."""
    values = column.values[shown[: len(column.values)]]
    values = values[values == values]
    is_year = re.fullmatch(r"\d{4}", prefix, re.ASCII) is not None
    steps = values.astype("datetime64[M]" if is_year else "datetime64[Y]")
    if is_year:
        steps = steps[steps.astype("datetime64[Y]") == np.datetime64(prefix)]
    known, counts = np.unique(steps, return_counts=True)
    found = []
    for step, count in zip(known[::-1].tolist(), counts[::-1].tolist(), strict=True):
        text = f"{step:%Y-%m}" if is_year else f"{step:%Y}"
        text = text.zfill(7 if is_year else 4)
        if not is_year and prefix and not text.startswith(prefix):
            continue
        shown_text = f"{calendar.month_name[step.month]} {step.year}" if is_year else text
        label = label_of(field)
        found.append(
            FieldValue(
                field=field, term=f"{field}:{text}", text=shown_text, count=count, label=label
            )
        )
    return found


def _numbers(field: str, column: OrderedColumn, shown: Mask, prefix: str) -> list[FieldValue]:
    """The numbers that there are, the largest first."""
    values = column.values[shown[: len(column.values)]]
    known, counts = np.unique(values[values == values], return_counts=True)
    found = []
    for number, count in zip(known[::-1].tolist(), counts[::-1].tolist(), strict=True):
        term = Term(field=field, values=(NumberRange(low=number, high=number),))
        words = term_words(term)
        if f"{number:g}".startswith(prefix):
            found.append(
                FieldValue(
                    field=field,
                    term=print_term(term),
                    text=words,
                    count=count,
                    label=label_of(field),
                )
            )
    return found


def _as_written(field: str, text: str, row: MediaRow | None) -> str:
    """The folded text of a value as the medium has it."""
    if row is None:
        return text
    known = FIELD_OF[field]
    stored = [getattr(row, column) for column in _ROW_COLUMNS.get(field, known.columns)]
    if known.form is Form.TEXT:
        value = known.value(*stored) if known.value else stored[0]
        return value if isinstance(value, str) and fold(value) == text else text
    for values in stored:
        for value in [values] if isinstance(values, str) else values:
            for part in value.split(ABOVE) if field == "keyword" else [value]:
                if fold(part) == text:
                    return str(part)
    return text


def _folder_as_written(text: str, row: MediaRow | None) -> str:
    """The folder of a folded text as the path of a medium in it has it."""
    if row is not None:
        for folder in upwards(folder_of(row.path)):
            path = os.fsdecode(folder)
            if fold_path(path).rstrip("/") == text.rstrip("/"):
                return path
    return text
