"""Near pairs, found through cells and without: against all products."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.indexing.moved_prints import moved_cosines
from cocadesk.indexing.near_pairs import near_pairs
from cocadesk.vectors import unit_vectors

LEAST = 0.9


def _vectors(count: int, pairs: int) -> tuple[NDArray[np.int8], set[tuple[int, int]]]:
    """Vectors in 40 heaps; the second of each pair lies near the first."""
    rng = np.random.default_rng(3)
    heaps = rng.standard_normal((40, 24))
    vectors = heaps[rng.integers(0, 40, count)] + rng.standard_normal((count, 24))
    vectors[:pairs] = vectors[pairs : 2 * pairs] + 0.1 * rng.standard_normal((pairs, 24))
    whole = np.round(unit_vectors(vectors) * 127).astype(np.int8)
    unit = unit_vectors(whole.astype(np.float32))
    rows, columns = np.nonzero(np.triu(unit @ unit.T >= LEAST, 1))
    return whole, set(zip(rows.tolist(), columns.tolist(), strict=True))


def _found(
    vectors: NDArray[np.int8], counts: NDArray[np.bool_], is_new: NDArray[np.bool_]
) -> set[tuple[int, int]]:
    parts = near_pairs(vectors, counts, is_new, LEAST)
    return {(min(pair), max(pair)) for part in parts for pair in part.tolist()}


@pytest.mark.parametrize("new", [200, 3_000], ids=["few are new", "all are new"])
def test_pairs_of_which_one_is_new_are_found(new: int) -> None:
    """Exactly where few are new, and nearly all through cells."""
    vectors, every = _vectors(3_000, 300)
    is_new = np.arange(3_000) < new
    wanted = {pair for pair in every if is_new[list(pair)].any()}
    found = _found(vectors, np.ones(3_000, np.bool_), is_new)
    assert found <= wanted
    assert len(found) >= (1 if new == 200 else 0.97) * len(wanted) > 100


def test_what_does_not_count_is_in_no_pair() -> None:
    """Not as the new one, nor as the other."""
    vectors, every = _vectors(400, 50)
    counts = np.arange(400) % 5 != 0
    wanted = {pair for pair in every if counts[list(pair)].all()}
    assert _found(vectors, counts, np.ones(400, np.bool_)) == wanted
    assert _found(vectors, np.zeros(400, np.bool_), counts) == set()


def test_the_print_of_a_crop_fits_a_part_of_the_whole_one() -> None:
    """Moved over it; the print of another picture fits nowhere."""
    rng = np.random.default_rng(1)
    fine = np.kron(rng.uniform(-100, 100, (10, 10)), np.ones((12, 12)))

    def tiny(part: NDArray[np.float64]) -> NDArray[np.int8]:
        side = len(part) // 8
        small = part[: 8 * side, : 8 * side].reshape(8, side, 8, side).mean(axis=(1, 3)).ravel()
        return np.round(small - small.mean()).astype(np.int8)

    whole, crop = tiny(fine)[None], tiny(fine[12:120, :108])[None]
    other = tiny(np.kron(rng.uniform(-100, 100, (10, 10)), np.ones((12, 12))))[None]
    assert moved_cosines(whole, crop)[0] == moved_cosines(crop, whole)[0] > 0.75
    assert moved_cosines(whole, other)[0] < 0.6
