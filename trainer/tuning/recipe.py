"""Numbers of a tuning run, found by trying several kinds (bench_teach.py)."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.config import OptimiserConfig

TRIAL_BELOW = 20
"""Under this many photos a trial run holds some out, and the kept run learns from all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Batch sizes, rates and weights of a run.

    A step sees ``batch`` of the tuning photos with a text each (a share ``query_share``
    of the texts are bare names, which the decoder does not learn). It replays
    ``sentences`` general sentences and ``synthetic`` captions of the untuned model,
    drawn from ``synthetic_pool`` such captions and, beside the shipped sentences, up to
    ``hard_sentences`` made from the tuning captions.
    """

    steps: int
    batch: int = 24
    sentences: int = 40
    synthetic: int = 24
    synthetic_pool: int = 384
    hard_sentences: int = 400
    query_share: float = 0.35
    learning_rate: float = 2e-4
    warmup_steps: int = 10
    weight_decay: float = 0.01
    ema_decay: float = 0.9
    contrastive: float = 1.0
    caption: float = 1.0
    alignment: float = 15.0
    anchor: float = 100.0
    distillation: float = 20.0
    image_anchor: float = 30.0
    distractor: float = 0.5
    measure_every: int = 20
    has_dropout: bool = False

    @property
    def optimiser(self) -> OptimiserConfig:
        """The same numbers as the trainer's AdamW takes them."""
        return OptimiserConfig(
            steps=self.steps,
            batch=max(2, self.batch),
            learning_rate=self.learning_rate,
            final_rate=0.05,
            warmup_steps=self.warmup_steps,
            weight_decay=self.weight_decay,
            beta2=0.99,
            ema_decay=self.ema_decay,
        )
