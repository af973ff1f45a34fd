"""One training of a run: steps with points of the curve, checkpoints and the best weights."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from trainer.tuning.evaluator import Evaluator
from trainer.tuning.learner import Learner, StepLosses
from trainer.tuning.progress_lines import Stage, Wire
from trainer.tuning.run_checkpoint import RunCheckpoint, put_weights
from trainer.tuning.split import Split

CHECKPOINT_S = 15.0
POINT_EVERY = 5
PATIENCE = 8
"""A run that is chosen by held-out photos ends after so many measures without a better one."""
_REPORT_S = 0.25


class StoppedError(Exception):
    """The run was asked to stop and has saved what it had; run it again to go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """The trial on a part of the photos, or the run that is kept.

    ``chooses``: the best weights on the held-out photos are taken, else the last.
    """

    stage: Stage
    photos: tuple[int, ...]
    first_step: int
    chooses: bool
    sees_held_out: bool


def phases_of(split: Split, steps: int) -> list[Phase]:
    """A trial and then all photos, where they are few; else the learned part alone."""
    if not split.is_trial:
        return [
            Phase(
                stage=Stage.TRAIN,
                photos=split.learned,
                first_step=0,
                chooses=True,
                sees_held_out=False,
            )
        ]
    every = tuple(sorted((*split.learned, *split.held_out)))
    return [
        Phase(
            stage=Stage.TRIAL,
            photos=split.learned,
            first_step=0,
            chooses=False,
            sees_held_out=False,
        ),
        Phase(stage=Stage.TRAIN, photos=every, first_step=steps, chooses=False, sees_held_out=True),
    ]


class PhaseRun:
    """Runs a phase to its end; ``learner`` then has the weights to keep.

    ``record`` is what a checkpoint carries besides weights; ``seconds`` gives the
    seconds spent so far, ``steps_after`` the steps that later phases will take.
    """

    def __init__(
        self,
        phase: Phase,
        learner: Learner,
        examiner: Evaluator,
        state: RunCheckpoint,
        record: dict[str, Any],
        *,
        wire: Wire,
        stop: threading.Event,
        steps_after: int,
        seconds: Callable[[], float],
    ) -> None:
        self._phase = phase
        self._learner = learner
        self._examiner = examiner
        self._state = state
        self._record = record
        self._wire = wire
        self._stop = stop
        self._steps_after = steps_after
        self._seconds = seconds
        self._total = phase.first_step + learner.recipe.steps + steps_after
        self._best: dict[str, torch.Tensor] | None = None
        self._reported_at = 0.0

    def run(self) -> None:
        """Raises StoppedError, with a checkpoint saved, when the person wants it to stop."""
        learner = self._learner
        self._best = self._state.load(learner)
        self._state.drop_points_after(self._phase.first_step + learner.step)
        first, began = learner.step, time.monotonic()
        saved_at = began
        while learner.step < learner.recipe.steps and not self._is_out_of_patience():
            if self._stop.is_set():
                self._save()
                raise StoppedError
            losses = learner.advance()
            spent = time.monotonic() - began
            self._report(losses, spent / (learner.step - first))
            self._note(losses)
            if time.monotonic() - saved_at > CHECKPOINT_S:
                self._save()
                saved_at = time.monotonic()
        put_weights(learner.model, self._best or learner.average.weights)

    def _is_out_of_patience(self) -> bool:
        waited = self._learner.step - int(self._record.get("best_step", 0))
        return self._phase.chooses and waited > PATIENCE * self._learner.recipe.measure_every

    def _save(self) -> None:
        record = {**self._record, "seconds": self._seconds()}
        self._state.save(self._learner, self._best, record)

    def _report(self, losses: StepLosses, step_s: float) -> None:
        learner = self._learner
        is_last = learner.step == learner.recipe.steps
        if time.monotonic() - self._reported_at < _REPORT_S and not is_last:
            return
        self._reported_at = time.monotonic()
        left = (learner.recipe.steps - learner.step + self._steps_after) * step_s + 5.0
        self._wire.progress(
            self._phase.stage,
            self._phase.first_step + learner.step,
            self._total,
            left,
            {"loss": losses.loss, "contrastive": losses.contrastive, "caption": losses.caption},
        )

    def _note(self, losses: StepLosses) -> None:
        """A point of the curve, with figures where it is time to measure."""
        step, recipe = self._learner.step, self._learner.recipe
        is_last = step == recipe.steps
        measures = step % recipe.measure_every == 0 or is_last
        if not measures and step % POINT_EVERY:
            return
        row: dict[str, Any] = {
            "step": self._phase.first_step + step,
            "loss": round(losses.loss, 5),
            "contrastive": round(losses.contrastive, 5),
            "caption": round(losses.caption, 5),
        }
        if measures:
            row |= self._measure()
        self._state.append_points([row])
        self._wire.point(row)

    def _measure(self) -> dict[str, float]:
        learner = self._learner
        learner.average.swap(learner.model)
        own, general = self._examiner.glance(learner.model)
        learner.average.swap(learner.model)
        if self._phase.chooses and own + general >= float(self._record.get("best_score", -1.0)):
            self._record |= {"best_score": own + general, "best_step": learner.step}
            self._best = {n: w.clone() for n, w in learner.average.weights.items()}
        # A photo that is learned from says nothing of what was learned.
        return {"general": general} | ({} if self._phase.sees_held_out else {"own": own})
