"""The time zone of a photo from the satellites' clock, where its camera wrote none.

A device with a position has the time in UTC from the same satellites. What lies between that
and the wall clock of the photo is the zone, and how old the last fix was: the wall clock
itself is left as it is.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from datetime import datetime, timedelta

from cocadesk.media.metadata.dates import TakenAt, parse_taken
from cocadesk.media.metadata.exif import Ifd
from cocadesk.media.metadata.text import decode_text
from cocadesk.media.metadata.xmp import Xmp

_TIME, _DATE = 0x0007, 0x001D
_OLDEST_FIX = timedelta(minutes=5)
_CLOCK_AHEAD = timedelta(minutes=1)
"""A camera's clock may be behind the satellites' by so much."""
_ZONES_MIN = (*range(-12 * 60, 14 * 60 + 1, 30), 5 * 60 + 45, 8 * 60 + 45, 12 * 60 + 45)
_FROM_SUN = timedelta(hours=3.5)
"""No zone's clock is farther from that of the sun: the west of China has the time of Peking."""


def with_zone(taken: TakenAt | None, longitude: float | None, gps: Ifd, xmp: Xmp) -> TakenAt | None:
    """The date with its zone where that follows from the time of the position, else as it is."""
    if taken is None or taken.utc_offset_min is not None or taken.is_day_only or longitude is None:
        return taken
    fixed = _exif_time(gps) or _xmp_time(xmp)
    if fixed is None:
        return taken
    sun = timedelta(hours=longitude / 15)
    for minutes in _ZONES_MIN:
        zone = timedelta(minutes=minutes)
        age = taken.local - zone - fixed
        if -_CLOCK_AHEAD <= age <= _OLDEST_FIX and abs(zone - sun) <= _FROM_SUN:
            return replace(taken, utc_offset_min=minutes)
    return taken


def _exif_time(gps: Ifd) -> datetime | None:
    """The time of the position, in UTC."""
    day, parts = gps.get(_DATE), gps.get(_TIME)
    if not isinstance(day, bytes) or not isinstance(parts, tuple) or len(parts) != 3:
        return None
    if not all(math.isfinite(part) and 0 <= part < 60 for part in parts):
        return None
    hour, minute, second = parts
    taken = parse_taken(f"{decode_text(day)} {int(hour)}:{int(minute)}:{int(second)}")
    return None if taken is None or taken.is_day_only else taken.local


def _xmp_time(xmp: Xmp) -> datetime | None:
    text = xmp.first("exif:GPSTimeStamp") or ""
    taken = parse_taken(text) if re.search(r"T\d", text) else None
    if taken is None or taken.is_day_only:
        return None
    return taken.local - timedelta(minutes=taken.utc_offset_min or 0)
