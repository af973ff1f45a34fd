"""A teaching run as it is told: events from the trainer's lines, sentences for people."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace

from cocadesk.engine.scheduler import JobStep
from cocadesk.engine.teaching.runs import RunRecord, RunResult
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

    def take(self, line: TrainerLine, record: RunRecord) -> RunValue:
        """The run after this line."""
        if record.photos != self._run.photos:
            self._run = replace(self._run, photos=record.photos, captions=record.captions)
            self._is_changed = True
        if line.stage in ("trial", "train"):
            self._run = replace(self._run, step=line.done, steps=line.total or 0)
            self._is_changed = True
        if line.point is not None:
            self._points.append(line.point)
            self._is_changed = True
        return self._run

    def tell(self) -> None:
        """As ``flush``, but not too often."""
        if time.monotonic() - self._published_s >= EVENT_EVERY_S:
            self.flush()

    def flush(self) -> None:
        """Tells what has not been told."""
        if self._is_changed:
            self._publish(self._run, tuple(self._points))
            self._points.clear()
            self._is_changed = False
            self._published_s = time.monotonic()


def job_step(line: TrainerLine) -> JobStep | None:
    """A line as a step of the job; None for one that is no progress."""
    if not line.stage:
        return None
    return JobStep(
        stage=STAGES.get(line.stage, line.stage),
        done=line.done,
        total=line.total,
        seconds_left=line.seconds_left,
    )


def sentence(result: RunResult) -> str:
    """What a finished run has learned, and what to do now."""
    before = {metric.name: metric for metric in result.before}
    gained = next((metric for metric in result.after if metric.name in before), None)
    learned = f"Learned from {result.photos:,} photos with {result.captions:,} captions."
    if unused := sum(result.skipped.values()):
        learned += f" {unused:,} could not be used."
    if gained is None:
        return f"{learned} Keep the model or discard it."
    return (
        f"{learned} {NAMES.get(gained.name, gained.name)} for {gained.value:.0f} % of captions, "
        f"{before[gained.name].value:.0f} % before (n = {gained.n}). Keep the model or discard it."
    )


NAMES = {
    "t2i_r1": "The right photo comes first",
    "t2i_r5": "The right photo is among the first 5",
}
