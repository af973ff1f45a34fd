"""The nearest vectors in memory: exact among few, nearly so among many in cells."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cocadesk.library.cells import grouped, main_axes, nearest_cells, short_of, train_centers
from cocadesk.library.key_numbers import KeyNumbers, KeySet
from cocadesk.library.rows import Chosen
from cocadesk.library.vector_memory import (
    CellRows,
    KeyedVectors,
    VectorMemory,
    ViewRows,
    best_of,
    no_views,
)
from cocadesk.vectors import unit_vectors

COUNT, DIMENSION, CELLS = 3000, 24, 50


def clouds(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors around forty directions; two of their numbers are much larger than others."""
    rng = np.random.default_rng(seed)
    centers = np.random.default_rng(7).standard_normal((40, DIMENSION))
    vectors = centers[rng.integers(0, 40, count)] + 0.9 * rng.standard_normal((count, DIMENSION))
    vectors[:, :2] *= 3
    return unit_vectors(vectors)


def rows(vectors: NDArray[np.float32], first: int = 0) -> ViewRows:
    """A view a medium, numbered from ``first``."""
    count = len(vectors)
    return ViewRows.of(
        np.arange(first, first + count, dtype=np.int32),
        np.zeros(count, np.int32),
        np.full(count, np.nan),
        vectors,
    )


def in_cells(vectors: NDArray[np.float32], *, scanned: int = 400) -> VectorMemory:
    """The memory of a base that holds these vectors; so many are gone through in a search."""
    centers = train_centers(vectors[:1500], CELLS, np.random.default_rng(1))
    order, starts = grouped(nearest_cells(vectors, centers), CELLS)
    by_number, number_starts = grouped(order.astype(np.int32), len(vectors))
    stored, (mean, axes) = rows(vectors[order]), main_axes(vectors[:1500])
    return VectorMemory(
        later=(no_views(DIMENSION),),
        cells=CellRows(
            numbers=order.astype(np.int32),
            views=np.zeros(len(vectors), np.int32),
            times=np.full(len(vectors), np.nan),
            short_Nd=short_of(vectors[order], mean, axes),
            whole_ND=stored.whole_ND,
            axes_dD=axes,
            centers_CD=centers,
            starts=starts,
            by_number=by_number.astype(np.int32),
            number_starts=number_starts,
        ),
        is_kept=np.ones(len(vectors), np.bool_),
        scanned_share=0,
        scanned_least=scanned,
    )


def exact(vectors: NDArray[np.float32], query: NDArray[np.float32], limit: int) -> list[int]:
    """The numbers of the nearest, by a plain product."""
    return np.argsort(-(vectors @ query), kind="stable")[:limit].tolist()


def recall(memory: VectorMemory, vectors: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    """The share of the five nearest that pass ``mask`` that is found, over eighty queries."""
    found = []
    passing = np.flatnonzero(mask)
    for query in clouds(80, seed=3):
        wanted = passing[exact(vectors[passing], query, 5)]
        chosen = None if mask.all() else mask
        found.append(len(set(memory.nearest(query, 5, chosen).numbers) & set(wanted)) / 5)
    return float(np.mean(found))


def test_few_vectors_are_all_gone_through() -> None:
    """The order is that of the cosines."""
    vectors = clouds(500)
    memory = VectorMemory(later=(rows(vectors),))
    found = memory.nearest(vectors[7] * 3, 10)
    assert found.numbers.tolist() == exact(vectors, vectors[7], 10)
    np.testing.assert_allclose(found.cosines, np.sort(vectors @ vectors[7])[::-1][:10], atol=1e-4)


def test_vectors_of_a_base_are_as_exact_as_others() -> None:
    """By the whole ones; dimensions of any spread alike."""
    vectors = clouds(COUNT)
    memory = in_cells(vectors, scanned=COUNT)
    found = memory.nearest(vectors[7], 10)
    assert found.numbers.tolist() == exact(vectors, vectors[7], 10)
    np.testing.assert_allclose(found.cosines, np.sort(vectors @ vectors[7])[::-1][:10], atol=1e-4)


def test_a_search_in_some_cells_finds_nearly_all() -> None:
    """A seventh of the vectors is gone through."""
    vectors = clouds(COUNT)
    everything = np.ones(COUNT, np.bool_)
    some, hardly_any = (recall(in_cells(vectors, scanned=n), vectors, everything) for n in (400, 1))
    assert some >= 0.98 > hardly_any


@pytest.mark.parametrize("every", [2, 20, 300])
def test_a_filter_costs_no_recall(every: int) -> None:
    """Where few pass, more cells are looked into, or all that pass."""
    vectors = clouds(COUNT)
    assert recall(in_cells(vectors), vectors, np.arange(COUNT) % every == 1) >= 0.98


def test_what_comes_later_is_found_at_once_and_what_goes_is_not() -> None:
    """Beside the cells; of a medium with new views the old ones are gone."""
    vectors, query = clouds(COUNT), clouds(1, seed=9)[0]
    memory = in_cells(vectors)
    best = int(memory.nearest(query, 1).numbers[0])
    more = memory.changed(np.array([best], np.int32), rows(query[None], first=COUNT + 5))
    found = more.nearest(query, 2)
    assert found.numbers[0] == COUNT + 5
    assert best not in found.numbers
    assert more.count() == COUNT
    assert not more.has_whole(COUNT)[best]
    again = more.changed(np.array([COUNT + 5], np.int32), rows(-query[None], first=COUNT + 5))
    assert COUNT + 5 not in again.nearest(query, 2).numbers
    assert again.has_whole(COUNT + 9).sum() == COUNT
    assert memory.nearest(query, 1).numbers[0] == best


def test_many_that_came_later_are_looked_for_in_their_cells() -> None:
    """With a filter and without one, in whatever parts they came."""
    vectors = clouds(COUNT)
    memory = in_cells(vectors[: COUNT // 2])
    for start in range(COUNT // 2, COUNT, 500):
        later = rows(vectors[start : start + 500], first=start)
        memory = memory.changed(later.numbers, later)
    assert memory.count() == COUNT
    assert memory.count_later() == COUNT // 2
    for every in (1, 2, 20):
        assert recall(memory, vectors, np.arange(COUNT) % every == 0) >= 0.98


def test_a_short_form_has_as_many_numbers_as_vectors_differ_in() -> None:
    """Vectors that differ in ten directions of sixty-four are told apart by sixteen numbers."""
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((10, 64)).astype(np.float32)
    shared = 9 * rng.standard_normal(64).astype(np.float32)
    vectors = unit_vectors(rng.standard_normal((400, 10)).astype(np.float32) @ directions + shared)
    mean, axes = main_axes(vectors[:200])
    assert axes.shape == (16, 64)
    near = short_of(vectors, mean, axes) @ axes + mean
    assert (unit_vectors(near) * vectors).sum(1).min() > 0.999


def test_equal_vectors_have_a_short_form_too() -> None:
    """A sample may not differ at all."""
    vectors = np.tile(clouds(1), (20, 1))
    assert not short_of(vectors, *main_axes(vectors)).any()


def test_the_views_of_a_medium_come_by_number() -> None:
    """From the base or later ones; times where there are any."""
    vectors = clouds(4)
    later = ViewRows.of(
        np.array([9, 9], np.int32), np.array([1, 0], np.int32), np.array([2.5, np.nan]), vectors[:2]
    )
    memory = in_cells(clouds(COUNT)).changed(np.zeros(0, np.int32), later)
    memory = memory.changed(np.array([9], np.int32), later)
    found = memory.of_media(np.array([9, 3, 5000], np.int32))
    assert {number: [(one.view, one.time_s) for one in own] for number, own in found.items()} == {
        9: [(0, None), (1, 2.5)],
        3: [(0, None)],
    }
    np.testing.assert_allclose(found[9][0].vector, vectors[1], atol=1e-4)
    np.testing.assert_allclose(found[3][0].vector, clouds(COUNT)[3], atol=1e-4)


def test_chosen_media_may_be_named_by_any_keys() -> None:
    """As a set of these numbers, of others, or as plain keys."""
    vectors = clouds(6)
    keys, others = KeyNumbers(), KeyNumbers()
    keys.add(list("abcdef"))
    others.add(list("fedcba"))
    keyed = KeyedVectors(keys, VectorMemory(later=(rows(vectors),)))
    mask = np.array([True, True, False, False, False])
    for chosen in (
        KeySet(keys, np.array([0, 0, 0, 0, 1, 1], np.bool_)),
        KeySet(others, mask),
        {"e", "f", "unknown"},
    ):
        found = keyed.nearest(vectors[5], 9, Chosen(chosen))
        assert [one.key for one in found] == ["f", "e"]
    assert list(keyed.of_keys(["b", "unknown"])) == ["b"]


@given(scores=st.lists(st.integers(0, 5), max_size=30), limit=st.integers(1, 12))
def test_the_best_come_first(scores: list[int], limit: int) -> None:
    """As many as there are, at most so many."""
    array = np.array(scores, np.float32)
    assert array[best_of(array, limit)].tolist() == sorted(scores, reverse=True)[:limit]


def test_a_second_look_with_the_same_query_finds_the_same() -> None:
    """Products are kept for it; another query, or rows that came since, get their own."""
    vectors = clouds(500)
    memory = VectorMemory(later=(rows(vectors),))
    some = np.arange(500) % 5 == 0
    for query in (vectors[7], vectors[8], vectors[7]):
        assert memory.nearest(query, 10).numbers.tolist() == exact(vectors, query, 10)
        found = memory.nearest(query, 10, some).numbers.tolist()
        passing = np.flatnonzero(some)
        assert found == passing[exact(vectors[some], query, 10)].tolist()
    grown = memory.changed(np.array([7], np.int32), rows(-vectors[7:8], first=7))
    assert 7 not in grown.nearest(vectors[7], 10).numbers
    assert 7 in grown.nearest(-vectors[7], 1).numbers
