"""A run's folder: curve, resume state, checkpoint. Everything is written atomically."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import write_folder
from trainer.step import TrainState

Weights = dict[str, Tensor]


def learned_weights(model: nn.Module) -> Weights:
    """The weights that learn, by name."""
    return {n: p.detach() for n, p in model.named_parameters() if p.requires_grad}


@torch.no_grad()
def put_weights(model: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Fills the weights that learn, wherever the given ones lie.

    Raises:
        KeyError: one is missing.
        ValueError: one has another shape.
    """
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            if weights[name].shape != parameter.shape:
                raise ValueError(f"{name} has the shape {tuple(weights[name].shape)}")
            parameter.copy_(weights[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """A run's files. ``curve`` names its file of JSON lines, one for each reported step.

    ``get`` and ``put`` read and fill the weights that learn; what is locked is not saved.
    """

    path: Path
    curve: str
    get: Callable[[Any], Weights] = learned_weights
    put: Callable[[Any, Weights], None] = put_weights

    @property
    def best(self) -> Path:
        """The checkpoint that the run gives."""
        return self.path / "checkpoints" / "best"

    @property
    def _state(self) -> Path:
        return self.path / "state"

    def append(self, row: Mapping[str, Any]) -> None:
        """A line of the curve, written whole, after its step is done."""
        with (self.path / self.curve).open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")

    def drop_after(self, step: int) -> None:
        """Forgets lines of steps that a kill lost and that will be run again."""
        path = self.path / self.curve
        if not path.exists():
            return
        kept = []
        for line in path.read_text("utf-8", "replace").splitlines():
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError, TypeError):
                continue  # the kill cut the line in two
        write_atomic(path, "".join(f"{line}\n" for line in kept).encode())

    def save_state(
        self, state: TrainState, record: Mapping[str, Any], best: Weights | None = None
    ) -> None:
        """All that an exact resume needs, in one step; ``best`` are further weights to keep."""
        average = state.average.weights if state.average is not None else {}
        parts: dict[str, Mapping[str, Tensor]] = {
            "model": self.get(state.model),
            "buffer": dict(state.model.named_buffers()),
            "average": average,
            "best": best or {},
        }
        for index, slot in state.optimiser.state_dict()["state"].items():
            parts[f"optimiser.{index}"] = slot
        tensors = {f"{p}.{n}": t for p, named in parts.items() for n, t in named.items()}
        tensors = {n: t.detach().cpu().clone().contiguous() for n, t in tensors.items()}
        write_folder(
            self._state,
            [
                ("state.safetensors", save(tensors)),
                ("state.json", json.dumps({**record, "step": state.step}).encode()),
            ],
        )

    def save_record(self, record: Mapping[str, Any]) -> None:
        """A state between two trainings: there is no network to keep."""
        write_folder(self._state, [("state.json", json.dumps({**record, "step": 0}).encode())])

    def record(self) -> dict[str, Any] | None:
        """The values saved beside the weights; None where nothing was saved.

        Raises:
            UserError: the state is damaged.
        """
        try:
            return dict(json.loads((self._state / "state.json").read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise self._damaged(error) from error

    def load_state(self, state: TrainState) -> Weights | None:
        """Puts a saved state back on the network's device; gives the best weights, if any.

        Raises:
            UserError: the state is damaged or does not fit the model.
        """
        path = self._state / "state.safetensors"
        if not path.exists():
            return None
        try:
            tensors = load(path.read_bytes())
            step = json.loads((self._state / "state.json").read_text("utf-8"))["step"]
            self.put(state.model, _part(tensors, "model."))
            for name, buffer in state.model.named_buffers():
                buffer.copy_(tensors[f"buffer.{name}"])
            _put_slots(state.optimiser, _part(tensors, "optimiser."))
            if state.average is not None:
                state.average.load(_part(tensors, "average."))
            state.step = int(step)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise self._damaged(error) from error
        return _part(tensors, "best.") or None

    def _damaged(self, error: Exception) -> UserError:
        return UserError(
            f"The run {self.path} cannot go on.",
            f"Its saved state is damaged or of another model ({error}).",
            f"Delete {self._state} to start again from the beginning.",
        )

    def remove_state(self) -> None:
        """Frees the room of a finished run's state."""
        shutil.rmtree(self._state, ignore_errors=True)


def _part(tensors: Weights, prefix: str) -> Weights:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _put_slots(optimiser: torch.optim.Optimizer, tensors: Weights) -> None:
    slots: dict[int, Weights] = {}
    for name, tensor in tensors.items():
        index, slot = name.split(".", 1)
        slots.setdefault(int(index), {})[slot] = tensor
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": slots, "param_groups": groups})


def write_atomic(path: Path, data: bytes) -> None:
    """A file appears whole or stays as it was."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)
