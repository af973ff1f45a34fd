"""The values of a medium's fields as arrays, for filters in memory.

Importing this module is cheap, so that a command may filter without LanceDB.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.fields import Field, Form
from cocadesk.library.paths import fold

Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TextColumn:
    """One text a medium: the distinct texts, folded, and each medium's number (-1: none)."""

    texts: Sequence[str]
    codes: NDArray[np.int32]

    def where(self, test: Callable[[str], bool]) -> Mask:
        """True where the medium's text passes ``test``."""
        # The last one answers for -1.
        passes = np.fromiter((*map(test, self.texts), False), np.bool_, len(self.texts) + 1)
        return passes[self.codes]

    def present(self) -> Mask:
        """True where there is a text."""
        return self.codes >= 0


@dataclass(frozen=True, slots=True)
class ListColumn:
    """Several texts a medium: pair i says that ``owners[i]`` has ``texts[codes[i]]``."""

    count: int
    texts: Sequence[str]
    owners: NDArray[np.int32]
    codes: NDArray[np.int32]

    def where(self, test: Callable[[str], bool]) -> Mask:
        """True where one of the medium's texts passes ``test``."""
        passes = np.fromiter(map(test, self.texts), np.bool_, len(self.texts))
        mask = np.zeros(self.count, np.bool_)
        mask[self.owners[passes[self.codes]]] = True
        return mask

    def present(self) -> Mask:
        """True where there is any text."""
        return self.where(lambda text: True)


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


Column: TypeAlias = TextColumn | ListColumn | OrderedColumn


@dataclass(frozen=True, slots=True)
class MediaColumns:
    """Columns of some fields, by name; row i of each is the medium ``keys[i]``."""

    keys: Sequence[str]
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
    if field.value is None:
        found = [value for (value,) in values]
    else:
        found = [field.value(*each) for each in values]
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
    return TextColumn(list(texts), codes)


def _list_column(found: Sequence[Sequence[str]]) -> ListColumn:
    texts: dict[str, int] = {}
    pairs = [
        (owner, texts.setdefault(text, len(texts)))
        for owner, own in enumerate(found)
        for text in own
    ]
    flat = np.array(pairs, np.int32).reshape(-1, 2)
    return ListColumn(len(found), list(texts), flat[:, 0], flat[:, 1])
