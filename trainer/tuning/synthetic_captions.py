"""Synthetic captions sampled from the untuned model, for replay.

Pictures are mixtures of two general pictures, tokens are sampled by their probability;
so a model of any kind brings examples of how it wrote before, in its own words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.layers import KeyValue
from cocadesk.model.tokenizers.tokenizer import TextTokenizer

MAX_TOKENS = 24
TEMPERATURE = 0.8
_BATCH = 96


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedPictures:
    """Mixtures of two crops each: flat crop numbers (K,) and the first one's share (K,)."""

    first_K: NDArray[np.int64]
    second_K: NDArray[np.int64]
    share_K: NDArray[np.float32]

    @staticmethod
    def draw(crops: int, count: int, seed: int) -> MixedPictures:
        """The same seed mixes the same crops."""
        random = np.random.default_rng((seed, 6))
        return MixedPictures(
            first_K=random.integers(0, crops, count),
            second_K=random.integers(0, crops, count),
            share_K=random.uniform(0.5, 1.0, count).astype(np.float32),
        )

    def take(self, rows: NDArray[np.int64], flat: NDArray[np.float16]) -> NDArray[np.float32]:
        """The mixtures of ``flat`` (crops, ...)."""
        share = self.share_K[rows].reshape(-1, *[1] * (flat.ndim - 1))
        first = np.asarray(flat[self.first_K[rows]], np.float32)
        second = np.asarray(flat[self.second_K[rows]], np.float32)
        return np.asarray(share * first + (1 - share) * second, np.float32)


@torch.no_grad()
def sample_captions(
    model: CoCa, tokenizer: TextTokenizer, tokens_KQD: Tensor, seed: int
) -> list[str]:
    """A caption sampled for each picture's pooled tokens; the same seed, the same captions.

    Seeds torch's own generators: they are those of every device.
    """
    texts: list[str] = []
    for start in range(0, len(tokens_KQD), _BATCH):
        ids_KT = _draw(model, tokens_KQD[start : start + _BATCH], (seed << 16) + start)
        texts += [tokenizer.decode(ids).strip() for ids in ids_KT.tolist()]
    return texts


def _draw(model: CoCa, tokens_KQD: Tensor, seed: int) -> Tensor:
    config = model.config.text
    torch.manual_seed(seed)
    image = model.multimodal.project_image(tokens_KQD)
    before: list[KeyValue | None] = [None] * len(model.unimodal.layers)
    after: list[KeyValue | None] = [None] * len(model.multimodal.layers)
    token_K = torch.full((len(tokens_KQD),), config.begin_id, device=tokens_KQD.device)
    drawn = []
    for position in range(min(MAX_TOKENS, config.context - 1)):
        x, before = model.unimodal.step(token_K, position, before)
        logits, after = model.multimodal.step(x, after, image)
        logits = logits.float()
        logits[:, config.pad_id] = logits[:, config.begin_id] = -torch.inf
        probabilities = (logits / TEMPERATURE).softmax(-1)
        token_K = torch.multinomial(probabilities, 1)[:, 0]
        drawn.append(token_K)
        if position and bool((torch.stack(drawn) == config.end_id).any(0).all()):
            break
    return torch.stack(drawn, dim=1)
