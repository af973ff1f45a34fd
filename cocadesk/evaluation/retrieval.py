"""Recall at K between pictures and captions, in both directions, and accuracy of naming a class."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_BLOCK_ROWS = 512
"""Queries scored at a time: keeps the score matrix small for any size of set."""


class NotFiniteError(ValueError):
    """Vectors of a network that has gone astray: some are no numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalMetrics:
    """Recall at 1, 5 and 10 in percent: text to image and image to text."""

    t2i_r1: float
    t2i_r5: float
    t2i_r10: float
    i2t_r1: float
    i2t_r5: float
    i2t_r10: float


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
    text_ranks = _ranks(text_vectors, image_vectors, lambda rows: has_key[key_of_text[rows]])
    image_ranks = _ranks(image_vectors, text_vectors, lambda rows: has_key.T[rows][:, key_of_text])
    return RetrievalMetrics(
        t2i_r1=_recall(text_ranks, 1),
        t2i_r5=_recall(text_ranks, 5),
        t2i_r10=_recall(text_ranks, 10),
        i2t_r1=_recall(image_ranks, 1),
        i2t_r5=_recall(image_ranks, 5),
        i2t_r10=_recall(image_ranks, 10),
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
) -> NDArray[np.int64]:
    """For each query the number of wrong items at or above its best right item."""
    ranks = np.empty(len(queries), dtype=np.int64)
    for start in range(0, len(queries), _BLOCK_ROWS):
        rows = slice(start, start + _BLOCK_ROWS)
        scores = queries[rows] @ items.T
        right = right_of(rows)
        best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
        ranks[rows] = ((scores >= best) & ~right).sum(axis=1)
    return ranks


def _recall(ranks: NDArray[np.int64], k: int) -> float:
    return float(100.0 * (ranks < k).mean())


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShotMetrics:
    """Pictures whose class, named by words alone, is best or among the best five, in percent."""

    top1: float
    top5: float


def zeroshot_metrics(
    scores: NDArray[np.float32], labels: Sequence[int] | NDArray[np.integer]
) -> ZeroShotMetrics:
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
    ranks = (scores >= of_right).sum(axis=1) - 1
    return ZeroShotMetrics(top1=_recall(ranks, 1), top5=_recall(ranks, 5))
