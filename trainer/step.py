"""One training step, for plain training and for tuning: losses, gradient, optimiser, average."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from cocadesk.model.network.coca import CoCa
from trainer.config import OptimiserConfig
from trainer.device import TrainDevice
from trainer.losses import Losses
from trainer.optimiser import WeightAverage, build_optimiser, learning_rate


class TrainState:
    """A network on its device, its optimiser and weight average, and the steps taken.

    All randomness of a step is a function of (seed, step), so the number of the
    step is all that a resumed run needs of it. Between steps the network is in
    evaluation mode.
    """

    def __init__(
        self,
        model: CoCa,
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
        """One optimiser step over equal parts of a batch; gives the mean losses by name."""
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        rate = learning_rate(self.step, self.config)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train(self._has_dropout)
        sums = np.zeros(3)
        for forward in passes:
            losses = forward()
            (losses.total / len(passes)).backward()  # type: ignore[no-untyped-call]
            values = (losses.total, losses.contrastive, losses.caption)
            sums += np.array([float(value.detach()) for value in values]) / len(passes)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_norm)
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        if self.average is not None:
            self.average.update(self.model, self.step)
        self.model.eval()
        self.step += 1
        names = ("loss", "contrastive", "caption")
        figures = dict(zip(names, map(float, sums), strict=True))
        scale = float(self.model.logit_scale.detach())
        return figures | {"lr": rate, "grad_norm": float(norm), "logit_scale": scale}

    @contextmanager
    def averaged(self) -> Iterator[CoCa]:
        """The network with its averaged weights, for the time of the block."""
        if self.average is None:
            yield self.model
            return
        self.average.swap(self.model)
        try:
            yield self.model
        finally:
            self.average.swap(self.model)
