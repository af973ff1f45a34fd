"""Tiny prints laid over each other: that of a crop is a part of that of the whole."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from cocadesk.vectors import unit_vectors

_SIDE = 8
_SHARES = (0.95, 0.9, 0.85)
"""The parts of a side that a crop may leave, and at either end or between them."""
_SAMPLES = 4
_PAIRS_AT_ONCE = 4096


def moved_cosines(one_N64: NDArray[np.int8], other_N64: NDArray[np.int8]) -> NDArray[np.float32]:
    """The cosine of each pair of prints where a part of either fits the other best."""
    best = np.full(len(one_N64), -1, np.float32)
    for start in range(0, len(best), _PAIRS_AT_ONCE):
        part = slice(start, start + _PAIRS_AT_ONCE)
        one, other = (unit_vectors(own[part].astype(np.float32)) for own in (one_N64, other_N64))
        for whole, cropped in ((one, other), (other, one)):
            for crop in _crops():
                left = whole @ crop.T
                left = unit_vectors(left - left.mean(axis=1, keepdims=True))
                best[part] = np.maximum(best[part], np.einsum("nd,nd->n", left, cropped))
    return best


@cache
def _crops() -> NDArray[np.float32]:
    """(C, 64, 64) matrices, each of which gives the print of one crop."""
    found = []
    for share in _SHARES:
        starts = np.linspace(0, 1 - share, 3)
        sides = [_resampled(start, share) for start in starts]
        found += [np.kron(down, across) for down in sides for across in sides]
    return np.stack(found).astype(np.float32)


def _resampled(start: float, share: float) -> NDArray[np.float64]:
    """(8, 8) weights of the places of a side for those of a part of it."""
    weights = np.zeros((_SIDE, _SIDE))
    for place in range(_SIDE):
        for sample in range(_SAMPLES):
            at = start + share * (place + (sample + 0.5) / _SAMPLES) / _SIDE
            at = min(max(at * _SIDE - 0.5, 0.0), _SIDE - 1.0)
            low = min(int(at), _SIDE - 2)
            weights[place, low] += (low + 1 - at) / _SAMPLES
            weights[place, low + 1] += (at - low) / _SAMPLES
    return weights
