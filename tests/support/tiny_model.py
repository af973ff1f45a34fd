"""A real but tiny CoCa checkpoint with random weights, made in a second."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.checkpoints.int8_rows import rounded_to_grid
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig, HubnessConfig, ImageEncoderKind, NormPlace
from cocadesk.model.tag_constants import TagConstants
from cocadesk.model.tokenizers.byte_pairs import train_tokenizer
from cocadesk.model.tokenizers.tokenizer import MARKERS, TextTokenizer
from cocadesk.model.tokenizers.word_pieces import UNKNOWN, word_piece_tokenizer
from tests.support.configs import tiny_config
from tests.support.word_pieces import PIECES

BANKS = HubnessConfig(texts=7, photos=5)
"""The banks of ``corrected_model``."""
_TEXTS = [
    "a brown dog runs on the green grass",
    "two children play with a red ball",
    "a cat sleeps on a blue chair",
    "a bridge over a river at night",
]


def tiny_tokenizer(vocabulary: int = 512) -> TextTokenizer:
    """A byte-level BPE learned from four sentences."""
    return train_tokenizer(_TEXTS * 4, vocabulary)


def styled_tokenizer(vocabulary: int = 512, filler: str = "[unused{}]") -> TextTokenizer:
    """Word pieces with a marker for each style of captions; ``filler`` numbers the rest."""
    markers = (*MARKERS, UNKNOWN, "<short>", "<sentence>", "<alt text>")
    pieces = dict.fromkeys((*markers, *(word for text in _TEXTS for word in text.split()), *PIECES))
    unused = (filler.format(number) for number in range(vocabulary - len(pieces)))
    return word_piece_tokenizer([*pieces, *unused])


def tiny_model(
    seed: int = 0,
    kind: ImageEncoderKind = ImageEncoderKind.VIT,
    spread: float = 0.3,
    *,
    config: CocaConfig | None = None,
) -> CoCa:
    """Weights wide enough that pictures and texts differ clearly."""
    torch.manual_seed(seed)
    model = CoCa(config or tiny_config(kind=kind))
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and "trunk" not in name:
            torch.nn.init.normal_(parameter, std=spread)
    return model.eval()


def sentence_model(seed: int = 0) -> CoCa:
    """Such a model whose text side has a sentence model's layers."""
    return tiny_model(seed, config=tiny_config(norm=NormPlace.POST))


@torch.no_grad()
def table_on_grid(model: CoCa) -> CoCa:
    """The model with its table of words rounded to an int8 grid, each row to its own."""
    table = model.unimodal.embedding.weight
    table.copy_(rounded_to_grid(table))
    return model


def write_tiny_checkpoint(
    folder: Path, seed: int = 0, *, has_styles: bool = False, tagging: TagConstants | None = None
) -> Path:
    """Writes such a model as a checkpoint folder and gives its path."""
    tokenizer = styled_tokenizer() if has_styles else tiny_tokenizer()
    card = "A tiny test model, {model_id}."
    save_checkpoint(folder, tiny_model(seed), tokenizer, card, tagging=tagging)
    return folder


@torch.no_grad()
def corrected_model(seed: int = 0, kind: ImageEncoderKind = ImageEncoderKind.VIT) -> CoCa:
    """Such a model with banks of a few vectors that correct its hubs."""
    model = tiny_model(seed, config=replace(tiny_config(kind=kind), hubness=BANKS))
    for number, hubness in enumerate((model.image_hubness, model.text_hubness)):
        assert hubness is not None
        random = torch.Generator().manual_seed(number)
        bank = torch.nn.functional.normalize(torch.randn(hubness.bank.shape, generator=random))
        hubness.bank.copy_(rounded_to_grid(bank))
        hubness.level.fill_(0.05)
    return model
