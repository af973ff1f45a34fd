"""The network that is taught: what its file says of how to store the taught one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from tests.support.tiny_model import sentence_model, table_on_grid, tiny_tokenizer
from trainer.tuning.methods import find_method
from trainer.tuning.network import open_network


@pytest.mark.parametrize("is_half", [False, True])
def test_an_int8_table_says_nothing_of_the_other_weights(tmp_path: Path, is_half: bool) -> None:
    """A model in half precision stays one, and a lesson starts from the table's very numbers."""
    model = table_on_grid(sentence_model())
    save_checkpoint(tmp_path / "model", model, tiny_tokenizer(), "", half=is_half)
    network = open_network(str(tmp_path / "model"), "cpu")
    try:
        assert network.is_half == is_half
        fresh = network.fresh_model(find_method("head"))
        assert torch.equal(fresh.unimodal.embedding.weight, model.unimodal.embedding.weight)
    finally:
        network.close()
