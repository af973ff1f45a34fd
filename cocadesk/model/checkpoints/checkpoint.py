"""Checkpoints: a folder of safetensors weights, JSON config, tokenizer and model card.

Writing is atomic: the folder appears whole or not at all.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints.int8_rows import GRID_PREFIXES, as_floats, on_grid
from cocadesk.model.checkpoints.weight_files import (
    SCALE,
    check_is_weights,
    check_numbers,
    map_safetensors,
    read_safetensors,
    write_safetensors,
)
from cocadesk.model.ids import ModelIds as ModelIds
from cocadesk.model.ids import compute_ids, keep_ids, read_ids
from cocadesk.model.network.config import CocaConfig
from cocadesk.model.tag_constants import TagConstants
from cocadesk.model.tokenizers.load import load_tokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.torch_loading import load_torch

if TYPE_CHECKING:
    import torch

    from cocadesk.model.network.coca import CoCa

WEIGHTS, CONFIG, TOKENIZER, CARD = "model.safetensors", "config.json", "tokenizer.json", "README.md"
TAGGING = "tagging.json"
"""Beside the weights where constants of tags were fitted to them."""
_MAX_CONFIG_BYTES = 1 << 20
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A checked folder, its weights not yet read."""

    folder: Path
    config: CocaConfig
    tokenizer: TextTokenizer
    tagging: TagConstants = field(default_factory=TagConstants)

    def ids(self) -> ModelIds:
        """The ids: those kept beside these very weights, else computed from them."""
        path = self.folder / WEIGHTS
        return read_ids(path) or compute_ids(self.config, map_safetensors(path))


def is_checkpoint(folder: Path) -> bool:
    """True where a folder holds a checkpoint of ours."""
    return not _missing(folder)


def _missing(folder: Path) -> list[str]:
    return [name for name in (WEIGHTS, CONFIG, TOKENIZER) if not (folder / name).is_file()]


def open_checkpoint(folder: Path) -> Checkpoint:
    """Reads config, tokenizer and, where there are some, tag constants of a checkpoint folder.

    Raises:
        UserError: a file is missing or unreadable, config and tokenizer do not match, or
            a pointer or page lies in the place of the weights.
    """
    missing = _missing(folder)
    if missing:
        raise UserError(
            tr("{folder} is not a CocaDesk model.", folder=folder),
            tr("It has no {missing}.", missing=", ".join(missing)),
            tr("Choose a folder that CocaDesk wrote, for example one under runs/."),
        )
    check_is_weights(folder / WEIGHTS)
    try:
        with (folder / CONFIG).open("rb") as file:
            config = CocaConfig.from_json(file.read(_MAX_CONFIG_BYTES).decode("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            tr("The config of {folder} cannot be read.", folder=folder), f"{error}."
        ) from error
    except UserError as error:
        why = " ".join(part for part in (error.what, error.why) if part)
        what_to_do = error.what_to_do or tr("Fetch or train the model again.")
        raise UserError(
            tr("The model {parent} cannot be used.", parent=folder), why, what_to_do
        ) from error
    tokenizer = load_tokenizer(folder / TOKENIZER)
    if tokenizer.vocabulary > config.text.vocabulary:
        raise UserError(
            tr("The parts of the model {folder} do not belong together.", folder=folder),
            tr(
                "Its tokenizer has {vocabulary} ids, its config allows {vocabulary_2}.",
                vocabulary=tokenizer.vocabulary,
                vocabulary_2=config.text.vocabulary,
            ),
            tr("Fetch or train the model again."),
        )
    return Checkpoint(
        folder=folder, config=config, tokenizer=tokenizer, tagging=_read_tagging(folder / TAGGING)
    )


def _read_tagging(file: Path) -> TagConstants:
    """The constants in ``file``, or the default ones where there is none."""
    try:
        with file.open("rb") as stream:
            return TagConstants.from_json(stream.read(_MAX_CONFIG_BYTES))
    except FileNotFoundError:
        return TagConstants()
    except OSError as error:
        raise UserError(
            tr("The model's file {file} cannot be read.", file=file), f"{error}."
        ) from error


def load_model(checkpoint: Checkpoint) -> CoCa:
    """The network on the CPU in float32, ready for inference.

    float32 weights stay in the mapped file: a part that is never used takes no
    memory, and two networks of one checkpoint take it once. Changing a weight
    copies its page and never reaches the file.

    Raises:
        UserError: the weights do not fit the config, or torch can't be loaded.
    """
    load_torch()
    import torch

    from cocadesk.model.network.coca import CoCa

    stored = read_safetensors(checkpoint.folder / WEIGHTS)
    check_numbers(stored, checkpoint.folder / WEIGHTS)
    weights = as_floats(stored)
    with torch.device("meta"):
        model = CoCa(checkpoint.config)
    check_shapes(
        {name: tuple(w.shape) for name, w in stored_state(model).items()},
        {name: tuple(w.shape) for name, w in weights.items()},
        tr("The weights of {folder} do not fit its config.", folder=checkpoint.folder),
        tr("Fetch or train the model again."),
    )
    # Not strict: what ``stored_state`` leaves out is made below.
    model.load_state_dict(weights, strict=False, assign=True)
    if checkpoint.config.text.tie_output:
        model.multimodal.output.weight = model.unimodal.embedding.weight
    _make_buffers(model)
    return model.eval()


def _make_buffers(model: CoCa) -> None:
    """Fills what no file holds: mean and std come from the config, counters are zero."""
    import torch

    image = model.image_encoder
    image.mean, image.std = torch.tensor(image.config.mean), torch.tensor(image.config.std)
    for module in model.modules():
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_meta:
                setattr(module, name, torch.zeros_like(buffer, device="cpu"))


def check_shapes(expected: Shapes, found: Shapes, what: str, what_to_do: str) -> None:
    """Compares weights by name and shape.

    Raises:
        UserError: one is missing, one too many, or one has another shape.
    """
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise UserError(
                what,
                tr(
                    "“{name}” should be {expected} and is {found}.",
                    name=name,
                    expected=expected.get(name, tr("absent")),
                    found=found.get(name, tr("absent")),
                ),
                what_to_do,
            )


def stored_state(model: CoCa) -> dict[str, torch.Tensor]:
    """The state dict as stored: a tied output layer and batch counters are left out."""
    state = dict(model.state_dict())
    if model.config.text.tie_output:
        state.pop("multimodal.output.weight")
    return {name: w for name, w in state.items() if not name.endswith("num_batches_tracked")}


def save_checkpoint(
    folder: Path,
    model: CoCa,
    tokenizer: TextTokenizer,
    card: str,
    *,
    half: bool = False,
    tagging: TagConstants | None = None,
) -> ModelIds:
    """Writes a whole checkpoint folder, replacing an older one in one step.

    ``half`` stores float16; ``tagging`` are constants of tags that suit the weights. Matrices
    of the text side that lie on an int8 grid are stored on it, without loss. The folder is
    written beside its place and renamed, so a crash or a full disk leaves the old one as it was.
    """
    import torch

    dtype = torch.float16 if half else torch.float32
    state = {name: weight.detach().cpu() for name, weight in stored_state(model).items()}
    weights = {name: weight.to(dtype).numpy() for name, weight in state.items()}
    for name, weight in state.items():
        is_matrix = weight.ndim == 2 and name.startswith(GRID_PREFIXES)
        grid = on_grid(weight.float().numpy()) if is_matrix else None
        if grid is not None:
            weights[name], weights[name + SCALE] = grid
    fitted = tagging if tagging != TagConstants() else None
    extra = [(TAGGING, fitted.to_json())] if fitted else []
    return write_checkpoint(folder, model.config, weights, tokenizer, card, extra)


def write_checkpoint(
    folder: Path,
    config: CocaConfig,
    weights: Mapping[str, NDArray[Any]],
    tokenizer: TextTokenizer,
    card: str,
    extra: Iterable[tuple[str, bytes]] = (),
) -> ModelIds:
    """As ``save_checkpoint``, from weights by name; ``extra`` files go beside them."""
    ids = compute_ids(config, weights)
    files: list[tuple[str, bytes]] = [
        (CONFIG, config.to_json().encode()),
        (TOKENIZER, tokenizer.to_json().encode()),
        (CARD, card.replace("{model_id}", ids.model_id).encode()),
        *extra,
    ]
    write_folder(folder, files, weights, ids)
    return ids


def write_folder(
    folder: Path,
    files: Iterable[tuple[str, bytes]],
    weights: Mapping[str, NDArray[Any]] | None = None,
    ids: ModelIds | None = None,
    weights_name: str = WEIGHTS,
) -> None:
    """Writes files into a new folder and puts it in ``folder``'s place atomically.

    ``weights`` become ``model.safetensors`` or another file; ``ids`` are kept with its size and
    time, so that opening it needs no reading of all weights.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = folder.parent / f".{folder.name}.{uuid.uuid4().hex}.new"
    fresh.mkdir()
    try:
        for name, data in files:
            with (fresh / name).open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
        if weights is not None:
            write_safetensors(fresh / weights_name, weights)
        if ids is not None:
            keep_ids(fresh / weights_name, ids)
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
