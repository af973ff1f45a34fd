"""Replay of the untuned model's behaviour, so that it stays as it was elsewhere."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cocadesk.model.network.coca import CoCa, CocaOutput
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from trainer.device import TrainDevice
from trainer.evaluate import encode_texts, token_tensors
from trainer.tuning.features import CachedFeatures
from trainer.tuning.methods import TuningMethod
from trainer.tuning.new_words import NewWords, hard_sentences
from trainer.tuning.recipe import Recipe
from trainer.tuning.synthetic_captions import MixedPictures, sample_captions

_BATCH = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningTask:
    """One training: its data and its settings. Captions are prepared for the tokenizer.

    ``own`` are the tuning photos, ``general`` the general pictures; the decoder replays
    with those of them whose numbers ``replayed`` holds.
    """

    own: CachedFeatures
    captions: tuple[tuple[str, ...], ...]
    general: CachedFeatures
    replayed: tuple[int, ...]
    sentences: tuple[str, ...]
    new: NewWords
    tokenizer: TextTokenizer
    method: TuningMethod
    recipe: Recipe
    seed: int
    device: TrainDevice


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayBatch:
    """Replayed texts before pictures, by the model now and before; ``old_SE``: text vectors."""

    now: CocaOutput
    before: CocaOutput
    old_SE: Tensor


class ReplayBuffer:
    """Texts and pictures with the untuned model's answers; a step draws from them.

    Sentence and picture need not fit: each next token must be as likely as it was,
    "florbit" no likelier after "a photo of a". Synthetic captions come with the very
    mixture of pictures that they were sampled for.
    """

    def __init__(self, model: CoCa, task: TuningTask) -> None:
        self._task = task
        recipe, seed = task.recipe, task.seed
        # What is locked is shared: only what learns is needed as it was.
        locked = {id(p): p for p in model.parameters() if not p.requires_grad}
        self._old = copy.deepcopy(model, locked).requires_grad_(False)
        tokens = task.general.tokens_PVND[list(task.replayed)]
        self._crops_WND = tokens.reshape(-1, *tokens.shape[2:])
        self._mixtures = MixedPictures.draw(len(self._crops_WND), recipe.synthetic_pool, seed)
        self._synthetic = self._sample()
        own = sorted({caption for captions in task.captions for caption in captions})
        hard = hard_sentences(own, task.new, task.sentences, seed, recipe.hard_sentences)
        self._sentences = list(dict.fromkeys([*task.sentences, *hard]))
        self._sentence_SE = encode_texts(self._old, task.tokenizer, self._sentences, task.device)
        self._synthetic_KE = encode_texts(self._old, task.tokenizer, self._synthetic, task.device)
        self.others_GVE = task.device.floats(task.general.vectors_PVE)

    def _sample(self) -> list[str]:
        """A caption for each mixture, by the model before it learns."""
        task = self._task
        texts: list[str] = []
        count = task.recipe.synthetic_pool
        for start in range(0, count, _BATCH):
            rows = np.arange(start, min(start + _BATCH, count))
            mixed = task.device.tensor(self._mixtures.take(rows, self._crops_WND))
            with torch.no_grad():
                tokens = task.method.pool(self._old, mixed, None).tokens_BQD
            texts += sample_captions(self._old, task.tokenizer, tokens, task.seed + start)
        return texts

    def replay(self, model: CoCa, random: np.random.Generator) -> ReplayBatch:
        """One pass of the model as it is and one, without gradient, of the model as it was."""
        recipe, device, method = self._task.recipe, self._task.device, self._task.method
        sentence = random.integers(0, len(self._sentences), recipe.sentences)
        synthetic = random.integers(0, recipe.synthetic_pool, recipe.synthetic)
        crop = random.integers(0, len(self._crops_WND), recipe.sentences)
        texts = [self._sentences[i] for i in sentence] + [self._synthetic[i] for i in synthetic]
        mixed = device.tensor(self._mixtures.take(synthetic, self._crops_WND))
        pictures = torch.cat((device.floats(self._crops_WND[crop]), mixed))
        batch = self._task.tokenizer.batch(texts, model.config.text.context)
        tokens, valid = token_tensors(batch, device)
        with torch.no_grad():
            pooled = method.pool(self._old, pictures, None)
            before = self._old.forward_pooled(tokens, valid, pooled)
        now = model.forward_pooled(tokens, valid, method.pool(model, pictures, None))
        old_SE = torch.cat(
            (
                self._sentence_SE[device.tensor(sentence)],
                self._synthetic_KE[device.tensor(synthetic)],
            )
        )
        return ReplayBatch(now=now, before=before, old_SE=old_SE)
