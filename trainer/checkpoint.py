"""A run's folder: config, metrics, checkpoints, card. Everything is written atomically."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import write_folder
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer
from trainer.optimiser import WeightAverage

STATE = "state"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """Paths of a run and the writing of its files."""

    path: Path

    @staticmethod
    def create(path: Path, config_text: str) -> RunFolder:
        """Makes the folder, or opens it again for the same config.

        Raises:
            UserError: the folder holds a run of another config, or cannot be written.
        """
        kept = path / "config.toml"
        try:
            path.mkdir(parents=True, exist_ok=True)
            if kept.exists() and kept.read_text("utf-8") != config_text:
                raise UserError(
                    f"The run folder {path} belongs to another config.",
                    "Its config.toml differs from the one given.",
                    "Choose another run folder, or delete the old one.",
                )
            write_atomic(kept, config_text.encode())
        except OSError as error:
            raise UserError(f"The run folder {path} cannot be written.", f"{error}.") from error
        return RunFolder(path=path)

    @property
    def best(self) -> Path:
        """The checkpoint that did best on the dev shards."""
        return self.path / "checkpoints" / "best"

    @property
    def tokenizer(self) -> Path:
        return self.path / "tokenizer.json"

    def append_metrics(self, row: dict[str, Any]) -> None:
        """One JSON line; a line is written whole, after its step is done."""
        with (self.path / "metrics.jsonl").open("a", encoding="utf-8") as handle:
            handle.write(json.dumps(row) + "\n")

    def drop_metrics_after(self, step: int) -> None:
        """Forgets lines of steps that a kill lost and that will be run again."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return
        kept = []
        for line in path.read_text("utf-8").splitlines():
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line)
            except (ValueError, KeyError):
                continue  # the kill cut the line in two
        write_atomic(path, "".join(f"{line}\n" for line in kept).encode())

    def save_state(
        self,
        step: int,
        model: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        average: WeightAverage | None,
        record: dict[str, Any],
    ) -> None:
        """All that an exact resume needs; randomness is a function of the step."""
        tensors = {f"model.{n}": t for n, t in model.state_dict().items()}
        for index, slot in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{index}.{n}": t for n, t in slot.items()}
        if average is not None:
            tensors |= {f"average.{n}": t for n, t in average.weights.items()}
        tensors = {n: t.detach().cpu().clone().contiguous() for n, t in tensors.items()}
        write_folder(
            self.path / STATE,
            [
                ("state.safetensors", save(tensors)),
                ("state.json", json.dumps({"step": step, **record}).encode()),
            ],
        )

    def load_state(
        self,
        model: torch.nn.Module,
        optimiser: torch.optim.Optimizer,
        average: WeightAverage | None,
    ) -> dict[str, Any] | None:
        """Puts ``save_state``'s content back; None where there is none.

        Raises:
            UserError: the state is damaged or does not fit the model.
        """
        folder = self.path / STATE
        if not folder.exists():
            return None
        try:
            record: dict[str, Any] = json.loads((folder / "state.json").read_text("utf-8"))
            tensors = load((folder / "state.safetensors").read_bytes())
            model.load_state_dict(_part(tensors, "model."))
            optimiser.load_state_dict(
                {
                    "state": _slots(_part(tensors, "optimiser.")),
                    "param_groups": optimiser.state_dict()["param_groups"],
                }
            )
            if average is not None:
                average.weights = _part(tensors, "average.")
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise UserError(
                f"The run {self.path} cannot go on.",
                f"Its saved state is damaged or of another model ({error}).",
                f"Delete {folder} to start again from the beginning.",
            ) from error
        return record

    def load_tokenizer(self) -> BpeTokenizer | None:
        """The run's tokenizer, once it was trained."""
        return BpeTokenizer.load(self.tokenizer) if self.tokenizer.exists() else None


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _slots(tensors: dict[str, torch.Tensor]) -> dict[int, dict[str, torch.Tensor]]:
    slots: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        index, slot = name.split(".", 1)
        slots.setdefault(int(index), {})[slot] = tensor
    return slots


def write_atomic(path: Path, data: bytes) -> None:
    """A file appears whole or stays as it was."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as handle:
        handle.write(data)
        handle.flush()
        os.fsync(handle.fileno())
    fresh.replace(path)
