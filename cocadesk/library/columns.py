"""The values of media's fields as arrays, for filters in memory.

Importing this module is cheap, so that a command may filter without LanceDB. Everything is
done for all media at once in NumPy: with a million of them a loop would take seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.fields import Field, Form
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.paths import fold
from cocadesk.library.texts import Texts

Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.int32]
"""The numbers of media; see ``KeyNumbers``."""


class TextMatch(Enum):
    """The ways of comparing a text with another."""

    EQUAL = auto()
    CONTAINS = auto()
    STARTS = auto()


@dataclass(frozen=True, slots=True)
class TextTest:
    """A test of folded texts against ``text``."""

    match: TextMatch
    text: str

    def mask(self, texts: Texts) -> Mask:
        """True for each of ``texts`` that passes."""
        if self.match is TextMatch.EQUAL:
            return texts.equal(self.text)
        if self.match is TextMatch.CONTAINS:
            return texts.containing(self.text)
        return texts.starting(self.text)


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One text a medium: the texts, folded, and each medium's number in them (-1: none)."""

    texts: Texts
    codes: NDArray[np.int32]

    def where(self, test: TextTest) -> Mask:
        """True where the medium's text passes ``test``."""
        # The last one answers for -1.
        passes: Mask = np.append(test.mask(self.texts), False)
        return passes[self.codes]

    def present(self) -> Mask:
        """True where there is a text."""
        return self.codes >= 0

    def put(self, pieces: Pieces, count: int) -> TextColumn:
        """The column of ``count`` media in which ``pieces`` have taken the place of others."""
        codes = _grown(self.codes, count, -1)
        texts = [self.texts]
        known = len(self.texts)
        for numbers, piece in pieces:
            assert isinstance(piece, TextColumn)
            codes[numbers] = np.where(piece.codes >= 0, piece.codes + known, -1)
            texts.append(piece.texts)
            known += len(piece.texts)
        return TextColumn(Texts.joined(texts), codes)

    def of(self, numbers: Numbers) -> TextColumn:
        """The column of these media alone, with no other's text."""
        used, codes = np.unique(self.codes[numbers], return_inverse=True)
        has_none = int(used[:1].sum() < 0)  # -1 is the first where it is there
        return TextColumn(self.texts.some(used[has_none:]), (codes - has_none).astype(np.int32))


@dataclass(frozen=True, slots=True)
class ListColumn:
    """Several texts a medium: pair i says that ``owners[i]`` has ``texts[codes[i]]``."""

    count: int
    texts: Texts
    owners: NDArray[np.int32]
    codes: NDArray[np.int32]

    def where(self, test: TextTest) -> Mask:
        """True where one of the medium's texts passes ``test``."""
        return self._owned(self.owners[test.mask(self.texts)[self.codes]])

    def present(self) -> Mask:
        """True where there is any text."""
        return self._owned(self.owners)

    def _owned(self, owners: NDArray[np.int32]) -> Mask:
        mask = np.zeros(self.count, np.bool_)
        mask[owners] = True
        return mask

    def put(self, pieces: Pieces, count: int) -> ListColumn:
        """The column of ``count`` media in which ``pieces`` have taken the place of others."""
        changed = np.zeros(count, np.bool_)
        texts, owners, codes = [self.texts], [self.owners], [self.codes]
        known = len(self.texts)
        for numbers, piece in pieces:
            assert isinstance(piece, ListColumn)
            texts.append(piece.texts)
            owners.append(numbers[piece.owners])
            codes.append(piece.codes + np.int32(known))
            known += len(piece.texts)
        for place in range(len(pieces), -1, -1):  # the last one of a medium counts
            is_last = ~changed[owners[place]]
            owners[place], codes[place] = owners[place][is_last], codes[place][is_last]
            if place:
                changed[pieces[place - 1][0]] = True
        return ListColumn(count, Texts.joined(texts), np.concatenate(owners), np.concatenate(codes))

    def of(self, numbers: Numbers) -> ListColumn:
        """The column of these media alone, with no other's text."""
        place_of = np.full(self.count, -1, np.int32)
        place_of[numbers] = np.arange(len(numbers), dtype=np.int32)
        is_theirs = place_of[self.owners] >= 0
        used, codes = np.unique(self.codes[is_theirs], return_inverse=True)
        owners = place_of[self.owners[is_theirs]]
        return ListColumn(len(numbers), self.texts.some(used), owners, codes.astype(np.int32))


@dataclass(frozen=True, slots=True)
class OrderedColumn:
    """One number (NaN: none) or time in microseconds (NaT: none) a medium."""

    values: NDArray[Any]

    def where(self, low: object, high: object) -> Mask:
        """True where ``low`` <= value <= ``high``; None is no bound."""
        mask = self.present()
        if low is not None:
            mask &= self.values >= low
        if high is not None:
            mask &= self.values <= high
        return mask

    def present(self) -> Mask:
        """True where there is a value."""
        mask: Mask = self.values == self.values  # NaN and NaT differ from themselves
        return mask

    def put(self, pieces: Pieces, count: int) -> OrderedColumn:
        """The column of ``count`` media in which ``pieces`` have taken the place of others."""
        values = _grown(self.values, count, np.array("NaT" if self._is_time() else "nan"))
        for numbers, piece in pieces:
            assert isinstance(piece, OrderedColumn)
            values[numbers] = piece.values
        return OrderedColumn(values)

    def _is_time(self) -> bool:
        return self.values.dtype.kind == "M"

    def of(self, numbers: Numbers) -> OrderedColumn:
        """The column of these media alone."""
        return OrderedColumn(self.values[numbers])


Column: TypeAlias = TextColumn | ListColumn | OrderedColumn
Pieces: TypeAlias = Sequence[tuple[Numbers, Column]]
"""New values of some media, by their numbers; of a medium the last ones count."""


def _grown(values: NDArray[Any], count: int, nothing: object) -> NDArray[Any]:
    """A copy of ``values`` with ``count`` of them."""
    grown = np.empty(count, values.dtype)
    grown[: len(values)] = values
    grown[len(values) :] = nothing
    return grown


@dataclass(frozen=True, slots=True)
class MediaColumns:
    """Columns of some fields, by name.

    Row i is the medium of number i in ``keys``; ``is_there`` is True for each number that is
    a medium's; what columns say of others counts for nothing. The same array comes back as
    long as nothing has changed.
    """

    keys: KeyNumbers
    is_there: Mask
    columns: Mapping[str, Column]

    def texts(self, field: str) -> TextColumn | ListColumn:
        """The column of a field of texts."""
        column = self.columns[field]
        if isinstance(column, OrderedColumn):
            raise TypeError(f"{field} holds no texts")
        return column

    def ordered(self, field: str) -> OrderedColumn:
        """The column of a field of numbers or times."""
        column = self.columns[field]
        if not isinstance(column, OrderedColumn):
            raise TypeError(f"{field} holds texts")
        return column


def column_of(field: Field, values: Iterable[Sequence[Any]]) -> Column:
    """The column of a field, from the values of its table columns, one tuple a medium."""
    read: Callable[..., Any] = field.value or (lambda value: value)
    found = [read(*each) for each in values]
    if field.form is Form.TEXT:
        return _text_column(found)
    if field.form is Form.LIST:
        return _list_column(found)
    if field.form is Form.TIME:
        return OrderedColumn(np.array(found, "datetime64[us]"))
    return OrderedColumn(np.array([np.nan if one is None else one for one in found], np.float64))


def _text_column(found: Sequence[str | None]) -> TextColumn:
    texts: dict[str, int] = {}
    raw: dict[str | None, int] = {None: -1, "": -1}
    for text in found:
        if text not in raw:
            raw[text] = texts.setdefault(fold(text or ""), len(texts))
    codes = np.fromiter((raw[text] for text in found), np.int32, len(found))
    return TextColumn(Texts.of(texts), codes)


def _list_column(found: Sequence[Sequence[str]]) -> ListColumn:
    texts: dict[str, int] = {}
    pairs = [
        (owner, texts.setdefault(text, len(texts)))
        for owner, own in enumerate(found)
        for text in own
    ]
    flat = np.array(pairs, np.int32).reshape(-1, 2)
    return ListColumn(len(found), Texts.of(texts), flat[:, 0], flat[:, 1])
