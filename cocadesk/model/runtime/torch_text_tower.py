"""The text tower in torch: for many texts at once, on the CPU's cores or on CUDA."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cocadesk.model.device import DeviceChoice
from cocadesk.model.network.coca import CoCa
from cocadesk.model.tokenizers.byte_pairs import BpeTokenizer

_BATCH = 64


class TorchTextTower:
    """Unit vectors of texts; the same as ``NumpyTextTower``'s."""

    def __init__(self, model: CoCa, tokenizer: BpeTokenizer, device: DeviceChoice) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._device = device.device

    @torch.inference_mode()
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(B, E) float32, unit norm; texts beyond the context are cut."""
        config = self._model.config
        vectors = np.zeros((len(texts), config.embedding_dim), np.float32)
        # Texts of like length together: little is spent on padding.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            batch = self._tokenizer.batch([texts[row] for row in rows], config.text.context)
            ids = torch.from_numpy(batch.tokens_BT).to(self._device)
            valid = torch.from_numpy(batch.valid_BT).to(self._device)
            vectors[rows] = self._model.encode_text(ids, valid).float().cpu().numpy()
        return vectors
