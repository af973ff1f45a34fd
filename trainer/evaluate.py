"""Dev figures during a run: retrieval over all captions, greedy captions against them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor

from cocadesk.evaluation import caption_key, caption_metrics, retrieval_metrics
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import generate
from cocadesk.model.options import GenerationOptions
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer
from trainer.data import Example
from trainer.features import PictureSource

_BATCH = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class DevSet:
    """One dev set: its examples and where their plain view comes from."""

    name: str
    examples: Sequence[Example]
    source: PictureSource


@torch.inference_mode()
def measure(
    model: CoCa,
    tokenizer: BpeTokenizer,
    dev: DevSet,
    autocast: AbstractContextManager[object],
    *,
    beams: int,
    caption_samples: int,
) -> dict[str, float]:
    """Recall in percent and CIDEr-D of a dev set, named ``<set>/<metric>``."""
    was_training = model.training
    model.eval()
    with autocast:
        images, captions = _images(model, tokenizer, dev, beams, caption_samples)
        texts = [text for example in dev.examples for text in example.captions]
        owner = [i for i, example in enumerate(dev.examples) for _ in example.captions]
        vectors = _texts(model, tokenizer, texts)
    model.train(was_training)
    figures = asdict(retrieval_metrics(images, vectors, owner, [caption_key(t) for t in texts]))
    references = [example.captions for example in dev.examples[: len(captions)]]
    written = caption_metrics(captions, references)
    figures |= {"cider_d": written.cider_d, "bleu4": written.bleu4}
    return {f"{dev.name}/{name}": round(float(value), 4) for name, value in figures.items()}


def _images(
    model: CoCa, tokenizer: BpeTokenizer, dev: DevSet, beams: int, caption_samples: int
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], list[str]]:
    vectors: list[Tensor] = []
    captions: list[str] = []
    total = len(dev.examples)
    wanted = caption_samples or total
    for start in range(0, total, _BATCH):
        picture = np.arange(start, min(start + _BATCH, total))
        fetched = dev.source.fetch(picture, np.zeros_like(picture))
        features = fetched.float() if dev.source.cached else model.image_encoder.features(fetched)
        pooled = model.pool(model.image_encoder.tokens(features))
        vectors.append(pooled.vector_BE.float())
        room = wanted - len(captions)
        if room > 0:
            options = GenerationOptions(beams=beams)
            made = generate(model, pooled.tokens_BQD[:room], options)
            captions += [tokenizer.decode(caption.ids) for caption in made]
    return torch.cat(vectors).numpy(), captions


def _texts(
    model: CoCa, tokenizer: BpeTokenizer, texts: Sequence[str]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vectors: list[Tensor] = []
    for start in range(0, len(texts), _BATCH):
        batch = tokenizer.batch(texts[start : start + _BATCH], model.config.text.context)
        tokens, valid = torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
        vectors.append(model.encode_text(tokens, valid).float())
    return torch.cat(vectors).numpy()
