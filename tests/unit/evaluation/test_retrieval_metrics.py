"""Recall at K against hand-made rankings and a slow plain version."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.evaluation.retrieval import (
    caption_key,
    name_classes,
    retrieval_metrics,
)


def _unit(rows: int, seed: int, dim: int = 8) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((rows, dim)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_perfect_vectors_recall_everything() -> None:
    """Texts equal to their pictures' vectors give 100 percent throughout."""
    images = np.eye(12, dtype=np.float32)
    metrics = retrieval_metrics(images, images, range(12), [str(i) for i in range(12)])
    assert (metrics.t2i_r1, metrics.t2i_r10, metrics.i2t_r1) == (100.0, 100.0, 100.0)


def test_one_vector_for_everything_recalls_nothing_at_one() -> None:
    """Ties count against the model: a collapsed model gets no hit for free."""
    images = np.ones((20, 4), np.float32) / 2
    metrics = retrieval_metrics(images, images, range(20), [str(i) for i in range(20)])
    assert (metrics.t2i_r1, metrics.t2i_r10, metrics.i2t_r1) == (0.0, 0.0, 0.0)


def test_a_hand_made_ranking_gives_the_recall_by_hand() -> None:
    """Text 0 finds its picture first, text 1 second: R@1 50, R@5 100."""
    images = np.eye(3, dtype=np.float32)
    texts = np.asarray([[1, 0, 0], [0.8, 0.6, 0], [0, 0, 1], [0, 0.6, 0.8]], np.float32)
    metrics = retrieval_metrics(images, texts, [0, 1, 2, 1], ["a", "b", "c", "d"])
    assert metrics.t2i_r1 == 50.0
    assert metrics.t2i_r5 == 100.0
    # Picture 1's two texts score .6 each, which is the best of its row.
    assert metrics.i2t_r1 == 100.0


def test_pictures_with_an_equal_caption_are_right_for_each_other() -> None:
    """Two photos of "a dog": finding the other one is a hit, in both directions."""
    images = np.eye(3, dtype=np.float32)
    texts = np.asarray([[0, 1, 0], [1, 0, 0], [0, 0, 1]], np.float32)
    plain = retrieval_metrics(images, texts, [0, 1, 2], ["x", "y", "z"])
    equal = retrieval_metrics(images, texts, [0, 1, 2], ["a dog", "a dog", "z"])
    assert plain.t2i_r1 == pytest.approx(100 / 3)
    assert equal.t2i_r1 == 100.0
    assert equal.i2t_r1 == 100.0


@given(
    seed=st.integers(0, 2**16),
    owners=st.lists(st.integers(0, 5), min_size=1, max_size=14),
    keys=st.lists(st.integers(0, 6), min_size=14, max_size=14),
)
def test_the_metrics_equal_a_slow_plain_version(
    seed: int, owners: list[int], keys: list[int]
) -> None:
    """For any vectors and captions the ranks are those of a loop over pairs."""
    owner = list(np.unique(owners, return_inverse=True)[1])
    images, texts = _unit(max(owner) + 1, seed), _unit(len(owner), seed + 1)
    used = keys[: len(owner)]
    metrics = retrieval_metrics(images, texts, owner, used)
    of_image = [{used[t] for t in range(len(owner)) if owner[t] == i} for i in range(len(images))]
    scores = texts @ images.T
    for k, value in ((1, metrics.t2i_r1), (5, metrics.t2i_r5)):
        hits = [
            any(used[t] in of_image[i] for i in np.argsort(-scores[t])[:k])
            for t in range(len(owner))
        ]
        assert value == pytest.approx(100 * np.mean(hits))
    hits = [used[int(np.argmax(scores[:, i]))] in of_image[i] for i in range(len(images))]
    assert metrics.i2t_r1 == pytest.approx(100 * np.mean(hits))


def test_more_texts_than_a_block_are_all_ranked() -> None:
    """The scores are computed in blocks; the last, shorter one counts too."""
    images = _unit(130, 3, 64)
    texts = np.repeat(images, 9, axis=0)
    keys = [str(i) for i in range(len(texts))]
    metrics = retrieval_metrics(images, texts, np.repeat(np.arange(130), 9), keys)
    assert metrics.t2i_r1 == 100.0


def test_vectors_that_do_not_fit_are_refused() -> None:
    """Wrong shapes, a picture without a text and NaN are errors, not a score."""
    images, texts = _unit(2, 0), _unit(2, 1)
    with pytest.raises(ValueError, match="every picture needs a text"):
        retrieval_metrics(images, texts, [0, 0], ["a", "b"])
    with pytest.raises(ValueError, match="picture numbers"):
        retrieval_metrics(images, texts, [0], ["a", "b"])
    with pytest.raises(ValueError, match="shapes"):
        retrieval_metrics(images, texts[:, :3], [0, 1], ["a", "b"])
    with pytest.raises(ValueError, match="not finite"):
        retrieval_metrics(images * np.nan, texts, [0, 1], ["a", "b"])


def test_captions_are_equal_when_their_words_are() -> None:
    """Case, spacing and punctuation do not make two captions different."""
    assert caption_key("A photo of a  Dog.") == caption_key("a photo of a dog")
    assert caption_key("a dog") != caption_key("a dog runs")
    assert caption_key("\U0001f436") != caption_key("\U0001f431")


def test_zero_shot_accuracy_counts_the_first_and_the_first_five() -> None:
    """One picture right at once, one at place 2, one at place 6."""
    scores = np.asarray([[9, 1, 2, 3, 4, 5], [8, 9, 1, 2, 3, 4], [1, 9, 8, 7, 6, 5]], np.float32)
    metrics = name_classes(scores, [0, 0, 0]).metrics()
    assert metrics.top1 == pytest.approx(100 / 3)
    assert metrics.top5 == pytest.approx(200 / 3)


def test_zero_shot_accuracy_is_also_given_over_classes() -> None:
    """Nine of ten pictures are of one class and all right; the tenth, alone in its own, is not."""
    scores = np.zeros((10, 3), np.float32)
    scores[:, 1] = 1
    naming = name_classes(scores, [1] * 9 + [2])
    metrics, intervals = naming.metrics(), naming.intervals()
    assert (metrics.top1, metrics.top1_macro) == pytest.approx((90.0, 50.0))
    assert set(intervals) == {"top1", "top5", "top1_macro"}
    macro = intervals["top1_macro"]
    assert macro.low < 50 < macro.high == pytest.approx(100)
    alike = name_classes(scores[:2], [1, 2])
    assert alike.metrics().top1_macro == pytest.approx(alike.metrics().top1)


def test_zero_shot_scores_that_do_not_fit_are_refused() -> None:
    """Labels outside the classes, no pictures, NaN."""
    with pytest.raises(ValueError, match="outside"):
        name_classes(np.zeros((1, 3), np.float32), [3])
    with pytest.raises(ValueError, match="shape"):
        name_classes(np.zeros((0, 3), np.float32), [])
    with pytest.raises(ValueError, match="not finite"):
        name_classes(np.full((1, 3), np.nan, np.float32), [0])
