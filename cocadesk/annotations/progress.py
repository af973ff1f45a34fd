"""What the long work on words tells while it runs, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class AnnotationStage(StrEnum):
    """What a job on words is doing."""

    PLAN = "plan"
    CAPTION = "caption"
    TAG = "tag"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedMedium:
    """A file (photo or ``.txt``) that got no words, and why."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationProgress:
    """How far a job is, in media; ``current`` is the file in hand.

    Since the last step: ``keys`` have new words, ``left_out`` got none.
    """

    stage: AnnotationStage
    done: int
    total: int
    failed: int = 0
    seconds_left: float | None = None
    current: bytes | None = None
    keys: tuple[str, ...] = ()
    left_out: tuple[FailedMedium, ...] = ()


class EtaEstimator:
    """How long the rest takes, from what has taken time so far."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start_s = clock()
        self._worked = 0

    def worked(self, count: int) -> None:
        """Counts media that took time."""
        self._worked += count

    def seconds_left(self, rest: int) -> float | None:
        """For ``rest`` more of them; None before the first."""
        if self._worked == 0:
            return None
        return (self._clock() - self._start_s) / self._worked * rest
