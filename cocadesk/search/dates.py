"""Dates in words, English and German: "2014", "summer 2016", "last month", "seit 2019".

A year alone, a month or a season with its year, a day, and what is told from today. Where
words may mean something else (a month without a year, a number of other than four digits)
they stay words. Of several dates a medium is of one ("2014 or 2015"), or of none ("not 2014").
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TypeAlias

from cocadesk.library.words import normal
from cocadesk.search.filters import Filter
from cocadesk.search.query import AnyTerm, Query, QueryTerm
from cocadesk.search.stop_words import STOP_WORDS
from cocadesk.search.terms import DateRange, Term, Value

Range: TypeAlias = tuple[date, date]

_FIRST_YEAR = 1840
_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january januar janner jan", "february februar feb", "march marz mar",
            "april apr", "may mai", "june juni jun", "july juli jul", "august aug",
            "september sept sep", "october oktober oct okt", "november nov",
            "december dezember dec dez",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_SEASONS: Mapping[str, int] = {
    "spring": 3, "fruhling": 3, "fruhjahr": 3,
    "summer": 6, "sommer": 6,
    "autumn": 9, "fall": 9, "herbst": 9,
    "winter": 12,
}  # fmt: skip
"""The first month of each; a winter ends in the year after."""
_FEASTS: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "christmas": ((12, 24), (12, 26)),
    "weihnachten": ((12, 24), (12, 26)),
    "silvester": ((12, 31), (12, 31)),
}
_BEFORE_DATES = frozenset(
    ("in", "from", "of", "during", "im", "aus", "von", "vom", "am", "on", "at", "the")
)
_SINCE = frozenset(("since", "seit", "from"))
_UNTIL = frozenset(("until", "till", "bis"))
_LATER = frozenset(("after", "nach"))
_EARLIER = frozenset(("before", "vor"))
_TO = frozenset(("to", "bis", "until", "-", "–"))
_AND = frozenset(("and", "und", "&"))
_OR = frozenset(("or", "oder", ",")) | _AND
_NOT = frozenset(("not", "without", "except", "nicht", "ohne", "ausser"))
_LAST = frozenset(
    ("last", "letzte", "letzten", "letzter", "letztes", "letztem", "vorige", "vorigen", "voriges")
)
_THIS = frozenset(("this", "diese", "diesen", "dieser", "dieses", "diesem"))
_UNITS: Mapping[str, str] = {
    "week": "week", "woche": "week", "month": "month", "monat": "month",
    "year": "year", "jahr": "year",
}  # fmt: skip
_DAYS: Mapping[str, int] = {"today": 0, "heute": 0, "yesterday": 1, "gestern": 1, "vorgestern": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAs:
    """Words of a query that are read as a filter: the words as typed, and the term."""

    text: str
    term: Term

    @property
    def filter(self) -> Filter:
        """The term as a filter."""
        return Filter((self.term,))


_MOST_READ = 64
IsWanted: TypeAlias = Callable[[ReadAs], bool]


def read_dates(query: Query, today: date, is_wanted: IsWanted) -> tuple[Query, tuple[ReadAs, ...]]:
    """The query with dates in words as filters, and which they are.

    Only those that ``is_wanted``, which is asked for each without its "not". Where nothing but
    words like "photos from" are left beside them, these go as well.
    """
    found: list[ReadAs] = []
    terms: list[AnyTerm] = []
    place = 0
    while place < len(query.terms):
        read = None
        if place < _MOST_READ:  # who pastes a page of text means no date in its middle
            read = _several_at(query.terms, place, today, is_wanted)
        if read is None:
            terms.append(query.terms[place])
            place += 1
        else:
            count, reading = read
            terms.append(reading.term)
            found.append(reading)
            place += count
    if found and all(
        not isinstance(term, QueryTerm) or (term.is_plain and normal(term.text) in STOP_WORDS)
        for term in terms
    ):
        terms = [term for term in terms if not isinstance(term, QueryTerm)]
    return Query(tuple(_joined(terms, found))), tuple(found)


def _joined(terms: Sequence[AnyTerm], found: Sequence[ReadAs]) -> Iterator[AnyTerm]:
    """The terms with all whole times, of which a medium can have but one, in the first."""
    read = [reading.term for reading in found]
    whole = [term for term in read if not term.is_negated and all(map(_is_whole, term.values))]
    values = dict.fromkeys(value for term in whole for value in term.values)
    for term in terms:
        if not any(term is one for one in whole):
            yield term
        elif term is whole[0]:
            yield replace(whole[0], values=tuple(values))


def _is_whole(value: Value) -> bool:
    return isinstance(value, DateRange) and value.first is not None and value.last is not None


def _several_at(
    terms: Sequence[AnyTerm], place: int, today: date, is_wanted: IsWanted
) -> tuple[int, ReadAs] | None:
    """The dates that begin at a place, with or without "or" between, and how many terms."""
    is_negated = _word_at(terms, place) in _NOT
    end, values = place + is_negated, list[Value]()
    while end < _MOST_READ:
        begin = end + (bool(values) and _word_at(terms, end) in _OR)
        read = _read_at(terms, begin, today, is_wanted)
        if read is None or (values and not _is_whole(read[1])):
            break
        end = begin + read[0]
        values.append(read[1])
        if not _is_whole(read[1]):
            break
    if not values:
        return None
    term = Term(field="taken", values=tuple(values), is_negated=is_negated)
    return end - place, ReadAs(text=_typed(terms[place:end]), term=term)


def _word_at(terms: Sequence[AnyTerm], place: int) -> str:
    """The plain word at a place; empty where there is none."""
    term = terms[place] if place < len(terms) else None
    if not isinstance(term, QueryTerm) or not term.is_plain:
        return ""
    return normal(term.text).strip(",.;") or term.text


def _typed(terms: Sequence[AnyTerm]) -> str:
    return " ".join(map(str, terms))


def _read_at(
    terms: Sequence[AnyTerm], place: int, today: date, is_wanted: IsWanted
) -> tuple[int, DateRange] | None:
    """The longest date that begins at a place, and how many terms it takes."""
    words: list[str] = []
    while len(words) < _MOST_WORDS and (word := _word_at(terms, place + len(words))):
        words.append(word)
    for count in range(len(words), 0, -1):
        range_ = _date_of(words[:count], today)
        if range_ is not None:
            typed = _typed(terms[place : place + count])
            reading = ReadAs(text=typed, term=Term(field="taken", values=(range_,)))
            return (count, range_) if is_wanted(reading) else None
    return None


_MOST_WORDS = 7  # between 3 may 2014 and june 2016 is longer, and no one writes it


def _date_of(words: Sequence[str], today: date) -> DateRange | None:
    """The days that all these words together name."""
    first, *rest = words
    if first in _BEFORE_DATES and rest:
        return _date_of(rest, today) if rest[0] not in _BEFORE_DATES else None
    if first == "between" or first == "zwischen":
        return _span(rest, today, _TO | _AND)
    if rest:
        inner = _closed(rest, today)
        if first in _SINCE and inner:
            return DateRange(first=inner[0])
        if first in _UNTIL and inner:
            return DateRange(last=inner[1])
        if first in _LATER and inner and inner[1] < date.max:
            return DateRange(first=inner[1] + timedelta(days=1))
        if first in _EARLIER and inner:
            return DateRange(last=inner[0] - timedelta(days=1))
    return _whole(_closed(words, today)) or _span(words, today)


def _whole(days: Range | None) -> DateRange | None:
    return None if days is None else DateRange(first=days[0], last=days[1])


def _span(words: Sequence[str], today: date, between: frozenset[str] = _TO) -> DateRange | None:
    """From one date to another: "2014 to 2016", "2014-2016"."""
    if len(words) == 1:
        low, _, high = words[0].replace("–", "-").partition("-")
        words = [low, "-", high]
    for place, word in enumerate(words):
        if word in between and 0 < place < len(words) - 1:
            low_days = _closed(words[:place], today)
            high_days = _closed(words[place + 1 :], today)
            if low_days and high_days and low_days[0] <= high_days[1]:
                return DateRange(first=low_days[0], last=high_days[1])
    return None


def _closed(words: Sequence[str], today: date) -> Range | None:
    """The first and the last day that the words name."""
    for read in (_year, _month, _day, _season, _feast, _from_today):
        if (days := read(list(words), today)) is not None:
            return days
    return None


def _number_of_year(word: str, today: date) -> int | None:
    if len(word) == 4 and word.isascii() and word.isdigit():
        year = int(word)
        return year if _FIRST_YEAR <= year <= today.year + 1 else None
    return None


def _year(words: list[str], today: date) -> Range | None:
    if len(words) != 1:
        return None
    decade = words[0][:-1] if words[0].endswith("s") and words[0][:-1].endswith("0") else ""
    if decade and (start := _number_of_year(decade, today)) is not None:
        return date(start, 1, 1), date(start + 9, 12, 31)
    year = _number_of_year(words[0], today)
    return None if year is None else (date(year, 1, 1), date(year, 12, 31))


def _month_days(year: int, month: int, months: int = 1) -> Range:
    """So many months from one on."""
    last = year * 12 + month - 1 + months - 1
    end_year, end_month = last // 12, last % 12 + 1
    end = date(end_year, end_month, calendar.monthrange(end_year, end_month)[1])
    return date(year, month, 1), end


def _month(words: list[str], today: date) -> Range | None:
    if len(words) == 3 and words[1] == "of":
        words = [words[0], words[2]]
    if len(words) != 2:
        return None
    month, year = _MONTHS.get(words[0]), _number_of_year(words[1], today)
    return None if month is None or year is None else _month_days(year, month)


def _day(words: list[str], today: date) -> Range | None:
    """3 May 2014, May 3rd 2014, 3. Mai 2014, 2014-05-03, 3.5.2014."""
    found: tuple[int | None, int | None, int | None] = (None, None, None)
    if len(words) == 1:
        by_dots, by_dashes = words[0].split("."), words[0].split("-")
        if len(by_dots) == 3 and all(map(_is_number, by_dots)):
            found = (_number_of_year(by_dots[2], today), int(by_dots[1]), int(by_dots[0]))
        elif len(by_dashes) == 3 and all(map(_is_number, by_dashes)):
            found = (_number_of_year(by_dashes[0], today), int(by_dashes[1]), int(by_dashes[2]))
    elif len(words) == 3:
        year = _number_of_year(words[2], today)
        for day, month in (words[:2], words[1::-1]):
            number = day.removesuffix("st").removesuffix("nd").removesuffix("rd").removesuffix("th")
            if month in _MONTHS and _is_number(number):
                found = (year, _MONTHS[month], int(number))
    if None in found:
        return None
    try:
        whole = date(found[0] or 0, found[1] or 0, found[2] or 0)
    except ValueError:
        return None
    return whole, whole


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _season(words: list[str], today: date) -> Range | None:
    if len(words) != 2 or words[0] not in _SEASONS:
        return None
    month = _SEASONS[words[0]]
    year = _number_of_year(words[1], today)
    return None if year is None else _month_days(year, month, 3)


def _feast(words: list[str], today: date) -> Range | None:
    if len(words) != 2 or words[0] not in _FEASTS:
        return None
    year = _number_of_year(words[1], today)
    if year is None:
        return None
    first, last = _FEASTS[words[0]]
    return date(year, *first), date(year, *last)


def _from_today(words: list[str], today: date) -> Range | None:
    if len(words) == 1 and words[0] in _DAYS:
        day = today - timedelta(days=_DAYS[words[0]])
        return day, day
    if len(words) != 2 or words[0] not in _LAST | _THIS:
        return None
    back = 1 if words[0] in _LAST else 0
    word = words[1]
    if _UNITS.get(word) == "week":
        monday = today - timedelta(days=today.weekday() + 7 * back)
        return monday, monday + timedelta(days=6)
    if _UNITS.get(word) == "month":
        before = today.year * 12 + today.month - 1 - back
        return _month_days(before // 12, before % 12 + 1)
    if _UNITS.get(word) == "year":
        return date(today.year - back, 1, 1), date(today.year - back, 12, 31)
    return _latest(word, today, is_over=bool(back))


def _latest(word: str, today: date, *, is_over: bool) -> Range | None:
    """The last season or month of a name that has begun, or that is over."""
    for days in _named_before(word, today.year):
        if (days[1] if is_over else days[0]) <= today:
            return days
    return None


def _named_before(word: str, year: int) -> Iterator[Range]:
    month, months = (_SEASONS[word], 3) if word in _SEASONS else (_MONTHS.get(word, 0), 1)
    if month:
        for back in range(3):
            yield _month_days(year - back, month, months)
