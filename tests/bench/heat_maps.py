"""How often heat maps point at the right part of a picture, against chance and attention.

    python tests/bench/heat_maps.py SHARD.tar [--model SOURCE] [--mosaics 60]

Four photos with captions are put together as one picture, two by two. One caption of one of them
is the text: a map is right where its hottest place lies in that photo. Of the caption's words
those count that at least two captions of the photo say and none of the others' does; their
maps are those of a caption. Chance is one in four. ``attention`` is the product of attention
weights through the poolers: of the contrastive query for texts, of the decoder's cross-attention
at the word's tokens for words (mean of heads and layers), for networks with poolers in a row.


Of the sample photos, boxes were drawn by eye around one thing each (``heat_map_boxes.tsv``): a
map is right where its hottest cell lies in the box. Chance is the boxes' mean area; the middle of
the photo alone is right more often than any map, since people put what they mean there: a map
tells more where a photo shows several things.

Exit code 1 where a rate is below its bar.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from cocadesk.media.heat import peak
from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.photo.resize import prepare_input, resize
from cocadesk.media.shards import IMAGE_SUFFIXES, ShardCounts, read_shards
from cocadesk.model.backend import Backend, open_backend
from cocadesk.model.checkpoints.checkpoint import load_model
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.layers import Attention, TransformerLayer
from cocadesk.model.source import find_checkpoint
from cocadesk.model.tokenizers.captions import prepare_caption
from cocadesk.resources import resource_path
from cocadesk.search.stop_words import ENGLISH_STOP_WORDS
from tests.bench.figures import Figure, exit_code, print_table

TEXT_BAR, WORD_BAR, BOX_BAR = 0.75, 0.5, 0.5
BOXES = Path(__file__).with_name("heat_map_boxes.tsv")
_WORD = re.compile(r"[a-z']+")
Heat = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mosaic:
    """Four photos; the caption is of photo ``place``, from the upper left, and so are ``words``."""

    image_HWC: NDArray[np.uint8]
    place: int
    caption: str
    words: frozenset[str]


def mosaics(shard: Path, size_px: int, count: int) -> Iterator[Mosaic]:
    """Made-up pictures of a shard's photos, the same every time."""
    draw = random.Random(0)
    samples = [s for s in read_shards([shard], ShardCounts(), IMAGE_SUFFIXES) if s.captions]
    half = size_px // 2
    for _ in range(count):
        four, place = draw.sample(samples, 4), draw.randrange(4)
        image = np.zeros((size_px, size_px, 3), np.uint8)
        for number, sample in enumerate(four):
            y, x = number // 2 * half, number % 2 * half
            photo = decode_rgb(sample.image).rgb_HWC
            image[y : y + half, x : x + half] = resize(photo, half, half)
        own = [set(_WORD.findall(caption.lower())) for caption in four[place].captions]
        others = {
            word
            for number, sample in enumerate(four)
            if number != place
            for word in _WORD.findall(" ".join(sample.captions).lower())
        }
        caption = draw.choice(four[place].captions)
        said = set(_WORD.findall(caption.lower())) - others - ENGLISH_STOP_WORDS
        words = {word for word in said if sum(word in each for each in own) > 1}
        yield Mosaic(image_HWC=image, place=place, caption=caption, words=frozenset(words))


def is_right(heat_YX: Heat, place: int) -> bool:
    """True where the hottest cell lies in the photo; its middle counts."""
    rows, columns = heat_YX.shape
    y, x = divmod(int(heat_YX.argmax()), columns)
    return (y + 0.5 >= rows / 2, x + 0.5 >= columns / 2) == (place >= 2, place % 2 == 1)


def weights(attention: Attention, x_BTD: Tensor, context_BND: Tensor) -> Tensor:
    """Mean attention of the heads, (B, T, N)."""
    key = attention.project(context_BND)[0]
    query = attention._split(attention.query(x_BTD))
    found: Tensor = (query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5).softmax(-1).mean(1)
    return found


class AttentionMaps:
    """The product of attentions, of a network whose poolers stand in a row."""

    def __init__(self, source: str) -> None:
        checkpoint = find_checkpoint(source)
        self._model: CoCa = load_model(checkpoint)
        self._tokenizer = checkpoint.tokenizer

    @torch.inference_mode()
    def __call__(self, mosaic: Mosaic) -> tuple[Heat, dict[str, Heat]]:
        """The map of any text, and those of the words."""
        model, pooler = self._model, self._model.generative_pooler
        tokens = model.image_encoder(torch.from_numpy(mosaic.image_HWC[None]))
        context = pooler.context_norm(tokens)
        pool_QN = weights(pooler.attention, pooler.query_norm(pooler.queries)[None], context)[0]
        pooled, last = pooler(tokens), model.contrastive_pooler
        assert last is not None
        top = weights(
            last.attention, last.query_norm(last.queries)[None], last.context_norm(pooled)
        )
        ids = self._tokenizer.encode(prepare_caption(mosaic.caption, lowercase=True), 64)
        whole = torch.tensor([ids])
        x = model.unimodal(whole, torch.ones_like(whole, dtype=torch.bool))[0][:, :-1]
        causal = torch.ones(len(ids) - 1, len(ids) - 1, dtype=torch.bool).tril()
        found_TQ = torch.zeros(len(ids) - 1, len(pool_QN))
        for layer in model.multimodal.layers:
            assert isinstance(layer, TransformerLayer)
            assert layer.cross is not None
            assert layer.cross_norm is not None
            attended = x + layer.attention(layer.attention_norm(x), mask=causal)
            found_TQ += weights(layer.cross, layer.cross_norm(attended), pooled)[0]
            x = layer(x, causal, pooled)
        side = model.image_encoder.grid_side
        maps = (found_TQ @ pool_QN).view(-1, side, side).numpy()
        words = {word: maps[place] for word, place in self._places(ids) if word in mosaic.words}
        return (top[0] @ pool_QN).view(side, side).numpy(), words

    def _places(self, ids: Sequence[int]) -> Iterator[tuple[str, int]]:
        """The whole words, by the place that foretells them."""
        for place, token in enumerate(ids[1:-1]):
            yield self._tokenizer.decode([token]), place


def rates(backend: Backend, attention: AttentionMaps, found: Iterator[Mosaic]) -> list[Figure]:
    """How often each kind of map is right."""
    hits: dict[str, list[bool]] = {"text": [], "text0": [], "word": [], "word0": []}
    for mosaic in found:
        images = mosaic.image_HWC[None]
        heat = backend.explain(images, mosaic.caption)[0]
        hits["text"].append(is_right(heat, mosaic.place))
        plain, by_word = attention(mosaic)
        hits["text0"].append(is_right(plain, mosaic.place))
        for word in backend.explain_words(images, mosaic.caption) if mosaic.words else ():
            name = word.word.strip(".,").lower()
            if name in mosaic.words and name in by_word:
                hits["word"].append(is_right(word.heat_BYX[0], mosaic.place))
                hits["word0"].append(is_right(by_word[name], mosaic.place))
    texts, words = len(hits["text"]), len(hits["word"])
    return [
        Figure(name=f"captions, {texts}: the right photo of four", value=mean(hits["text"]),
               bar=TEXT_BAR, is_most=False),
        Figure(name="the same by attention", value=mean(hits["text0"])),
        Figure(name=f"words of captions, {words}", value=mean(hits["word"]), bar=WORD_BAR,
               is_most=False),
        Figure(name="the same by attention", value=mean(hits["word0"])),
    ]  # fmt: skip


def boxes(backend: Backend) -> list[Figure]:
    """How often the hottest cell, the middle, and any place lie in the box."""
    spec = backend.info().input_spec
    hits, middles, areas = list[bool](), list[bool](), list[float]()
    for line in BOXES.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        name, text, *sides = line.split("\t")
        left, top, right, bottom = map(float, sides)
        photo = decode_rgb(resource_path("samples", "photos", f"{name}.jpg").read_bytes())
        image = prepare_input(photo.rgb_HWC, spec)
        heat = backend.explain(image[None], text)[0]
        across, down = peak(heat, spec.resize, photo.width, photo.height)
        hits.append(left <= across <= right and top <= down <= bottom)
        middles.append(left <= 0.5 <= right and top <= 0.5 <= bottom)
        areas.append((right - left) * (bottom - top))
    name = f"things in {len(hits)} sample photos: hottest place in the box"
    return [
        Figure(name=name, value=mean(hits), bar=BOX_BAR, is_most=False),
        Figure(name="the same by chance", value=mean(areas)),
        Figure(name="the same by the middle of the photo", value=mean(middles)),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shard", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--mosaics", type=int, default=60)
    options = parser.parse_args()
    with open_backend(options.model, "cpu") as backend:
        size_px = backend.info().input_spec.size_px
        found = mosaics(options.shard, size_px, options.mosaics)
        figures = [*boxes(backend), *rates(backend, AttentionMaps(options.model), found)]
    print_table(figures)
    return exit_code(figures)


if __name__ == "__main__":
    raise SystemExit(main())
