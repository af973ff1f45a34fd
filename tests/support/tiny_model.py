"""A real but tiny CoCa checkpoint with random weights, made in a second."""

from __future__ import annotations

from pathlib import Path

import torch

from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import ImageEncoderKind
from cocadesk.model.tokenizers.byte_pairs import train_tokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from tests.support.configs import tiny_config

_TEXTS = [
    "a brown dog runs on the green grass",
    "two children play with a red ball",
    "a cat sleeps on a blue chair",
    "a bridge over a river at night",
]


def tiny_tokenizer(vocabulary: int = 512) -> TextTokenizer:
    """A byte-level BPE learned from four sentences."""
    return train_tokenizer(_TEXTS * 4, vocabulary)


def tiny_model(
    seed: int = 0, kind: ImageEncoderKind = ImageEncoderKind.VIT, spread: float = 0.3
) -> CoCa:
    """Weights wide enough that pictures and texts differ clearly."""
    torch.manual_seed(seed)
    model = CoCa(tiny_config(kind=kind))
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and "trunk" not in name:
            torch.nn.init.normal_(parameter, std=spread)
    return model.eval()


def write_tiny_checkpoint(folder: Path, seed: int = 0) -> Path:
    """Writes such a model as a checkpoint folder and gives its path."""
    save_checkpoint(folder, tiny_model(seed), tiny_tokenizer(), "A tiny test model, {model_id}.")
    return folder
