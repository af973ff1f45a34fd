"""One training step, for plain training and for tuning: losses, gradient, optimiser, average.

The two losses are CoCa's (paper, section 3.2, equations 1 to 4).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cocadesk.model.network.coca import CoCa, CocaOutput
from trainer.config import LossConfig, OptimiserConfig, Schedule
from trainer.device import TrainDevice

_FUSED = ("cpu", "cuda")
_TEXT_SIDE = ("unimodal.", "text_")
ModelT = TypeVar("ModelT", bound=nn.Module)


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """``total``, a scalar with gradient, and the ``parts`` that it is the weighted sum of."""

    total: Tensor
    parts: Mapping[str, Tensor]


def contrastive_loss(
    image_BE: Tensor, text_BE: Tensor, logit_scale: Tensor, groups_B: Tensor
) -> Tensor:
    """L_con: the sum of both directions, each averaged over the batch (equation 1).

    open_clip halves it: its contrastive weight 1 is λ_con 0.5 here. Pictures
    whose captions are equal share a number in ``groups`` (B,) and count as
    positives of each other; the target is spread evenly over the positives.
    """
    logits = logit_scale * image_BE @ text_BE.T
    positive = (groups_B[:, None] == groups_B[None, :]).to(logits.dtype)
    target = positive / positive.sum(1, keepdim=True)  # symmetric groups: same for both ways
    image_to_text = -(target * logits.log_softmax(1)).sum(1).mean()
    text_to_image = -(target * logits.T.log_softmax(1)).sum(1).mean()
    return image_to_text + text_to_image


def coca_losses(output: CocaOutput, groups_B: Tensor, config: LossConfig) -> Losses:
    """Both losses of one pass; L_cap is the mean over all real next tokens (equation 2)."""
    contrastive = contrastive_loss(output.image_BE, output.text_BE, output.logit_scale, groups_B)
    caption = F.cross_entropy(
        output.logits_PV.float(), output.targets_P, label_smoothing=config.label_smoothing
    )
    return Losses(
        total=config.contrastive * contrastive + config.caption * caption,
        parts={"contrastive": contrastive, "caption": caption},
    )


def caption_groups(captions: Sequence[str]) -> Tensor:
    """(B,) int64: captions that read the same get the same number."""
    numbers: dict[str, int] = {}
    return torch.tensor([numbers.setdefault(c.casefold(), len(numbers)) for c in captions])


def build_optimiser(model: nn.Module, config: OptimiserConfig) -> torch.optim.AdamW:
    """AdamW; biases, norms, positions and the temperature are not decayed.

    A ``text_rate`` gives the unimodal half groups of its own: a share of the learning rate.
    """
    learned = [(n, p) for n, p in model.named_parameters() if p.requires_grad]
    text = [(n, p) for n, p in learned if config.text_rate and n.startswith(_TEXT_SIDE)]
    names = {name for name, _ in text}
    rest = [(n, p) for n, p in learned if n not in names]
    groups = _groups(rest, 1.0, config.weight_decay)
    groups += _groups(text, config.text_rate, config.text_decay) if text else []
    return torch.optim.AdamW(
        groups,
        lr=config.learning_rate,
        betas=(config.beta1, config.beta2),
        eps=1e-8,
        fused=all(p.device.type in _FUSED for _, p in learned),
    )


def _groups(
    parameters: Sequence[tuple[str, nn.Parameter]], share: float, decay: float
) -> list[dict[str, Any]]:
    """Two groups of one share of the learning rate: those that are decayed, and the others."""
    decayed = [p for n, p in parameters if p.ndim >= 2 and "position" not in n]
    plain = [p for n, p in parameters if p.ndim < 2 or "position" in n]
    return [
        {"params": decayed, "weight_decay": decay, "share": share},
        {"params": plain, "weight_decay": 0.0, "share": share},
    ]


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


class DivergedError(Exception):
    """The loss, its gradient or the weights are no numbers any more; nothing was changed by it."""

    def __init__(self, step: int, rate: float) -> None:
        super().__init__(f"in step {step:,}, at a learning rate of {rate:.3g}")
        self.step = step


class StepState(Generic[ModelT]):
    """A network on its device, its optimiser and weight average, and the steps taken.

    All randomness of a step is a function of (seed, step), so the number of the
    step is all that a resumed run needs of it. Between steps the network is in
    evaluation mode.
    """

    def __init__(
        self,
        model: ModelT,
        config: OptimiserConfig,
        *,
        seed: int,
        device: TrainDevice,
        has_dropout: bool = True,
    ) -> None:
        self.model = model.to(device.device).eval()
        self.config = config
        self.seed = seed
        self.device = device
        self.step = 0
        self.optimiser = build_optimiser(model, config)
        self.average = WeightAverage(model, config.ema_decay) if config.ema_decay else None
        self._has_dropout = has_dropout

    def advance(self, passes: Sequence[Callable[[], Losses]]) -> dict[str, float]:
        """One optimiser step over equal parts of a batch; gives the mean losses by name.

        A part may lock weights for the step by giving them no gradient.

        Raises:
            DivergedError: a loss or the gradient is no number; the step is not taken.
        """
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        rate = learning_rate(self.step, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate * group["share"]
        self.model.train(self._has_dropout)
        sums: dict[str, float] = {}
        for forward in passes:
            losses = forward()
            (losses.total / len(passes)).backward()  # type: ignore[no-untyped-call]
            for name, value in {"loss": losses.total, **losses.parts}.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / len(passes)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        if not (all(map(math.isfinite, (*sums.values(), float(norm))))):
            self.optimiser.zero_grad(set_to_none=True)
            self.model.eval()
            raise DivergedError(self.step + 1, rate)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update(self.model, self.step)
        self.model.eval()
        self.step += 1
        return sums | {"lr": rate, "grad_norm": float(norm)}

    @torch.no_grad()
    def check(self) -> None:
        """Looks at all weights, before they are measured or saved.

        Raises:
            DivergedError: one is no number: the last step has broken them.
        """
        average = self.average.weights.values() if self.average is not None else ()
        learned = (p for p in self.model.parameters() if p.requires_grad)
        if not all(bool(torch.isfinite(weight).all()) for weight in (*learned, *average)):
            raise DivergedError(self.step, learning_rate(max(0, self.step - 1), self.config))

    @contextmanager
    def averaged(self) -> Iterator[ModelT]:
        """The network with its averaged weights, for the time of the block."""
        if self.average is None:
            yield self.model
            return
        self.average.swap(self.model)
        try:
            yield self.model
        finally:
            self.average.swap(self.model)

    def settle(self) -> None:
        """Takes the averaged weights for good, for the stage that follows."""
        if self.average is not None:
            self.average.swap(self.model)
            self.average = None


class TrainState(StepState[CoCa]):
    """The state of a CoCa network's training; its figures tell the temperature too."""

    def advance(self, passes: Sequence[Callable[[], Losses]]) -> dict[str, float]:
        figures = super().advance(passes)
        return figures | {"logit_scale": float(self.model.logit_scale.detach())}
