"""Trainer output lines as run events and job steps."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from cocadesk.engine.scheduler import JobStep
from cocadesk.engine.teaching.trainer_process import TrainerLine
from cocadesk.protocol.values import RunValue, TeachPoint

EVENT_EVERY_S = 0.2
STAGES = {
    "look": "Looking at the photos",
    "features": "Reading the photos",
    "trial": "Trying on a part",
    "train": "Learning",
    "measure": "Measuring",
    "save": "Saving",
}


class TrainerEvents:
    """Turns the trainer's lines into events about the run, a few a second."""

    def __init__(
        self, run: RunValue, publish: Callable[[RunValue, tuple[TeachPoint, ...]], None]
    ) -> None:
        self._run = replace(run, points=())
        self._publish = publish
        self._points: list[TeachPoint] = []
        self._is_changed = False
        self._published_s = 0.0

    def feed(self, line: TrainerLine, counts: tuple[int, int]) -> RunValue:
        """The run after this line; ``counts`` are its photos and captions."""
        if counts[0] != self._run.photos:
            self._run = replace(self._run, photos=counts[0], captions=counts[1])
            self._is_changed = True
        if line.stage in ("trial", "train"):
            self._run = replace(self._run, step=line.done, steps=line.total or 0)
            self._is_changed = True
        if line.point is not None:
            self._points.append(line.point)
            self._is_changed = True
        return self._run

    def flush(self, *, is_last: bool = False) -> None:
        """Publishes what has changed, a few times a second; at the end at once."""
        is_due = is_last or time.monotonic() - self._published_s >= EVENT_EVERY_S
        if self._is_changed and is_due:
            self._publish(self._run, tuple(self._points))
            self._points.clear()
            self._is_changed = False
            self._published_s = time.monotonic()


def job_step(line: TrainerLine) -> JobStep | None:
    """A line as a step of the job; None for one that is no progress."""
    if not line.stage:
        return None
    return JobStep(**line.fields() | {"stage": STAGES.get(line.stage, line.stage)})
