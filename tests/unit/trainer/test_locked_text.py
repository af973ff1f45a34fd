"""Lowest layers of a text side that are locked: the same function, made once a text."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from cocadesk.model.network.config import NormPlace
from cocadesk.model.network.text_decoder import UnimodalDecoder
from cocadesk.model.tokenizers.tokenizer import TokenBatch
from tests.support.configs import tiny_config
from tests.support.tiny_model import tiny_tokenizer
from tests.support.tuning_data import CPU
from trainer.evaluate import token_tensors
from trainer.stages.locked_text import LockedText

TEXTS = ["a dog", "two children play with a red ball on the grass", "a dog", ""]


def _decoder(norm: NormPlace) -> UnimodalDecoder:
    torch.manual_seed(0)
    return UnimodalDecoder(replace(tiny_config(norm=norm).text, unimodal_layers=3)).eval()


def _batch() -> TokenBatch:
    return tiny_tokenizer().batch(TEXTS, 40)


@pytest.mark.parametrize("norm", list(NormPlace))
@pytest.mark.parametrize("layers", [1, 2])
def test_locked_layers_change_no_vector(norm: NormPlace, layers: int) -> None:
    """But for what float16 rounds off; also of texts that came before, in another batch."""
    decoder, batch = _decoder(norm), _batch()
    with torch.no_grad():
        states, cls = decoder(*token_tensors(batch, CPU))
        locked = LockedText(decoder, layers, CPU)
        locked(batch.take(np.array([1, 0])))
        found_states, found_cls = locked(batch)
    valid = torch.from_numpy(batch.valid_BT)
    torch.testing.assert_close(found_cls, cls, atol=5e-3, rtol=0)
    torch.testing.assert_close(found_states[valid], states[valid], atol=5e-3, rtol=0)


def test_only_the_upper_layers_learn() -> None:
    """The table, the positions, [CLS] and the locked layers have no gradient."""
    decoder = _decoder(NormPlace.POST)
    locked = LockedText(decoder, 1, CPU)
    locked(_batch())[1].sum().backward()
    learned = {name for name, p in decoder.named_parameters() if p.grad is not None}
    assert learned
    assert all(name.startswith(("layers.1.", "layers.2.")) for name in learned)


def test_a_text_goes_through_the_locked_layers_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The captions come back in every epoch."""
    decoder = _decoder(NormPlace.POST)
    locked = LockedText(decoder, 1, CPU)
    passed: list[int] = []
    lower = decoder.lower

    def counted(tokens: torch.Tensor, valid: torch.Tensor, count: int) -> torch.Tensor:
        passed.append(len(tokens))
        return lower(tokens, valid, count)

    monkeypatch.setattr(decoder, "lower", counted)
    locked(_batch())
    locked(_batch())
    assert passed == [1, 1, 1]
