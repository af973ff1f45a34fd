"""How long a hub that is busy wants to be left alone, read off its refusal."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from cocadesk.errors import tr_count

MOST_S = 300.0
"""The longest wait that is done; a hub that wants more is asked again by a person."""
_RESET = re.compile(r";\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d+)")
_SLICE_S = 1.0


def asked_wait_s(error: Exception) -> float | None:
    """The seconds that a refusal asks for: ``Retry-After``, or the hub's own ``RateLimit``.

    None where it names none.
    """
    headers: Mapping[str, str] = getattr(getattr(error, "response", None), "headers", None) or {}
    after = (headers.get("Retry-After") or "").strip()
    if after.isdecimal():
        return float(after)
    try:
        until = parsedate_to_datetime(after)
    except ValueError:
        reset = _RESET.search(headers.get("RateLimit") or "")
        return float(reset[1]) if reset else None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())


def wait(seconds: float, tell: Callable[[float], None]) -> None:
    """Waits, and tells each second how long still."""
    for second in range(math.ceil(seconds)):
        tell(seconds - second)
        time.sleep(min(_SLICE_S, seconds - second))


def duration(seconds: float) -> str:
    """A time in words: ``40 seconds``, ``12 minutes``."""
    if seconds < 120:
        return tr_count(math.ceil(seconds), "{n} second", "{n} seconds")
    return tr_count(math.ceil(seconds / 60), "{n} minute", "{n} minutes")
