"""The training loop: step → report → evaluate → save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor

from cocadesk.errors import UserError
from cocadesk.eta import EtaEstimator
from cocadesk.evaluation.retrieval import NotFiniteError
from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.network.coca import CoCa
from cocadesk.model.tokenizers.tokenizer import TextTokenizer, pad_batch
from trainer.checkpoint import RunFolder, train_card
from trainer.config import TrainConfig
from trainer.device import TrainDevice
from trainer.evaluate import DevSet, measure, token_tensors
from trainer.pictures.data import Dataset, Draw, Sampler
from trainer.pictures.features import PictureSource
from trainer.step import DivergedError, Losses, TrainState, caption_groups, coca_losses


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """``done`` of ``total`` of a stage; ``figures`` are losses or dev figures."""

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)


Reporter = Callable[[TrainReport], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainContext:
    """Everything that a loop works with; ``notes`` are for the card."""

    config: TrainConfig
    model: CoCa
    tokenizer: TextTokenizer
    data: Dataset
    source: PictureSource
    dev: list[DevSet]
    run: RunFolder
    device: TrainDevice
    notes: Mapping[str, Any]


class Loop:
    """One run in one process."""

    def __init__(self, context: TrainContext, report: Reporter) -> None:
        self._context = context
        self._report = report
        config = context.config
        self._total = config.optimiser.steps
        self.state = TrainState(
            context.model, config.optimiser, seed=config.seed, device=context.device
        )
        self._sampler = Sampler(context.data, config.optimiser.batch, config.features, config.seed)
        self._best = -1.0
        self._seconds = 0.0
        self._saved = 0
        self._eta = EtaEstimator()

    def run(self) -> dict[str, float]:
        """Trains to the end, from the saved state where there is one; the last dev figures.

        Raises:
            UserError: the loss is not a number any more; the last saved state stays.
        """
        try:
            return self._train()
        except (DivergedError, NotFiniteError) as error:
            kept = f"The state of step {self._saved:,} is kept. " if self._saved else ""
            raise UserError(
                "The training diverged: its loss is not a number any more.",
                f"It happened {_where(error, self.state.step)}. {kept}".rstrip(),
                "Lower optimiser.learning_rate or raise optimiser.warmup_steps in the config, "
                "and train into a new run folder.",
            ) from error

    def _train(self) -> dict[str, float]:
        context, config, state = self._context, self._context.config, self.state
        record = context.run.record()
        if record:
            context.run.load_state(state)
            self._best, self._seconds = float(record["best"]), float(record["seconds"])
            context.run.drop_after(state.step)
            self._saved = state.step
        self._eta = EtaEstimator(state.step)
        while state.step < self._total:
            draw = self._sampler.draw(state.step)
            parts = draw.split(config.optimiser.accumulate)
            self._report_step(state.advance([partial(self.losses, part) for part in parts]))
            if state.step == self._total:
                break
            if state.step % config.evaluation.every_steps == 0:
                self._evaluate()
            if state.step % config.checkpoint_steps == 0:
                self._save()
        figures = self._evaluate()
        self._save()
        return figures

    def losses(self, draw: Draw) -> Losses:
        """The losses of a part of a batch, with gradient."""
        context, config, device = self._context, self._context.config, self._context.device
        captions = [
            context.data.examples[p].captions[c]
            for p, c in zip(draw.picture_B, draw.caption_B, strict=True)
        ]
        context_length = config.model.text.context
        rows = [context.tokenizer.encode(caption, context_length) for caption in captions]
        longest = min(context_length, config.data.caption_tokens)
        batch = pad_batch([row[:longest] for row in rows], context.tokenizer.pad_id)
        fetched = device.move(context.source.fetch(draw.picture_B, draw.crop_B))
        with device.autocast():
            if context.source.cached:
                features = fetched.to(device.dtype)
            else:
                features = context.model.image_encoder.features(fetched)
            output = context.model(
                *token_tensors(batch, device),
                features_BNC=features,
                keep_BK=self._kept_tokens(features),
            )
        # Outside of autocast: similarities in bf16 are too coarse to rank by.
        return coca_losses(output, device.move(caption_groups(captions)), config.loss)

    def _kept_tokens(self, features_BNC: Tensor) -> Tensor | None:
        """The image tokens that a step sees, (B, K): a share of them, in order."""
        share = self._context.config.features.keep_tokens
        if share >= 1:
            return None
        batch, count = features_BNC.shape[:2]
        kept = max(1, round(count * share))
        drawn = torch.rand(batch, count, device=features_BNC.device)
        return drawn.topk(kept, dim=1).indices.sort(dim=1).values

    def _evaluate(self) -> dict[str, float]:
        """Dev figures with the averaged weights; the best so far is kept as a checkpoint."""
        context, config, step = self._context, self._context.config, self.state.step
        if not context.dev:
            return {}
        figures: dict[str, float] = {}
        self.state.check()
        with self.state.averaged() as model:
            for dev in context.dev:
                figures |= measure(
                    model,
                    context.tokenizer,
                    dev,
                    context.device,
                    beams=config.evaluation.beams,
                    caption_samples=config.evaluation.caption_samples,
                )
            context.run.append({"step": step, **figures})
            score = sum(_score(figures, dev.name) for dev in context.dev) / len(context.dev)
            if score > self._best:
                self._best = score
                card = train_card(config, context.notes, figures, step)
                save_checkpoint(context.run.best, model, context.tokenizer, card, half=True)
        self._report(TrainReport(stage="dev", done=step, total=self._total, figures=figures))
        return figures

    def _save(self) -> None:
        self.state.check()  # a state that is no numbers would poison every resume
        seconds = self._seconds + self._eta.seconds
        self._context.run.save_state(self.state, {"best": self._best, "seconds": seconds})
        self._saved = self.state.step

    def _report_step(self, losses: Mapping[str, float]) -> None:
        done = self.state.step
        if done % self._context.config.report_steps and done != self._total:
            return
        left = self._eta.seconds_left(done, self._total)
        row = {name: round(value, 6) for name, value in losses.items()}
        seconds = round(self._seconds + self._eta.seconds, 1)
        self._context.run.append({"step": done, "seconds": seconds, **row})
        self._report(
            TrainReport(stage="train", done=done, total=self._total, seconds_left=left, figures=row)
        )


def _where(error: Exception, step: int) -> str:
    return str(error) if isinstance(error, DivergedError) else f"in step {step:,}"


def _score(figures: Mapping[str, float], name: str) -> float:
    """The score that the best checkpoint has: recall and captions weigh about the same."""
    recall = figures[f"{name}/t2i_r1"] + 0.25 * figures[f"{name}/t2i_r10"]
    return recall + 40 * figures[f"{name}/cider_d"]
