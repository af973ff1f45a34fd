"""Time left of long work, from the speed so far."""

from __future__ import annotations

import time
from collections.abc import Callable


class EtaEstimator:
    """Seconds that the rest of a piece of work takes; it begins when this is made."""

    def __init__(self, done: int = 0, *, clock: Callable[[], float] = time.monotonic) -> None:
        """``done`` items were done before and say nothing of the speed."""
        self._clock = clock
        self._start_s = clock()
        self._first = done

    @property
    def seconds(self) -> float:
        """The seconds since this was made."""
        return self._clock() - self._start_s

    def seconds_left(self, done: int, total: int | None) -> float | None:
        """For ``total`` items of which ``done`` are done; None while nothing can be said."""
        if total is None:
            return None
        if done >= total:
            return 0.0
        if done <= self._first:
            return None
        return self.seconds / (done - self._first) * (total - done)
