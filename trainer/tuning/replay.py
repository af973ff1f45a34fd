"""What the model was before it is taught, and what it rehearses so as to stay so elsewhere."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cocadesk.model.network.coca import CoCa, CocaOutput, PooledImage
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer, TokenBatch
from trainer.tuning.new_words import contrasts
from trainer.tuning.objective import to_tensor
from trainer.tuning.recipe import Recipe
from trainer.tuning.spec import Method
from trainer.tuning.synthetic_captions import MixedPictures, sample_captions
from trainer.tuning.training_set import TrainingSet

_BATCH = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayBatch:
    """Texts before pictures, by the model as it is and as it was; ``old_SE``: text vectors."""

    now: CocaOutput
    was: CocaOutput
    old_SE: Tensor


class ReplayBuffer:
    """Made from the untaught model; it draws what a step rehearses.

    Sentence and picture need not fit: what counts is that each next word is as likely
    as it was, "florbit" no likelier after "a photo of a". Made-up captions come with
    the very blend of pictures that they were made up for.
    """

    def __init__(
        self,
        model: CoCa,
        tokenizer: BpeTokenizer,
        material: TrainingSet,
        recipe: Recipe,
        method: Method,
        seed: int,
    ) -> None:
        self._recipe = recipe
        self._tokenizer = tokenizer
        self._method = method
        # What is locked is shared: only what learns is needed as it was.
        locked = {id(p): p for p in model.parameters() if not p.requires_grad}
        self._old = copy.deepcopy(model, locked).requires_grad_(False)
        tokens = material.general.tokens_PVND[list(material.practised)]
        self._views_WND = tokens.reshape(-1, *tokens.shape[2:])
        self._blends = MixedPictures.draw(len(self._views_WND), recipe.dreams, seed)
        self._made_up = self._make_up(seed)
        own = sorted({caption for captions in material.captions for caption in captions})
        changed = contrasts(own, material.new, material.sentences, seed, recipe.contrasts)
        self._sentences = list(dict.fromkeys([*material.sentences, *changed]))
        self._old_sentence_SE = encode_texts(self._old, tokenizer, self._sentences)
        self._old_made_up_KE = encode_texts(self._old, tokenizer, self._made_up)
        self.others_GVE = to_tensor(material.general.vectors_PVE)

    def _make_up(self, seed: int) -> list[str]:
        """A caption for each blend, by the model before it learns."""
        texts: list[str] = []
        count = self._recipe.dreams
        for start in range(0, count, _BATCH):
            rows = np.arange(start, min(start + _BATCH, count))
            with torch.no_grad():
                pooled = self.pool(self._old, self._blends.take(rows, self._views_WND))
            texts += sample_captions(self._old, self._tokenizer, pooled.tokens_BQD, seed + start)
        return texts

    def pool(self, model: CoCa, tokens_BND: Tensor) -> PooledImage:
        """Cached pooled tokens as they are (their vector is not known), or through the poolers."""
        if self._method is Method.DEEPER:
            return model.pool(tokens_BND)
        unknown = torch.zeros(len(tokens_BND), model.config.embedding_dim)
        return PooledImage(vector_BE=unknown, tokens_BQD=tokens_BND)

    def rehearse(self, model: CoCa, random: np.random.Generator) -> ReplayBatch:
        """One pass of the model as it is and one, without gradient, of the model as it was."""
        recipe = self._recipe
        sentence = random.integers(0, len(self._sentences), recipe.sentences)
        made_up = random.integers(0, recipe.dreams, recipe.made_up)
        view = random.integers(0, len(self._views_WND), recipe.sentences)
        texts = [self._sentences[i] for i in sentence] + [self._made_up[i] for i in made_up]
        pictures = torch.cat(
            (to_tensor(self._views_WND[view]), self._blends.take(made_up, self._views_WND))
        )
        tokens, valid = tensors(self._tokenizer.batch(texts, model.config.text.context))
        with torch.no_grad():
            was = self._old.forward_pooled(tokens, valid, self.pool(self._old, pictures))
        now = model.forward_pooled(tokens, valid, self.pool(model, pictures))
        old_SE = torch.cat((self._old_sentence_SE[sentence], self._old_made_up_KE[made_up]))
        return ReplayBatch(now=now, was=was, old_SE=old_SE)


@torch.no_grad()
def encode_texts(model: CoCa, tokenizer: BpeTokenizer, texts: Sequence[str]) -> Tensor:
    """Unit vectors (T, E) float32 of prepared texts, without gradient."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))  # little padding
    vectors = torch.zeros(len(texts), model.config.embedding_dim)
    for start in range(0, len(order), _BATCH):
        rows = order[start : start + _BATCH]
        batch = tokenizer.batch([texts[i] for i in rows], model.config.text.context)
        vectors[rows] = model.encode_text(*tensors(batch)).float()
    return vectors


def tensors(batch: TokenBatch) -> tuple[Tensor, Tensor]:
    """A token batch as torch takes it."""
    return torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
