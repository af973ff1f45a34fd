"""A tiny CoCa built like open_clip's released ones, and its state dict, without open_clip."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import torch

from cocadesk.model.checkpoints.checkpoint import stored_state
from cocadesk.model.checkpoints.open_clip_layout import to_open_clip
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig, PoolerDesign, Variant
from cocadesk.picture_input import Resize
from tests.support.configs import tiny_config

SETTINGS = {
    "model_cfg": {
        "embed_dim": 32,
        "vision_cfg": {
            "head_width": 16,
            "attentional_pool": True,
            "attn_pooler_heads": 2,
            "output_tokens": True,
        },
        "text_cfg": {"heads": 2, "embed_cls": True, "output_tokens": True},
        "multimodal_cfg": {"heads": 2},
    },
    "preprocess_cfg": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "interpolation": "bicubic"},
}


def released_config() -> CocaConfig:
    """The tiny config with every part as open_clip builds it."""
    config = tiny_config(vocabulary=49_408)
    return replace(
        config,
        name="coca",
        image=replace(
            config.image,
            resize=Resize.CENTER_CROP,
            variant=Variant.OPEN_CLIP,
            mean=(0.5, 0.4, 0.3),
            std=(0.2, 0.3, 0.4),
        ),
        pooler=replace(config.pooler, design=PoolerDesign.SHARED),
        text=replace(config.text, variant=Variant.OPEN_CLIP, lowercase=True),
    )


def released_model(seed: int = 0, spread: float = 0.3) -> CoCa:
    """Such a network with random weights, wide enough that answers differ clearly."""
    torch.manual_seed(seed)
    model = CoCa(released_config())
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=spread)
    return model.eval()


def released_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Its weights under open_clip's names."""
    model = released_model(seed)
    state = to_open_clip(stored_state(model), model.config)
    return {name: weight.detach().contiguous() for name, weight in state.items()}


def write_released(path: Path, state: dict[str, torch.Tensor] | None = None) -> Path:
    """Writes such a state dict as ``path`` and its settings beside it; gives the path."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    state = state or released_state()
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    (path.parent / "open_clip_config.json").write_text(json.dumps(SETTINGS), "utf-8")
    return path
