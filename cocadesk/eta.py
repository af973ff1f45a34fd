"""Time left of long work, from the speed so far."""

from __future__ import annotations

import time
from collections.abc import Callable


class EtaEstimator:
    """Seconds that the rest of a piece of work takes, by its own speed since the first call."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: tuple[int, float] | None = None

    def seconds_left(self, done: int, total: int | None) -> float | None:
        """For ``total`` items of which ``done`` are done; None while nothing can be said."""
        now = self._clock()
        if self._start is None:
            # What was done before says nothing of the speed.
            self._start = (done, now)
        if total is None:
            return None
        if done >= total:
            return 0.0
        first, since = self._start
        return (now - since) / (done - first) * (total - done) if done > first else None

    @property
    def seconds(self) -> float:
        """The seconds since the first call."""
        return self._clock() - self._start[1] if self._start else 0.0
