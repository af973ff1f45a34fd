"""Pairs of vectors that point nearly the same way, found without comparing each with each.

Every vector lies in the cell of its nearest center; one that is new is compared with those in
the cells that are nearest to it (``library.cells``). Few new ones are compared with all.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.cells import (
    count_of_cells,
    grouped,
    nearest_cells,
    sample_size,
    train_centers,
)
from cocadesk.vectors import unit_vectors

_PROBED = 8
_NUMBERS_AT_ONCE = 8_000_000
_VECTORS_AT_ONCE = 32_768
"""So many products, and so many vectors as float32, lie in memory at a time."""
_FEW = 2_000
_MOST_OF_ONE = 24


def near_pairs(
    vectors_ND: NDArray[np.int8],
    counts: NDArray[np.bool_],
    is_new: NDArray[np.bool_],
    least: float,
) -> Iterator[NDArray[np.int32]]:
    """(P, 2) places of pairs with a cosine of at least ``least``, some at a time.

    Only vectors that count; each pair has a new one first. At most the 24 nearest of each new
    one. A pair of two new ones may come twice.
    """
    inside = np.flatnonzero(counts).astype(np.int32)
    new = np.flatnonzero(is_new & counts).astype(np.int32)
    if len(new) <= _FEW or len(inside) <= _FEW:
        yield from _products(vectors_ND, new, inside, least)
        return
    rng = np.random.default_rng(0)
    count = count_of_cells(len(inside))
    sample = rng.choice(inside, sample_size(len(inside)), replace=False)
    centers_CD = train_centers(_unit(vectors_ND[np.sort(sample)]), count, rng)
    probed, cells = _probed(vectors_ND, inside, new, centers_CD)
    order, starts = grouped(cells, count)
    # For each cell the new vectors that look into it.
    probers, probe_starts = grouped(probed.ravel(), count)
    for cell in range(count):
        looking = new[probers[probe_starts[cell] : probe_starts[cell + 1]] // probed.shape[1]]
        own = inside[order[starts[cell] : starts[cell + 1]]]
        yield from _products(vectors_ND, looking, own, least)


def _unit(vectors: NDArray[np.int8]) -> NDArray[np.float32]:
    return unit_vectors(vectors.astype(np.float32))


def _probed(
    vectors_ND: NDArray[np.int8],
    inside: NDArray[np.int32],
    new: NDArray[np.int32],
    centers_CD: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The nearest cells of each new vector, and the one cell of each inside."""
    cells = np.empty(len(inside), np.int32)
    step = max(1, _NUMBERS_AT_ONCE // len(centers_CD))
    for start in range(0, len(inside), step):
        some = _unit(vectors_ND[inside[start : start + step]])
        cells[start : start + step] = nearest_cells(some, centers_CD)
    most = min(_PROBED, len(centers_CD))
    probed = np.empty((len(new), most), np.int32)
    for start in range(0, len(new), step):
        cosines = _unit(vectors_ND[new[start : start + step]]) @ centers_CD.T
        probed[start : start + step] = np.argpartition(-cosines, most - 1, axis=1)[:, :most]
    return probed, cells


def _products(
    vectors_ND: NDArray[np.int8],
    looking: NDArray[np.int32],
    inside: NDArray[np.int32],
    least: float,
) -> Iterator[NDArray[np.int32]]:
    """The pairs of those that look and those inside that are near enough."""
    for first in range(0, len(inside), _VECTORS_AT_ONCE):
        some = inside[first : first + _VECTORS_AT_ONCE]
        within = _unit(vectors_ND[some])
        step = max(1, _NUMBERS_AT_ONCE // len(some))
        for start in range(0, len(looking), step):
            part = looking[start : start + step]
            yield _nearest(_unit(vectors_ND[part]) @ within.T, part, some, least)


def _nearest(
    cosines: NDArray[np.float32],
    looking: NDArray[np.int32],
    inside: NDArray[np.int32],
    least: float,
) -> NDArray[np.int32]:
    if cosines.shape[1] > _MOST_OF_ONE + 1:
        # The lowest that counts for each: it finds itself as well.
        floor = np.partition(cosines, -_MOST_OF_ONE - 1, axis=1)[:, -_MOST_OF_ONE - 1]
        rows, columns = np.nonzero(cosines >= np.maximum(floor, least)[:, None])
    else:
        rows, columns = np.nonzero(cosines >= least)
    pairs = np.stack([looking[rows], inside[columns]], axis=1)
    return np.asarray(pairs[pairs[:, 0] != pairs[:, 1]], np.int32)
