"""One training of a run: steps with points of the curve, checkpoints and the best weights."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trainer.checkpoint import RunFolder, Weights
from trainer.progress import EtaEstimator
from trainer.tuning.evaluator import Evaluator
from trainer.tuning.learner import Learner
from trainer.tuning.progress_lines import ProgressLines, Stage
from trainer.tuning.split import Split

PATIENCE = 8
"""A run that is chosen by held-out photos ends after so many measures without a better one."""
_REPORT_S = 0.25
_LOSSES = ("loss", "contrastive", "caption")


class StoppedError(Exception):
    """The run was asked to stop and has saved what it had; run it again to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The trial on a part of the photos, or the training whose model is offered.

    ``chooses``: the best weights on the held-out photos are taken, else the last.
    """

    stage: Stage
    photos: tuple[int, ...]
    first_step: int = 0
    chooses: bool = False
    sees_held_out: bool = False


def phases_of(split: Split, steps: int) -> list[Phase]:
    """A trial and then all photos, where they are few; else the learned part alone."""
    if not split.is_trial:
        return [Phase(stage=Stage.TRAIN, photos=split.learned, chooses=True)]
    every = tuple(sorted((*split.learned, *split.held_out)))
    return [
        Phase(stage=Stage.TRIAL, photos=split.learned),
        Phase(stage=Stage.TRAIN, photos=every, first_step=steps, sees_held_out=True),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """``checkpoint_s`` seconds between checkpoints, ``point_every`` steps between points."""

    checkpoint_s: float = 15.0
    point_every: int = 5


class PhaseRun:
    """Runs a phase to its end; ``learner`` then has the weights to keep.

    ``record`` is what a checkpoint carries besides weights; ``seconds`` gives the
    seconds spent so far, ``steps_after`` the steps that later phases will take.
    """

    def __init__(
        self,
        phase: Phase,
        learner: Learner,
        evaluator: Evaluator,
        run: RunFolder,
        record: dict[str, Any],
        *,
        lines: ProgressLines,
        stop: threading.Event,
        steps_after: int,
        seconds: Callable[[], float],
        pace: Pace,
    ) -> None:
        self._phase = phase
        self._learner = learner
        self._state = learner.state
        self._evaluator = evaluator
        self._run = run
        self._record = record
        self._lines = lines
        self._stop = stop
        self._seconds = seconds
        self._pace = pace
        self._steps = learner.recipe.steps
        self._total = phase.first_step + self._steps + steps_after
        self._best: Weights | None = None
        self._eta = EtaEstimator()
        self._reported_at = 0.0

    def run(self) -> None:
        """Raises StoppedError, with a checkpoint saved, when ``stop`` is set."""
        state, first = self._state, self._phase.first_step
        self._best = self._run.load_state(state)
        self._run.drop_after(first + state.step)
        self._eta.left(first + state.step, self._total)
        saved_at = time.monotonic()
        while state.step < self._steps and not self._is_out_of_patience():
            if self._stop.is_set():
                self._save()
                raise StoppedError
            figures = self._learner.advance()
            losses = {name: figures[name] for name in _LOSSES}
            self._report(losses)
            self._note(losses)
            if time.monotonic() - saved_at > self._pace.checkpoint_s:
                self._save()
                saved_at = time.monotonic()
        average = state.average.weights if state.average is not None else {}
        self._run.put(state.model, self._best or average or self._run.get(state.model))

    def _is_out_of_patience(self) -> bool:
        waited = self._state.step - int(self._record.get("best_step", 0))
        return self._phase.chooses and waited > PATIENCE * self._learner.recipe.measure_every

    def _save(self) -> None:
        self._run.save_state(self._state, {**self._record, "seconds": self._seconds()}, self._best)

    def _report(self, losses: Mapping[str, float]) -> None:
        is_last = self._state.step == self._steps
        if time.monotonic() - self._reported_at < _REPORT_S and not is_last:
            return
        self._reported_at = time.monotonic()
        done = self._phase.first_step + self._state.step
        left = (self._eta.left(done, self._total) or 0.0) + 5.0
        self._lines.progress(self._phase.stage, done, self._total, left, losses)

    def _note(self, losses: Mapping[str, float]) -> None:
        """A point of the curve, with figures where it is time to measure."""
        step = self._state.step
        measures = step % self._learner.recipe.measure_every == 0 or step == self._steps
        if not measures and step % self._pace.point_every:
            return
        row: dict[str, float] = {"step": self._phase.first_step + step}
        row |= {name: round(value, 5) for name, value in losses.items()}
        if measures:
            row |= self._measure()
        self._run.append(row)
        self._lines.point(row)

    def _measure(self) -> dict[str, float]:
        state = self._state
        with state.averaged() as model:
            own, general = self._evaluator.quick_recall(model)
            if self._phase.chooses and own + general >= float(self._record.get("best_score", -1.0)):
                self._record |= {"best_score": own + general, "best_step": state.step}
                self._best = {n: w.clone() for n, w in self._run.get(model).items()}
        # A photo that is learned from says nothing of what was learned.
        return {"general": general} | ({} if self._phase.sees_held_out else {"own": own})
