"""How often heat maps point at the right part of a picture, against chance and attention.

    python tests/bench/heat_maps.py SHARD.tar [--model SOURCE] [--mosaics 60] [--skip 40]

Four photos with captions are put together as one picture, two by two. One caption of one of them
is the text: a map is right where its hottest place lies in that photo. Of the caption's words
those count that at least two captions of the photo say and none of the others' does; their
maps are those of a caption; the same words are asked for as texts, too. Chance is one in four.
``attention`` is the product of attention
weights through the poolers: of the contrastive query for texts, of the decoder's cross-attention
at the word's tokens for words (mean of heads and layers), for networks with poolers in a row.

Boxes were drawn by eye around single things (``heat_map_boxes.tsv``): in sample photos, where
people put what they mean into the middle, and in photos of the shard that show several things,
drawn before any map of them was seen. A map is right where its hottest cell lies in the box. Chance
is the boxes' mean area.

The first 40 mosaics chose the way of making maps: judge by those after them (``--skip 40``).
Intervals are 95 %, from a bootstrap over pictures. Exit code 1 where a rate is below its bar.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
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

TEXT_BAR, WORD_BAR, BOX_BAR = 0.75, 0.5, 0.6
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


Hits = list[list[bool]]
"""Of each picture, whether its maps were right."""


def figure(name: str, hits: Hits, bar: float | None = None) -> Figure:
    """How many of all maps were right, with its interval in the name."""
    draw = np.random.default_rng(0)
    pairs = np.array([(sum(each), len(each)) for each in hits])
    sums = [pairs[draw.integers(0, len(pairs), len(pairs))].sum(0) for _ in range(1000)]
    low, high = np.percentile([right / max(1, count) for right, count in sums], (2.5, 97.5))
    right, count = pairs.sum(0)
    said = f"{name}, {count}: {low:.2f} to {high:.2f}"
    return Figure(name=said, value=right / max(1, count), bar=bar, is_most=False)


def rates(backend: Backend, attention: AttentionMaps, found: Iterator[Mosaic]) -> list[Figure]:
    """How often each kind of map is right."""
    hits: dict[str, Hits] = {"text": [], "text0": [], "query": [], "word": [], "word0": []}
    for mosaic in found:
        images = mosaic.image_HWC[None]
        heat = backend.explain(images, mosaic.caption)[0]
        hits["text"].append([is_right(heat, mosaic.place)])
        asked = [backend.explain(images, word)[0] for word in sorted(mosaic.words)]
        hits["query"].append([is_right(each, mosaic.place) for each in asked])
        plain, by_word = attention(mosaic)
        hits["text0"].append([is_right(plain, mosaic.place)])
        told = backend.explain_words(images, mosaic.caption) if mosaic.words else ()
        named = [(word.word.strip(".,").lower(), word.heat_BYX[0]) for word in told]
        counted = [(name, heat) for name, heat in named if name in mosaic.words & set(by_word)]
        hits["word"].append([is_right(heat, mosaic.place) for _name, heat in counted])
        hits["word0"].append([is_right(by_word[name], mosaic.place) for name, _heat in counted])
    return [
        figure("captions: the right photo of four", hits["text"], TEXT_BAR),
        figure("the same by attention", hits["text0"]),
        figure("single words as texts", hits["query"], WORD_BAR),
        figure("words of captions", hits["word"], WORD_BAR),
        figure("the same by attention", hits["word0"]),
    ]


@dataclass(frozen=True, slots=True)
class Box:
    """What a text names in a photo: left, top, right and bottom in shares."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    def holds(self, across: float, down: float) -> bool:
        return self.left <= across <= self.right and self.top <= down <= self.bottom


def boxes(backend: Backend, shard: Path) -> list[Figure]:
    """How often the hottest cell, the middle, and any place lie in the box."""
    by_photo: dict[str, list[Box]] = {}
    for line in BOXES.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, text, *sides = line.split("\t")
            by_photo.setdefault(name, []).append(Box(text, *map(float, sides)))
    samples = read_shards([shard], ShardCounts(), IMAGE_SUFFIXES)
    photos = {sample.key: sample.image for sample in samples if sample.key in by_photo}
    figures = list[Figure]()
    for kind, is_sample in (("sample photos", True), ("photos of several things", False)):
        names = [
            name
            for name in by_photo
            if is_sample == (name not in photos) and (not is_sample or _sample(name).exists())
        ]
        hits: Hits = []
        found = [box for name in names for box in by_photo[name]]
        for name in names:
            data = _sample(name).read_bytes() if is_sample else photos[name]
            hits.append(in_boxes(backend, data, by_photo[name]))
        if found:
            figures += [
                figure(f"things in {kind}: hottest place in the box", hits, BOX_BAR),
                Figure(name="the same by chance", value=mean(_area(box) for box in found)),
                Figure(
                    name="the same by the middle of the photo",
                    value=mean(box.holds(0.5, 0.5) for box in found),
                ),
            ]
    return figures


def in_boxes(backend: Backend, data: bytes, wanted: Sequence[Box]) -> list[bool]:
    """Of each box of a photo, whether the hottest cell lies in it."""
    spec = backend.info().input_spec
    photo = decode_rgb(data)
    images = prepare_input(photo.rgb_HWC, spec)[None]
    heats = [backend.explain(images, box.text)[0] for box in wanted]
    places = [peak(heat, spec.resize, photo.width, photo.height) for heat in heats]
    return [box.holds(*place) for box, place in zip(wanted, places, strict=True)]


def _sample(name: str) -> Path:
    return resource_path("samples", "photos") / f"{name}.jpg"


def _area(box: Box) -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shard", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--mosaics", type=int, default=60)
    parser.add_argument("--skip", type=int, default=0, help="Leave the first mosaics out.")
    options = parser.parse_args()
    with open_backend(options.model, "cpu") as backend:
        size_px = backend.info().input_spec.size_px
        made = mosaics(options.shard, size_px, options.skip + options.mosaics)
        found = islice(made, options.skip, None)
        figures = [
            *boxes(backend, options.shard),
            *rates(backend, AttentionMaps(options.model), found),
        ]
    print_table(figures)
    return exit_code(figures)


if __name__ == "__main__":
    raise SystemExit(main())
