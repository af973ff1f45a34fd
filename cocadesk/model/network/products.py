"""Matrix products of a few rows with large weights, as the writing of captions needs them.

A step of writing reads all weights for a handful of rows, so it is bound by memory. On a CPU
oneDNN's own layout of the weights halves the time of float32 (8 rows of coca_ViT-B-32: 68 ms of
the processor for 133), and bfloat16 halves it again (37 ms).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Product(Protocol):
    """``x`` (…, I) → (…, O), in x's dtype; with ``gelu`` that of the result."""

    def __call__(self, x: Tensor, *, gelu: bool = False) -> Tensor: ...


Pack = Callable[[Tensor, Tensor | None], Product]
"""Makes the product with weights (O, I) and a bias (O)."""


class PlainProduct:
    """The product with weights as they are, on any device."""

    def __init__(self, weight_OI: Tensor, bias_O: Tensor | None) -> None:
        self._weight = weight_OI
        self._bias = bias_O

    def __call__(self, x: Tensor, *, gelu: bool = False) -> Tensor:
        found = F.linear(x, self._weight, self._bias)
        return F.gelu(found) if gelu else found


class PackedProduct:
    """The product with weights copied into oneDNN's layout, on a CPU that has it."""

    def __init__(self, weight_OI: Tensor, bias_O: Tensor | None, dtype: torch.dtype) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight_OI.to(dtype).contiguous())
        self._bias = None if bias_O is None else bias_O.to(dtype)

    def __call__(self, x: Tensor, *, gelu: bool = False) -> Tensor:
        after, kind = ("gelu", "none") if gelu else ("none", "")
        found: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self._weight, self._bias, after, [], kind
        )
        return found


def pack_for_cpu(dtype: torch.dtype) -> Pack:
    """Packs weights for this CPU; as they are where this torch cannot, in float32."""
    if dtype is torch.float32 and not _can_pack():
        return PlainProduct
    return lambda weight, bias: PackedProduct(weight, bias, dtype)


def has_bfloat16() -> bool:
    """True where this CPU multiplies in bfloat16 (AMX, AVX512-BF16) and torch packs for it."""
    own = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return own is not None and bool(own()) and _can_pack()


def _can_pack() -> bool:
    try:
        weight, x = torch.eye(16), torch.ones(1, 16)
        return bool((PackedProduct(weight, None, torch.float32)(x) == x).all())
    except (AttributeError, RuntimeError):  # the operators are torch's own, and may go
        return False
