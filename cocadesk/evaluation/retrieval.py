"""Recall at K between pictures and captions, in both directions, and accuracy of naming a class."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocadesk.evaluation.intervals import Interval, interval_of_mean, interval_of_share

RECALL_AT = (1, 5, 10)
NEAREST = 3
"""Wrong answers that are kept of each query, to be looked at."""
_BLOCK_ROWS = 512
"""Queries scored at a time: keeps the score matrix small for any size of set."""


class NotFiniteError(ValueError):
    """Vectors of a network that has diverged: some are no numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalMetrics:
    """Recall at 1, 5 and 10 in percent: text to image and image to text."""

    t2i_r1: float
    t2i_r5: float
    t2i_r10: float
    i2t_r1: float
    i2t_r5: float
    i2t_r10: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """The place of the right item in each list of results, 0 the first.

    ``text_rank_T``: of the picture among all pictures, by caption; ``image_rank_I``: of the
    best of its captions among all captions, by picture; ``owner_T``: each caption's picture.
    ``nearest_wrong_TK``: the best pictures that are not right, by caption.
    """

    text_rank_T: NDArray[np.int64]
    image_rank_I: NDArray[np.int64]
    owner_T: NDArray[np.int64]
    nearest_wrong_TK: NDArray[np.int64]

    def metrics(self) -> RetrievalMetrics:
        """Recall over all captions and over all pictures."""
        recalls = {
            f"{name}_r{k}": float(100.0 * (ranks < k).mean())
            for name, ranks in (("t2i", self.text_rank_T), ("i2t", self.image_rank_I))
            for k in RECALL_AT
        }
        return RetrievalMetrics(**recalls)

    def intervals(self) -> dict[str, Interval]:
        """The interval of each recall, in percent; pictures are drawn with their captions."""
        captions_I = np.bincount(self.owner_T).astype(np.float64)
        ones_I = np.ones_like(captions_I)
        found: dict[str, Interval] = {}
        for k in RECALL_AT:
            hits_I = np.bincount(self.owner_T, self.text_rank_T < k)
            found[f"t2i_r{k}"] = interval_of_share(100.0 * hits_I, captions_I)
        for k in RECALL_AT:
            found[f"i2t_r{k}"] = interval_of_share(100.0 * (self.image_rank_I < k), ones_I)
        return found


def caption_key(caption: str) -> str:
    """A caption reduced to letters and digits: two are equal whatever their case and spacing."""
    letters = (ch if ch.isalnum() else " " for ch in caption.casefold())
    return " ".join("".join(letters).split()) or " ".join(caption.split())


def retrieval_metrics(
    image_vectors: NDArray[np.float32],
    text_vectors: NDArray[np.float32],
    image_index_of_text: Sequence[int] | NDArray[np.integer],
    caption_keys: Sequence[Hashable],
) -> RetrievalMetrics:
    """The recalls of ``rank``, which takes the same."""
    return rank(image_vectors, text_vectors, image_index_of_text, caption_keys).metrics()


def rank(
    image_vectors: NDArray[np.float32],
    text_vectors: NDArray[np.float32],
    image_index_of_text: Sequence[int] | NDArray[np.integer],
    caption_keys: Sequence[Hashable],
) -> Ranking:
    """Ranks every picture for every caption and the other way round.

    ``image_vectors`` (I, D) and ``text_vectors`` (T, D) are unit norm; text t was
    written for picture ``image_index_of_text[t]``. A picture is right for a text, and
    that text for the picture, when the picture has a caption with the text's key: so
    pictures with an equal caption are right for each other. A wrong item with
    the very same score as the best right one stands before it, which gives a model
    that maps all to one vector nothing.

    Raises:
        ValueError: shapes that do not fit, no texts, a picture without a text, or
            vectors that are not finite.
    """
    owner = np.asarray(image_index_of_text, dtype=np.int64)
    _check(image_vectors, text_vectors, owner, caption_keys)
    numbers: dict[Hashable, int] = {}
    key_of_text = np.asarray([numbers.setdefault(key, len(numbers)) for key in caption_keys])
    has_key = np.zeros((len(numbers), len(image_vectors)), dtype=np.bool_)
    has_key[key_of_text, owner] = True
    text_rank_T, nearest_wrong_TK = _ranks(
        text_vectors, image_vectors, lambda rows: has_key[key_of_text[rows]]
    )
    image_rank_I, _ = _ranks(
        image_vectors, text_vectors, lambda rows: has_key.T[rows][:, key_of_text]
    )
    return Ranking(
        text_rank_T=text_rank_T,
        image_rank_I=image_rank_I,
        owner_T=owner,
        nearest_wrong_TK=nearest_wrong_TK,
    )


def _check(
    image_vectors: NDArray[np.float32],
    text_vectors: NDArray[np.float32],
    owner: NDArray[np.int64],
    caption_keys: Sequence[Hashable],
) -> None:
    texts = len(text_vectors)
    if texts == 0 or owner.shape != (texts,) or len(caption_keys) != texts:
        raise ValueError(
            f"{texts} text vectors, {owner.size} picture numbers and {len(caption_keys)} keys"
        )
    if image_vectors.ndim != 2 or image_vectors.shape[1:] != text_vectors.shape[1:]:
        raise ValueError(f"vectors of shapes {image_vectors.shape} and {text_vectors.shape}")
    if owner.min() < 0 or np.unique(owner).size != len(image_vectors):
        raise ValueError("every picture needs a text, and every text a picture of the set")
    if owner.max() >= len(image_vectors):
        raise ValueError(f"picture number {owner.max()} of {len(image_vectors)} pictures")
    if not (np.isfinite(image_vectors).all() and np.isfinite(text_vectors).all()):
        raise NotFiniteError("some vectors are not finite")


def _ranks(
    queries: NDArray[np.float32],
    items: NDArray[np.float32],
    right_of: Callable[[slice], NDArray[np.bool_]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each query the number of wrong items at or above its best right one; the best wrong.

    (Q,) and (Q, up to NEAREST); -1 where a query has fewer wrong items.
    """
    kept = min(NEAREST, len(items))
    ranks = np.empty(len(queries), dtype=np.int64)
    nearest = np.empty((len(queries), kept), dtype=np.int64)
    for start in range(0, len(queries), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        scores = queries[rows] @ items.T
        right = right_of(rows)
        best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
        ranks[rows] = ((scores >= best) & ~right).sum(axis=1)
        scores[right] = -np.inf
        order = np.argpartition(-scores, kept - 1, axis=1)[:, :kept]
        its_scores = np.take_along_axis(scores, order, axis=1)
        by_score = np.argsort(-its_scores, axis=1, kind="stable")
        order[np.isneginf(its_scores)] = -1
        nearest[rows] = np.take_along_axis(order, by_score, axis=1)
    return ranks, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShotMetrics:
    """Pictures whose class, named by words alone, is best or among the best five, in percent.

    ``top1_macro`` is the mean of the classes' ``top1``: each counts the same, however many
    pictures it has.
    """

    top1: float
    top5: float
    top1_macro: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """The place of the right class by picture, 0 the first, and the best classes of each.

    ``rank_N``, ``label_N`` (the right class) and ``best_NK``, best first.
    """

    rank_N: NDArray[np.int64]
    label_N: NDArray[np.int64]
    best_NK: NDArray[np.int64]

    @property
    def _weights(self) -> NDArray[np.float64]:
        """The weight of each picture, by which all classes count the same."""
        return np.asarray(1 / np.bincount(self.label_N)[self.label_N], np.float64)

    def metrics(self) -> ZeroShotMetrics:
        """Accuracy over all pictures, and over classes."""
        top1, top5 = (float(100.0 * (self.rank_N < k).mean()) for k in (1, 5))
        macro = float(100.0 * np.average(self.rank_N < 1, weights=self._weights))
        return ZeroShotMetrics(top1=top1, top5=top5, top1_macro=macro)

    def intervals(self) -> dict[str, Interval]:
        """The interval of each accuracy, in percent."""
        found = {f"top{k}": interval_of_mean(100.0 * (self.rank_N < k)) for k in (1, 5)}
        weight_N = self._weights
        hits_N = 100.0 * weight_N * (self.rank_N < 1)
        return found | {"top1_macro": interval_of_share(hits_N, weight_N)}


def name_classes(
    scores: NDArray[np.float32], labels: Sequence[int] | NDArray[np.integer]
) -> Naming:
    """Ranks each picture's classes: ``scores`` (N, C), ``labels`` (N,) the right column.

    A wrong class with the very same score stands before the right one.

    Raises:
        ValueError: shapes that do not fit, no pictures, or scores that are not finite.
    """
    right = np.asarray(labels, dtype=np.int64)
    if scores.ndim != 2 or len(scores) == 0 or right.shape != scores.shape[:1]:
        raise ValueError(f"scores of shape {scores.shape} for labels of shape {right.shape}")
    if right.min() < 0 or right.max() >= scores.shape[1]:
        raise ValueError(f"a label is outside the {scores.shape[1]} classes")
    if not np.isfinite(scores).all():
        raise ValueError("some scores are not finite")
    of_right = np.take_along_axis(scores, right[:, None], axis=1)
    rank_N = (scores >= of_right).sum(axis=1) - 1
    best_NK = np.argsort(-scores, axis=1, kind="stable")[:, :NEAREST]
    return Naming(rank_N=rank_N, label_N=right, best_NK=best_NK)
