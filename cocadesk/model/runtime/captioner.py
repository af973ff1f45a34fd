"""Caption writing in torch from pooled image tokens."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.model.device import DeviceChoice
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.generation import generate
from cocadesk.model.options import GenerationOptions


class Captioner:
    """Token ids and mean log probability of a caption for each picture's tokens."""

    def __init__(self, model: CoCa, device: DeviceChoice) -> None:
        self._device = device.device
        self._model = model

    def __call__(
        self, tokens_BQD: NDArray[np.float32], options: GenerationOptions
    ) -> list[tuple[tuple[int, ...], float]]:
        pooled = torch.from_numpy(np.ascontiguousarray(tokens_BQD)).to(self._device)
        made = generate(self._model, pooled, options)
        return [(caption.ids, caption.mean_log_probability) for caption in made]
