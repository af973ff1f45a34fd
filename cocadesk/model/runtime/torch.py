"""A network's towers in torch: pictures, and many texts at once; CPU or CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cocadesk.model.device import DeviceChoice
from cocadesk.model.mapped_files import forget_mapped
from cocadesk.model.network.coca import CoCa
from cocadesk.model.tokenizers.tokenizer import TextTokenizer

Pooled = tuple[NDArray[np.float32], NDArray[np.float32]]


def forget_as_it_goes(model: CoCa, weights: Path) -> None:
    """Lets a network that is used but once give back the memory of each layer after it.

    Its weights lie in a mapped file, and nobody may have changed them.
    """
    layers = getattr(model.image_encoder, "layers", ())
    for layer in layers:
        layer.register_forward_hook(lambda *_: forget_mapped(weights))


class PooledModule(nn.Module):
    """The image side: (B, S, S, 3) uint8 → unit vector (B, E) and decoder tokens (B, Q, D)."""

    def __init__(self, model: CoCa) -> None:
        super().__init__()
        self.model = model

    def forward(self, images_BHWC: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.model.encode_image(images_BHWC)
        return pooled.vector_BE, pooled.tokens_BQD


class TorchImageTower:
    """The tower in torch, on the CPU or a CUDA device."""

    def __init__(self, model: CoCa, device: str) -> None:
        self.module = PooledModule(model).to(device).eval()
        self._device = device

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        vector, tokens = self._computed(images_BHWC)
        return vector.float().cpu().numpy(), tokens.float().cpu().numpy()

    def vectors(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The first of them alone."""
        found: NDArray[np.float32] = self._computed(images_BHWC)[0].float().cpu().numpy()
        return found

    @torch.inference_mode()
    def _computed(self, images_BHWC: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        images = torch.from_numpy(np.ascontiguousarray(images_BHWC)).to(self._device)
        vector, tokens = self.module(images)
        return vector, tokens


class TorchTextTower:
    """Unit vectors of texts; the same as ``NumpyTextTower``'s."""

    def __init__(self, model: CoCa, tokenizer: TextTokenizer, device: DeviceChoice) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._device = device.device

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(B, E) float32, unit norm; texts beyond the context are cut."""
        config = self._model.config
        vectors = np.zeros((len(texts), config.vector_dim), np.float32)
        for rows, batch in self._tokenizer.batches(texts, config.text.context):
            ids = torch.from_numpy(batch.tokens_BT).to(self._device)
            valid = torch.from_numpy(batch.valid_BT).to(self._device)
            vectors[rows] = self._model.encode_text(ids, valid).float().cpu().numpy()
        return vectors
