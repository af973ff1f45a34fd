"""open_clip checkpoints turned into ours, once, in the user's cache folder.

A state dict is checked, renamed and written as one of our checkpoint folders under
``models/`` of the cache, named by the file's identity. It costs the file's size on
disk; afterwards the program starts without reading all weights and without torch.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.errors import UserError, decimal, kept, retold, tr
from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.checkpoint import (
    WEIGHTS,
    Checkpoint,
    check_shapes,
    open_checkpoint,
    stored_state,
    write_checkpoint,
)
from cocadesk.model.checkpoints.hub import check_hash
from cocadesk.model.checkpoints.open_clip_config import detect, read_settings
from cocadesk.model.checkpoints.weight_files import read_state_dict
from cocadesk.model.ids import ModelIds, read_ids
from cocadesk.model.mapped_files import forget_mapped
from cocadesk.model.tokenizers.clip import clip_tokenizer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.model.checkpoints.weight_files import State
    from cocadesk.model.network.config import CocaConfig

log = logging.getLogger(__name__)
#: Grows when the conversion changes: older ones are made anew.
_LAYOUT = 1
_ORIGIN = "origin.json"
_MOST_BYTES = 256 << 20
_RUINED = kept(
    "its caption-only fine-tuning on COCO spoiled its vectors (ImageNet 0.8 % instead of "
    "63.3 %): use it for captions, not for search"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignModel:
    """A state dict of open_clip's CoCa; ``name`` is what the source is called."""

    weights: Path
    settings: Path | None
    name: str


def prepare(model: ForeignModel) -> Checkpoint:
    """The checkpoint of a foreign model: kept from the last time, or converted now.

    Raises:
        UserError: it is damaged, hostile or no CoCa, or the cache folder is full.
    """
    folder = cache_folder() / "models" / _key(model)
    if folder.is_dir():
        try:
            return open_checkpoint(folder)
        except UserError as error:
            log.warning("The kept conversion is made anew: %s", error)
    check_hash(model.weights)
    _convert(model, folder)
    _forget_older(model, folder)
    return open_checkpoint(folder)


def known_note(checkpoint: Checkpoint) -> str:
    """A note for people about a converted model; empty where there is nothing to say."""
    return retold(_origin(checkpoint.folder).get("note", ""))


def _origin(folder: Path) -> dict[str, str]:
    """The table beside a conversion; empty where there is none that can be read."""
    try:
        table = json.loads((folder / _ORIGIN).read_text("utf-8"))
        return {name: str(value) for name, value in table.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def _key(model: ForeignModel) -> str:
    """Names a conversion: path, size and time of the files, and how they are converted."""
    parts = [f"{_LAYOUT} {model.name}"]
    for path in (model.weights, model.settings):
        if path is not None:
            real = path.resolve()
            found = real.stat()
            parts.append(f"{real} {found.st_size} {found.st_mtime_ns}")
    digest = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()[:24]


def _convert(model: ForeignModel, folder: Path) -> None:
    state = read_state_dict(model.weights)
    settings = read_settings(model.settings) if model.settings else None
    shapes = {name: tuple(weight.shape) for name, weight in state.items()}
    config = detect(shapes, settings, str(model.weights))
    weights = _Floats(convert(state, config, model.weights), model.weights)
    log.info("Converting %s (%s)", model.weights, config.name)
    origin = json.dumps({"source": str(model.weights), "note": note_of(config, model.name)})
    card = f"Converted from {model.name} by CocaDesk; model id {{model_id}}.\n"
    try:
        write_checkpoint(
            folder, config, weights, clip_tokenizer(), card, [(_ORIGIN, origin.encode())]
        )
    except OSError as error:
        size = weights.size_bytes
        raise UserError(
            tr("{model} cannot be prepared for use.", model=model.name),
            tr(
                "Its conversion needs {size} GB in {folder} ({error}).",
                size=decimal(size / 1e9),
                folder=folder.parent,
                error=error,
            ),
            tr("Make room there, or name another folder in the variable COCADESK_CACHE."),
        ) from error


def convert(state: State, config: CocaConfig, where: Path) -> State:
    """Our weights from an open_clip state dict, after checking every one of its own.

    They are views of it, but for few.

    Raises:
        UserError: a weight is missing, unknown, of another shape, or no number.
    """
    import torch

    from cocadesk.model.checkpoints.open_clip_layout import from_open_clip, to_open_clip
    from cocadesk.model.network.coca import CoCa

    with torch.device("meta"):
        expected = to_open_clip(stored_state(CoCa(config)), config)
    check_shapes(
        {name: tuple(weight.shape) for name, weight in expected.items()},
        {name: _scalar(name, tuple(weight.shape)) for name, weight in state.items()},
        tr("{where} does not fit open_clip's {model}.", where=where, model=config.name),
        tr("Fetch the checkpoint again, or choose another one."),
    )
    checked_bytes = 0
    for name, weight in state.items():
        if checked_bytes > _MOST_BYTES:
            forget_mapped(where)
            checked_bytes = 0
        checked_bytes += weight.nbytes
        if not weight.is_floating_point():
            raise UserError(
                tr("{where} cannot be used.", where=where),
                tr("Its weight “{name}” holds {dtype}.", name=name, dtype=weight.dtype),
            )
        if not bool(torch.isfinite(weight).all()):
            raise UserError(
                tr("{where} cannot be used.", where=where),
                tr(
                    "Its weight “{name}” is not a number (NaN or infinite): its training diverged.",
                    name=name,
                ),
                tr("Use a checkpoint from before that."),
            )
    state = {**state, "logit_scale": state["logit_scale"].reshape(())}
    return from_open_clip({name: weight.detach() for name, weight in state.items()}, config)


class _Floats(Mapping[str, "NDArray[np.float32]"]):
    """Weights in float32 for whoever goes through them and keeps none.

    Of the mapped file in which they lie not much more than ``_MOST_BYTES`` are in memory at once.
    """

    def __init__(self, state: State, path: Path) -> None:
        self._state = state
        self._path = path
        self._read_bytes = 0

    @property
    def size_bytes(self) -> int:
        """The room that all of them take."""
        return sum(4 * weight.numel() for weight in self._state.values())

    def __getitem__(self, name: str) -> NDArray[np.float32]:
        weight = self._state[name]
        if self._read_bytes > _MOST_BYTES:
            forget_mapped(self._path)
            self._read_bytes = 0
        self._read_bytes += weight.nbytes
        floats: NDArray[np.float32] = weight.float().numpy()
        return floats

    def __iter__(self) -> Iterator[str]:
        return iter(self._state)

    def __len__(self) -> int:
        return len(self._state)


def _scalar(name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Some checkpoints keep the scale as a list of one."""
    return () if name == "logit_scale" and shape == (1,) else shape


def note_of(config: CocaConfig, name: str) -> str:
    """A known flaw of a released checkpoint, told by its name."""
    is_ruined = config.name == "coca_ViT-B-32" and "mscoco" in name.lower()
    return _RUINED if is_ruined else ""


def _forget_older(model: ForeignModel, folder: Path) -> None:
    """Removes conversions of the same file as it was before: each is as large as a model."""
    for other in folder.parent.iterdir():
        if other != folder and _origin(other).get("source") == str(model.weights):
            shutil.rmtree(other, ignore_errors=True)


def is_kept_of(folder: Path) -> bool:
    """True where a file in ``folder`` has been converted."""
    return next(_kept_of(folder), None) is not None


def ids_of(folder: Path) -> ModelIds | None:
    """The ids of a conversion of a file in ``folder``; None where there is none that names them."""
    found = next(_kept_of(folder), None)
    return None if found is None else read_ids(found / WEIGHTS)


def forget_of(folder: Path) -> int:
    """Removes the conversions of files in ``folder``, and the networks compiled of them.

    Gives the bytes that they had.
    """
    freed = 0
    for found in list(_kept_of(folder)):
        with contextlib.suppress(UserError):  # a damaged one names none
            ids = open_checkpoint(found).ids()
            for path in (cache_folder() / "compiled").glob("*"):
                if path.name.startswith((f"{ids.image_id}-", f"{ids.model_id}-")):
                    freed += path.stat().st_size
                    path.unlink(missing_ok=True)
        freed += sum(path.stat().st_size for path in found.rglob("*") if path.is_file())
        shutil.rmtree(found, ignore_errors=True)
    return freed


def _kept_of(folder: Path) -> Iterator[Path]:
    models = cache_folder() / "models"
    for found in models.iterdir() if models.is_dir() else ():
        source = _origin(found).get("source")
        if source and Path(source).is_relative_to(folder):
            yield found
