"""The teaching loop: draw → pass → step, exact to the bit after an interruption."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.network.coca import CoCa, CocaOutput, PooledImage
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer
from trainer.optimiser import WeightAverage, build_optimiser, learning_rate
from trainer.tuning.new_words import QUERIES, NewWords
from trainer.tuning.objective import (
    PhotoCaptions,
    alignment,
    caption_loss,
    contrastive,
    distil,
    pull,
    relate,
    to_tensor,
    unrelated,
)
from trainer.tuning.recipe import Recipe
from trainer.tuning.replay import ReplayBatch, ReplayBuffer, tensors
from trainer.tuning.spec import Method
from trainer.tuning.training_set import TrainingSet


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLosses:
    """What a step's losses were."""

    loss: float
    contrastive: float
    caption: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """What one step sees of the lesson: photos, their view and a text each, all (B,).

    ``writes_B`` is 0 where the text is a bare name, which is no caption to write.
    """

    photo_B: NDArray[np.int64]
    view_B: NDArray[np.int64]
    texts: list[str]
    writes_B: NDArray[np.float32]


class Learner:
    """One run over one lesson. ``model`` starts untaught and is changed in place."""

    def __init__(
        self,
        model: CoCa,
        tokenizer: BpeTokenizer,
        material: TrainingSet,
        recipe: Recipe,
        *,
        method: Method,
        seed: int,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.model = model
        self.recipe = recipe
        self.step = 0
        self._tokenizer = tokenizer
        self._material = material
        self._method = method
        self._seed = seed
        self._dtype = dtype
        self._photos = [
            PhotoCaptions.of(captions, queries_of(captions, material.new), material.new)
            for captions in material.captions
        ]
        model.eval()
        self._memory = ReplayBuffer(model, tokenizer, material, recipe, method, seed)
        self.optimiser = build_optimiser(model, recipe.optimiser)
        self.average = WeightAverage(model, recipe.ema_decay)

    def advance(self) -> StepLosses:
        """One optimiser step; all randomness comes from (seed, step)."""
        torch.manual_seed(self._seed * 1_000_003 + self.step)
        rate = learning_rate(self.step, self.recipe.optimiser)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train(self.recipe.has_dropout)
        total, parts = self._losses(np.random.default_rng((self._seed, 5, self.step)))
        total.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        self.average.update(self.model, self.step)
        self.model.eval()
        self.step += 1
        return parts

    def _losses(self, random: np.random.Generator) -> tuple[Tensor, StepLosses]:
        draw = self._draw(random)
        view = int(random.integers(self._memory.others_GVE.shape[1]))
        batch = self._tokenizer.batch(draw.texts, self.model.config.text.context)
        tokens, valid = tensors(batch)
        with self._autocast():
            output = self.model.forward_pooled(tokens, valid, self._pool(draw))
            rehearsal = self._memory.rehearse(self.model, random)
        # Outside of autocast: similarities in bf16 are too coarse to rank by.
        l_con, beside = self._vector_losses(draw, output, rehearsal, view)
        l_cap = caption_loss(output, valid, torch.from_numpy(draw.writes_B))
        recipe = self.recipe
        total = recipe.contrastive * l_con + recipe.caption * l_cap + beside
        total = total + self._keeping_losses(rehearsal)
        return total, StepLosses(
            loss=float(total.detach()),
            contrastive=float(l_con.detach()),
            caption=float(l_cap.detach()),
        )

    def _vector_losses(
        self, draw: _Draw, output: CocaOutput, rehearsal: ReplayBatch, view: int
    ) -> tuple[Tensor, Tensor]:
        """L_con, and what helps it to hold among many other pictures."""
        scale, others_GE = self.model.logit_scale.detach(), self._memory.others_GVE[:, view]
        image_BE, text_BE = output.image_BE.float(), output.text_BE.float()
        photos = [self._photos[photo] for photo in draw.photo_B]
        pairs = relate(photos, draw.texts, self._material.new)
        l_con = contrastive(image_BE, text_BE, pairs, scale, others_GE, rehearsal.old_SE)
        beside = self.recipe.alignment * alignment(image_BE, text_BE, pairs)
        drawn = unrelated(others_GE, text_BE, rehearsal.old_SE, scale)
        return l_con, beside + self.recipe.unrelated * drawn

    def _keeping_losses(self, rehearsal: ReplayBatch) -> Tensor:
        recipe, now, was = self.recipe, rehearsal.now, rehearsal.was
        kept = recipe.pull * pull(now.text_BE.float(), rehearsal.old_SE)
        kept = kept + recipe.decoder_pull * distil(now.logits_PV, was.logits_PV)
        if self._method is Method.DEEPER:
            kept = kept + recipe.image_pull * pull(now.image_BE.float(), was.image_BE.float())
        return kept

    def _pool(self, draw: _Draw) -> PooledImage:
        """Cached outputs as they are, or through the poolers that learn."""
        own = self._material.own
        tokens = to_tensor(own.tokens_PVND[draw.photo_B, draw.view_B])
        if self._method is Method.DEEPER:
            return self.model.pool(tokens)
        vectors = to_tensor(own.vectors_PVE[draw.photo_B, draw.view_B])
        return PooledImage(vector_BE=vectors, tokens_BQD=tokens)

    def _draw(self, random: np.random.Generator) -> _Draw:
        recipe, material = self.recipe, self._material
        photo_B = _spread(len(material.captions), recipe.own, random)
        view_B = random.integers(0, material.own.vectors_PVE.shape[1], recipe.own)
        texts, writes = [], []
        for photo in photo_B:
            captions = material.captions[photo]
            queries = queries_of(captions, material.new)
            asks = bool(queries) and random.random() < recipe.query_share
            choices = queries if asks else captions
            texts.append(choices[int(random.integers(len(choices)))])
            writes.append(0.0 if asks else 1.0)
        return _Draw(
            photo_B=photo_B,
            view_B=view_B,
            texts=texts,
            writes_B=np.asarray(writes, np.float32),
        )

    def _autocast(self) -> AbstractContextManager[object]:
        if self._dtype is torch.float32:
            return nullcontext()
        return torch.autocast("cpu", self._dtype)


def queries_of(captions: Sequence[str], new: NewWords) -> list[str]:
    """How people may ask for the new words of a photo."""
    return [query.format(word) for word in sorted(new.of(captions)) for query in QUERIES]


def _spread(count: int, size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """``size`` numbers below ``count``, each as often as the others, give or take one."""
    rounds = [random.permutation(count) for _ in range(-(-size // count))]
    return np.concatenate(rounds)[:size].astype(np.int64)
