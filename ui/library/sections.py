"""Sections of a list in order of time: days, months or years, with what their headers say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from cocadesk.protocol.values import Days
from ui.kit.translation import day_name, month_name, tr

EPOCH = date(1970, 1, 1).toordinal()
LAST_DAY = date.max.toordinal()


class Headers(StrEnum):
    """The choice of headers; ``AUTO``: the larger the photos, the finer."""

    AUTO = "auto"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Section:
    """A run of media of one day, month or year; ``day`` is its first in the list."""

    day: date | None
    start: int
    count: int


def sections_of(days: Days | None, headers: Headers) -> list[Section]:
    """The sections of a list, in its order; none where there are no days, or no headers."""
    if days is None or headers is Headers.NONE:
        return []
    made: list[Section] = []
    start, last = 0, None
    for number, count in zip(days.days, days.counts, strict=True):
        day = day_of(number)
        part = _part(day, headers)
        if made and part == last:
            made[-1] = Section(made[-1].day, made[-1].start, made[-1].count + count)
        else:
            made.append(Section(day, start, count))
        last = part
        start += count
    return made


def day_of(number: int) -> date | None:
    """The day of a number of days since 1970; None where no calendar has it."""
    ordinal = number + EPOCH
    return date.fromordinal(ordinal) if 1 <= ordinal <= LAST_DAY else None


def _part(day: date | None, headers: Headers) -> Sequence[int] | None:
    if day is None:
        return None
    whole = (day.year, day.month, day.day)
    return whole[: {Headers.YEAR: 1, Headers.MONTH: 2}.get(headers, 3)]


def title_of(day: date | None, headers: Headers, today: date) -> str:
    """The title of a section: ``Yesterday``, ``Saturday, 3 May 2025``, ``May 2025``, ``2025``."""
    if day is None:
        return tr("At no known time")
    if headers is Headers.YEAR:
        return f"{day.year}"
    if headers is Headers.MONTH:
        return f"{month_name(day.month)} {day.year}"
    near = {0: tr("Today"), 1: tr("Yesterday")}.get((today - day).days)
    return near or tr(
        "{weekday}, {day} {month} {year}",
        weekday=day_name(day.isoweekday()),
        day=day.day,
        month=month_name(day.month),
        year=day.year,
    )
