"""Figures of a network during a run: retrieval over all captions, and written captions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.evaluation.captions import caption_metrics
from cocadesk.evaluation.retrieval import caption_key, retrieval_metrics
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import generate
from cocadesk.model.tokenizers.tokenizer import TextTokenizer, TokenBatch
from cocadesk.model.values import GenerationOptions, Markers
from trainer.device import TrainDevice
from trainer.pictures.data import Example
from trainer.pictures.features import PictureSource

_PICTURES, _TEXTS = 250, 128


@dataclass(frozen=True, slots=True, kw_only=True)
class DevSet:
    """One dev set: its examples and the source of their plain crop."""

    name: str
    examples: Sequence[Example]
    source: PictureSource


@torch.inference_mode()
def measure(
    model: CoCa,
    tokenizer: TextTokenizer,
    dev: DevSet,
    device: TrainDevice,
    *,
    beams: int,
    caption_samples: int,
) -> dict[str, float]:
    """Recall in percent and CIDEr-D of a dev set, named ``<set>/<metric>``."""
    options = GenerationOptions(beams=beams)
    with device.autocast():
        images, captions = _images(model, tokenizer, dev, device, options, caption_samples)
        texts = [text for example in dev.examples for text in example.captions]
        owner = [i for i, example in enumerate(dev.examples) for _ in example.captions]
        vectors = encode_texts(model, tokenizer, texts, device).cpu().numpy()
    figures = asdict(retrieval_metrics(images, vectors, owner, [caption_key(t) for t in texts]))
    references = [example.captions for example in dev.examples[: len(captions)]]
    written = caption_metrics(captions, references)
    figures |= {"cider_d": written.cider_d, "bleu4": written.bleu4}
    return {f"{dev.name}/{name}": round(float(value), 4) for name, value in figures.items()}


def _images(
    model: CoCa,
    tokenizer: TextTokenizer,
    dev: DevSet,
    device: TrainDevice,
    options: GenerationOptions,
    caption_samples: int,
) -> tuple[NDArray[np.float32], list[str]]:
    vectors: list[Tensor] = []
    captions: list[str] = []
    total = len(dev.examples)
    wanted = caption_samples or total
    for start in range(0, total, _PICTURES):
        picture = np.arange(start, min(start + _PICTURES, total))
        fetched = device.move(dev.source.fetch(picture, np.zeros_like(picture)))
        features = fetched.float() if dev.source.cached else model.image_encoder.features(fetched)
        pooled = model.pool(model.image_encoder.tokens(features))
        vectors.append(pooled.vector_BE.float())
        room = wanted - len(captions)
        if room > 0:
            captions += write_captions(model, tokenizer, pooled.tokens_BQD[:room], options)
    return torch.cat(vectors).cpu().numpy(), captions


def write_captions(
    model: CoCa, tokenizer: TextTokenizer, tokens_BQD: Tensor, options: GenerationOptions
) -> list[str]:
    """A caption for each picture's pooled tokens."""
    found = generate(model, tokens_BQD, options, Markers.of(tokenizer.id_of))
    return [tokenizer.decode(caption.ids) for caption in found]


@torch.no_grad()
def encode_texts(
    model: CoCa, tokenizer: TextTokenizer, texts: Sequence[str], device: TrainDevice
) -> Tensor:
    """Unit vectors (T, E) float32 of prepared texts, without gradient."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
    vectors = torch.zeros(len(texts), model.config.vector_dim, device=device.device)
    for start in range(0, len(order), _TEXTS):
        rows = np.array(order[start : start + _TEXTS])
        batch = tokenizer.batch([texts[i] for i in rows], model.config.text.context)
        vectors[device.tensor(rows)] = model.encode_text(*token_tensors(batch, device)).float()
    return vectors


def token_tensors(batch: TokenBatch, device: TrainDevice) -> tuple[Tensor, Tensor]:
    """A batch's tokens and which of them are no padding, each (B, T)."""
    return device.tensor(batch.tokens_BT), device.tensor(batch.valid_BT)
