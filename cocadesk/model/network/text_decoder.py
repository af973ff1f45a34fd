"""The two halves of CoCa's text decoder (paper, section 3.2, "decoupled text decoder")."""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cocadesk.model.network.config import NormPlace, TextConfig, Variant
from cocadesk.model.network.layers import KeyValue, PostNormLayer, TransformerLayer


def text_mask(valid_BT: Tensor) -> Tensor:
    """The keys that each query may see, (B, 1, T + 1, T + 1) bool; the last row is [CLS].

    Tokens are causal and never see padding; [CLS] sees every real token and
    itself, and nobody sees [CLS]. So padding changes nothing at all, and a
    batch may be trimmed to its longest caption.
    """
    # A padded query would have only padding before it at worst; the first token
    # is always real, so no row is ever empty.
    return _causal_mask(torch.cat((valid_BT, valid_BT.new_ones(len(valid_BT), 1)), dim=1))


def released_text_mask(tokens_BT: Tensor, pad_id: int) -> Tensor:
    """The mask that open_clip's CoCa weights were trained with, as ``text_mask``.

    Its padding part stands one place too far right: the first key is always seen,
    every other one where the token *before* it is no padding. So [CLS] sees the
    first padding token, and itself only after a caption that fills the context.
    """
    always = tokens_BT.new_ones(len(tokens_BT), 1).bool()
    return _causal_mask(torch.cat((always, tokens_BT != pad_id), dim=1))


def _causal_mask(seen_BK: Tensor) -> Tensor:
    length = seen_BK.shape[1]
    causal = torch.ones(length, length, dtype=torch.bool, device=seen_BK.device).tril()
    return (causal[None] & seen_BK[:, None, :])[:, None]


class UnimodalDecoder(nn.Module):
    """Causal text layers without cross-attention; [CLS] stands at the end.

    [CLS] has no position: it must not depend on the caption's padded length.
    open_clip's has one, that after the context, however short the batch is.
    """

    def __init__(self, config: TextConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = config
        self.released = config.variant is Variant.OPEN_CLIP
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.position = nn.Parameter(
            torch.randn(config.context + self.released, config.width) * 0.01
        )
        self.cls = nn.Parameter(torch.randn(config.width) * 0.01)
        self.dropout = nn.Dropout(dropout)
        is_post = config.unimodal_norm is NormPlace.POST
        self.embedding_norm = nn.LayerNorm(config.width) if is_post else None
        sizes = (config.width, config.heads, config.mlp_width)
        self.layers = nn.ModuleList(
            PostNormLayer(*sizes) if is_post else TransformerLayer(*sizes, dropout=dropout)
            for _ in range(config.unimodal_layers)
        )

    def forward(self, tokens_BT: Tensor, valid_BT: Tensor) -> tuple[Tensor, Tensor]:
        """Token outputs (B, T, D) and the [CLS] output (B, D)."""
        batch, given = tokens_BT.shape
        cls: Tensor = self.cls
        if self.released:
            # One padding token is seen (see the mask); more of them change nothing, so
            # this equals a batch that is padded to the whole context.
            missing = min(1, self.config.context - given)
            tokens_BT = F.pad(tokens_BT, (0, missing), value=self.config.pad_id)
            mask = released_text_mask(tokens_BT, self.config.pad_id)
            cls = cls + self.position[-1]
        else:
            mask = text_mask(valid_BT)
        x = self.embedding(tokens_BT) + self.position[: tokens_BT.shape[1]]
        x = self._embedded(torch.cat((x, cls.expand(batch, 1, -1)), dim=1))
        for layer in self.layers:
            x = layer(x, mask)
        return x[:, :given], x[:, -1]

    def lower(self, tokens_BT: Tensor, valid_BT: Tensor, count: int) -> Tensor:
        """Outputs (B, T + 1, D) of the first ``count`` layers, [CLS]'s last.

        With ``upper`` it gives what ``forward`` gives, for the paper's network: where these
        layers do not learn, their outputs can be kept.
        """
        words = self.embedding(tokens_BT) + self.position[: tokens_BT.shape[1]]
        cls = self.cls.expand(len(words), 1, -1)
        x: Tensor = self._embedded(torch.cat((words, cls), dim=1))
        mask = text_mask(valid_BT)
        for layer in self.layers[:count]:
            x = layer(x, mask)
        return x

    def upper(self, x_BTD: Tensor, valid_BT: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Token outputs (B, T, D) and [CLS]'s (B, D) of all layers, from ``lower``'s outputs."""
        mask = text_mask(valid_BT)
        for layer in self.layers[count:]:
            x_BTD = layer(x_BTD, mask)
        return x_BTD[:, :-1], x_BTD[:, -1]

    def _embedded(self, x_BTD: Tensor) -> Tensor:
        normed = x_BTD if self.embedding_norm is None else self.embedding_norm(x_BTD)
        return self.dropout(normed)  # type: ignore[no-any-return]

    def step(
        self, token_B: Tensor, position: int, past: list[KeyValue | None]
    ) -> tuple[Tensor, list[KeyValue | None]]:
        """One more token of each caption: (B, 1, D) and the grown cache."""
        x = self._embedded((self.embedding(token_B) + self.position[position])[:, None])
        grown: list[KeyValue | None] = []
        for layer, kept in zip(self.layers, past, strict=True):
            x, key_value = cast(TransformerLayer, layer).step(x, kept)
            grown.append(key_value)
        return x, grown


class MultimodalDecoder(nn.Module):
    """Causal layers that also attend to the pooled image tokens, and the output layer."""

    def __init__(self, config: TextConfig, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            TransformerLayer(
                config.width,
                config.heads,
                config.mlp_width,
                cross_width=config.width,
                dropout=dropout,
                double=config.variant is Variant.OPEN_CLIP,
            )
            for _ in range(config.multimodal_layers)
        )
        self.final_norm = nn.LayerNorm(config.width)
        self.output = nn.Linear(config.width, config.vocabulary, bias=False)

    def forward(self, text_BTD: Tensor, image_BQD: Tensor) -> Tensor:
        """Decoder states (B, T, D); ``output`` turns those that matter into logits."""
        length = text_BTD.shape[1]
        causal = torch.ones(length, length, dtype=torch.bool, device=text_BTD.device).tril()
        x = text_BTD
        for layer in self.layers:
            x = layer(x, causal, image_BQD)
        return self.final_norm(x)  # type: ignore[no-any-return]

    def project_image(self, image_BQD: Tensor) -> list[KeyValue]:
        """Each layer's keys and values of the image tokens, made once a picture."""
        return [cast(TransformerLayer, layer).project_image(image_BQD) for layer in self.layers]

    def step(
        self, x_B1D: Tensor, past: list[KeyValue | None], image: list[KeyValue]
    ) -> tuple[Tensor, list[KeyValue | None]]:
        """Logits (B, V) after one more token, and the grown cache."""
        grown: list[KeyValue | None] = []
        for layer, kept, picture in zip(self.layers, past, image, strict=True):
            x_B1D, key_value = cast(TransformerLayer, layer).step(x_B1D, kept, picture)
            grown.append(key_value)
        return self.output(self.final_norm(x_B1D[:, 0])), grown
