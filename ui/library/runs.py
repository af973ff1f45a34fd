"""Positions of a list as runs of neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def runs(positions: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring positions, as (first, last) in order."""
    first = last = None
    for position in sorted(positions):
        if first is not None and last is not None and position > last + 1:
            yield first, last
            first = None
        first, last = (position if first is None else first), position
    if first is not None and last is not None:
        yield first, last
