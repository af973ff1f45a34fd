"""open_clip's CoCa weights by name: their layout against ours, both ways.

One table of links serves both directions, so that every weight of either side is
accounted for. Names and shapes are those of open_clip 3.3 (``coca_model.py``,
``transformer.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

import torch
from torch import Tensor

from cocadesk.errors import UserError, tr
from cocadesk.model.network.config import CocaConfig


class _How(Enum):
    """The operations that turn their tensors into ours."""

    SAME = auto()
    TURNED = auto()  # they multiply from the left: ours is the transpose
    THIRDS = auto()  # query, key and value stacked in one: ours splits off the query
    PARTS = auto()  # query, key and value in three: ours stacks key and value


@dataclass(frozen=True, slots=True)
class _Link:
    theirs: tuple[str, ...]
    ours: tuple[str, ...]
    how: _How = _How.SAME


def from_open_clip(state: Mapping[str, Tensor], config: CocaConfig) -> dict[str, Tensor]:
    """Our weights from an open_clip state dict of the same shapes (views where possible)."""
    ours: dict[str, Tensor] = {}
    for link in _links(config):
        parts = [state[name] for name in link.theirs]
        ours.update(zip(link.ours, _theirs_to_ours(parts, link.how), strict=True))
    return ours


def to_open_clip(state: Mapping[str, Tensor], config: CocaConfig) -> dict[str, Tensor]:
    """An open_clip state dict from our weights; ``from_open_clip`` gives the same back.

    Raises:
        UserError: the network is not built as open_clip's.
    """
    theirs: dict[str, Tensor] = {}
    for link in _links(config):
        missing = [name for name in link.ours if name not in state]
        if missing:
            raise UserError(
                tr("This model cannot be written as an open_clip state dict."),
                tr(
                    "It is not built like open_clip's CoCa: it has no “{missing}”.",
                    missing=missing[0],
                ),
            )
        parts = [state[name] for name in link.ours]
        theirs.update(zip(link.theirs, _ours_to_theirs(parts, link), strict=True))
    return theirs


def _theirs_to_ours(parts: list[Tensor], how: _How) -> list[Tensor]:
    match how:
        case _How.SAME:
            return parts
        case _How.TURNED:
            return [parts[0].T]
        case _How.THIRDS:
            width = len(parts[0]) // 3
            return [parts[0][:width], parts[0][width:]]
        case _How.PARTS:
            return [parts[0], torch.cat(parts[1:])]


def _ours_to_theirs(parts: list[Tensor], link: _Link) -> list[Tensor]:
    match link.how:
        case _How.SAME:
            return parts
        case _How.TURNED:
            return [parts[0].T]
        case _How.THIRDS:
            return [torch.cat(parts)]
        case _How.PARTS:
            return [parts[0], *parts[1].chunk(2)]


def _links(config: CocaConfig) -> Iterator[_Link]:
    yield _Link(("logit_scale",), ("log_scale",))
    yield from _image_links(config)
    yield from _text_links(config)
    yield from _decoder_links(config)


def _image_links(config: CocaConfig) -> Iterator[_Link]:
    yield _Link(("visual.class_embedding",), ("image_encoder.class_token",))
    yield _Link(("visual.positional_embedding",), ("image_encoder.position",))
    yield _Link(("visual.conv1.weight",), ("image_encoder.patches.weight",))
    yield from _both("visual.ln_pre", "image_encoder.input_norm")
    for number in range(config.image.layers):
        ours = f"image_encoder.layers.{number}"
        yield from _block(f"visual.transformer.resblocks.{number}", ours)
    yield _Link(("visual.attn_pool.query",), ("generative_pooler.queries",))
    yield from _both("visual.attn_pool.ln_q", "generative_pooler.query_norm")
    yield from _both("visual.attn_pool.ln_k", "generative_pooler.context_norm")
    stacked = config.text.width == config.image.width
    yield from _attention("visual.attn_pool.attn", "generative_pooler.attention", stacked=stacked)
    yield from _both("visual.ln_post", "image_norm")
    yield _Link(("visual.proj",), ("image_projection.weight",), _How.TURNED)


def _text_links(config: CocaConfig) -> Iterator[_Link]:
    yield _Link(("text.token_embedding.weight",), ("unimodal.embedding.weight",))
    yield _Link(("text.positional_embedding",), ("unimodal.position",))
    yield _Link(("text.cls_emb",), ("unimodal.cls",))
    for number in range(config.text.unimodal_layers):
        yield from _block(f"text.transformer.resblocks.{number}", f"unimodal.layers.{number}")
    yield from _both("text.ln_final", "text_norm")
    yield _Link(("text.text_projection",), ("text_projection.weight",), _How.TURNED)


def _decoder_links(config: CocaConfig) -> Iterator[_Link]:
    for number in range(config.text.multimodal_layers):
        theirs, ours = f"text_decoder.resblocks.{number}", f"multimodal.layers.{number}"
        yield from _both(f"{theirs}.ln_1", f"{ours}.attention_norm")
        yield from _attention(f"{theirs}.attn", f"{ours}.attention")
        yield from _mlp(theirs, f"{ours}.self_mlp")
        theirs = f"text_decoder.cross_attn.{number}"
        yield from _both(f"{theirs}.ln_1", f"{ours}.cross_norm")
        yield from _both(f"{theirs}.ln_1_kv", f"{ours}.context_norm")
        yield from _attention(f"{theirs}.attn", f"{ours}.cross")
        yield from _mlp(theirs, f"{ours}.mlp")
    yield from _both("text_decoder.ln_final", "multimodal.final_norm")
    yield _Link(("text_decoder.text_projection",), ("multimodal.output.weight",), _How.TURNED)


def _block(theirs: str, ours: str) -> Iterator[_Link]:
    yield from _both(f"{theirs}.ln_1", f"{ours}.attention_norm")
    yield from _attention(f"{theirs}.attn", f"{ours}.attention")
    yield from _mlp(theirs, f"{ours}.mlp")


def _mlp(theirs: str, ours: str) -> Iterator[_Link]:
    yield from _both(f"{theirs}.ln_2", f"{ours}_norm")
    yield from _both(f"{theirs}.mlp.c_fc", f"{ours}.0")
    yield from _both(f"{theirs}.mlp.c_proj", f"{ours}.2")


def _attention(theirs: str, ours: str, *, stacked: bool = True) -> Iterator[_Link]:
    """torch's MultiheadAttention: three matrices where keys have another width."""
    weights = (f"{ours}.query.weight", f"{ours}.key_value.weight")
    if stacked:
        yield _Link((f"{theirs}.in_proj_weight",), weights, _How.THIRDS)
    else:
        names = tuple(f"{theirs}.{part}_proj_weight" for part in "qkv")
        yield _Link(names, weights, _How.PARTS)
    biases = (f"{ours}.query.bias", f"{ours}.key_value.bias")
    yield _Link((f"{theirs}.in_proj_bias",), biases, _How.THIRDS)
    yield from _both(f"{theirs}.out_proj", f"{ours}.out")


def _both(theirs: str, ours: str) -> Iterator[_Link]:
    for part in ("weight", "bias"):
        yield _Link((f"{theirs}.{part}",), (f"{ours}.{part}",))
