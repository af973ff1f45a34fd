"""Attention, transformer layers and poolers.

Shape letters: B batch, T text tokens, N image tokens, Q queries, D width, H heads.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

KeyValue = tuple[Tensor, Tensor]


class Attention(nn.Module):
    """Multi-head attention from ``x`` to ``context`` (itself when none is given)."""

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(context_width or width, 2 * width)
        self.out = nn.Linear(width, width)

    def project(self, context_BND: Tensor) -> KeyValue:
        """Keys and values of ``context``, each (B, H, N, D / H)."""
        key, value = self.key_value(context_BND).chunk(2, dim=-1)
        return self._split(key), self._split(value)

    def attend(self, x_BTD: Tensor, key_value: KeyValue, mask: Tensor | None = None) -> Tensor:
        """Attention over keys and values made earlier (the KV cache uses this)."""
        query = self._split(self.query(x_BTD))
        mixed = _mix(query, key_value[0], key_value[1], mask)
        return self.out(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def forward(
        self, x_BTD: Tensor, context_BND: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        context = x_BTD if context_BND is None else context_BND
        return self.attend(x_BTD, self.project(context), mask)

    def _split(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        return x.view(batch, length, self.heads, width // self.heads).transpose(1, 2)


def _mix(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax attention; ``mask`` True marks what may be seen.

    torch's fused kernel is 3 to 7 times slower than plain products for short
    sequences in bf16 on a CPU (torch 2.13, measured), so those go the plain way.
    """
    if query.dtype is not torch.bfloat16 or query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    mixed: Tensor = scores.softmax(-1).to(value.dtype) @ value
    return mixed


class DropPath(nn.Module):
    """Leaves out a whole residual branch for a share of the batch (Huang et al. 2016).

    One random number a sample: element-wise dropout's random numbers cost a CPU
    step as much as its matrix products.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x_BTD: Tensor) -> Tensor:
        if not self.training or self.share == 0:
            return x_BTD
        kept = torch.rand(len(x_BTD), 1, 1, device=x_BTD.device) >= self.share
        return x_BTD * (kept / (1 - self.share)).to(x_BTD.dtype)


class Mlp(nn.Sequential):
    """The two-layer feed-forward part of a transformer layer."""

    def __init__(self, width: int, mlp_width: int) -> None:
        super().__init__(nn.Linear(width, mlp_width), nn.GELU(), nn.Linear(mlp_width, width))


class TransformerLayer(nn.Module):
    """A pre-norm layer; with ``cross_width`` it also attends to image tokens.

    ``dropout`` is the chance that a sample skips a part of the layer in training.
    ``double`` is open_clip's layer: the self-attention too has an MLP of its own,
    and the image tokens are normed anew in each layer.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        mlp_width: int,
        *,
        cross_width: int | None = None,
        dropout: float = 0.0,
        double: bool = False,
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.self_mlp_norm = nn.LayerNorm(width) if double else None
        self.self_mlp = Mlp(width, mlp_width) if double else None
        self.context_norm = nn.LayerNorm(cross_width) if double and cross_width else None
        self.cross_norm = nn.LayerNorm(width) if cross_width else None
        self.cross = Attention(width, heads, cross_width) if cross_width else None
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = Mlp(width, mlp_width)
        self.dropout = DropPath(dropout)

    def forward(
        self, x_BTD: Tensor, mask: Tensor | None = None, image_BND: Tensor | None = None
    ) -> Tensor:
        x = x_BTD + self.dropout(self.attention(self.attention_norm(x_BTD), mask=mask))
        x = self._after_self_attention(x)
        if self.cross is not None and self.cross_norm is not None:
            if image_BND is None:
                raise ValueError("a layer with cross-attention needs image tokens")
            image = self.project_image(image_BND)
            x = x + self.dropout(self.cross.attend(self.cross_norm(x), image))
        return x + self.dropout(self.mlp(self.mlp_norm(x)))  # type: ignore[no-any-return]

    def _after_self_attention(self, x_BTD: Tensor) -> Tensor:
        if self.self_mlp is None or self.self_mlp_norm is None:
            return x_BTD
        return x_BTD + self.dropout(self.self_mlp(self.self_mlp_norm(x_BTD)))  # type: ignore[no-any-return]

    def project_image(self, image_BND: Tensor) -> KeyValue:
        """The cross-attention's keys and values of the image tokens."""
        if self.cross is None:
            raise ValueError("this layer has no cross-attention")
        normed = image_BND if self.context_norm is None else self.context_norm(image_BND)
        return self.cross.project(normed)

    def step(
        self, x_B1D: Tensor, past: KeyValue | None, image: KeyValue | None = None
    ) -> tuple[Tensor, KeyValue]:
        """One new token against the kept keys and values of the earlier ones."""
        normed = self.attention_norm(x_B1D)
        key_value = self._grown(normed, past)
        x = self._after_self_attention(x_B1D + self.attention.attend(normed, key_value))
        if self.cross is not None and self.cross_norm is not None and image is not None:
            x = x + self.cross.attend(self.cross_norm(x), image)
        return x + self.mlp(self.mlp_norm(x)), key_value

    def _grown(self, x_B1D: Tensor, past: KeyValue | None) -> KeyValue:
        """The kept keys and values with those of one more token."""
        key, value = self.attention.project(x_B1D)
        if past is None:
            return key, value
        return torch.cat((past[0], key), dim=2), torch.cat((past[1], value), dim=2)


class PostNormLayer(TransformerLayer):
    """BERT's layer: each norm stands after its sum (Devlin et al. 2019), so sentence models'
    weights fit. It has no cross-attention and no stochastic depth.
    """

    def __init__(self, width: int, heads: int, mlp_width: int) -> None:
        super().__init__(width, heads, mlp_width)

    def forward(
        self, x_BTD: Tensor, mask: Tensor | None = None, image_BND: Tensor | None = None
    ) -> Tensor:
        return self._rest(x_BTD, self.attention(x_BTD, mask=mask))

    def step(
        self, x_B1D: Tensor, past: KeyValue | None, image: KeyValue | None = None
    ) -> tuple[Tensor, KeyValue]:
        key_value = self._grown(x_B1D, past)
        return self._rest(x_B1D, self.attention.attend(x_B1D, key_value)), key_value

    def _rest(self, x_BTD: Tensor, attended_BTD: Tensor) -> Tensor:
        x = self.attention_norm(x_BTD + attended_BTD)
        return self.mlp_norm(x + self.mlp(x))  # type: ignore[no-any-return]


class AttentionalPooler(nn.Module):
    """Learned queries attend to tokens (paper, section 3.2, "attentional poolers").

    Gives (B, Q, D) from (B, N, ``context_width``).
    """

    def __init__(self, width: int, context_width: int, queries: int, heads: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(queries, width) * width**-0.5)
        self.query_norm = nn.LayerNorm(width)
        self.context_norm = nn.LayerNorm(context_width)
        self.attention = Attention(width, heads, context_width)

    def forward(self, tokens_BND: Tensor) -> Tensor:
        context = self.context_norm(tokens_BND)
        # Not len(): OpenVINO's tracing would take it for a constant.
        query = self.query_norm(self.queries).expand(tokens_BND.shape[0], -1, -1)
        return self.attention(query, context)  # type: ignore[no-any-return]


def init_transformer(module: nn.Module) -> None:
    """Normal(0, 0.02) weights and zero biases for linear and embedding layers."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.02)
