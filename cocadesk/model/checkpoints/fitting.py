"""Weights and config of a checkpoint are of one network: known from the header of the weights.

The names and shapes of a network come from torch, which costs seconds to import; so a pair that
fits is remembered in the cache folder.
"""

from __future__ import annotations

import hashlib
import json
import logging
from pathlib import Path
from typing import Any

from cocadesk.errors import tr
from cocadesk.locations import STARTER, cache_folder
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint, check_shapes, stored_state
from cocadesk.model.checkpoints.weight_files import SCALE, damaged, read_header
from cocadesk.model.network.config import CocaConfig
from cocadesk.model.torch_loading import why_no_torch
from cocadesk.resources import resource_path

log = logging.getLogger(__name__)
_DTYPES = ("F32", "F16", "I8")
"""As our checkpoints store weights; int8 only with scales."""


def check_fits(checkpoint: Checkpoint) -> None:
    """Make sure that all weights are there in the shapes that the config says; reads none.

    Before anything is opened: a part that fits would else answer until the first picture comes.

    Raises:
        UserError: weights or config are of another network, or stored in another way.
    """
    if checkpoint.folder == resource_path(STARTER):
        return  # it ships with the program, and its tests hold it to this
    path = checkpoint.folder / WEIGHTS
    header = read_header(path)
    config = checkpoint.config.to_json()
    digest = hashlib.sha256(f"{config}\n{json.dumps(header, sort_keys=True)}".encode())
    mark = cache_folder() / "fitting" / digest.hexdigest()[:32]
    if mark.exists():
        return
    if why := why_no_torch():
        log.warning("Whether %s fits its config can't be looked at: %s", path, why)
        return  # texts do without; whatever needs torch says so
    _compare(checkpoint.config, header, path)
    try:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
    except OSError as error:
        log.warning("It could not be kept that %s fits its config: %s", path, error)


def _compare(config: CocaConfig, header: dict[str, Any], path: Path) -> None:
    import torch

    from cocadesk.model.network.coca import CoCa

    found = {}
    for name, entry in header.items():
        if name.endswith(SCALE) and name.removesuffix(SCALE) in header:
            continue
        if entry["dtype"] not in _DTYPES:
            raise damaged(
                path, tr("“{name}” in it is stored as {kind}", name=name, kind=entry["dtype"])
            )
        found[name] = tuple(entry["shape"])
    with torch.device("meta"):
        expected = {name: tuple(w.shape) for name, w in stored_state(CoCa(config)).items()}
    check_shapes(
        expected,
        found,
        tr("The weights of {folder} do not fit its config.", folder=path.parent),
        tr("One of the two files is of another model: fetch or train the model again."),
    )
