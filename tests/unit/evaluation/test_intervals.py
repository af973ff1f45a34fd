"""Intervals by the bootstrap: as wide as they must be, and over whole pictures."""

from __future__ import annotations

import numpy as np
import pytest

from cocadesk.evaluation.captions import score_captions
from cocadesk.evaluation.intervals import bootstrap, interval_of_mean, interval_of_share
from cocadesk.evaluation.retrieval import rank

Z = 1.96


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    """For many values both agree."""
    values = np.random.default_rng(1).normal(5, 2, 900)
    found = interval_of_mean(values)
    half = Z * values.std() / 30
    assert found.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.15 * half)
    assert found.n == 900


def test_nine_of_ten_intervals_and_more_hold_the_truth() -> None:
    """A share of .3, seen in 80 pictures, two hundred times."""
    random = np.random.default_rng(2)
    held = 0
    for seed in range(200):
        found = interval_of_mean((random.random(80) < 0.3).astype(float), seed=seed)
        held += found.low <= 0.3 <= found.high
    assert 180 <= held < 200


def test_captions_of_one_picture_are_drawn_together() -> None:
    """Five captions that agree are one picture's worth of evidence."""
    found = np.random.default_rng(3).random(100) < 0.5
    alone = interval_of_share(found.astype(float), np.ones(100))
    five = interval_of_share(5.0 * found, np.full(100, 5.0))
    assert (five.low, five.high) == (alone.low, alone.high)


def test_equal_values_leave_no_doubt_and_no_pictures_no_figure() -> None:
    """Both ends are the value itself."""
    found = interval_of_mean(np.full(7, 0.25))
    assert (found.low, found.high) == (0.25, 0.25)
    with pytest.raises(ValueError, match="no pictures"):
        bootstrap(np.empty((0, 1)), lambda sums: sums[:, 0])


def test_every_measure_lies_in_its_interval() -> None:
    """Recall both ways, and the three caption measures."""
    random = np.random.default_rng(4)
    vectors = random.normal(size=(60, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    near = vectors + 0.3 * random.normal(size=vectors.shape).astype(np.float32)
    ranking = rank(near, vectors, range(60), [str(i) for i in range(60)])
    words = ["a", "b", "c", "d", "e", "f", "g", "h"]
    texts = [" ".join(random.choice(words, 7)) for _ in range(40)]
    changed = [" ".join([*t.split()[: 3 + i % 5], "x", "y"]) for i, t in enumerate(texts)]
    scores = score_captions(changed, [[text] for text in texts])
    for measures, intervals in (
        (ranking.metrics(), ranking.intervals()),
        (scores.metrics(), scores.intervals()),
    ):
        for name, interval in intervals.items():
            assert interval.low <= getattr(measures, name) <= interval.high, name
            assert interval.low < interval.high


def test_the_nearest_wrong_pictures_are_those_before_the_right_one() -> None:
    """Best first, never the right one, and -1 where there are no more."""
    texts = np.eye(3, dtype=np.float32)
    images = np.asarray([[0.6, 0.8, 0], [1, 0, 0], [0, 0.1, 0.99]], np.float32)
    ranking = rank(images, texts, [0, 1, 2], ["a", "b", "c"])
    assert ranking.text_rank_T.tolist() == [1, 2, 0]
    assert ranking.nearest_wrong_TK.tolist() == [[1, 2, -1], [0, 2, -1], [0, 1, -1]]
