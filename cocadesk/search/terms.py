"""Terms of a filter: one condition each, for the store and for columns in memory."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias

import numpy as np

from cocadesk.library.columns import Mask, MediaColumns, TextMatch, TextTest
from cocadesk.library.fields import FIELD_OF, Field, Form, Match
from cocadesk.library.literals import literal
from cocadesk.library.paths import fold, fold_path

ALBUM = "album"
HAS = "has"
"""The name of terms whose values are the fields that a medium must have."""
_EPOCH = date(1970, 1, 1).toordinal()
_DAY = 24 * 60 * 60 * 1_000_000
_DRIVE = re.compile("[a-z]:/")


@dataclass(frozen=True, slots=True, kw_only=True)
class DateRange:
    """Whole days from ``first`` to ``last``, both included; None is no bound."""

    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRange:
    """Numbers from ``low`` to ``high``, both included; None is no bound."""

    low: float | None = None
    high: float | None = None


Value: TypeAlias = str | DateRange | NumberRange


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One condition: the field has one of ``values``; ``is_negated`` turns it round."""

    field: str
    values: tuple[Value, ...]
    is_negated: bool = False

    def fields(self) -> tuple[str, ...]:
        """The fields that it reads."""
        if self.field == HAS:
            return tuple(value for value in self.values if isinstance(value, str))
        return (self.field,)

    def where(self) -> str:
        """The condition as SQL over the media table; it is true or false, never null."""
        if self.field == HAS:
            parts = [_present_sql(FIELD_OF[name]) for name in self.fields()]
        else:
            parts = [_value_sql(FIELD_OF[self.field], value) for value in self.values]
        condition = f"coalesce({' OR '.join(parts)}, false)"
        return f"NOT {condition}" if self.is_negated else condition

    def mask(self, columns: MediaColumns) -> Mask:
        """True for the media that fulfil it."""
        mask = np.zeros(len(columns.is_there), np.bool_)
        if self.field == HAS:
            for name in self.fields():
                mask |= columns.columns[name].present()
        else:
            for value in self.values:
                mask |= _value_mask(FIELD_OF[self.field], value, columns)
        return ~mask if self.is_negated else mask


def _present_sql(field: Field) -> str:
    if field.form is Form.LIST:
        return f"array_length(array_except({field.sql}, make_array(''))) > 0"
    if field.form is Form.TEXT:
        return f"coalesce({field.sql}, '') <> ''"
    return f"({field.sql}) IS NOT NULL"


def _value_sql(field: Field, value: Value) -> str:
    if isinstance(value, str):
        return _text_test(field, value)[1]
    low, high = _bounds(value)
    # Compared as integers: the store's literals of times end in the year 2262.
    of_field = f"cast({field.sql} AS {'bigint' if field.form is Form.TIME else 'double'})"
    bounds = [f"{of_field} >= {low!r}"] if low is not None else []
    bounds += [f"{of_field} <= {high!r}"] if high is not None else []
    return f"({' AND '.join(bounds)})"


def _value_mask(field: Field, value: Value, columns: MediaColumns) -> Mask:
    if isinstance(value, str):
        return columns.texts(field.name).where(_text_test(field, value)[0])
    low, high = _bounds(value)
    if field.form is Form.TIME:
        return columns.ordered(field.name).where(_time(low), _time(high))
    return columns.ordered(field.name).where(low, high)


def _bounds(value: DateRange | NumberRange) -> tuple[float | None, float | None]:
    """The lowest and highest value, times in microseconds since 1970."""
    if isinstance(value, NumberRange):
        return value.low, value.high
    return (
        None if value.first is None else _microseconds(value.first),
        # By numbers: after the last day of the year 9999 no other can be named.
        None if value.last is None else _microseconds(value.last) + _DAY - 1,
    )


def _microseconds(day: date) -> int:
    return (day.toordinal() - _EPOCH) * _DAY


def _time(microseconds: float | None) -> np.datetime64 | None:
    return None if microseconds is None else np.datetime64(int(microseconds), "us")


def _text_test(field: Field, value: str) -> tuple[TextTest, str]:
    """A test of folded texts against ``value``: over columns, and the same in SQL."""
    if field.match is Match.FOLDER:
        return _folder_test(field, value)
    if field.match is Match.ALBUM:
        # An id; in memory the place follows (see ``fields``).
        inside = f"array_has({field.sql}, {literal(value)})"
        return TextTest(TextMatch.STARTS, f"{value} "), inside
    folded = fold_path(value) if field.name == "name" else fold(value)
    quoted = literal(folded)
    if field.match is Match.CONTAINS:
        return TextTest(TextMatch.CONTAINS, folded), f"contains({field.sql}, {quoted})"
    test = TextTest(TextMatch.EQUAL, folded)
    if field.form is Form.LIST:
        return test, f"array_has({field.sql}, {quoted})"
    return test, f"{field.sql} = {quoted}"


def _folder_test(field: Field, value: str) -> tuple[TextTest, str]:
    """A whole path begins the folder; folder names in a row lie anywhere in it."""
    path = fold_path(value)
    names = "".join(f"{name}/" for name in _names(path))
    if path.startswith("/") or _DRIVE.match(path):
        # A network's path of Windows begins with two slashes.
        is_network = os.name == "nt" and path.startswith("//")
        begin = ("//" if is_network else "/" if path.startswith("/") else "") + names
        return (
            TextTest(TextMatch.STARTS, begin),
            f"starts_with({field.sql}, {literal(begin)})",
        )
    inside = f"/{names}"
    return TextTest(TextMatch.CONTAINS, inside), f"contains({field.sql}, {literal(inside)})"


def _names(path: str) -> list[str]:
    return [name for name in path.split("/") if name not in ("", ".")]


def is_folder(value: str) -> bool:
    """True where a value names a folder."""
    path = fold_path(value)
    return path.startswith("/") or bool(_names(path))
