"""Terms of a filter in words: "Taken 2014–2016", "4 stars or more", "Not: video"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from cocadesk.errors import decimal, grouped, tr, tr_as
from cocadesk.library.fields import FIELD_OF
from cocadesk.search.terms import HAS, DateRange, NumberRange, Term, Value

_NAMED: dict[str, dict[str, str]] = {
    "kind": {"photo": tr("Photo"), "video": tr("Video")},
    "flag": {"pick": tr("Picked"), "reject": tr("Rejected"), "none": tr("Without a flag")},
    "favourite": {"yes": tr("Favourite"), "no": tr("Not a favourite")},
    "state": {
        "present": tr("There"),
        "missing": tr("Missing"),
        "offline": tr("On a disk that is away"),
    },
    "captioned": {
        "person": tr("Captioned by a person"),
        "machine": tr("Captioned by the model"),
        "nobody": tr("Without a caption"),
    },
}
_LABELS = {
    "tag": tr("Tag"),
    "keyword": tr("Keyword"),
    "person": tr("Person"),
    "album": tr("Album"),
    "name": tr("File name"),
    "aperture": tr("Aperture f/"),
}
_MONTHS = (
    tr("January"), tr("February"), tr("March"), tr("April"), tr("May"), tr("June"), tr("July"),
    tr("August"), tr("September"), tr("October"), tr("November"), tr("December"),
)  # fmt: skip
_UNITS = {"exposure": " s", "focal": " mm", "duration": " s", "width": " px", "height": " px"}


def label_of(field: str) -> str:
    """The word for one value of a field."""
    return _LABELS.get(field) or (FIELD_OF[field].label if field in FIELD_OF else field)


def term_words(term: Term) -> str:
    """The term in words."""
    if term.field == HAS:
        names = _one_of([_inside(label_of(str(value))) for value in term.values])
        return (
            tr("Without {names}", names=names)
            if term.is_negated
            else tr("With {names}", names=names)
        )
    words = _plain_words(term)
    if not term.is_negated:
        return words
    if ": " in words:
        return tr("Not {words}", words=_inside(words))
    return tr("Not: {words}", words=_inside(words))


def _inside(words: str) -> str:
    """Words as they stand inside of a sentence: in English with a small letter."""
    is_kept = tr_as("nouns inside a sentence: small or kept", "small") == "kept"
    return words if is_kept else words[:1].lower() + words[1:]


def _one_of(words: Sequence[str]) -> str:
    """ "dog or cat"."""
    return tr_as("between things of which one is enough", " or ").join(words)


def turned(term: Term) -> Term:
    """The term negated, or no longer."""
    return replace(term, is_negated=not term.is_negated)


def value_text(field: str, value: str) -> str:
    """A text value as people read it."""
    if field == "folder":
        return value.replace("\\", "/").rstrip("/").rpartition("/")[2] or value
    return _NAMED.get(field, {}).get(value, value.upper() if field == "format" else value)


def _plain_words(term: Term) -> str:
    texts = [_value_words(term.field, value) for value in term.values]
    if term.field in _NAMED:
        return _one_of([texts[0], *map(_inside, texts[1:])])
    joined = _one_of(texts)
    if term.field == "rating":
        return tr("{stars} stars", stars=joined) if joined in ("0", "2", "3", "4", "5") else joined
    if term.field in ("taken", "added"):
        return f"{FIELD_OF[term.field].label} {joined}"
    if all(isinstance(value, str) for value in term.values):
        return f"{label_of(term.field)}: {joined}"
    label = label_of(term.field)
    return f"{label}{'' if label.endswith('/') else ' '}{joined}"


def _value_words(field: str, value: Value) -> str:
    if isinstance(value, DateRange):
        return _dates(value)
    if isinstance(value, NumberRange):
        return _stars(value) if field == "rating" else _numbers(field, value)
    return value_text(field, value)


def _stars(value: NumberRange) -> str:
    low, high = value.low, value.high
    if low is not None and low == high:
        return tr("1 star") if low == 1 else _number("rating", low)
    if high is None or high >= 5:
        return tr("{stars} stars or more", stars=_number("rating", low or 0))
    if low is None or low <= 0:
        return tr("{stars} stars or fewer", stars=_number("rating", high))
    return tr("{low}–{high} stars", low=_number("rating", low), high=_number("rating", high))


def _numbers(field: str, value: NumberRange) -> str:
    low, high = value.low, value.high
    unit = _UNITS.get(field, "")
    if low is not None and low == high:
        return f"{_number(field, low)}{unit}"
    if high is None:
        return tr("from {low}", low=_number(field, low or 0) + unit)
    if low is None:
        return tr("up to {high}", high=_number(field, high) + unit)
    return f"{_number(field, low)}–{_number(field, high)}{unit}"


def _number(field: str, number: float) -> str:
    if field == "size":
        return _size(number)
    if field == "exposure" and 0 < number < 0.5:
        return f"1/{round(1 / number)}"
    if abs(number - round(number)) < 1e-9:
        return grouped(round(number))
    return f"{number:.3g}".replace(".", tr_as("before a fraction", "."))


def _size(number: float) -> str:
    units = [tr("bytes"), "KB", "MB", "GB"]
    while abs(number) >= 1000 and len(units) > 1:
        number /= 1000
        del units[0]
    unit = units[0]
    return f"{number:.0f} {unit}" if number == round(number) else f"{decimal(number)} {unit}"


def _dates(value: DateRange) -> str:
    first, last = value.first, value.last
    if last is None:
        return tr("from {low}", low=_shortest(first, _begins)) if first else tr("at any time")
    if first is None:
        return tr("until {day}", day=_shortest(last, _ends))
    for text in (_year, _month, _day):
        if text is _day or (_begins(first, text) and _ends(last, text)):
            one, other = text(first), text(last)
            return one if one == other else f"{one}–{other}"
    return ""


def _shortest(day: date, fits: Callable[[date, Callable[[date], str]], bool]) -> str:
    """The year, month or day that begins or ends here."""
    return next(text(day) for text in (_year, _month, _day) if text is _day or fits(day, text))


def _begins(day: date, text: Callable[[date], str]) -> bool:
    return day == date.min or text(day - timedelta(days=1)) != text(day)


def _ends(day: date, text: Callable[[date], str]) -> bool:
    return day == date.max or text(day + timedelta(days=1)) != text(day)


def _year(day: date) -> str:
    return f"{day.year}"


def _month(day: date) -> str:
    return f"{_MONTHS[day.month - 1]} {day.year}"


def _day(day: date) -> str:
    return tr("{day} {month} {year}", day=day.day, month=_MONTHS[day.month - 1], year=day.year)
