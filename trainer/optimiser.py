"""AdamW with warm-up and decay, and an average of the weights over time."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from trainer.config import OptimiserConfig, Schedule

_FUSED = ("cpu", "cuda")


def build_optimiser(model: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """AdamW; biases, norms, positions and the temperature are not decayed."""
    learned = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    decayed = [p for n, p in learned if p.ndim >= 2 and "position" not in n]
    plain = [p for n, p in learned if p.ndim < 2 or "position" in n]
    return torch.optim.AdamW(
        [
            {"params": decayed, "weight_decay": config.weight_decay},
            {"params": plain, "weight_decay": 0.0},
        ],
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=1e-8,
        fused=all(p.device.type in _FUSED for _, p in learned),
    )


def learning_rate(step: int, config: OptimiserConfig) -> float:
    """The rate of a step (from 0): linear warm-up, then cosine or linear decay."""
    if step < config.warmup_steps:
        return config.learning_rate * (step + 1) / config.warmup_steps
    span = max(1, config.steps - config.warmup_steps)
    progress = min(1.0, (step - config.warmup_steps) / span)
    falling = (
        0.5 * (1 + math.cos(math.pi * progress))
        if config.schedule is Schedule.COSINE
        else 1 - progress
    )
    return config.learning_rate * (config.final_rate + (1 - config.final_rate) * falling)


class WeightAverage:
    """An exponential moving average of the learned weights (Polyak averaging).

    The decay grows with the steps, so that early random weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {
            name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad
        }

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Takes saved averages, onto the device of its own; KeyError where one is missing."""
        for name, own in self.weights.items():
            own.copy_(weights[name])

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        """Moves the average towards the model's weights after a step."""
        decay = min(self.decay, (1 + step) / (10 + step))
        current = dict(model.named_parameters())
        names = list(self.weights)
        torch._foreach_lerp_(
            [self.weights[n] for n in names], [current[n].detach() for n in names], 1 - decay
        )

    @torch.no_grad()
    def swap(self, model: nn.Module) -> None:
        """Exchanges the average and the model's weights; twice gives them back."""
        for name, parameter in model.named_parameters():
            if name in self.weights:
                kept: Tensor = parameter.detach().clone()
                parameter.copy_(self.weights[name])
                self.weights[name].copy_(kept)
