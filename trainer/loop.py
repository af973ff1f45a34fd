"""The training loop: evaluate → save → step → report."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.network.coca import CoCa
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer, pad_batch
from trainer.card import write_card
from trainer.checkpoint import RunFolder
from trainer.config import TrainConfig
from trainer.data import Dataset, Draw, Example, Sampler
from trainer.evaluate import DevSet, measure
from trainer.features import PictureSource
from trainer.losses import caption_groups, coca_losses
from trainer.optimiser import WeightAverage, build_optimiser, learning_rate

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainReport:
    """What a run says about itself as it goes; ``figures`` are losses or dev figures."""

    stage: str
    done: int
    total: int
    seconds_left: float | None = None
    figures: dict[str, float] = field(default_factory=dict)


Reporter = Callable[[TrainReport], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainContext:
    """What a loop works with."""

    config: TrainConfig
    model: CoCa
    tokenizer: BpeTokenizer
    examples: list[Example]
    source: PictureSource
    dev: list[DevSet]
    run: RunFolder
    dtype: torch.dtype
    notes: dict[str, Any]


class Loop:
    """One run over one process."""

    def __init__(self, parts: TrainContext, report: Reporter) -> None:
        self._parts = parts
        self._report = report
        config = parts.config
        self._optimiser = build_optimiser(parts.model, config.optimiser)
        decay = config.optimiser.ema_decay
        self._average = WeightAverage(parts.model, decay) if decay else None
        self._sampler = Sampler(
            Dataset(examples=tuple(parts.examples), skipped={}),
            config.optimiser.batch,
            config.features.views,
            config.seed,
        )
        self._best = -1.0
        self._seconds = 0.0

    def run(self) -> dict[str, float]:
        """Trains to the end, from the saved state where there is one; the last dev figures."""
        config = self._parts.config
        record = self._parts.run.load_state(self._parts.model, self._optimiser, self._average)
        start = int(record["step"]) if record else 0
        if record:
            self._best = float(record["best"])
            self._seconds = float(record["seconds"])
            self._parts.run.drop_metrics_after(start)
        self._parts.model.train()
        figures: dict[str, float] = {}
        clock = time.monotonic()
        for step in range(start, config.optimiser.steps):
            if step and step % config.evaluation.every_steps == 0 and step != start:
                figures = self._evaluate(step)
            if step and step % config.checkpoint_steps == 0 and step != start:
                self._save(step, clock)
            losses = self._step(step)
            self._report_step(step, start, losses, clock)
        figures = self._evaluate(config.optimiser.steps)
        self._save(config.optimiser.steps, clock)
        return figures

    def _step(self, step: int) -> dict[str, float]:
        """One optimiser step; all randomness comes from (seed, step)."""
        parts, config = self._parts, self._parts.config.optimiser
        torch.manual_seed(parts.config.seed * 1_000_003 + step)
        rate = learning_rate(step, config)
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        draw = self._sampler.draw(step)
        sums = np.zeros(3)
        for part in np.array_split(np.arange(len(draw.picture_B)), config.accumulate):
            sums += self._forward_backward(_select(draw, part)) / config.accumulate
        norm = torch.nn.utils.clip_grad_norm_(parts.model.parameters(), config.clip_norm)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        if self._average is not None:
            self._average.update(parts.model, step)
        scale = float(parts.model.logit_scale.detach())
        names = ("loss", "contrastive", "caption")
        figures = dict(zip(names, (float(v) for v in sums), strict=True))
        return figures | {"lr": rate, "grad_norm": float(norm), "logit_scale": scale}

    def _forward_backward(self, draw: Draw) -> np.ndarray[Any, np.dtype[np.float64]]:
        parts, config = self._parts, self._parts.config
        captions = [
            parts.examples[p].captions[c]
            for p, c in zip(draw.picture_B, draw.caption_B, strict=True)
        ]
        context = config.model.text.context
        rows = [parts.tokenizer.encode(caption, context) for caption in captions]
        longest = min(context, config.data.caption_tokens)
        batch = pad_batch([row[:longest] for row in rows], parts.tokenizer.pad_id)
        fetched = parts.source.fetch(draw.picture_B, draw.view_B)
        with self._autocast():
            if parts.source.cached:
                features = fetched.to(parts.dtype)
            else:
                features = parts.model.image_encoder.features(fetched)
            output = parts.model(
                torch.from_numpy(batch.tokens_BT),
                torch.from_numpy(batch.valid_BT),
                features_BNC=features,
                keep_BK=self._kept_tokens(features),
            )
        # Outside of autocast: similarities in bf16 are too coarse to rank by.
        losses = coca_losses(output, caption_groups(captions), config.loss)
        (losses.total / config.optimiser.accumulate).backward()  # type: ignore[no-untyped-call]
        values = (losses.total, losses.contrastive, losses.caption)
        return np.array([float(value.detach()) for value in values])

    def _kept_tokens(self, features_BNC: Tensor) -> Tensor | None:
        """Which image tokens a step sees, (B, K): a share of them, in order."""
        share = self._parts.config.features.keep_tokens
        if share >= 1:
            return None
        batch, count = features_BNC.shape[:2]
        kept = max(1, round(count * share))
        return torch.rand(batch, count).topk(kept, dim=1).indices.sort(dim=1).values

    def _autocast(self) -> AbstractContextManager[object]:
        if self._parts.dtype is torch.float32:
            return nullcontext()
        return torch.autocast("cpu", self._parts.dtype)

    def _evaluate(self, step: int) -> dict[str, float]:
        """Dev figures with the averaged weights; the best so far is kept as a checkpoint."""
        parts, config = self._parts, self._parts.config
        if not parts.dev:
            return {}
        if self._average is not None:
            self._average.swap(parts.model)
        figures: dict[str, float] = {}
        for dev in parts.dev:
            figures |= measure(
                parts.model,
                parts.tokenizer,
                dev,
                self._autocast(),
                beams=config.evaluation.beams,
                caption_samples=config.evaluation.caption_samples,
            )
        parts.run.append_metrics({"step": step, **figures})
        score = sum(_score(figures, dev.name) for dev in parts.dev) / len(parts.dev)
        if score > self._best:
            self._best = score
            card = write_card(config, parts.notes, figures, step)
            save_checkpoint(parts.run.best, parts.model, parts.tokenizer, card, half=True)
        if self._average is not None:
            self._average.swap(parts.model)
        self._report(
            TrainReport(stage="dev", done=step, total=config.optimiser.steps, figures=figures)
        )
        return figures

    def _save(self, step: int, clock: float) -> None:
        self._parts.run.save_state(
            step,
            self._parts.model,
            self._optimiser,
            self._average,
            {"best": self._best, "seconds": self._seconds + time.monotonic() - clock},
        )

    def _report_step(self, step: int, start: int, losses: dict[str, float], clock: float) -> None:
        config = self._parts.config
        done = step + 1
        if done % config.report_steps and done != config.optimiser.steps:
            return
        spent = time.monotonic() - clock
        left = spent / (done - start) * (config.optimiser.steps - done)
        row = {name: round(value, 6) for name, value in losses.items()}
        self._parts.run.append_metrics(
            {"step": done, "seconds": round(self._seconds + spent, 1), **row}
        )
        self._report(
            TrainReport(
                stage="train",
                done=done,
                total=config.optimiser.steps,
                seconds_left=left,
                figures=row,
            )
        )


def _select(draw: Draw, part: np.ndarray[Any, np.dtype[np.int64]]) -> Draw:
    return Draw(
        picture_B=draw.picture_B[part], view_B=draw.view_B[part], caption_B=draw.caption_B[part]
    )


def _score(figures: dict[str, float], name: str) -> float:
    """What "best" means: recall and captions weigh about the same."""
    recall = figures[f"{name}/t2i_r1"] + 0.25 * figures[f"{name}/t2i_r10"]
    return recall + 40 * figures[f"{name}/cider_d"]
