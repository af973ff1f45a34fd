"""Networks by name: the paper's three sizes, and one small enough for a test."""

from __future__ import annotations

from dataclasses import replace

from cocadesk.model.network.config import (
    CocaConfig,
    ImageConfig,
    ImageEncoderKind,
    NormPlace,
    PoolerConfig,
    TextConfig,
)


def paper_config(size: str) -> CocaConfig:
    """The paper's three sizes (table 1): ``"base"``, ``"large"`` or ``"2.1b"``."""
    shapes = {
        # image layers, width, heads, image mlp, text mlp, layers of each text half
        "base": (12, 768, 12, 3072, 3072, 12),
        "large": (24, 1024, 16, 4096, 4096, 12),
        "2.1b": (40, 1408, 16, 6144, 5632, 18),
    }
    layers, width, heads, image_mlp, text_mlp, half = shapes[size]
    return CocaConfig(
        name=f"coca-{size}",
        embedding_dim=width,
        image=ImageConfig(width=width, layers=layers, heads=heads, mlp_width=image_mlp),
        pooler=PoolerConfig(heads=heads),
        text=TextConfig(
            width=width,
            heads=heads,
            mlp_width=text_mlp,
            unimodal_layers=half,
            multimodal_layers=half,
        ),
    )


def tiny_config(
    *,
    vocabulary: int = 512,
    kind: ImageEncoderKind = ImageEncoderKind.VIT,
    norm: NormPlace = NormPlace.PRE,
) -> CocaConfig:
    """A network of a few thousand weights for tests and dry runs."""
    return CocaConfig(
        name="coca-tiny",
        embedding_dim=32,
        image=ImageConfig(
            kind=kind, size_px=64, patch_px=16, width=32, layers=1, heads=2, mlp_width=64
        ),
        pooler=PoolerConfig(generative_queries=4, heads=2),
        text=TextConfig(
            vocabulary=vocabulary,
            context=40,
            width=32,
            heads=2,
            mlp_width=64,
            unimodal_layers=1,
            multimodal_layers=1,
            unimodal_norm=norm,
        ),
    )


def middle_map_config() -> CocaConfig:
    """A tiny network on a trunk whose middle map has an odd side, 5, beside a last one of 3."""
    config = tiny_config(kind=ImageEncoderKind.EFFICIENTNET_LITE)
    return replace(config, image=replace(config.image, size_px=72, middle_map=True))
