"""A ViT and its attentional poolers as an OpenVINO model, made from the mapped weights.

Tracing the torch network gives the same model, but takes seconds, a torch and a copy of the
weights. In bfloat16 all weights and values are bfloat16 themselves: OpenVINO would widen
those that it converts when it compiles, and hold them twice.

Shape letters: B pictures, S their side, N image tokens, Q queries, W and D widths, H heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.model.network.config import CocaConfig, PoolerDesign
from cocadesk.model.runtime.openvino import openvino

Weights = Mapping[str, NDArray[np.float32]]
IMAGE_PREFIXES = ("image_", "generative_pooler.", "contrastive_pooler.")
"""The weights that such a model needs."""
VIT_BATCH = 8
"""The pictures that a ViT gets at once: its weights are read once for all of them."""
_EPSILON = 1e-5
"""torch's, in a LayerNorm."""


def vit_model(config: CocaConfig, weights: Weights, *, half: bool) -> Any:
    """(B, S, S, 3) uint8 → unit vectors (B, E) and the decoder's tokens (B, Q, D), float32.

    It holds a copy of the weights: save it, and open what was saved, which is mapped.
    """
    return _Graph(config, weights, half=half).model()


class _Graph:
    """The operations of one model, in its order."""

    def __init__(self, config: CocaConfig, weights: Weights, *, half: bool) -> None:
        self._config, self._weights, self._half = config, weights, half
        self._ov = openvino()
        self._op = self._ov.opset13

    def model(self) -> Any:
        image = self._config.image
        shape = self._ov.PartialShape([-1, image.size_px, image.size_px, 3])
        images_BHWC = self._op.parameter(shape, self._ov.Type.u8, name="images")
        vector, tokens = self._pooled(self._encoded(images_BHWC))
        results = [self._op.result(vector), self._op.result(tokens)]
        return self._ov.Model(results, [images_BHWC], "images")

    def _encoded(self, images_BHWC: Any) -> Any:
        """Image tokens (B, N, W): ``VisionTransformer``."""
        op, image, weights = self._op, self._config.image, self._weights
        mean, std = (np.array(part, np.float32) for part in (image.mean, image.std))
        scaled = op.subtract(op.convert(images_BHWC, "f32"), op.constant(mean * 255))
        scaled = op.multiply(scaled, op.constant(1 / (std * 255)))
        pixels = self._narrowed(op.transpose(scaled, self._whole(0, 3, 1, 2)))
        side, start = [image.patch_px, image.patch_px], "image_encoder."
        patches = op.convolution(
            pixels, self._constant(weights[f"{start}patches.weight"]), side, [0, 0], [0, 0], [1, 1]
        )
        x = op.transpose(op.reshape(patches, self._whole(0, 0, -1), True), self._whole(0, 2, 1))
        position_ND = weights[f"{start}position"]
        if f"{start}patches.bias" in weights:
            position_ND = position_ND + weights[f"{start}patches.bias"]
        if f"{start}class_token" in weights:
            first, position_ND = position_ND[:1] + weights[f"{start}class_token"], position_ND[1:]
            x = op.add(x, self._constant(position_ND[None]))
            x = op.concat([self._each(first[None], x), x], 1)
            x = self._norm(x, f"{start}input_norm.")
        else:
            x = op.add(x, self._constant(position_ND[None]))
        for layer in range(image.layers):
            x = self._layer(x, f"{start}layers.{layer}.")
        last = f"{start}final_norm."
        return self._norm(x, last) if f"{last}weight" in weights else x

    def _layer(self, x: Any, name: str) -> Any:
        op, image = self._op, self._config.image
        normed = self._norm(x, f"{name}attention_norm.")
        query = self._heads(self._linear(normed, f"{name}attention.query."), image.heads)
        mixed = self._attention(query, normed, f"{name}attention.", image.heads)
        x = op.add(x, mixed)
        inner = self._linear(self._norm(x, f"{name}mlp_norm."), f"{name}mlp.0.")
        return op.add(x, self._linear(op.gelu(inner, "ERF"), f"{name}mlp.2."))

    def _pooled(self, tokens_BNW: Any) -> tuple[Any, Any]:
        """As ``CoCa.pool``."""
        op, pooler = self._op, self._config.pooler
        pooled = self._pooler(tokens_BNW, "generative_pooler.")
        if pooler.design is PoolerDesign.SHARED:
            vector = pooled = self._widened(self._norm(pooled, "image_norm."))
            pooled = self._rows(pooled, pooler.contrastive_queries, None)
        else:
            is_cascade = pooler.design is PoolerDesign.CASCADE
            seen = pooled if is_cascade else tokens_BNW
            vector = self._pooler(seen, "contrastive_pooler.")
            vector = self._widened(self._norm(vector, "image_norm."))
            pooled = self._widened(pooled)
        vector = op.squeeze(self._rows(vector, 0, 1), self._whole(1))
        projection = self._weights["image_projection.weight"]
        vector = op.matmul(vector, self._constant(projection, wide=True), False, True)
        return op.normalize_l2(vector, self._whole(-1), 1e-24, "max"), pooled

    def _pooler(self, tokens_BNW: Any, name: str) -> Any:
        """``AttentionalPooler``; its queries are the same for all pictures."""
        weights, heads = self._weights, self._config.pooler.heads
        queries = weights[f"{name}queries"].astype(np.float64)
        centred = queries - queries.mean(-1, keepdims=True)
        normed = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + _EPSILON)
        normed = normed * weights[f"{name}query_norm.weight"] + weights[f"{name}query_norm.bias"]
        asked = f"{name}attention.query."
        query_QD = normed @ weights[f"{asked}weight"].T + weights[f"{asked}bias"]
        count, width = query_QD.shape
        query_HQd = query_QD.reshape(count, heads, width // heads).transpose(1, 0, 2)
        context = self._norm(tokens_BNW, f"{name}context_norm.")
        query = self._each(query_HQd[None], context)
        return self._attention(query, context, f"{name}attention.", heads)

    def _attention(self, query: Any, context_BNW: Any, name: str, heads: int) -> Any:
        op = self._op
        weight = self._weights[f"{name}key_value.weight"]
        bias = self._weights[f"{name}key_value.bias"]
        width = len(weight) // 2
        key, value = (
            self._heads(self._product(context_BNW, weight[rows], bias[rows]), heads)
            for rows in (slice(width), slice(width, None))
        )
        mixed = op.transpose(
            op.scaled_dot_product_attention(query, key, value), self._whole(0, 2, 1, 3)
        )
        return self._linear(op.reshape(mixed, self._whole(0, -1, width), True), f"{name}out.")

    def _heads(self, x_BND: Any, heads: int) -> Any:
        """(B, H, N, D / H)."""
        width = x_BND.get_output_partial_shape(0)[2].get_length()
        parts = self._op.reshape(x_BND, self._whole(0, -1, heads, width // heads), True)
        return self._op.transpose(parts, self._whole(0, 2, 1, 3))

    def _linear(self, x: Any, name: str) -> Any:
        return self._product(x, self._weights[f"{name}weight"], self._weights[f"{name}bias"])

    def _product(self, x: Any, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> Any:
        product = self._op.matmul(x, self._constant(weight), False, True)
        return self._op.add(product, self._constant(bias[None, None]))

    def _norm(self, x: Any, name: str) -> Any:
        weight, bias = (self._weights[f"{name}{part}"][None, None] for part in ("weight", "bias"))
        normed = self._op.mvn(x, self._whole(-1), True, _EPSILON, "INSIDE_SQRT")
        return self._op.add(self._op.multiply(normed, self._constant(weight)), self._constant(bias))

    def _rows(self, x_BQD: Any, start: int, end: int | None) -> Any:
        end = np.iinfo(np.int64).max if end is None else end
        return self._op.slice(
            x_BQD, self._whole(start), self._whole(end), self._whole(1), self._whole(1)
        )

    def _each(self, value: NDArray[Any], x: Any) -> Any:
        """A value with a first axis of one, for each picture of x."""
        op = self._op
        batch = op.gather(op.shape_of(x), self._whole(0), op.constant(np.int64(0)))
        shape = op.concat([batch, self._whole(*value.shape[1:])], 0)
        return op.broadcast(self._constant(value), shape)

    def _constant(self, value: NDArray[Any], *, wide: bool = False) -> Any:
        value = np.ascontiguousarray(value, np.float32)
        if wide or not self._half:
            return self._op.constant(value)
        tensor = self._ov.Tensor(bfloat16(value), value.shape, self._ov.Type.bf16)
        return self._op.constant(tensor, shared_memory=False)  # the tensor does not own its bits

    def _whole(self, *numbers: int) -> Any:
        return self._op.constant(np.array(numbers, np.int64))

    def _narrowed(self, x: Any) -> Any:
        return self._op.convert(x, "bf16") if self._half else x

    def _widened(self, x: Any) -> Any:
        return self._op.convert(x, "f32") if self._half else x


def bfloat16(value: NDArray[np.float32]) -> NDArray[np.float16]:
    """The bits of the nearest bfloat16 numbers (of two equally near, the even one).

    NumPy has no such type: the dtype stands for one of two bytes.
    """
    bits = value.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> 16) & 1)) >> 16
    return rounded.astype(np.uint16).view(np.float16)
