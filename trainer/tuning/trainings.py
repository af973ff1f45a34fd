"""The trainings of one run, its figures and its model; each step can be resumed."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import msgspec
import torch

from cocadesk.eta import EtaEstimator
from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.network.coca import CoCa
from cocadesk.trainer_messages import POINTS, RESULT, Stage
from trainer.checkpoint import RunFolder, tuning_card, write_atomic
from trainer.tuning.evaluator import rows
from trainer.tuning.learner import Learner
from trainer.tuning.phase import Pace, PhaseRun, phases_of
from trainer.tuning.prepare import Prepared
from trainer.tuning.progress_lines import ProgressLines
from trainer.tuning.recipe import Recipe


class TuningRun:
    """One run with all that it works on."""

    def __init__(
        self,
        folder: Path,
        title: str,
        prepared: Prepared,
        lines: ProgressLines,
        stop: threading.Event,
        recipe: Recipe,
        pace: Pace,
    ) -> None:
        self._folder = folder
        self._title = title
        self._prepared = prepared
        self._lines = lines
        self._stop = stop
        self._pace = pace
        self._method = prepared.method
        self._run = RunFolder(
            path=folder,
            curve=POINTS,
            get=self._method.weights,
            put=self._method.load_weights,
        )
        self._recipe = recipe
        self._phases = phases_of(prepared.split, self._recipe.steps)
        device = prepared.network.device
        self._record: dict[str, Any] = self._run.record() or {
            "phase": 0,
            "seconds": 0.0,
            # Measured once: a resumed run must not choose otherwise.
            "dtype": str(device.dtype),
        }
        is_half = "bfloat16" in self._record["dtype"]
        self._device = device.with_dtype(torch.bfloat16 if is_half else torch.float32)
        self._evaluator = prepared.evaluator(self._device)
        self._spent_s = float(self._record["seconds"])
        self._clock = EtaEstimator()

    def run(self) -> dict[str, Any]:
        """One or two trainings, figures, checkpoint."""
        for number in range(int(self._record["phase"]), len(self._phases)):
            model = self._train(number)
            if number + 1 < len(self._phases):
                self._record["after"] = rows(self._evaluator.held_out_figures(model))
                self._record |= {"phase": number + 1, "seconds": self._seconds()}
                self._run.save_record(self._record)
        return self._finish(model)

    def _seconds(self) -> float:
        return self._spent_s + self._clock.seconds

    def _train(self, number: int) -> CoCa:
        """One training to its end, from the saved state where there is one of this phase."""
        phase, prepared = self._phases[number], self._prepared
        total = self._recipe.steps * len(self._phases)
        self._lines.progress(phase.stage, phase.first_step, total)
        model = prepared.network.fresh_model(self._method).eval()
        if "before" not in self._record:
            self._record["before"] = rows(self._evaluator.held_out_figures(model))
            self._record["general_before"] = rows(self._evaluator.general_figures(model))
        PhaseRun(
            phase=phase,
            learner=Learner(model, prepared.task(phase.photos, self._recipe, self._device)),
            evaluator=self._evaluator,
            folder=self._run,
            record=self._record,
            lines=self._lines,
            stop=self._stop,
            total=total,
            seconds=self._seconds,
            pace=self._pace,
        ).run()
        return model

    def _finish(self, model: CoCa) -> dict[str, Any]:
        prepared = self._prepared
        self._lines.progress(Stage.MEASURE, 0, 1, 5.0)
        after = self._record.get("after") or rows(self._evaluator.held_out_figures(model))
        result: dict[str, Any] = {
            "before": self._record["before"],
            "after": after,
            "general_before": self._record["general_before"],
            "general_after": rows(self._evaluator.general_figures(model)),
            "steps": self._recipe.steps * len(self._phases),
            "photos": len(prepared.dataset.photos),
            "captions": prepared.dataset.caption_count,
            "held_out": len(prepared.split.held_out),
            "is_trial": prepared.split.is_trial,
            "skipped": msgspec.to_builtins(prepared.dataset.skipped),
        }
        self._lines.progress(Stage.SAVE, 0, 1, 1.0)
        result |= self._save_model(model, result)
        result["seconds"] = round(self._seconds(), 1)
        write_atomic(self._folder / RESULT, json.dumps(result).encode())
        self._run.remove_state()
        shutil.rmtree(self._folder / "features", ignore_errors=True)
        self._lines.progress(Stage.SAVE, 1, 1, 0.0)
        return result

    def _save_model(self, model: CoCa, result: dict[str, Any]) -> dict[str, Any]:
        network = self._prepared.network
        card = tuning_card(self._title, self._method.trained, network.ids.model_id, result)
        ids = save_checkpoint(
            self._run.best,
            self._method.export(model),
            network.tokenizer,
            card,
            half=network.is_half,
            # Learning leaves the vectors near where they were, so these stay the best guess.
            tagging=network.checkpoint.tagging,
        )
        return {
            "model_id": ids.model_id,
            "image_id": ids.image_id,
            "reembed": ids.image_id != network.ids.image_id,
        }
