"""Checkpoints: a folder of safetensors weights, JSON config, tokenizer and model card.

Writing is atomic: the folder appears whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cocadesk.errors import UserError
from cocadesk.model.config import CocaConfig
from cocadesk.model.tokenizer import BpeTokenizer

if TYPE_CHECKING:
    import torch

    from cocadesk.model.coca import CoCa

WEIGHTS, CONFIG, TOKENIZER, CARD = "model.safetensors", "config.json", "tokenizer.json", "README.md"
#: Weights that make image vectors, and nothing else does (DESIGN, "Image id").
_IMAGE_PREFIXES = ("image_encoder.", "contrastive_pooler.", "image_norm.", "image_projection.")
_GENERATIVE_PREFIX = "generative_pooler."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIds:
    """``model_id`` names config and all weights, ``image_id`` what makes image vectors."""

    model_id: str
    image_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checked folder, its weights not yet read."""

    folder: Path
    config: CocaConfig
    tokenizer: BpeTokenizer

    def ids(self) -> ModelIds:
        """The ids, from the card file if it is newer than the weights, else computed."""
        return compute_ids(self.config, load_arrays(self.folder))


def open_checkpoint(folder: Path) -> Checkpoint:
    """Reads config and tokenizer of a checkpoint folder.

    Raises:
        UserError: a file is missing or unreadable, or config and tokenizer do not match.
    """
    missing = [name for name in (WEIGHTS, CONFIG, TOKENIZER) if not (folder / name).is_file()]
    if missing:
        raise UserError(
            f"{folder} is not a CocaDesk model.",
            f"It has no {', '.join(missing)}.",
            "Choose a folder that CocaDesk wrote, for example one under runs/.",
        )
    try:
        config = CocaConfig.from_json((folder / CONFIG).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The config of {folder} cannot be read.", f"{error}.") from error
    tokenizer = BpeTokenizer.load(folder / TOKENIZER)
    if tokenizer.vocabulary > config.text.vocabulary:
        raise UserError(
            f"The parts of the model {folder} do not belong together.",
            f"Its tokenizer has {tokenizer.vocabulary} ids, "
            f"its config allows {config.text.vocabulary}.",
            "Fetch or train the model again.",
        )
    return Checkpoint(folder=folder, config=config, tokenizer=tokenizer)


def load_arrays(folder: Path) -> dict[str, np.ndarray[Any, Any]]:
    """All weights as numpy arrays, without torch.

    Raises:
        UserError: the file is truncated or no safetensors file.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder / WEIGHTS
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise UserError(
            f"The weights {path} cannot be read.",
            f"The file is damaged, cut short or no safetensors file ({error}).",
            "Fetch or train the model again.",
        ) from error


def load_model(checkpoint: Checkpoint) -> CoCa:
    """The network on the CPU in float32, ready for inference.

    Raises:
        UserError: the weights do not fit the config.
    """
    import torch

    from cocadesk.model.coca import CoCa

    weights = load_arrays(checkpoint.folder)
    with torch.device("meta"):
        model = CoCa(checkpoint.config)
    expected = {name: tuple(w.shape) for name, w in stored_state(model).items()}
    found = {name: tuple(w.shape) for name, w in weights.items()}
    if expected != found:
        raise UserError(
            f"The weights of {checkpoint.folder} do not fit its config.",
            _difference(expected, found),
            "Fetch or train the model again.",
        )
    # Buffers that are not stored (mean, std) must not stay on the meta device.
    model = CoCa(checkpoint.config)
    load_state(model, {name: torch.from_numpy(w).float() for name, w in weights.items()})
    return model.eval()


def stored_state(model: CoCa) -> dict[str, torch.Tensor]:
    """The state dict as stored: a tied output layer and batch counters are left out."""
    state = dict(model.state_dict())
    if model.config.text.tie_output:
        state.pop("multimodal.output.weight")
    return {name: w for name, w in state.items() if not name.endswith("num_batches_tracked")}


def load_state(model: CoCa, weights: Mapping[str, torch.Tensor]) -> None:
    """Fills the model with ``stored_state``'s weights."""
    missing, unexpected = model.load_state_dict(dict(weights), strict=False)
    allowed = {"multimodal.output.weight"} if model.config.text.tie_output else set()
    missing = [m for m in missing if not m.endswith("num_batches_tracked") and m not in allowed]
    if missing or unexpected:
        raise UserError("The weights do not fit the model.", f"{[*missing, *unexpected]}")


def _difference(expected: Mapping[str, object], found: Mapping[str, object]) -> str:
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            return (
                f"“{name}” should be {expected.get(name, 'absent')} "
                f"and is {found.get(name, 'absent')}."
            )
    return "They differ."


def save_checkpoint(
    folder: Path,
    model: CoCa,
    tokenizer: BpeTokenizer,
    card: str,
    *,
    half: bool = False,
) -> ModelIds:
    """Writes a whole checkpoint folder, replacing an older one in one step.

    ``half`` stores float16. The folder is written beside its place and renamed,
    so a crash or a full disk leaves the old one as it was.
    """
    import torch
    from safetensors.torch import save

    state = stored_state(model)
    dtype = torch.float16 if half else torch.float32
    state = {name: w.detach().cpu().to(dtype).contiguous() for name, w in state.items()}
    ids = compute_ids(model.config, {name: w.numpy() for name, w in state.items()})
    files: list[tuple[str, bytes]] = [
        (CONFIG, model.config.to_json().encode()),
        (TOKENIZER, tokenizer.to_json().encode()),
        (CARD, card.replace("{model_id}", ids.model_id).encode()),
        (WEIGHTS, save(state)),
    ]
    write_folder(folder, files)
    return ids


def write_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Writes files into a new folder and puts it in ``folder``'s place atomically."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.new"
    fresh.mkdir()
    try:
        for name, data in files:
            with (fresh / name).open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
        _swap(fresh, folder)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _swap(fresh: Path, folder: Path) -> None:
    if folder.exists():
        old = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.old"
        folder.rename(old)
        fresh.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        fresh.rename(folder)


def compute_ids(config: CocaConfig, weights: Mapping[str, np.ndarray[Any, Any]]) -> ModelIds:
    """``name-`` and 12 hex digits of SHA-256 over the config and weights concerned."""
    from cocadesk.model.config import PoolerDesign

    prefixes: tuple[str, ...] = _IMAGE_PREFIXES
    if config.pooler.design is not PoolerDesign.PARALLEL:
        prefixes = (*prefixes, _GENERATIVE_PREFIX)
    image_names = [name for name in weights if name.startswith(prefixes)]
    return ModelIds(
        model_id=f"{config.name}-{_digest(config.to_json(), weights, weights)}",
        image_id=f"{config.name}-{_digest(config.image_text(), weights, image_names)}",
    )


def _digest(text: str, weights: Mapping[str, np.ndarray[Any, Any]], names: Iterable[str]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(names):
        array = np.ascontiguousarray(weights[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()[:12]
