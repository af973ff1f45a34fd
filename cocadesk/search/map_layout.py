"""A place on a plane for each vector, so that pictures that are alike lie side by side.

t-SNE (van der Maaten and Hinton, 2008) of a sample; all others are placed among those of the
sample that they are most like. A library for it (openTSNE) would bring SciPy and scikit-learn,
230 MB; a sample of two thousand needs neither its trees nor its Fourier transforms.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SAMPLE = 2000
"""So many are laid out against each other; a step takes time with the square of it."""
_STEPS = 400
_EARLY_STEPS = 120
_EARLY_PULL = 12.0
_PERPLEXITY = 30.0
_NEIGHBOURS = 10
_SPREAD = 0.03
"""The difference of cosines over which a neighbour counts e times less."""
_PIECE = 4096
_SEED = 0

Report = Callable[[float], None]


def _said_to_nobody(_share: float) -> None:
    pass


def lay_out(
    vectors_SD: NDArray[np.floating], report: Report = _said_to_nobody
) -> NDArray[np.float32]:
    """(S, 2) places from 0 to 1 for a sample of (S, D) unit vectors; the same for the same vectors.

    ``report`` is told the share that is done, 0 to 1, often; what it raises ends the work.
    """
    count = len(vectors_SD)
    if count < 3:
        return np.array([[0.25, 0.5], [0.75, 0.5]], np.float32)[:count]
    return _in_square(_laid_out(np.asarray(vectors_SD, np.float32), report))


def _in_square(places_N2: NDArray[np.float32]) -> NDArray[np.float32]:
    """Moved and scaled alike in both directions into the square from 0 to 1."""
    low_2, high_2 = places_N2.min(0), places_N2.max(0)
    side = max(float((high_2 - low_2).max()), 1e-9)
    return np.asarray((places_N2 - (low_2 + high_2) / 2) / np.float32(side) + np.float32(0.5))


def place_among(
    vectors_ND: NDArray[np.floating],
    sample_SD: NDArray[np.float32],
    sample_S2: NDArray[np.float32],
) -> NDArray[np.float32]:
    """(N, 2) places of (N, D) vectors: the mean of those of the sample that they are most like."""
    places_N2 = np.empty((len(vectors_ND), 2), np.float32)
    for start in range(0, len(vectors_ND), _PIECE):
        piece_MD = np.asarray(vectors_ND[start : start + _PIECE], np.float32)
        places_N2[start : start + _PIECE] = _placed(piece_MD, sample_SD, sample_S2)
    return places_N2


def _placed(
    vectors_MD: NDArray[np.float32], sample_SD: NDArray[np.float32], sample_S2: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The most alike weigh most."""
    cosine_MS = vectors_MD @ sample_SD.T
    few = min(_NEIGHBOURS, len(sample_SD))
    nearest_MK = np.argpartition(-cosine_MS, few - 1, axis=1)[:, :few]
    cosine_MK = np.take_along_axis(cosine_MS, nearest_MK, 1)
    weight_MK = np.exp((cosine_MK - cosine_MK.max(1, keepdims=True)) / _SPREAD)
    weight_MK /= weight_MK.sum(1, keepdims=True)
    placed_M2: NDArray[np.float32] = np.einsum("mk,mkc->mc", weight_MK, sample_S2[nearest_MK])
    return placed_M2


def _laid_out(vectors_SD: NDArray[np.float32], report: Report) -> NDArray[np.float32]:
    """t-SNE by plain gradient descent with momentum, from the two main directions."""
    count = len(vectors_SD)
    pull_SS = _affinities(vectors_SD)
    places_S2 = _main_directions(vectors_SD)
    velocity_S2, gain_S2 = np.zeros_like(places_S2), np.ones_like(places_S2)
    rate = max(50.0, count / 12)
    for step in range(_STEPS):
        is_early = step < _EARLY_STEPS
        slope_S2 = _slope(pull_SS, places_S2, _EARLY_PULL if is_early else 1.0)
        is_same_way = (slope_S2 > 0) == (velocity_S2 > 0)
        gain_S2 = np.where(is_same_way, gain_S2 * 0.8, gain_S2 + 0.2).clip(0.01)
        velocity_S2 = (0.5 if is_early else 0.8) * velocity_S2 - rate * gain_S2 * slope_S2
        places_S2 = places_S2 + velocity_S2
        places_S2 -= places_S2.mean(0)
        report((step + 1) / _STEPS)
    return np.asarray(places_S2, np.float32)


def _slope(
    pull_SS: NDArray[np.float32], places_S2: NDArray[np.float32], early: float
) -> NDArray[np.float32]:
    """The gradient of the divergence, for all places at once (equation 5 of the paper)."""
    length_S = np.square(places_S2).sum(1)
    near_SS = places_S2 @ places_S2.T
    near_SS *= -2
    near_SS += length_S[:, None] + 1
    near_SS += length_S[None, :]
    np.reciprocal(near_SS, out=near_SS)
    np.fill_diagonal(near_SS, 0)
    force_SS = near_SS * (-1 / near_SS.sum())
    force_SS += pull_SS * np.float32(early)
    force_SS *= near_SS
    slope_S2: NDArray[np.float32] = 4 * (
        force_SS.sum(1)[:, None] * places_S2 - force_SS @ places_S2
    )
    return slope_S2


def _main_directions(vectors_SD: NDArray[np.float32]) -> NDArray[np.float32]:
    apart_SD = vectors_SD - vectors_SD.mean(0)
    _, axes_DD = np.linalg.eigh(apart_SD.T @ apart_SD)
    places_S2 = apart_SD @ axes_DD[:, -2:] if axes_DD.shape[0] > 1 else np.repeat(apart_SD, 2, 1)
    # Equal vectors would never part.
    places_S2 += np.random.default_rng(_SEED).normal(0, 1e-3, places_S2.shape)
    return np.asarray(places_S2 * (1e-4 / max(float(places_S2.std()), 1e-9)), np.float32)


def _affinities(vectors_SD: NDArray[np.float32]) -> NDArray[np.float32]:
    """How strongly each two pull each other; the sum is 1 (equations 1 and 2 of the paper)."""
    count = len(vectors_SD)
    apart_SS = np.maximum(2 - 2 * (vectors_SD @ vectors_SD.T), 0)
    np.fill_diagonal(apart_SS, np.inf)
    few = min(count - 1, int(3 * _PERPLEXITY))
    nearest_SK = np.argpartition(apart_SS, few - 1, axis=1)[:, :few]
    apart_SK = np.take_along_axis(apart_SS, nearest_SK, 1).astype(np.float64)
    share_SK = _shares(apart_SK - apart_SK.min(1, keepdims=True))
    pull_SS = np.zeros((count, count), np.float32)
    np.put_along_axis(pull_SS, nearest_SK, share_SK.astype(np.float32), 1)
    pull_SS += pull_SS.T.copy()
    pull_SS /= pull_SS.sum()
    return pull_SS


def _shares(apart_SK: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of each neighbour, with a width for each row that gives the perplexity."""
    wanted = np.log(min(_PERPLEXITY, max(1.0, apart_SK.shape[1] / 3)))
    low_S, high_S = np.zeros(len(apart_SK)), np.full(len(apart_SK), np.inf)
    narrow_S = np.full(len(apart_SK), 1 / max(float(np.median(apart_SK)), 1e-6))
    for _ in range(50):
        share_SK = np.exp(-apart_SK * narrow_S[:, None])
        total_S = share_SK.sum(1)
        entropy_S = np.log(total_S) + narrow_S * (apart_SK * share_SK).sum(1) / total_S
        is_wide = entropy_S > wanted
        low_S, high_S = np.where(is_wide, narrow_S, low_S), np.where(is_wide, high_S, narrow_S)
        narrow_S = np.where(np.isinf(high_S), narrow_S * 2, (low_S + high_S) / 2)
        narrow_S = np.minimum(narrow_S, 1e12)
    share_SK = np.exp(-apart_SK * narrow_S[:, None])
    return np.asarray(share_SK / share_SK.sum(1, keepdims=True))
