"""The lowest layers of a text side that never learn: what they give is made once a text.

They are three quarters of a text's cost, and the same captions come back every epoch.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cocadesk.model.network.text_decoder import UnimodalDecoder
from cocadesk.model.tokenizers.tokenizer import TokenBatch
from trainer.device import TrainDevice
from trainer.evaluate import token_tensors

Halves = NDArray[np.float16]


class LockedText:
    """The first ``layers`` of a decoder, locked, and their outputs by text in float16.

    A caption of twelve tokens takes 10 kB at a width of 384.
    """

    def __init__(self, decoder: UnimodalDecoder, layers: int, device: TrainDevice) -> None:
        self._decoder = decoder
        self._layers = layers
        self._device = device
        self._kept: dict[bytes, Halves] = {}
        for part in _locked_parts(decoder, layers):
            part.requires_grad_(False)

    def __call__(self, batch: TokenBatch) -> tuple[Tensor, Tensor]:
        """What the whole decoder gives: (B, T, D) and (B, D); the upper layers get a gradient."""
        valid_BT = self._device.tensor(batch.valid_BT)
        states_BTD = self._device.floats(self._states(batch))
        return self._decoder.upper(states_BTD, valid_BT, self._layers)

    def _states(self, batch: TokenBatch) -> Halves:
        lengths = batch.valid_BT.sum(1)
        keys = [row[:n].tobytes() for row, n in zip(batch.tokens_BT, lengths, strict=True)]
        fresh = {key: place for place, key in enumerate(keys) if key not in self._kept}
        if fresh:
            self._add(batch.take(np.array(list(fresh.values()))))
        longest, width = batch.tokens_BT.shape[1], self._decoder.config.width
        states = np.zeros((len(keys), longest + 1, width), np.float16)
        for place, key in enumerate(keys):
            kept = self._kept[key]
            states[place, : len(kept) - 1], states[place, -1] = kept[:-1], kept[-1]
        return states

    @torch.no_grad()
    def _add(self, batch: TokenBatch) -> None:
        """Each text alone: beside others its last bits would depend on them.

        A run that was ended meets the texts in other company when it goes on.
        """
        was_training = self._decoder.training
        self._decoder.eval()
        for place in range(len(batch.tokens_BT)):
            text = batch.take(np.array([place]))
            with self._device.autocast():
                given = self._decoder.lower(*token_tensors(text, self._device), self._layers)
            states = given[0].float().cpu().numpy().astype(np.float16)
            self._kept[text.tokens_BT.tobytes()] = states
        self._decoder.train(was_training)


def _locked_parts(decoder: UnimodalDecoder, layers: int) -> Iterable[nn.Module | nn.Parameter]:
    yield from (decoder.embedding, decoder.position, decoder.cls)
    if decoder.embedding_norm is not None:
        yield decoder.embedding_norm
    yield from decoder.layers[:layers]
