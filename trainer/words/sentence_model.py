"""The sentence model that the text side learns words from: a BERT whose outputs are averaged.

Its vectors teach (``vectors``), its pieces and their table become the tokenizer's
(``vocabulary``), and some of its layers the unimodal decoder's (``start_text_side``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints.int8_rows import rounded_to_grid
from cocadesk.model.network.layers import PostNormLayer
from cocadesk.model.network.text_decoder import UnimodalDecoder
from cocadesk.model.tokenizers.tokenizer import pad_batch
from trainer.words.packages import package_file

_BATCH = 256
PAD, BEGIN, END, UNKNOWN, MASK = "[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"


class SentenceModel(nn.Module):
    """Unit vectors (T, D) of texts; it never learns. ``tokens`` are the most that it reads."""

    table_VD: Tensor
    position_TD: Tensor

    def __init__(
        self,
        weights: Mapping[str, Tensor],
        tokenizer: Tokenizer,
        *,
        heads: int,
        norm_eps: float = 1e-12,
        tokens: int = 40,
    ) -> None:
        super().__init__()
        table = weights["embeddings.word_embeddings.weight"].float()
        kind = weights["embeddings.token_type_embeddings.weight"][0]
        position = weights["embeddings.position_embeddings.weight"] + kind
        self.register_buffer("table_VD", table)
        self.register_buffer("position_TD", position.float())
        width = table.shape[1]
        self.norm = nn.LayerNorm(width)
        self.norm.load_state_dict(_pair(weights, "embeddings.LayerNorm"))
        mlp_width = len(weights["encoder.layer.0.intermediate.dense.bias"])
        self.layers = nn.ModuleList()
        while f"encoder.layer.{len(self.layers)}.output.dense.bias" in weights:
            layer = PostNormLayer(width, heads, mlp_width)
            layer.load_state_dict(_layer_weights(weights, len(self.layers)))
            self.layers.append(layer)
        for module in self.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = norm_eps
        self.tokenizer = tokenizer
        self._tokens = min(tokens, len(position))
        self.requires_grad_(False).eval()

    @property
    def width(self) -> int:
        """The numbers of a vector."""
        return int(self.table_VD.shape[1])

    @torch.no_grad()
    def forward(self, tokens_BT: Tensor, valid_BT: Tensor) -> Tensor:
        """Unit vectors: the mean of the outputs that are no padding."""
        x = F.embedding(tokens_BT, self.table_VD) + self.position_TD[: tokens_BT.shape[1]]
        x = self.norm(x)
        for layer in self.layers:
            x = layer(x, valid_BT[:, None, None, :])
        seen = valid_BT.unsqueeze(-1).to(x.dtype)
        return F.normalize((x * seen).sum(1) / seen.sum(1), dim=-1)

    def vectors(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors (T, D) of texts, on the model's device."""
        found = torch.zeros(len(texts), self.width, device=self.table_VD.device)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))  # little padding
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            batch = pad_batch(self._ids([texts[row] for row in rows]), 0)
            tokens, valid = torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
            found[rows] = self(tokens.to(found.device), valid.to(found.device))
        return found

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids with the markers of begin and end, the end's kept where a text is cut."""
        rows = [encoding.ids for encoding in self.tokenizer.encode_batch(list(texts))]
        most = self._tokens
        return [row if len(row) <= most else [*row[: most - 1], row[-1]] for row in rows]


def load_sentence_model(package: str) -> SentenceModel:
    """The model that an installed package carries in its folder ``model``.

    Raises:
        UserError: the package is not installed, or its files are no BERT.
    """
    folder = package_file(package, "model", "The sentence model")
    return read_sentence_model(folder)


def read_sentence_model(folder: Path) -> SentenceModel:
    """The model in a folder of ``model.safetensors``, ``config.json`` and ``tokenizer.json``.

    Raises:
        UserError: the files are no BERT.
    """
    try:
        weights = load_file(folder / "model.safetensors")
        config = json.loads((folder / "config.json").read_text("utf-8"))
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return SentenceModel(
            weights,
            tokenizer,
            heads=int(config["num_attention_heads"]),
            norm_eps=float(config.get("layer_norm_eps", 1e-12)),
        )
    except Exception as error:  # tokenizers raises plain Exception on foreign JSON
        raise UserError(
            tr("The sentence model in {folder} cannot be used.", folder=folder),
            tr("Its files are damaged or of another kind of network ({error}).", error=error),
            tr("Install its package again."),
        ) from error


def _pair(weights: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {part: weights[f"{name}.{part}"] for part in ("weight", "bias")}


def _layer_weights(weights: Mapping[str, Tensor], index: int) -> dict[str, Tensor]:
    """A BERT layer's weights under the names of ``PostNormLayer``."""
    own = f"encoder.layer.{index}."
    names = {
        "attention.query": "attention.self.query",
        "attention.out": "attention.output.dense",
        "attention_norm": "attention.output.LayerNorm",
        "mlp.0": "intermediate.dense",
        "mlp.2": "output.dense",
        "mlp_norm": "output.LayerNorm",
    }
    found = {
        f"{ours}.{part}": weight
        for ours, theirs in names.items()
        for part, weight in _pair(weights, own + theirs).items()
    }
    key, value = (_pair(weights, f"{own}attention.self.{name}") for name in ("key", "value"))
    return found | {
        f"attention.key_value.{part}": torch.cat((key[part], value[part])) for part in key
    }


@torch.no_grad()
def start_text_side(
    text: UnimodalDecoder, sentence: SentenceModel, rows_V: Tensor, layers: Sequence[int]
) -> None:
    """Fills the unimodal decoder from the model and locks its table.

    ``rows_V`` are the table's rows of each id; ``layers`` are the model's layers that
    become the decoder's. [CLS] starts as the mask's piece in the second place.

    Raises:
        UserError: the decoder has other sizes than the sentence model.
    """
    table = rounded_to_grid(sentence.table_VD)
    try:
        if text.embedding_norm is None or len(layers) != len(text.layers):
            raise ValueError(f"{len(text.layers)} layers with POST norms for {list(layers)}")
        text.embedding.weight.copy_(table[rows_V])
        text.position.copy_(sentence.position_TD[: len(text.position)])
        mask = sentence.tokenizer.token_to_id(MASK)
        text.cls.copy_(table[mask] + sentence.position_TD[1])
        text.embedding_norm.load_state_dict(sentence.norm.state_dict())
        for layer, index in zip(text.layers, layers, strict=True):
            layer.load_state_dict(sentence.layers[index].state_dict())
    except (ValueError, RuntimeError, IndexError) as error:
        raise UserError(
            tr("The text side cannot start from the sentence model."),
            tr("Their sizes differ ({error}).", error=error),
            tr(
                "Give model.text the width {width}, the sentence model's heads and "
                'mlp_width, unimodal_norm = "post", and as many unimodal_layers as '
                "words.layers.",
                width=sentence.width,
            ),
        ) from error
    text.embedding.weight.requires_grad_(False)
