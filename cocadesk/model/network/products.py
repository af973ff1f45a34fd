"""Matrix products of a few rows with large weights, as the writing of captions needs them.

A step of writing reads all weights for a handful of rows, so it is bound by memory. On a CPU
oneDNN's own layout of the weights halves the time of float32 (8 rows of coca_ViT-B-32: 68 ms of
the processor for 133), and bfloat16 halves it again (37 ms). Weights in int8 take half the bytes
of bfloat16 and .65 (one row) to .86 (8 rows) of its time; what they are multiplied with is
rounded to int8 as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor


class Product(Protocol):
    """``x`` (…, I) → (…, O), in x's dtype; with ``gelu`` that of the result."""

    def __call__(self, x: Tensor, *, gelu: bool = False) -> Tensor: ...


INT8, BFLOAT16, FLOAT32 = "int8", "bfloat16", "float32"

_MOST = 127
"""The largest int8, to which the largest number of a row is scaled."""
_TINY = torch.finfo(torch.float32).tiny * _MOST**2
"""So much at least is a row's largest number taken for: one of zeros is divided by it."""

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


class Int8Product:
    """The product of float32 rows with weights, both rounded to int8.

    Each row has its own scale, as each output's weights have: sums of whole numbers are exact,
    so that a row's result is the same whatever rows stand beside it.
    """

    def __init__(self, weight_OI: Tensor, bias_O: Tensor | None) -> None:
        scale_O = _largest(weight_OI) / _MOST
        whole_OI = (weight_OI / scale_O).round_().to(torch.int8)
        self._weight = torch.ops.onednn.qlinear_prepack(whole_OI, None)
        self._scale_O = scale_O[:, 0] / _MOST  # of rows with the weights
        self._zero_O = torch.zeros(len(whole_OI), dtype=torch.int32)
        self._bias = bias_O
        self._product = torch.ops.onednn.qlinear_pointwise.default

    def __call__(self, x: Tensor, *, gelu: bool = False) -> Tensor:
        # As few operations as can be: a step of CoCa B-32 has 145 products, each some 100 µs.
        largest = _largest(x)
        found: Tensor = self._product(
            (x / largest).mul_(_MOST).round_().to(torch.int8),
            *(1.0, 0, self._weight, self._scale_O, self._zero_O, None),
            *(1.0, 0, torch.float32, "none", [], ""),
        )
        if self._bias is None:
            found.mul_(largest)
        else:
            found = torch.addcmul(self._bias, found, largest)
        return F.gelu(found) if gelu else found


def _largest(rows: Tensor) -> Tensor:
    """(…, 1): the largest size of a row's numbers; vector_norm and aminmax are slow at it."""
    return rows.abs().amax(-1, keepdim=True).clamp_(min=_TINY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arithmetic:
    """The way in which a decoder computes: its products, and dtypes as torch names them.

    ``dtype`` is that of what products take and give, ``kept`` that of keys and values, and of
    the products that make a picture's (``pack_kept``): these have many rows, once.
    """

    name: str
    pack: Pack
    dtype: torch.dtype
    pack_kept: Pack
    kept: torch.dtype


def arithmetic_for_cpu(name: str) -> Arithmetic:
    """``float32``, ``bfloat16`` or ``int8`` with weights in this CPU's layout.

    float32 has them as they are where this torch cannot copy them.
    """
    if name == INT8:
        kept = BFLOAT16 if has_bfloat16() else FLOAT32
        dtype = getattr(torch, kept)
        pack_kept = _pack_for_cpu(dtype)
        return Arithmetic(
            name=name, pack=Int8Product, dtype=torch.float32, pack_kept=pack_kept, kept=dtype
        )
    dtype = getattr(torch, name)
    pack = _pack_for_cpu(dtype)
    return Arithmetic(name=name, pack=pack, dtype=dtype, pack_kept=pack, kept=dtype)


def _pack_for_cpu(dtype: torch.dtype) -> Pack:
    if dtype is torch.float32 and not _can_pack():
        return PlainProduct
    return lambda weight, bias: PackedProduct(weight, bias, dtype)


def plain_arithmetic(dtype: torch.dtype) -> Arithmetic:
    """Weights as they are, on any device; in another dtype a copy."""

    def pack(weight_OI: Tensor, bias_O: Tensor | None) -> Product:
        bias = None if bias_O is None else bias_O.detach().to(dtype)
        return PlainProduct(weight_OI.detach().to(dtype), bias)

    name = str(dtype).removeprefix("torch.")
    return Arithmetic(name=name, pack=pack, dtype=dtype, pack_kept=pack, kept=dtype)


def small_arithmetics() -> tuple[str, ...]:
    """The names of those that this CPU computes faster than float32."""
    found = ((INT8, has_int8), (BFLOAT16, has_bfloat16))
    return tuple(name for name, is_there in found if is_there())


def has_bfloat16() -> bool:
    """True where this CPU multiplies in bfloat16 (AMX, AVX512-BF16) and torch packs for it."""
    own = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return own is not None and bool(own()) and _can_pack()


def has_int8() -> bool:
    """True where this CPU multiplies in int8 (VNNI) and torch packs for it.

    Without VNNI sums of two products overflow.
    """
    own = getattr(torch.cpu, "_is_vnni_supported", None)
    if own is None or not own():
        return False
    try:
        weight, x = torch.eye(16) * 127, torch.arange(-7.0, 9.0)[None]
        return bool((Int8Product(weight, None)(x) - x * 127).abs().max() < 127)
    except (AttributeError, RuntimeError):  # the operators are torch's own, and may go
        return False


def _can_pack() -> bool:
    try:
        weight, x = torch.eye(16), torch.ones(1, 16)
        return bool((PackedProduct(weight, None, torch.float32)(x) == x).all())
    except (AttributeError, RuntimeError):  # the operators are torch's own, and may go
        return False
