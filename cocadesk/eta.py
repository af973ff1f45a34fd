"""Progress of long work: the time left from the speed so far, and how far long videos are."""

from __future__ import annotations

import time
from collections.abc import Callable

_DECODED_SHARE = 0.95
"""The part of a video's time that its decode takes, about; the rest is embedding its moments."""


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

    def seconds_left(self, done: float, total: int | None) -> float | None:
        """For ``total`` items of which ``done`` are done; None while nothing can be said."""
        if total is None:
            return None
        if done >= total:
            return 0.0
        if done <= self._first:
            return None
        return self.seconds / (done - self._first) * (total - done)


class UnderWay:
    """How far the videos are that a decoder has in hand, as a part of the next file.

    It never goes back: one that is decoded counts until it is embedded and committed.
    """

    def __init__(self) -> None:
        self.decoder: object = None
        self._reached = 0.0

    def after(self, done: int) -> tuple[float, bytes | None]:
        """The fraction beyond ``done`` files, below one, and a video in hand."""
        of_decoder = getattr(self.decoder, "under_way", None)
        shares: dict[bytes, float] = of_decoder() if of_decoder is not None else {}
        decoded = _DECODED_SHARE * sum(shares.values())
        self._reached = max(self._reached, done + min(decoded, _DECODED_SHARE))
        fraction = min(max(0.0, self._reached - done), _DECODED_SHARE)
        return fraction, next(iter(shares), None)
