"""The grammar of filters: ``kind:video -tag:dog taken:2014..2016 rating:>=4``.

A term is a field, a colon and values with commas between them; "-" before it
turns it round. A value with spaces, commas or quotes stands in quotes, in which
a quote is doubled. Dates are 2014, 2014-05 or 2014-05-03; dates and numbers may
be a range (``a..b``, ``a..``, ``..b``) or follow ``>=``, ``<=``, ``>`` or ``<``.
"""

from __future__ import annotations

import calendar
import difflib
import math
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeVar

from cocadesk.errors import UserError, tr
from cocadesk.library.fields import FIELD_OF, FIELDS, Form, Match
from cocadesk.search.terms import HAS, DateRange, NumberRange, Term, Value, is_folder

FILTER_FIELDS = (*(f.name for f in FIELDS if f.match not in (None, Match.PRESENT)), HAS)
"""The names that may stand before the colon."""
OPTIONAL_FIELDS = tuple(f.name for f in FIELDS if f.match is not None and f.is_optional)
"""The values of ``has:``."""

_ELSEWHERE = {
    "people": "person", "face": "person", "faces": "person", "who": "person",
    "date": "taken", "year": "taken", "month": "taken", "day": "taken", "during": "taken",
    "stars": "rating", "star": "rating", "type": "kind", "is": "kind", "media": "kind",
    "filename": "name", "file": "name", "path": "folder", "directory": "folder", "in": "folder",
    "ext": "format", "extension": "format", "filetype": "format", "city": "town",
    "location": "place", "make": "camera", "model": "camera",
    "keywords": "keyword", "tags": "tag", "albums": "album", "comment": "description",
    "color": "label", "colour": "label", "shutter": "exposure", "fnumber": "aperture",
    "author": "creator", "artist": "creator", "imported": "added",
}  # fmt: skip
"""Names of filters in other programs, with ours."""
_DATES_ELSEWHERE = {
    "before": "<", "until": "<=", "after": ">", "since": ">=", "from": ">=",
}  # fmt: skip
"""Names of filters of dates in other programs, with the sign that ours has for them."""
_ALIKE_FROM = 0.6
"""A name that is less like what was typed is no help: "before" would mean "exposure"."""

_SPACES = re.compile(r"\s*")
_WORD = re.compile(r'"[^"]*"(?=\s|$)|\S+')
# "//" after the colon is an address on the web, one letter before it a drive.
_TERM = re.compile(r'(-?)([A-Za-z]{2,}):(?!//)((?:"(?:[^"]|"")*"|[^\s"])*)')
_VALUE = re.compile(r'(?:"(?:[^"]|"")*"|[^",])+')
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_PLAIN = re.compile(r'(?!//)[^\s",]+')
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,20}(\.\d{1,30})?(e[-+]?\d{1,3})?", re.ASCII)
_FRACTION = re.compile(r"(\d{1,9})/(\d{1,9})", re.ASCII)  # of a second: 1/200
_COMPARED = re.compile(r"(>=|<=|>|<)(.*)")

End = TypeVar("End", date, float)


def split_terms(text: str) -> tuple[list[str], list[Term]]:
    """The words of ``text`` that are no terms, as they are typed, and its terms.

    Raises:
        UserError: a term has an unknown field or a bad value.
    """
    words: list[str] = []
    terms: list[Term] = []
    position = _end(_SPACES, text, 0)
    while position < len(text):
        read = term_at(text, position)
        if read is not None:
            terms.append(read[0])
            end = read[1]
        else:
            end = _end(_WORD, text, position)
            words.append(text[position:end])
        position = _end(_SPACES, text, end)
    return words, terms


def term_at(text: str, position: int) -> tuple[Term, int] | None:
    """The term that begins at ``position`` and the place behind it; None where none does.

    Raises:
        UserError: it has an unknown field or a bad value.
    """
    found = _TERM.match(text, position)
    if found and (found[3] or text[found.end() :][:1] == '"' or _is_field(found[2])):
        return _term(found), found.end()
    return None


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return position if found is None else found.end()


def _is_field(name: str) -> bool:
    return name.lower() in FILTER_FIELDS


def _term(found: re.Match[str]) -> Term:
    name, term = found[2].lower(), found[0]
    if not _is_field(name):
        meant = _meant_elsewhere(name, found[3]) or _meant(name, FILTER_FIELDS)
        raise UserError(
            tr("There is no filter {name}.", name=repr(found[2])),
            "" if meant else tr("There are {names}.", names=", ".join(FILTER_FIELDS)),
            meant or tr("To search for the words, put them in quotes."),
        )
    if found.string[found.end() :][:1] == '"':
        raise UserError(
            tr("A quote in {term} is not closed.", term=term), "", tr('Add the second ".')
        )
    values = tuple(_value(name, _unquoted(text)) for text in _VALUE.findall(found[3]))
    if not values:
        raise UserError(
            tr("The filter {term} has no value.", term=term), "", tr("Write one after the colon.")
        )
    return Term(field=name, values=values, is_negated=bool(found[1]))


def _meant_elsewhere(name: str, value: str) -> str:
    """What a filter of another program is here; nothing where it is none."""
    sign = _DATES_ELSEWHERE.get(name)
    if sign is not None:
        day = value if _DATE.fullmatch(value) else "2020"
        return tr("Did you mean {name}?", name=f"taken:{sign}{day}")
    ours = _ELSEWHERE.get(name)
    return tr("Did you mean {name}?", name=f"{ours}:{value}") if ours else ""


def _meant(text: str, known: tuple[str, ...]) -> str:
    nearest = difflib.get_close_matches(text.lower(), known, n=1, cutoff=_ALIKE_FROM)
    return tr("Did you mean {name}?", name=nearest[0]) if nearest else ""


def _unquoted(text: str) -> str:
    return _QUOTED.sub(lambda found: found[1].replace('""', '"'), text)


def _value(name: str, text: str) -> Value:
    """The value that ``text`` stands for.

    Raises:
        UserError: it stands for none.
    """
    field = FIELD_OF.get(name)
    choices = OPTIONAL_FIELDS if field is None else field.choices
    if choices:
        if text.lower() in choices:
            return text.lower()
        what = _meant(text, choices) or tr("Write one of {names}.", names=", ".join(choices))
        raise UserError(tr("{name}:{text} is no filter.", name=name, text=text), "", what)
    if field is not None and field.form is Form.TIME:
        return _dates(name, text)
    if field is not None and field.match is Match.RANGE:
        return _numbers(name, text)
    if not text or (name == "folder" and not is_folder(text)):
        raise UserError(
            tr("The filter {name}: has an empty value.", name=name), "", tr("Write a name.")
        )
    return text


def _dates(name: str, text: str) -> DateRange:
    try:
        first, last = _ends(text, _days, lambda day, by: day + timedelta(days=by))
    except (ValueError, OverflowError) as error:
        raise UserError(
            tr("{name}:{text} names no dates.", name=name, text=text),
            "",
            tr(
                "Write {name}:2014, {name}:2014-05-03, {name}:2014..2016 or {name}:>=2014-05.",
                name=name,
            ),
        ) from error
    return DateRange(first=first, last=last)


def _ends(
    text: str, parsed: Callable[[str], tuple[End, End]], beside: Callable[[End, int], End]
) -> tuple[End | None, End | None]:
    """The lowest and the highest value that ``text`` allows; None is no bound.

    ``parsed`` gives the first and last value that one end means, ``beside`` the
    value before (-1) or after (1) one.

    Raises:
        ValueError: there is no end at all, or the range ends before it begins.
    """
    if found := _COMPARED.fullmatch(text):
        sign, (first, last) = found[1], parsed(found[2])
        if sign.startswith("<"):
            return None, last if sign == "<=" else beside(first, -1)
        return first if sign == ">=" else beside(last, 1), None
    low, dots, high = text.partition("..")
    if not low and not high:
        raise ValueError("a range needs an end")
    high = high if dots else low
    lowest = parsed(low)[0] if low else None
    highest = parsed(high)[1] if high else None
    if lowest is not None and highest is not None and lowest > highest:
        raise ValueError("the range ends before it begins")
    return lowest, highest


def _days(text: str) -> tuple[date, date]:
    """The first and last day of a year, a month or a day.

    Raises:
        ValueError: it is none of these.
    """
    found = _DATE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text} is no date")
    year, month, day = (None if part is None else int(part) for part in found.groups())
    first = date(year or 0, month or 1, day or 1)
    if day is not None:
        return first, first
    if month is not None:
        return first, first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return first, first.replace(month=12, day=31)


def _numbers(name: str, text: str) -> NumberRange:
    try:
        low, high = _ends(text, _number, lambda number, by: math.nextafter(number, by * math.inf))
    except ValueError as error:
        raise UserError(
            tr("{name}:{text} names no numbers.", name=name, text=text),
            "",
            tr("Write {name}:4, {name}:2..4 or {name}:>=4.", name=name),
        ) from error
    return NumberRange(low=low, high=high)


def _number(text: str) -> tuple[float, float]:
    """A number as both ends of what it means.

    Raises:
        ValueError: it is none.
    """
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if (parts := _FRACTION.fullmatch(text)) and int(parts[2]):
        number = int(parts[1]) / int(parts[2])
    if not math.isfinite(number):
        raise ValueError(f"{text} is no number")
    return number, number


def print_term(term: Term) -> str:
    """The term in the grammar; parsed, it gives an equal one."""
    values = ",".join(map(_printed, term.values))
    return f"{'-' if term.is_negated else ''}{term.field}:{values}"


def _printed(value: Value) -> str:
    if isinstance(value, str):
        doubled = value.replace('"', '""')
        return value if _PLAIN.fullmatch(value) else f'"{doubled}"'
    if isinstance(value, DateRange):
        return _printed_dates(value)
    low, high = value.low, value.high
    if high is None:
        return _compared(">", low or 0.0, -math.inf)
    if low is None:
        return _compared("<", high, math.inf)
    return _digits(low) if low == high else f"{_digits(low)}..{_digits(high)}"


def _compared(sign: str, end: float, back: float) -> str:
    """``end`` with its sign; one beside a whole number was made by that sign alone."""
    before = math.nextafter(end, back)
    if before.is_integer() and not end.is_integer():
        return f"{sign}{_digits(before)}"
    return f"{sign}={_digits(end)}"


def _digits(number: float) -> str:
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)


def _printed_dates(value: DateRange) -> str:
    first, last = value.first, value.last
    letters = 10
    if first in (None, _month(first)[0]) and last in (None, _month(last)[1]):
        letters = 7
        if (first is None or first.month == 1) and (last is None or last.month == 12):
            letters = 4
    ends = ["" if end is None else end.isoformat()[:letters] for end in (first, last)]
    return ends[0] if ends[0] == ends[1] else "..".join(ends)


def _month(day: date | None) -> tuple[date | None, date | None]:
    """The first and the last day of the month of ``day``."""
    return (None, None) if day is None else _days(day.isoformat()[:7])
