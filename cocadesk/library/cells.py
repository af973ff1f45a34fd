"""Cells of vectors that point the same way: a search of many looks into the likely ones alone.

Spherical k-means (Dhillon and Modha 2001): each vector belongs to the center with the
highest cosine. Of vectors in a cell, a search first goes through their short form: 8-bit
numbers along the few directions in which vectors differ (of the starter's 256 numbers, 48
hold 99.9 % of that).
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from cocadesk.vectors import unit_vectors

_SAMPLES_A_CELL = 64
_ROUNDS = 8
_AT_ONCE = 4096
_SPREAD_SHARE = 0.998
_AXES_STEP = 16
"""As many numbers as the processor takes at once."""
_ROOM = 1.2
"""Vectors outside the sample may lie further out."""


def count_of_cells(vectors: int) -> int:
    """The number of cells for so many vectors: as many cells as vectors in one."""
    return max(1, isqrt(vectors))


def nearest_cells(
    vectors_ND: NDArray[np.float32], centers_CD: NDArray[np.float32]
) -> NDArray[np.int32]:
    """The cell of each vector."""
    cells = np.empty(len(vectors_ND), np.int32)
    for start in range(0, len(vectors_ND), _AT_ONCE):
        part = vectors_ND[start : start + _AT_ONCE]
        cells[start : start + len(part)] = np.argmax(part @ centers_CD.T, axis=1)
    return cells


def grouped(of_row: NDArray[np.int32], count: int) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Rows in the order of their cells, of which cell c has those from ``starts[c]`` on."""
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(of_row, minlength=count), out=starts[1:])
    return np.argsort(of_row, kind="stable"), starts


def train_centers(
    sample_ND: NDArray[np.float32], count: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """(count, D) centers of unit norm, fitted to a sample of unit vectors."""
    centers_CD = sample_ND[rng.choice(len(sample_ND), count, replace=len(sample_ND) < count)]
    for _ in range(_ROUNDS):
        order, starts = grouped(nearest_cells(sample_ND, centers_CD), count)
        filled = np.flatnonzero(np.diff(starts))
        centers_CD = sample_ND[rng.integers(0, len(sample_ND), count)]  # for empty cells
        centers_CD[filled] = np.add.reduceat(sample_ND[order], starts[filled], axis=0)
        centers_CD = unit_vectors(centers_CD)
    return centers_CD


def sample_size(vectors: int) -> int:
    """The number of vectors that centers are fitted to."""
    return min(vectors, count_of_cells(vectors) * _SAMPLES_A_CELL)


def main_axes(
    sample_ND: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The mean of a sample, and the directions in which it spreads, each as long as one step."""
    mean_D = sample_ND.mean(0)
    apart_ND = sample_ND - mean_D
    spread, axes_DD = np.linalg.eigh(apart_ND.T @ apart_ND)
    shares = np.cumsum(spread[::-1]) / max(float(spread.sum()), 1e-12)
    count = -(-(int(np.searchsorted(shares, _SPREAD_SHARE)) + 1) // _AXES_STEP) * _AXES_STEP
    axes_dD = axes_DD[:, ::-1].T[:count]
    most_d = np.maximum(np.abs(apart_ND @ axes_dD.T).max(0), 1e-4)
    return mean_D, np.asarray(axes_dD * (most_d * _ROOM / 127)[:, None], np.float32)


def short_of(
    vectors_ND: NDArray[np.float32], mean_D: NDArray[np.float32], axes_dD: NDArray[np.float32]
) -> NDArray[np.int8]:
    """The short form of vectors: their steps along each axis."""
    steps_Nd = (vectors_ND - mean_D) @ axes_dD.T / np.square(axes_dD).sum(1)
    return np.asarray(np.clip(np.round(steps_Nd), -127, 127), np.int8)
