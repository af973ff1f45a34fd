"""One training of a run: steps with points of the curve, checkpoints and the best weights."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cocadesk.errors import UserError, grouped, tr
from cocadesk.eta import EtaEstimator
from cocadesk.evaluation.retrieval import NotFiniteError
from cocadesk.trainer_messages import Stage
from trainer.checkpoint import RunFolder, Weights
from trainer.step import DivergedError
from trainer.tuning.evaluator import Evaluator
from trainer.tuning.learner import Learner
from trainer.tuning.progress_lines import ProgressLines
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


@dataclass(slots=True, kw_only=True)
class PhaseRun:
    """Runs a phase to its end; ``learner`` then has the weights to keep.

    ``record`` is what a checkpoint carries besides weights; ``seconds`` gives the
    seconds spent so far, ``total`` are the steps of all phases.
    """

    phase: Phase
    learner: Learner
    evaluator: Evaluator
    folder: RunFolder
    record: dict[str, Any]
    lines: ProgressLines
    stop: threading.Event
    total: int
    seconds: Callable[[], float]
    pace: Pace
    _best: Weights | None = field(default=None, init=False)
    _eta: EtaEstimator = field(default_factory=EtaEstimator, init=False)
    _reported_at: float = field(default=0.0, init=False)

    def run(self) -> None:
        """Runs to the end, or until ``stop`` is set.

        Raises:
            StoppedError: ``stop`` was set; a checkpoint was saved.
            UserError: the loss is not a number any more; the last checkpoint stays.
        """
        try:
            self._run()
        except (DivergedError, NotFiniteError) as error:
            raise UserError(
                tr("Teaching diverged: the loss is not a number any more."),
                tr(
                    "It happened in step {step}. The model in use is unchanged.",
                    step=grouped(self.phase.first_step + self.learner.state.step + 1),
                ),
                tr(
                    "Look at the photos and captions of the lesson, then teach again, with the "
                    "method head if it was deeper."
                ),
            ) from error

    def _run(self) -> None:
        state, first = self.learner.state, self.phase.first_step
        self._best = self.folder.load_state(state)
        self.folder.drop_after(first + state.step)
        self._eta = EtaEstimator(first + state.step)
        saved_at = time.monotonic()
        while state.step < self.learner.recipe.steps and not self._is_out_of_patience():
            if self.stop.is_set():
                self._save()
                raise StoppedError
            figures = self.learner.advance()
            losses = {name: figures[name] for name in _LOSSES}
            self._report(losses)
            self._note(losses)
            if time.monotonic() - saved_at > self.pace.checkpoint_s:
                self._save()
                saved_at = time.monotonic()
        average = state.average.weights if state.average is not None else {}
        self.folder.put(state.model, self._best or average or self.folder.get(state.model))

    def _is_out_of_patience(self) -> bool:
        waited = self.learner.state.step - int(self.record.get("best_step", 0))
        return self.phase.chooses and waited > PATIENCE * self.learner.recipe.measure_every

    def _save(self) -> None:
        self.learner.state.check()  # a state that is no numbers would poison every resume
        record = {**self.record, "seconds": self.seconds()}
        self.folder.save_state(self.learner.state, record, self._best)

    def _report(self, losses: Mapping[str, float]) -> None:
        is_last = self.learner.state.step == self.learner.recipe.steps
        if time.monotonic() - self._reported_at < _REPORT_S and not is_last:
            return
        self._reported_at = time.monotonic()
        done = self.phase.first_step + self.learner.state.step
        left = (self._eta.seconds_left(done, self.total) or 0.0) + 5.0
        self.lines.progress(self.phase.stage, done, self.total, left, losses)

    def _note(self, losses: Mapping[str, float]) -> None:
        """A point of the curve, with figures where it is time to measure."""
        step, recipe = self.learner.state.step, self.learner.recipe
        measures = step % recipe.measure_every == 0 or step == recipe.steps
        if not measures and step % self.pace.point_every:
            return
        row: dict[str, float] = {"step": self.phase.first_step + step}
        row |= {name: round(value, 5) for name, value in losses.items()}
        if measures:
            row |= self._measure()
        self.folder.append(row)
        self.lines.point(row)

    def _measure(self) -> dict[str, float]:
        state = self.learner.state
        state.check()
        with state.averaged() as model:
            own, general = self.evaluator.quick_recall(model)
            if self.phase.chooses and own + general >= float(self.record.get("best_score", -1.0)):
                self.record |= {"best_score": own + general, "best_step": state.step}
                self._best = {n: w.clone() for n, w in self.folder.get(model).items()}
        # A photo that is learned from says nothing of what was learned.
        return {"general": general} | ({} if self.phase.sees_held_out else {"own": own})
