"""The configuration of an open_clip CoCa, from its tensors' shapes and the settings beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cocadesk.errors import UserError, tr
from cocadesk.model.network.config import (
    CocaConfig,
    ImageConfig,
    PoolerConfig,
    PoolerDesign,
    TextConfig,
    Variant,
)
from cocadesk.picture_input import Resize

SETTINGS = "open_clip_config.json"
_MAX_SETTINGS_BYTES = 1 << 20
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
_CLIP_VOCABULARY = 49_408
_HEAD_WIDTH = 64
Shapes = Mapping[str, Sequence[int]]


#: What makes vectors of pictures and of texts, and the scale of their cosines.
_CONTRASTIVE = ("visual.proj", "text.text_projection", "logit_scale")
#: The sizes by which the released models are known.
_KNOWN = {
    # patch, image width, image layers, text width, text layers, decoder layers, context
    (32, 768, 12, 512, 12, 12, 76): "coca_ViT-B-32",
    (14, 1024, 24, 768, 12, 12, 76): "coca_ViT-L-14",
}


def is_coca(names: Sequence[str] | Shapes) -> bool:
    """True where a state dict has open_clip CoCa's three parts."""
    return all(
        name in names
        for name in ("visual.conv1.weight", "text.cls_emb", "text_decoder.text_projection")
    )


def detect(shapes: Shapes, settings: Mapping[str, Any] | None, where: str) -> CocaConfig:
    """The config of a CoCa state dict with these shapes.

    Head counts cannot be seen in shapes: they are known for the two released
    models, for others they come from ``settings`` (``open_clip_config.json``).

    Raises:
        UserError: it is no CoCa, or one that cannot be built here.
    """
    if not is_coca(shapes):
        raise UserError(
            tr("{where} is not a CoCa model.", where=where),
            tr(
                "It lacks the parts that open_clip's CoCa has: "
                "“visual”, “text” with a class token, and “text_decoder”."
            ),
            tr("Choose a coca_ViT-B-32 or coca_ViT-L-14 checkpoint."),
        )
    missing = [name for name in _CONTRASTIVE if name not in shapes]
    if missing:
        raise UserError(
            tr("{where} has no contrastive head.", where=where),
            tr(
                "It lacks {missing}, by which pictures and texts are compared: "
                "searches would find nothing.",
                missing=", ".join(missing),
            ),
            tr(
                "Choose a checkpoint that was trained with the contrastive loss as well, "
                "for example open_clip:coca_ViT-B-32/laion2b_s13b_b90k."
            ),
        )
    try:
        config = _from_shapes(shapes)
    except (KeyError, IndexError, ValueError, ZeroDivisionError) as error:
        raise UserError(
            tr("{where} cannot be used.", where=where),
            tr("Its weights do not have the shapes of open_clip's CoCa ({error}).", error=error),
            tr("Fetch the checkpoint again."),
        ) from error
    if settings:
        return _with_settings(config, settings, where)
    if config.name not in _KNOWN.values():
        raise UserError(
            tr("{where} is neither coca_ViT-B-32 nor coca_ViT-L-14.", where=where),
            tr("Its sizes are others, and they do not tell how many attention heads it has."),
            tr("Put its {settings} into the same folder.", settings=SETTINGS),
        )
    return config


def _from_shapes(shapes: Shapes) -> CocaConfig:
    width, _, patch, _ = shapes["visual.conv1.weight"]
    rows = shapes["visual.positional_embedding"][0] - 1
    side = round(rows**0.5)
    vocabulary, text_width = shapes["text.token_embedding.weight"]
    image_layers = _layers(shapes, "visual.transformer.resblocks")
    text_layers = _layers(shapes, "text.transformer.resblocks")
    decoder_layers = _layers(shapes, "text_decoder.resblocks")
    context = shapes["text.positional_embedding"][0] - 1
    sizes = (patch, width, image_layers, text_width, text_layers, decoder_layers, context)
    if vocabulary != _CLIP_VOCABULARY:
        raise ValueError(
            tr(
                "its vocabulary has {number} words, CLIP's has {clips}",
                number=vocabulary,
                clips=_CLIP_VOCABULARY,
            )
        )
    if shapes["visual.proj"][1] != text_width:
        raise ValueError(tr("its pooler has another width than its text decoder"))
    return CocaConfig(
        name=_KNOWN.get(sizes, "coca"),
        embedding_dim=shapes["text.text_projection"][1],
        image=ImageConfig(
            size_px=side * patch,
            patch_px=patch,
            width=width,
            layers=image_layers,
            heads=max(1, width // _HEAD_WIDTH),
            mlp_width=shapes["visual.transformer.resblocks.0.mlp.c_fc.weight"][0],
            resize=Resize.CENTER_CROP,
            mean=_CLIP_MEAN,
            std=_CLIP_STD,
            variant=Variant.OPEN_CLIP,
        ),
        pooler=PoolerConfig(
            design=PoolerDesign.SHARED,
            generative_queries=shapes["visual.attn_pool.query"][0] - 1,
        ),
        text=TextConfig(
            vocabulary=vocabulary,
            context=context,
            width=text_width,
            heads=max(1, text_width // _HEAD_WIDTH),
            mlp_width=shapes["text.transformer.resblocks.0.mlp.c_fc.weight"][0],
            unimodal_layers=text_layers,
            multimodal_layers=decoder_layers,
            lowercase=True,
            variant=Variant.OPEN_CLIP,
        ),
    )


def _layers(shapes: Shapes, prefix: str) -> int:
    pattern = re.compile(rf"{re.escape(prefix)}\.(\d+)\.ln_1\.weight")
    return len([name for name in shapes if pattern.fullmatch(name)])


def read_settings(path: Path) -> dict[str, Any]:
    """``open_clip_config.json`` as a table.

    Raises:
        UserError: it is too large, no JSON or no table.
    """
    try:
        if path.stat().st_size > _MAX_SETTINGS_BYTES:
            raise ValueError(tr("it is far too large for a list of settings"))
        raw = json.loads(path.read_text("utf-8"))
        if not isinstance(raw, dict):
            raise ValueError(tr("it is not a table of settings"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(
            tr("The settings {path} cannot be read.", path=path),
            f"{error}.",
            tr("Fetch the checkpoint again."),
        ) from error
    return raw


_PLAIN = dict.fromkeys(("ls_init_value", "block_type", "norm_kwargs", "act_kwargs"))
#: Settings that change the network, with the value that our CoCa is built for.
_BUILT_FOR: dict[str, dict[str, Any]] = {
    "vision_cfg": {
        "attentional_pool": True,
        "output_tokens": True,
        "no_ln_pre": False,
        "pos_embed_type": "learnable",
        "pool_type": "tok",
        "timm_model_name": None,
        **_PLAIN,
    },
    "text_cfg": {
        "embed_cls": True,
        "output_tokens": True,
        "no_causal_mask": False,
        "correct_cls_mask": False,
        "hf_model_name": None,
        "hf_tokenizer_name": None,
        "pad_id": 0,
        "proj_bias": False,
        **_PLAIN,
    },
    "multimodal_cfg": {"ls_init_value": None},
}
#: What open_clip takes where a setting is not named; all others: as we are built.
_DEFAULTS = {"attentional_pool": False, "embed_cls": False, "output_tokens": False}


def _with_settings(config: CocaConfig, settings: Mapping[str, Any], where: str) -> CocaConfig:
    """The config with heads and preprocessing as ``open_clip_config.json`` says."""
    try:
        model = settings.get("model_cfg")
        if model is not None:
            other = _other_sizes(config, model)
            config = config if other else _with_model(config, model)
        config = _with_preprocessing(config, settings.get("preprocess_cfg") or {})
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise UserError(
            tr("{where} cannot be used.", where=where),
            tr("Its {settings} does not fit: {error}.", settings=SETTINGS, error=error),
            tr("Choose a coca_ViT-B-32 or coca_ViT-L-14 checkpoint."),
        ) from error
    if model is not None and other:
        raise UserError(
            tr(
                "{where} and the {settings} beside it are of different models.",
                where=where,
                settings=SETTINGS,
            ),
            tr("By the settings {other}.", other=other),
            tr(
                "Put the {settings} of this checkpoint beside it, or take that one away.",
                settings=SETTINGS,
            ),
        )
    return config


def _other_sizes(config: CocaConfig, model: Mapping[str, Any]) -> str:
    """The first size that settings and weights do not agree on, in words; empty where they do."""
    image, text = config.image, config.text
    sizes: dict[str, dict[str, int]] = {
        "vision_cfg": {
            "image_size": image.size_px,
            "patch_size": image.patch_px,
            "width": image.width,
            "layers": image.layers,
        },
        "text_cfg": {
            "context_length": text.context,
            "vocab_size": text.vocabulary,
            "width": text.width,
            "layers": text.unimodal_layers,
        },
        "multimodal_cfg": {"width": text.width, "layers": text.multimodal_layers},
    }
    given = {"embed_dim": (model.get("embed_dim"), config.embedding_dim)}
    for part, expected in sizes.items():
        own = model.get(part, {})
        given |= {f"{part} {name}": (own.get(name), size) for name, size in expected.items()}
    for name, (value, size) in given.items():
        values = value if isinstance(value, (list, tuple)) else (value,)
        if value is not None and any(each != size for each in values):
            part, _, name = name.rpartition(" ")
            if not part:
                return tr(
                    "{name} = {value}, by the weights {size}", name=name, value=value, size=size
                )
            return tr(
                "{part} has {name} = {value}, by the weights {size}",
                part=part,
                name=name,
                value=value,
                size=size,
            )
    return ""


def _with_model(config: CocaConfig, model: Mapping[str, Any]) -> CocaConfig:
    """Checks the build and takes the head counts.

    The two released sizes are known without settings: there a setting that is not
    named says nothing, elsewhere it stands for open_clip's default.
    """
    is_known = config.name in _KNOWN.values()
    if model.get("quick_gelu"):
        raise ValueError(tr("it asks for QuickGELU"))
    for part, expected in _BUILT_FOR.items():
        given = model.get(part, {})
        for name, value in expected.items():
            default = value if is_known else _DEFAULTS.get(name, value)
            if given.get(name, default) != value:
                raise ValueError(
                    tr(
                        "{part} has {name} = {value}, only {known} is known here",
                        part=part,
                        name=name,
                        value=repr(given.get(name, default)),
                        known=repr(value),
                    )
                )
    vision, text, decoder = (model.get(part, {}) for part in _BUILT_FOR)
    default_heads = config.text.heads if is_known else 8
    heads = {int(part.get("heads", default_heads)) for part in (text, decoder)}
    if len(heads) != 1:
        raise ValueError(tr("its text tower and decoder have different numbers of heads"))
    image_heads = config.image.width // int(vision.get("head_width", _HEAD_WIDTH))
    return replace(
        config,
        image=replace(config.image, heads=image_heads),
        pooler=replace(config.pooler, heads=int(vision.get("attn_pooler_heads", 8))),
        text=replace(config.text, heads=heads.pop()),
    )


RESIZES = {"shortest": Resize.CENTER_CROP, "squash": Resize.SQUASH}
"""open_clip's names for the ways to a square that a CoCa may have."""


def _with_preprocessing(config: CocaConfig, given: Mapping[str, Any]) -> CocaConfig:
    mode = given.get("resize_mode", "shortest")
    if mode not in RESIZES:
        raise ValueError(tr("it resizes pictures by “{mode}”", mode=mode))
    return replace(
        config,
        image=replace(
            config.image,
            mean=_three(given.get("mean", _CLIP_MEAN)),
            std=_three(given.get("std", _CLIP_STD)),
            resize=RESIZES[mode],
        ),
    )


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    if not all(-10 < value < 10 for value in (red, green, blue)):
        raise ValueError(tr("{values} are no colours", values=values))
    return red, green, blue
