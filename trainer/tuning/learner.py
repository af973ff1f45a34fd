"""The losses of a tuning step: draw → pass → losses; the step itself is the trainer's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.network.coca import CoCa, CocaOutput, PooledImage
from trainer.evaluate import token_tensors
from trainer.step import Losses, TrainState
from trainer.tuning.new_words import QUERIES, NewWords
from trainer.tuning.objective import (
    PhotoCaptions,
    alignment,
    anchor_loss,
    caption_loss,
    contrastive_with_negatives,
    distractor_loss,
    kl_distillation,
    relate,
)
from trainer.tuning.replay import ReplayBatch, ReplayBuffer, TuningTask


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draw:
    """The tuning photos of a step, a crop and a text of each, all (B,).

    ``writes_B`` is 0 where the text is a bare name, which is no caption to write.
    """

    photo_B: NDArray[np.int64]
    crop_B: NDArray[np.int64]
    texts: list[str]
    writes_B: NDArray[np.float32]


class Learner:
    """One training on one data set. ``model`` starts untuned and is changed in place."""

    def __init__(self, model: CoCa, task: TuningTask) -> None:
        self.recipe = recipe = task.recipe
        self._task = task
        self._photos = [
            PhotoCaptions.of(captions, queries_of(captions, task.new), task.new)
            for captions in task.captions
        ]
        model = model.to(task.device.device).eval()
        self._buffer = ReplayBuffer(model, task)
        self.state = TrainState(
            model,
            recipe.optimiser,
            seed=task.seed,
            device=task.device,
            has_dropout=recipe.has_dropout,
        )

    def advance(self) -> dict[str, float]:
        """One optimiser step; gives the losses by name."""
        return self.state.advance([self.losses])

    def losses(self) -> Losses:
        """The losses of the next step, with gradient; drawn by (seed, step) alone."""
        model, device, recipe = self.state.model, self._task.device, self.recipe
        random = np.random.default_rng((self.state.seed, 5, self.state.step))
        draw = self._draw(random)
        crop = int(random.integers(self._buffer.others_GVE.shape[1]))
        batch = self._task.tokenizer.batch(draw.texts, model.config.text.context)
        tokens, valid = token_tensors(batch, device)
        with device.autocast():
            output = model.forward_pooled(tokens, valid, self._pool(draw))
            replay = self._buffer.replay(model, random)
        # Outside of autocast: similarities in bf16 are too coarse to rank by.
        l_con, beside = self._vector_losses(draw, output, replay, crop)
        l_cap = caption_loss(output, valid, device.tensor(draw.writes_B))
        total = recipe.contrastive * l_con + recipe.caption * l_cap + beside
        total = total + self._keeping_losses(replay)
        return Losses(total=total, parts={"contrastive": l_con, "caption": l_cap})

    def _vector_losses(
        self, draw: _Draw, output: CocaOutput, replay: ReplayBatch, crop: int
    ) -> tuple[Tensor, Tensor]:
        """L_con, and the losses that make it hold among many other pictures."""
        scale, others_GE = self.state.model.logit_scale.detach(), self._buffer.others_GVE[:, crop]
        image_BE, text_BE = output.image_BE.float(), output.text_BE.float()
        photos = [self._photos[photo] for photo in draw.photo_B]
        pairs = relate(photos, draw.texts, self._task.new).on(self._task.device)
        l_con = contrastive_with_negatives(
            image_BE, text_BE, pairs, scale, others_GE, replay.old_SE
        )
        beside = self.recipe.alignment * alignment(image_BE, text_BE, pairs)
        drawn = distractor_loss(others_GE, text_BE, replay.old_SE, scale)
        return l_con, beside + self.recipe.distractor * drawn

    def _keeping_losses(self, replay: ReplayBatch) -> Tensor:
        recipe, now, before = self.recipe, replay.now, replay.before
        kept = recipe.anchor * anchor_loss(now.text_BE.float(), replay.old_SE)
        kept = kept + recipe.distillation * kl_distillation(now.logits_PV, before.logits_PV)
        return kept + self._task.method.extra_loss(now, before, recipe)

    def _pool(self, draw: _Draw) -> PooledImage:
        own, device = self._task.own, self._task.device
        tokens = device.floats(own.tokens_PVND[draw.photo_B, draw.crop_B])
        vectors = device.floats(own.vectors_PVE[draw.photo_B, draw.crop_B])
        return self._task.method.pool(self.state.model, tokens, vectors)

    def _draw(self, random: np.random.Generator) -> _Draw:
        recipe, task = self.recipe, self._task
        photo_B = _spread(len(task.captions), recipe.batch, random)
        crop_B = random.integers(0, task.own.vectors_PVE.shape[1], recipe.batch)
        texts, writes = [], []
        for photo in photo_B:
            captions = task.captions[photo]
            queries = queries_of(captions, task.new)
            asks = bool(queries) and random.random() < recipe.query_share
            choices = queries if asks else captions
            texts.append(choices[int(random.integers(len(choices)))])
            writes.append(0.0 if asks else 1.0)
        return _Draw(
            photo_B=photo_B,
            crop_B=crop_B,
            texts=texts,
            writes_B=np.asarray(writes, np.float32),
        )


def queries_of(captions: Sequence[str], new: NewWords) -> list[str]:
    """Usual queries for the new words of a photo."""
    return [query.format(word) for word in sorted(new.of(captions)) for query in QUERIES]


def _spread(count: int, size: int, random: np.random.Generator) -> NDArray[np.int64]:
    """``size`` numbers below ``count``, each as often as the others, give or take one."""
    rounds = [random.permutation(count) for _ in range(-(-size // count))]
    return np.concatenate(rounds)[:size].astype(np.int64)
