"""A teaching run from spec.json to result.json, resumable at every step."""

from __future__ import annotations

import errno
import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import torch

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.network.coca import CoCa
from trainer.checkpoint import write_atomic
from trainer.config import Precision
from trainer.process import choose_precision, keep_memory_blocks
from trainer.tuning.card import write_card
from trainer.tuning.dataset import find_lesson
from trainer.tuning.evaluator import rows
from trainer.tuning.feature_store import encode_examples, load_lesson, store_lesson
from trainer.tuning.general_set import load_general
from trainer.tuning.learner import Learner
from trainer.tuning.network import open_network
from trainer.tuning.phase import Phase, PhaseRun, phases_of
from trainer.tuning.prepare import Prepared, prepare
from trainer.tuning.progress_lines import Stage, Wire
from trainer.tuning.recipe import choose_recipe
from trainer.tuning.run_checkpoint import RunCheckpoint
from trainer.tuning.spec import load_spec
from trainer.tuning.split import problem_of

GUESSED_STEP_S = 0.4


def teach(run_folder: Path, wire: Wire, stop: threading.Event) -> dict[str, Any]:
    """Runs, or goes on with, the run of a folder; gives what ``result.json`` holds.

    Raises:
        UserError: there is nothing to learn from, the model or the folder is unusable,
            the disk is full; the last checkpoint stays.
        StoppedError: ``stop`` was set; a checkpoint was saved.
    """
    try:
        return _teach(run_folder, wire, stop)
    except OSError as error:
        raise _explain(run_folder, error) from error


def _explain(run_folder: Path, error: OSError) -> UserError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            "The disk is full.",
            f"The run {run_folder} could not be saved. The model in use is as it was.",
            "Make room, then teach again.",
        )
    return UserError(
        f"The run {run_folder} cannot be written.", f"{error}.", "Mend that, then teach again."
    )


def _teach(run_folder: Path, wire: Wire, stop: threading.Event) -> dict[str, Any]:
    keep_memory_blocks()
    done = run_folder / "result.json"
    if done.exists():
        return dict(json.loads(done.read_text("utf-8")))
    spec = load_spec(run_folder)
    wire.progress(Stage.LOOK, 0, 1)
    lesson = load_lesson(run_folder) or find_lesson(spec)
    problem = problem_of(len(lesson.photos))
    if problem:
        raise problem
    store_lesson(run_folder, lesson)
    wire.progress(Stage.LOOK, 1, 1)
    network = open_network(spec.model, spec.device)
    try:
        after = 2 * choose_recipe(spec.method, len(lesson.photos)).steps * GUESSED_STEP_S
        folder = run_folder / "features"
        prepared = prepare(folder, spec, lesson, load_general(), network, wire, stop, after)
        return TeachRun(run_folder, prepared, wire, stop).run()
    finally:
        network.close()


class TeachRun:
    """One run with all that it works on."""

    def __init__(self, folder: Path, prepared: Prepared, wire: Wire, stop: threading.Event) -> None:
        self._folder = folder
        self._prepared = prepared
        self._wire = wire
        self._stop = stop
        self._state = RunCheckpoint(folder)
        self._examiner = prepared.examiner()
        self._recipe = choose_recipe(prepared.spec.method, len(prepared.lesson.photos))
        self._phases = phases_of(prepared.split, self._recipe.steps)
        self._record: dict[str, Any] = self._state.record() or {
            "phase": 0,
            "seconds": 0.0,
            # Measured once: a resumed run must not choose otherwise.
            "dtype": str(choose_precision(Precision.AUTO, torch.device("cpu"))),
        }
        self._spent_s = float(self._record["seconds"])
        self._began = time.monotonic()

    def run(self) -> dict[str, Any]:
        """One or two trainings, figures, checkpoint."""
        for number in range(int(self._record["phase"]), len(self._phases)):
            learner = self._train(number)
            if number + 1 < len(self._phases):
                self._record["after"] = rows(self._examiner.own(learner.model))
                self._record |= {"phase": number + 1, "seconds": self._seconds()}
                self._state.save_record(self._record)
        return self._finish(learner.model)

    def _seconds(self) -> float:
        return self._spent_s + time.monotonic() - self._began

    def _train(self, number: int) -> Learner:
        """One training to its end, from the saved state where there is one of this phase."""
        phase, prepared = self._phases[number], self._prepared
        total = self._recipe.steps * len(self._phases)
        self._wire.progress(phase.stage, phase.first_step, total)
        model = prepared.network.fresh_model(prepared.spec.method)
        if "before" not in self._record:
            self._record["before"] = rows(self._examiner.own(model))
            self._record["general_before"] = rows(self._examiner.general_figures(model))
        learner = self._learner(model, phase)
        PhaseRun(
            phase,
            learner,
            self._examiner,
            self._state,
            self._record,
            wire=self._wire,
            stop=self._stop,
            steps_after=total - phase.first_step - self._recipe.steps,
            seconds=self._seconds,
        ).run()
        return learner

    def _learner(self, model: CoCa, phase: Phase) -> Learner:
        is_half = "bfloat16" in self._record["dtype"]
        return Learner(
            model,
            self._prepared.network.tokenizer,
            self._prepared.material(phase.photos),
            self._recipe,
            method=self._prepared.spec.method,
            seed=self._prepared.spec.seed,
            dtype=torch.bfloat16 if is_half else torch.float32,
        )

    def _finish(self, model: CoCa) -> dict[str, Any]:
        prepared = self._prepared
        self._wire.progress(Stage.MEASURE, 0, 1, 5.0)
        after = self._record.get("after") or rows(self._examiner.own(model))
        result: dict[str, Any] = {
            "before": self._record["before"],
            "after": after,
            "general_before": self._record["general_before"],
            "general_after": rows(self._examiner.general_figures(model)),
            "steps": self._recipe.steps * len(self._phases),
            "photos": len(prepared.lesson.photos),
            "captions": prepared.lesson.caption_count,
            "held_out": len(prepared.split.held_out),
            "is_trial": prepared.split.is_trial,
            "skipped": dict(prepared.lesson.skips.counts),
            "skipped_examples": encode_examples(prepared.lesson.skips),
        }
        self._wire.progress(Stage.SAVE, 0, 1, 1.0)
        result |= self._save_model(model, result)
        result["seconds"] = round(self._seconds(), 1)
        write_atomic(self._folder / "result.json", json.dumps(result).encode())
        self._state.remove()
        shutil.rmtree(self._folder / "features", ignore_errors=True)
        self._wire.progress(Stage.SAVE, 1, 1, 0.0)
        return result

    def _save_model(self, model: CoCa, result: dict[str, Any]) -> dict[str, Any]:
        network = self._prepared.network
        ids = save_checkpoint(
            self._folder / "checkpoints" / "best",
            model,
            network.tokenizer,
            write_card(self._prepared.spec, network.ids.model_id, result),
            half=network.is_half,
        )
        return {
            "model_id": ids.model_id,
            "image_id": ids.image_id,
            "reembed": ids.image_id != network.ids.image_id,
        }
