"""Places in an ordered list: texts that sort as the media do, with room between any two.

A place is twelve digits and, where something was put between two others, more of them, as
behind a decimal point: so a medium is moved or added by saying its own place alone.
"""

from __future__ import annotations

_WHOLE = 12
_FIRST = 5 * 10 ** (_WHOLE - 1)
"""In the middle, so that there is room before it, too."""


def places_between(low: str | None, high: str | None, count: int) -> list[str]:
    """``count`` places in their order between two others; None is the end of the list.

    Raises:
        ValueError: ``low`` is not before ``high``.
    """
    if low is None and high is None:
        return _whole(_FIRST, count)
    if high is None:
        return _whole(int((low or "")[:_WHOLE]) + 1, count)
    if low is None:
        return _whole(int(high[:_WHOLE]) - count, count)
    if low >= high:
        raise ValueError(f"{low} is not before {high}")
    return _inside(low, high, count)


def _whole(start: int, count: int) -> list[str]:
    return [f"{start + step:0{_WHOLE}}" for step in range(count)]


def _inside(low: str, high: str, count: int) -> list[str]:
    """Evenly, with as few digits as there is room for."""
    digits = max(len(low), len(high))
    start, end = int(low.ljust(digits, "0")), int(high.ljust(digits, "0"))
    while end - start <= count:
        digits, start, end = digits + 1, start * 10, end * 10
    steps = ((end - start) * step // (count + 1) for step in range(1, count + 1))
    found = (f"{start + step:0{digits}}" for step in steps)
    return [place[:_WHOLE] + place[_WHOLE:].rstrip("0") for place in found]
