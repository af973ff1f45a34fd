"""A run's folder: curve, resume state, checkpoint, card. Everything is written atomically."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints.checkpoint import write_folder
from trainer.config import TrainConfig
from trainer.step import StepState

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
        self, state: StepState[Any], record: Mapping[str, Any], best: Weights | None = None
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

    def load_state(self, state: StepState[Any]) -> Weights | None:
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
            tr("The run {path} cannot go on.", path=self.path),
            tr("Its saved state is damaged or of another model ({error}).", error=error),
            tr("Delete {state} to start again from the beginning.", state=self._state),
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


def train_card(
    config: TrainConfig, notes: Mapping[str, Any], figures: Mapping[str, float], step: int
) -> str:
    """Markdown of a trained model: its data, its training, its figures on the dev sets."""
    data = "\n".join(f"- {name}" for name in notes.get("shards", []))
    rows = [(name, f"{value:.4g}") for name, value in figures.items()]
    model = config.words.sentence_model.replace("_", "-")
    taught = f"\nThe text side was distilled from the sentence model {model}.\n" if model else ""
    return f"""# {config.model.name}

A CoCa network (contrastive captioner, arXiv 2205.01917) trained by CocaDesk.
Model id: `{{model_id}}`.

## Training data

{data}

{notes.get("pictures", 0)} pictures with {notes.get("captions", 0)} captions;
skipped: {_counts(notes.get("skipped") or {})}.

## Training
{taught}
Step {step} of {config.optimiser.steps}, batch {config.optimiser.batch}, weights averaged over
time: {"yes" if config.optimiser.ema_decay else "no"}. Loss: {config.loss.contrastive} ×
contrastive (both directions summed, as in the paper) + {config.loss.caption} × captioning.

## Figures on the dev sets (used to choose settings or a checkpoint)

{_table(("metric", "value"), rows)}

Recall (r1, r5, r10) is in percent; cider_d 1.0 is what papers print as 100; captions
are written with {config.evaluation.beams} beam(s) here.
"""


def tuning_card(title: str, learns: str, base_id: str, result: Mapping[str, Any]) -> str:
    """Markdown of a tuned model: what it was tuned on, and its figures before and after."""
    trial = (
        "They were measured in a trial that held these photos out; this model has learned "
        "from all of them."
        if result["is_trial"]
        else "They were not learned from; the step that does best on them was taken."
    )
    skipped = _counts({reason: files["count"] for reason, files in result["skipped"].items()})
    return f"""# {title or "A tuned model"}

Tuned by CocaDesk from `{base_id}`. Model id: `{{model_id}}`.

Learned from {result["photos"]} photos with {result["captions"]} human captions;
skipped: {skipped}. Trained parts: {learns}.
{result["steps"]} steps.

## The owner's photos, held out

{result["held_out"]} photos. {trial}

{_before_after(result["before"], result["after"])}

## The general set

The sample photos that ship with CocaDesk; their captions were never learned from.

{_before_after(result["general_before"], result["general_after"])}

Recall (r1, r5, r10) is in percent with Wilson's 95 % interval, cider_d with a bootstrap
interval; n counts photos. The licence terms of the base model hold for this one.
"""


def _counts(skipped: Mapping[str, int]) -> str:
    return ", ".join(f"{count} × {reason}" for reason, count in skipped.items()) or "nothing"


def _before_after(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]]) -> str:
    past = {row["name"]: _figure(row) for row in before}
    rows = [(r["name"], past.get(r["name"], "–"), _figure(r), str(r["n"])) for r in after]
    return _table(("metric", "before", "after", "n"), rows)


def _figure(row: Mapping[str, Any]) -> str:
    return f"{row['value']:.4g} ({row['low']:.4g} to {row['high']:.4g})"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
