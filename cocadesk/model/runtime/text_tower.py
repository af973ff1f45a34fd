"""The text tower in numpy: a search needs no torch.

Importing torch costs more than a whole search. A query is a dozen tokens, so
plain numpy takes a few milliseconds; a test holds it against torch. Of the table of
words, the largest weight, only the rows of a query are read. The other matrices lie turned
(a dozen rows by them take OpenBLAS four fifths of the time; of wide ones nearly as long, and
those stay in the mapped file), and the last layer gives nothing but what the vector is made of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.model.checkpoints.int8_rows import TABLE, floats_of, rows_of
from cocadesk.model.network.config import STRETCH, CocaConfig, NormPlace, Variant
from cocadesk.model.tokenizers.tokenizer import TextTokenizer, TokenBatch
from cocadesk.vectors import unit_vectors

Array = NDArray[np.float32]
#: The weights that this tower needs.
TEXT_PREFIXES = ("unimodal.", "text_norm.", "text_projection.", "text_hubness.")
_TURNED = ("query.weight", "key_value.weight", "out.weight", "mlp.0.weight", "mlp.2.weight")
_WIDE = 768
"""From this width on matrices are not copied: L-14's took 340 MB, and 3 % less time."""


class NumpyTextTower:
    """Unit vectors of texts by the unimodal half of a CoCa checkpoint of ours."""

    def __init__(
        self,
        config: CocaConfig,
        tokenizer: TextTokenizer,
        weights: Mapping[str, NDArray[Any]],
    ) -> None:
        self._config = config
        self._tokenizer = tokenizer
        floats = floats_of(
            {name: w for name, w in weights.items() if name.startswith(TEXT_PREFIXES)}
        )
        is_wide = config.text.width >= _WIDE
        turned = {name: w.T for name, w in floats.items() if name.endswith(_TURNED)}
        self._weights = floats | (turned if is_wide else _in_one_block(turned))

    def __call__(self, texts: Sequence[str]) -> Array:
        """(B, E) float32, unit norm; texts beyond the context are cut."""
        vectors = np.zeros((len(texts), self._config.vector_dim), np.float32)
        for rows, batch in self._tokenizer.batches(texts, self._config.text.context):
            vectors[rows] = self._encode(batch)
        return vectors

    def _encode(self, batch: TokenBatch) -> Array:
        weights, text = self._weights, self._config.text
        tokens, cls = batch.tokens_BT, weights["unimodal.cls"]
        always = np.ones((len(tokens), 1), np.bool_)
        if text.variant is Variant.OPEN_CLIP:
            # As the torch network: one padding token is seen, more change nothing.
            missing = min(1, text.context - tokens.shape[1])
            tokens = np.pad(tokens, ((0, 0), (0, missing)), constant_values=text.pad_id)
            cls = cls + weights["unimodal.position"][-1]
            seen = np.concatenate((always, tokens != text.pad_id), axis=1)  # released_text_mask
        else:
            seen = np.concatenate((batch.valid_BT, always), axis=1)  # text_mask
        mask = _causal_mask(seen)
        x = rows_of(weights, TABLE, tokens)
        x = x + weights["unimodal.position"][: tokens.shape[1]]
        x = np.concatenate((x, np.broadcast_to(cls, (len(x), 1, text.width))), axis=1)
        if text.unimodal_norm is NormPlace.POST:
            x = self._norm(x, "unimodal.embedding_norm.")
        last = text.unimodal_layers - 1
        for layer in range(text.unimodal_layers):
            asked = x[:, -1:] if layer == last else x
            x = self._layer(x, asked, f"unimodal.layers.{layer}.", mask[:, :, -asked.shape[1] :])
        vector = self._norm(x[:, -1], "text_norm.") @ weights["text_projection.weight"].T
        return self._corrected(unit_vectors(vector))

    def _corrected(self, vectors: Array) -> Array:
        """As ``corrected_texts`` in torch."""
        hubness = self._config.hubness
        if not hubness.photos:
            return vectors
        bank, level = self._weights["text_hubness.bank"], self._weights["text_hubness.level"]
        scale = np.float32(hubness.photo_scale)
        cosines = vectors @ bank.T
        most = cosines.max(1, keepdims=True)  # the exponentials stay within float32
        near = np.exp(scale * (cosines - most)).mean(1, keepdims=True)
        nearness = np.log(near) / scale + most
        offset = np.float32(hubness.photo_weight) * (nearness - level)
        peak = nearness - cosines.mean(1, keepdims=True)
        share = np.clip((peak - hubness.broad) / (hubness.narrow - hubness.broad), 0, 1)
        return unit_vectors(np.concatenate((vectors, -share / STRETCH, STRETCH * offset), axis=1))

    def _layer(self, x: Array, asked: Array, name: str, mask: Array) -> Array:
        """The layer's output for the ``asked`` of all tokens ``x``."""
        attention_norm, mlp_norm = f"{name}attention_norm.", f"{name}mlp_norm."
        if self._config.text.unimodal_norm is NormPlace.POST:
            mixed = self._attention(x, asked, f"{name}attention.", mask)
            asked = self._norm(asked + mixed, attention_norm)
            return self._norm(asked + self._mlp(asked, name), mlp_norm)
        normed = self._norm(x, attention_norm)
        asked = asked + self._attention(
            normed, normed[:, -asked.shape[1] :], f"{name}attention.", mask
        )
        return asked + self._mlp(self._norm(asked, mlp_norm), name)

    def _mlp(self, x: Array, name: str) -> Array:
        return self._linear(_gelu(self._linear(x, f"{name}mlp.0.")), f"{name}mlp.2.")

    def _attention(self, x: Array, asked: Array, name: str, mask: Array) -> Array:
        heads = self._config.text.heads
        batch, length, width = asked.shape

        def split(y: Array) -> Array:
            return y.reshape(batch, -1, heads, width // heads).transpose(0, 2, 1, 3)

        query = split(self._linear(asked, f"{name}query."))
        key, value = np.split(self._linear(x, f"{name}key_value."), 2, axis=-1)
        scores = query @ split(key).transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // heads))
        scores = scores + mask
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ split(value)
        return self._linear(
            mixed.transpose(0, 2, 1, 3).reshape(batch, length, width), f"{name}out."
        )

    def _linear(self, x: Array, name: str) -> Array:
        result: Array = x @ self._weights[f"{name}weight"]
        result += self._weights[f"{name}bias"]
        return result

    def _norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + np.float32(1e-5))
        result: Array = scaled * self._weights[f"{name}weight"] + self._weights[f"{name}bias"]
        return result


def _causal_mask(seen: NDArray[np.bool_]) -> Array:
    """0 where a key may be seen, -inf elsewhere, (B, 1, T + 1, T + 1); as the torch network's."""
    causal = np.tril(np.ones((seen.shape[1], seen.shape[1]), np.bool_))
    allowed = causal[None, None] & seen[:, None, None, :]
    return np.where(allowed, np.float32(0), np.float32(-np.inf))


def _gelu(x: Array) -> Array:
    """Exact GELU; erf after Abramowitz and Stegun 7.1.26 (error below 1.5e-7)."""
    z = np.abs(x)
    z /= np.float32(np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    powers = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
    series = np.zeros_like(t)
    for coefficient in reversed(powers):
        series += np.float32(coefficient)
        series *= t
    z *= z
    np.exp(np.negative(z, out=z), out=z)
    z *= series
    erf = np.copysign(1 - z, x)
    return np.asarray(x * (1 + erf) / 2, np.float32)


def _in_one_block(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Copies that lie beside each other in memory.

    NumPy asks the system for huge pages from 4 MB on: one matrix is smaller, and reading
    all from pages of 4 KB took 1.4 to 1.6 times as long.
    """
    block = np.empty(sum(array.size for array in arrays.values()), np.float32)
    copies, end = dict[str, Array](), 0
    for name, array in arrays.items():
        begin, end = end, end + array.size
        copies[name] = block[begin:end].reshape(array.shape)
        copies[name][...] = array
    return copies
