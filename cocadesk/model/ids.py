"""A network's names: the model id and the image id (DESIGN, section 3)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.model.network.config import CocaConfig, PoolerDesign

IDS = "ids.json"
#: Weights that make image vectors, and nothing else does (DESIGN, "Image id").
_IMAGE_PREFIXES = (
    *("image_encoder.", "contrastive_pooler.", "image_norm."),
    *("image_projection.", "image_hubness."),
)
_GENERATIVE_PREFIX = "generative_pooler."


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelIds:
    """``model_id`` names config and all weights, ``image_id`` what makes image vectors."""

    model_id: str
    image_id: str


def compute_ids(config: CocaConfig, weights: Mapping[str, NDArray[Any]]) -> ModelIds:
    """``name-`` and 12 hex digits of SHA-256 over the config and weights concerned."""
    prefixes: tuple[str, ...] = _IMAGE_PREFIXES
    if config.pooler.design is not PoolerDesign.PARALLEL:
        prefixes = (*prefixes, _GENERATIVE_PREFIX)
    image_names = [name for name in weights if name.startswith(prefixes)]
    return ModelIds(
        model_id=f"{config.name}-{_digest(config.to_json(), weights, weights)}",
        image_id=f"{config.name}-{_digest(config.image_text(), weights, image_names)}",
    )


def _digest(text: str, weights: Mapping[str, NDArray[Any]], names: Iterable[str]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(names):
        array = np.ascontiguousarray(weights[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()[:12]


def keep_ids(weights: Path, ids: ModelIds) -> None:
    """Keeps the ids beside the weights, with their size and time."""
    table = {"model_id": ids.model_id, "image_id": ids.image_id} | _stamp(weights)
    weights.with_name(IDS).write_text(json.dumps(table, indent=2), "utf-8")


def read_ids(weights: Path) -> ModelIds | None:
    """The ids beside the weights, while size and time say that they are of these weights."""
    try:
        table = json.loads(weights.with_name(IDS).read_text("utf-8"))
        if {name: table[name] for name in ("bytes", "mtime_ns")} != _stamp(weights):
            return None
        return ModelIds(model_id=str(table["model_id"]), image_id=str(table["image_id"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _stamp(weights: Path) -> dict[str, int]:
    found = weights.stat()
    return {"bytes": found.st_size, "mtime_ns": found.st_mtime_ns}
