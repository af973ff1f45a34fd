"""Objectives of the stages: the losses of a step, and the figures that it is measured by."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.checkpoints.int8_rows import put_on_grid
from cocadesk.model.network.coca import CoCa, PooledImage
from cocadesk.model.tokenizers.tokenizer import TextTokenizer, TokenBatch, pad_batch
from trainer.checkpoint import RunFolder, train_card
from trainer.config import OptimiserConfig, TrainConfig
from trainer.device import TrainDevice
from trainer.evaluate import DevSet, measure, token_tensors
from trainer.pictures.data import Dataset, Draw, Sampler
from trainer.pictures.features import PictureSource
from trainer.step import Losses, StepState, TrainState, caption_groups, coca_losses


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainContext:
    """Everything that a stage works with; ``notes`` are for the card."""

    config: TrainConfig
    model: CoCa
    tokenizer: TextTokenizer
    data: Dataset
    source: PictureSource
    dev: list[DevSet]
    run: RunFolder
    device: TrainDevice
    notes: Mapping[str, Any]

    @torch.no_grad()
    def pooled(self, picture_B: NDArray[np.int64], crop_B: NDArray[np.int64]) -> PooledImage:
        """What the poolers make of crops of training pictures."""
        fetched = self.device.move(self.source.fetch(picture_B, crop_B))
        encoder = self.model.image_encoder
        features = fetched.float() if self.source.cached else encoder.features(fetched)
        return self.model.pool(encoder.tokens(features))


class Objective(Protocol):
    """One stage's training; ``best`` is the highest score so far."""

    best: float

    @property
    def state(self) -> StepState[Any]:
        """The network and how far it is trained."""
        ...

    def passes(self, step: int) -> Sequence[Callable[[], Losses]]:
        """The parts of a step's batch, each a function to its losses with gradient."""
        ...

    def measure(self) -> dict[str, float]:
        """Figures on what is not learned from, by the averaged weights."""
        ...


class CocaObjective:
    """Both losses of the paper, on pictures with captions: plain training."""

    def __init__(
        self,
        context: TrainContext,
        optimiser: OptimiserConfig | None = None,
        *,
        has_dropout: bool = True,
    ) -> None:
        """``optimiser`` in place of the config's, for a stage with its own."""
        self.context = context
        config = context.config
        self.state = TrainState(
            context.model,
            optimiser or config.optimiser,
            seed=config.seed,
            device=context.device,
            has_dropout=has_dropout,
        )
        self.best = -1.0
        self._sampler = Sampler(context.data, config.optimiser.batch, config.features, config.seed)

    def passes(self, step: int) -> Sequence[Callable[[], Losses]]:
        parts = self._sampler.draw(step).split(self.context.config.optimiser.accumulate)
        return [partial(self.losses, part) for part in parts]

    def losses(self, draw: Draw) -> Losses:
        """The losses of a part of a batch, with gradient."""
        context, device = self.context, self.context.device
        captions = [
            context.data.examples[p].captions[c]
            for p, c in zip(draw.picture_B, draw.caption_B, strict=True)
        ]
        batch = self._tokens(captions)
        with device.autocast():
            features = self._features(draw)
            output = context.model(
                *token_tensors(batch, device),
                features_BNC=features,
                keep_BK=self._kept_tokens(features),
            )
        # Outside of autocast: similarities in bf16 are too coarse to rank by.
        return coca_losses(output, device.move(caption_groups(captions)), context.config.loss)

    def _tokens(self, captions: Sequence[str]) -> TokenBatch:
        """Captions cut to what training reads of them, without their end where they are cut."""
        config, tokenizer = self.context.config, self.context.tokenizer
        context_length = config.model.text.context
        rows = [tokenizer.encode(caption, context_length) for caption in captions]
        longest = min(context_length, config.data.caption_tokens)
        return pad_batch([row[:longest] for row in rows], tokenizer.pad_id)

    def _features(self, draw: Draw) -> Tensor:
        context = self.context
        fetched = context.device.move(context.source.fetch(draw.picture_B, draw.crop_B))
        if context.source.cached:
            return fetched.to(context.device.dtype)
        return context.model.image_encoder.features(fetched)

    def _kept_tokens(self, features_BNC: Tensor) -> Tensor | None:
        """The image tokens that a step sees, (B, K): a share of them, in order."""
        share = self.context.config.features.keep_tokens
        if share >= 1:
            return None
        batch, count = features_BNC.shape[:2]
        kept = max(1, round(count * share))
        drawn = torch.rand(batch, count, device=features_BNC.device)
        return drawn.topk(kept, dim=1).indices.sort(dim=1).values

    def measure(self) -> dict[str, float]:
        """Dev figures with the averaged weights; the best so far is kept as a checkpoint."""
        context = self.context
        with self.state.averaged() as averaged:
            model = _as_saved(averaged) if context.config.words.sentence_model else averaged
            figures = dev_figures(context, model)
            score = sum(_score(figures, dev.name) for dev in context.dev) / max(1, len(context.dev))
            if context.dev and score > self.best:
                self.best = score
                keep_best(context, model, figures, self.state)
        return figures


def dev_figures(context: TrainContext, model: CoCa) -> dict[str, float]:
    """Recall and captions of a network on the dev sets."""
    evaluation = context.config.evaluation
    figures: dict[str, float] = {}
    for dev in context.dev:
        figures |= measure(
            model,
            context.tokenizer,
            dev,
            context.device,
            beams=evaluation.beams,
            caption_samples=evaluation.caption_samples,
        )
    return figures


def keep_best(
    context: TrainContext, model: CoCa, figures: Mapping[str, float], state: StepState[Any]
) -> None:
    """Saves a network as the run's checkpoint, with a card."""
    own = replace(context.config, optimiser=state.config)
    card = train_card(own, context.notes, figures, state.step)
    save_checkpoint(context.run.best, model, context.tokenizer, card, half=True)


def _as_saved(model: CoCa) -> CoCa:
    """A copy whose text side lies on the int8 grid: its file takes half the room."""
    copied = deepcopy(model)
    put_on_grid(copied)
    return copied


def _score(figures: Mapping[str, float], name: str) -> float:
    """The score that the best checkpoint has: recall and captions weigh about the same."""
    recall = figures[f"{name}/t2i_r1"] + 0.25 * figures[f"{name}/t2i_r10"]
    return recall + 40 * figures[f"{name}/cider_d"]
