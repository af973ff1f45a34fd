"""Parts of pictures: what they cover, how their scores become a map."""

from __future__ import annotations

import numpy as np
import pytest

from cocadesk.model.runtime.heat_parts import (
    Parts,
    cutout_cover,
    cutout_edges,
    cutouts,
    enlarged,
    heat_of_text,
    joined,
    scaled,
    spread,
    told_apart,
    window_cover,
)


@pytest.mark.parametrize("size", [1, 2, 5, 96, 224, 260])
@pytest.mark.parametrize("side", [1, 3, 9, 12, 16])
def test_cutouts_lie_within_and_cover_every_cell(size: int, side: int) -> None:
    """Of any size of picture and grid; the shares of one cutout add up to its area."""
    edges = cutout_edges(size)
    assert all(0 <= y <= size - cut and 0 <= x <= size - cut for y, x, cut in edges)
    cover = cutout_cover(size, side)
    assert cover.shape == (len(edges), side * side)
    assert (cover.max(0) > 0).all()
    areas = [cut * cut / size / size for _y, _x, cut in edges]
    np.testing.assert_allclose(cover.mean(1), areas, atol=1e-5)


def test_a_cutout_is_the_enlarged_part_of_the_picture() -> None:
    """The first is the upper left third, at the picture's size."""
    image = np.zeros((90, 90, 3), np.uint8)
    image[:30, :30] = 200
    found = cutouts(image)
    assert found.shape == (25, 90, 90, 3)
    assert (found[0] == 200).all()
    assert (found[-1] == 0).all()


def test_enlarging_keeps_what_is_even_and_goes_evenly_between() -> None:
    """By hand, of two pixels in a row; a picture of the same size stays as it is."""
    pair = np.array([[[[0], [100]], [[0], [100]]]], np.uint8)
    assert enlarged(pair, 4)[0, 0, :, 0].tolist() == [0, 25, 75, 100]
    picture = np.random.default_rng(0).integers(0, 255, (1, 7, 7, 3), np.uint8)
    np.testing.assert_array_equal(enlarged(picture, 7), picture)


def test_a_cell_is_the_mean_of_the_parts_that_cover_it() -> None:
    """By hand, of three parts that overlap on three cells."""
    cover = window_cover([[0, 1], [1, 2], [2, 3]], 2)
    found = spread(Parts(scores_KT=np.array([[0.0], [1.0], [5.0]], np.float32), cover_KN=cover))
    np.testing.assert_allclose(found, [[0, 0.5, 3, 5]])


def test_kinds_of_parts_count_alike_whatever_their_scores() -> None:
    """One kind is high everywhere, and its differences are ten times as large."""
    cover = np.eye(4, dtype=np.float32)
    one = np.array([[0.0], [0], [0], [1]], np.float32)
    other = np.array([[10.0], [0], [0], [0]], np.float32) + 50
    [found] = joined(
        [Parts(scores_KT=one, cover_KN=cover), Parts(scores_KT=other, cover_KN=cover)], 2
    )
    assert found[0, 0] == pytest.approx(found[1, 1])
    assert found[0, 0] > found[0, 1] == pytest.approx(found[1, 0])
    flat = Parts(scores_KT=np.ones((4, 1), np.float32), cover_KN=cover)
    assert np.abs(joined([flat], 2)).max() == 0


def test_a_map_that_says_little_is_never_hot() -> None:
    """Differences below the span are shown as small as they are, others from 0 to 1."""
    maps = np.array([[[0, 0.01], [0.02, 0.03]], [[0, 1], [2, 3]]], np.float32)
    faint, clear = scaled(maps, 0.3)
    assert (faint.min(), faint.max()) == (0, pytest.approx(0.01))
    assert (clear.min(), clear.max()) == (0, 1)
    assert scaled(np.zeros((1, 2, 2), np.float32), 0.3).max() == 0


def test_what_fits_every_word_is_taken_off_a_text() -> None:
    """A direction that all neutral words share counts no more."""
    vectors = np.array([[1.0, 1, 0], [1, 0, 1], [1, 0, -1]], np.float32)
    assert told_apart(vectors).tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, -1]]


def test_a_text_is_hot_where_its_map_differs_more_than_those_of_everyday_words() -> None:
    """As much as they: warm at most; on a picture that is even, nowhere."""
    usual = np.array([[[0, 0.1], [0, 0.1]]] * 3, np.float32)
    clear = np.array([[[0, 0.1], [0.2, 0.3]]], np.float32)
    assert heat_of_text(np.concatenate((clear, usual))).max() == 1
    assert heat_of_text(np.concatenate((usual[:1], usual))).max() < 0.36
    assert heat_of_text(np.zeros((4, 2, 2), np.float32)).max() == 0
