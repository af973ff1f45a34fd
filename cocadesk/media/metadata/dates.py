"""Dates taken, from the many spellings that files have for them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The first photograph is of 1826; a clock may run ahead, but not by centuries.
_FIRST_YEAR, _LAST_YEAR = 1826, 2199
_MAX_OFFSET_MIN = 14 * 60

_TAKEN = re.compile(
    r"\s*(\d{4})[:\-/] ?(\d{1,2})[:\-/] ?(\d{1,2})"
    r"(?:[T ]+(\d{1,2}): ?(\d{1,2})(?:: ?(\d{1,2})(?:[.,](\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?\s*$",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class TakenAt:
    """Date taken: wall-clock time and, where known, its distance to UTC in minutes."""

    local: datetime
    utc_offset_min: int | None = None
    is_day_only: bool = False

    @property
    def utc(self) -> datetime | None:
        """The same point of time in UTC; None without a zone."""
        if self.utc_offset_min is None:
            return None
        return (self.local - timedelta(minutes=self.utc_offset_min)).replace(tzinfo=UTC)


def parse_taken(
    text: str | None, *, offset: str | None = None, fraction: str | None = None
) -> TakenAt | None:
    """The date in EXIF's or ISO 8601's spelling; None for anything that is no real date.

    ``offset`` ("+02:00") and ``fraction`` (digits after the second) are
    EXIF's separate tags for them. What is right is kept: of a month without its day the
    first, of a day with an impossible time the day.
    """
    match = _TAKEN.match(text) if text else None
    if match is None:
        return None
    *numbers, decimals, zone = match.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    is_day_only = numbers[3] is None or day == 0 or hour > 24 or minute > 59
    if is_day_only:
        hour = minute = second = 0
        decimals = fraction = None
    digits = decimals or (fraction or "").strip()
    microsecond = int(digits[:6].ljust(6, "0")) if digits.isascii() and digits.isdigit() else 0
    try:
        # Some phones call the hour after midnight 24; a leap second is the 60th.
        local = datetime(year, month, max(day, 1), hour % 24, minute, min(second, 59), microsecond)
    except ValueError:
        return None
    return TakenAt(local, parse_offset(zone or offset), is_day_only=is_day_only)


def parse_offset(text: str | None) -> int | None:
    """Minutes east of UTC from "Z", "+02:00" or "+0200"; None where it is none of these."""
    if text is None:
        return None
    text = text.strip()
    if text == "Z":
        return 0
    match = re.fullmatch(r"([+-])(\d{2}):?(\d{2})", text, re.ASCII)
    if match is None:
        return None
    minutes = int(match[2]) * 60 + int(match[3])
    if minutes > _MAX_OFFSET_MIN or int(match[3]) > 59:
        return None
    return -minutes if match[1] == "-" else minutes


def parse_iptc_taken(date: str | None, time: str | None) -> TakenAt | None:
    """The date in IPTC's "20170707" and "170707+0200"; both are needed."""
    day = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", (date or "").strip(), re.ASCII)
    clock = re.fullmatch(r"(\d{2})(\d{2})(\d{2})([+-]\d{4})?", (time or "").strip(), re.ASCII)
    if day is None or clock is None:
        return None
    stamp = f"{day[1]}-{day[2]}-{day[3]}T{clock[1]}:{clock[2]}:{clock[3]}"
    taken = parse_taken(stamp, offset=clock[4])
    return None if taken is None or taken.is_day_only else taken


def parse_free_taken(text: str | None) -> TakenAt | None:
    """The date in PNG's Creation Time: ISO 8601 or the form of e-mail dates."""
    taken = parse_taken(text)
    if taken is not None or not text:
        return taken
    try:
        parsed = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return parse_taken(parsed.isoformat())
