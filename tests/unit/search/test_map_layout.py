"""Places on a plane: what is alike lies together, whatever the numbers."""

from __future__ import annotations

import numpy as np
import pytest

from cocadesk.search.map_layout import lay_out, place_among
from cocadesk.vectors import unit_vectors


def _clusters(count: int, each: int, dimension: int = 16, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    middles = rng.normal(size=(count, 1, dimension))
    vectors = middles + 0.15 * rng.normal(size=(count, each, dimension))
    return unit_vectors(vectors.reshape(-1, dimension).astype(np.float32))


def test_clusters_stay_together() -> None:
    """The nearest on the plane is of the same cluster, for nearly all."""
    vectors_ND = _clusters(6, 40)
    places_N2 = lay_out(vectors_ND)
    assert places_N2.min() >= 0
    assert places_N2.max() <= 1
    apart = np.square(places_N2[:, None] - places_N2[None]).sum(-1)
    np.fill_diagonal(apart, np.inf)
    cluster = np.arange(len(vectors_ND)) // 40
    assert (cluster[apart.argmin(1)] == cluster).mean() > 0.98


def test_others_are_placed_in_their_cluster() -> None:
    """Nearer to the middle of their own than to any other."""
    vectors_ND = _clusters(5, 60)
    in_sample = np.arange(len(vectors_ND)) % 2 == 0
    sample_S2 = lay_out(vectors_ND[in_sample])
    places_N2 = place_among(vectors_ND, vectors_ND[in_sample], sample_S2)
    cluster = np.arange(len(vectors_ND)) // 60
    middles = np.stack([sample_S2[cluster[in_sample] == n].mean(0) for n in range(5)])
    apart = np.square(places_N2[:, None] - middles[None]).sum(-1)
    assert (apart.argmin(1) == cluster).mean() > 0.98


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 31])
def test_few_have_places_of_their_own(count: int) -> None:
    """No number of vectors is too small."""
    places_N2 = lay_out(_clusters(1, 31)[:count])
    assert places_N2.shape == (count, 2)
    assert np.isfinite(places_N2).all()
    assert len(np.unique(places_N2.round(4), axis=0)) == count


def test_equal_vectors_part() -> None:
    """Copies of one picture do not lie on one point, and nothing overflows."""
    places_N2 = lay_out(np.repeat(_clusters(1, 1), 40, axis=0))
    assert np.isfinite(places_N2).all()
    assert len(np.unique(places_N2.round(4), axis=0)) > 20


def test_the_same_vectors_have_the_same_places() -> None:
    """A map that is made again looks as it did."""
    vectors_ND = _clusters(3, 20)
    assert (lay_out(vectors_ND) == lay_out(vectors_ND)).all()


def test_the_share_done_is_told_and_can_end_the_work() -> None:
    """It rises, and what it raises comes out."""
    told: list[float] = []
    lay_out(_clusters(2, 20), told.append)
    assert told == sorted(told)
    assert told[-1] == 1

    def stop(_share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        lay_out(_clusters(2, 20), stop)
