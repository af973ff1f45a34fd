"""A CoCa of ours written as open_clip reads it: what came from there goes back, taught or not.

The folder is what ``open_clip.create_model_and_transforms("local-dir:FOLDER")`` takes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from cocadesk.errors import UserError, decimal, tr
from cocadesk.model.checkpoints.checkpoint import (
    CARD,
    Checkpoint,
    load_model,
    stored_state,
    write_folder,
)
from cocadesk.model.checkpoints.hub import SAFE_WEIGHTS
from cocadesk.model.checkpoints.open_clip_config import RESIZES, SETTINGS
from cocadesk.model.network.config import CocaConfig, ImageEncoderKind, PoolerDesign, Variant
from cocadesk.model.tokenizers.clip import clip_tokenizer

#: open_clip builds a decoder's layers so, whatever its settings say.
_MLP_RATIO = 4


def export_open_clip(checkpoint: Checkpoint, folder: Path) -> Path:
    """Writes weights and settings into a new folder, which appears whole or not at all.

    Raises:
        UserError: the network is not built as open_clip's, the folder is there and not
            empty, or the disk is full.
    """
    _check(checkpoint)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            tr("{folder} is there already.", folder=folder),
            tr("It is not an empty folder."),
            tr("Give a new folder."),
        )
    weights = _weights(checkpoint)
    ids = checkpoint.ids()
    settings = json.dumps(settings_of(checkpoint.config), indent=2).encode() + b"\n"
    card = (
        f"# {checkpoint.config.name}\n\nExported from CocaDesk; there its id is {ids.model_id}. "
        'open_clip reads this folder: `create_model_and_transforms("local-dir:FOLDER")`.\n'
    )
    try:
        files = [(SETTINGS, settings), (CARD, card.encode())]
        write_folder(folder, files, weights, weights_name=SAFE_WEIGHTS[0])
    except OSError as error:
        size = sum(weight.nbytes for weight in weights.values())
        raise UserError(
            tr("{folder} cannot be written.", folder=folder),
            tr(
                "It takes {size} GB ({error}).",
                size=decimal(size / 1e9),
                error=error.strerror or error,
            ),
            tr("Make room there, or choose another folder."),
        ) from error
    return folder


def _weights(checkpoint: Checkpoint) -> dict[str, np.ndarray[Any, Any]]:
    from cocadesk.model.checkpoints.open_clip_layout import to_open_clip

    state = to_open_clip(stored_state(load_model(checkpoint)), checkpoint.config)
    return {
        name: np.ascontiguousarray(weight.detach().float().numpy())
        for name, weight in state.items()
    }


def settings_of(config: CocaConfig) -> dict[str, Any]:
    """``open_clip_config.json`` of a network that ``detect`` could have found."""
    image, text = config.image, config.text
    texts: dict[str, Any] = {
        "context_length": text.context,
        "vocab_size": text.vocabulary,
        "width": text.width,
        "heads": text.heads,
    }
    modes = {resize: mode for mode, resize in RESIZES.items()}
    return {
        "model_cfg": {
            "embed_dim": config.embedding_dim,
            "vision_cfg": {
                "image_size": image.size_px,
                "layers": image.layers,
                "width": image.width,
                "patch_size": image.patch_px,
                "head_width": image.width // image.heads,
                "mlp_ratio": image.mlp_width / image.width,
                "attentional_pool": True,
                "attn_pooler_queries": config.pooler.generative_queries + 1,
                "attn_pooler_heads": config.pooler.heads,
                "output_tokens": True,
            },
            "text_cfg": texts
            | {"layers": text.unimodal_layers, "embed_cls": True, "output_tokens": True},
            "multimodal_cfg": texts
            | {"layers": text.multimodal_layers, "attn_pooler_heads": config.pooler.heads},
            "custom_text": True,
        },
        "preprocess_cfg": {
            "mean": list(image.mean),
            "std": list(image.std),
            "interpolation": "bicubic",
            "resize_mode": modes[image.resize],
        },
    }


def _check(checkpoint: Checkpoint) -> None:
    """Looks whether open_clip could build this network.

    Raises:
        UserError: it could not.
    """
    config = checkpoint.config
    reasons = (
        (config.image.kind is not ImageEncoderKind.VIT, tr("its image encoder is no ViT")),
        (config.image.variant is not Variant.OPEN_CLIP, tr("its image encoder is built otherwise")),
        (config.text.variant is not Variant.OPEN_CLIP, tr("its text side is built otherwise")),
        (config.pooler.design is not PoolerDesign.SHARED, tr("it has two poolers instead of one")),
        (bool(config.hubness.texts), tr("its vectors are corrected for hubness")),
        (config.text.tie_output, tr("its decoder's output layer is that of its words")),
        (
            config.text.mlp_width != _MLP_RATIO * config.text.width,
            tr("its decoder's layers have other widths"),
        ),
        (
            checkpoint.tokenizer.to_json() != clip_tokenizer().to_json(),
            tr("it has words that CLIP's vocabulary lacks"),
        ),
    )
    found = [reason for fails, reason in reasons if fails]
    if found:
        raise UserError(
            tr("The model {config} cannot be written for open_clip.", config=config.name),
            tr("It is not built like open_clip's CoCa: {found}.", found=found[0]),
            tr(
                "Models that began as coca_ViT-B-32, coca_ViT-L-14 or another CoCa of "
                "open_clip can."
            ),
        )
