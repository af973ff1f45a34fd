"""The resume state of a teaching run: what the next step depends on, written whole or not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import write_folder
from trainer.checkpoint import write_atomic
from trainer.tuning.learner import Learner

_STATE = "state"


class RunCheckpoint:
    """The ``state`` folder and ``points.jsonl`` of a run folder."""

    def __init__(self, run_folder: Path) -> None:
        self._folder = run_folder / _STATE
        self._points = run_folder / "points.jsonl"

    def save(
        self, learner: Learner, best: dict[str, torch.Tensor] | None, record: dict[str, Any]
    ) -> None:
        """Replaces the last state in one step."""
        tensors = {f"model.{n}": t for n, t in learned_weights(learner.model).items()}
        for index, slot in learner.optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{n}": t for n, t in slot.items()}
        tensors |= {f"average.{n}": t for n, t in learner.average.weights.items()}
        tensors |= {f"best.{n}": t for n, t in (best or {}).items()}
        tensors = {n: t.detach().cpu().clone().contiguous() for n, t in tensors.items()}
        write_folder(
            self._folder,
            [
                ("state.safetensors", save(tensors)),
                ("state.json", json.dumps({**record, "step": learner.step}).encode()),
            ],
        )

    def save_record(self, record: dict[str, Any]) -> None:
        """A state between two phases: there is no network to keep."""
        write_folder(self._folder, [("state.json", json.dumps({**record, "step": 0}).encode())])

    def record(self) -> dict[str, Any] | None:
        """What was saved beside the weights; None where nothing was.

        Raises:
            UserError: it is damaged.
        """
        path = self._folder / "state.json"
        try:
            found = json.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error
        return dict(found)

    def load(self, learner: Learner) -> dict[str, torch.Tensor] | None:
        """Puts the saved weights back and gives the best ones so far.

        Raises:
            UserError: the state is damaged or of another model.
        """
        path = self._folder / "state.safetensors"
        if not path.exists():
            return None
        try:
            tensors = load(path.read_bytes())
            step = json.loads((self._folder / "state.json").read_text("utf-8"))["step"]
            put_weights(learner.model, _part(tensors, "model."))
            slots: dict[int, dict[str, torch.Tensor]] = {}
            for name, tensor in _part(tensors, "optimiser.").items():
                index, slot = name.split(".", 1)
                slots.setdefault(int(index), {})[slot] = tensor
            groups = learner.optimiser.state_dict()["param_groups"]
            learner.optimiser.load_state_dict({"state": slots, "param_groups": groups})
            learner.average.weights = _part(tensors, "average.")
            learner.step = int(step)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise self._damaged(error) from error
        return _part(tensors, "best.") or None

    def _damaged(self, error: Exception) -> UserError:
        return UserError(
            f"The run {self._folder.parent} cannot go on.",
            f"Its saved state is damaged or of another model ({error}).",
            f"Delete {self._folder} to start again from the beginning.",
        )

    def append_points(self, rows: list[dict[str, Any]]) -> None:
        """Lines of the curve, whole."""
        with self._points.open("a", encoding="utf-8") as handle:
            handle.writelines(json.dumps(row) + "\n" for row in rows)

    def drop_points_after(self, step: int) -> None:
        """Forgets points that a kill lost and that will be made again."""
        if not self._points.exists():
            return
        kept = []
        for line in self._points.read_text("utf-8", "replace").splitlines():
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError, TypeError):
                continue  # the kill cut the line in two
        write_atomic(self._points, "".join(f"{line}\n" for line in kept).encode())

    def remove(self) -> None:
        """Frees the room of a finished run's state."""
        shutil.rmtree(self._folder, ignore_errors=True)


def learned_weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """The weights that learn, by name."""
    return {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}


@torch.no_grad()
def put_weights(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Fills the learned weights; KeyError where one is missing."""
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.copy_(weights[name])


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
