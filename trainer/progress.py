"""Progress of a training, and the time that is left."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """``done`` of ``total`` of a stage; ``figures`` are losses or dev figures."""

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)


Reporter = Callable[[TrainReport], None]


class EtaEstimator:
    """Seconds that a stage still needs, from its own speed since the first call."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: tuple[int, float] | None = None

    def left(self, done: int, total: int) -> float | None:
        """The seconds left; None until there is something to judge by."""
        now = self._clock()
        if self._start is None:
            self._start = (done, now)
        first, since = self._start
        return (now - since) / (done - first) * (total - done) if done > first else None

    @property
    def seconds(self) -> float:
        """The seconds since the first call."""
        return self._clock() - self._start[1] if self._start else 0.0
