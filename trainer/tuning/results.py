"""Figures before and after tuning, each with its number of photos and 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cocadesk.evaluation.captions import cider_d, tokenize
from cocadesk.evaluation.intervals import interval_of_mean
from cocadesk.evaluation.retrieval import caption_key

RECALL_AT = (1, 5, 10)
_Z = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A metric (named as ``cocadesk evaluate`` names it) over ``n`` photos.

    ``low`` and ``high`` bound it: Wilson's score interval for recall, the bootstrap
    over photos for captions.
    """

    name: str
    value: float
    n: int
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Photos to measure among others: the pictures searched and their captions.

    ``image_IE`` are all pictures, of which the first ``len(captions)`` are measured.
    ``text_TE`` are the measured photos' captions in order, then ``distractor_XE``.
    """

    image_IE: NDArray[np.float32]
    text_TE: NDArray[np.float32]
    distractor_XE: NDArray[np.float32]
    captions: Sequence[Sequence[str]]


def recall_figures(ranked: Ranked) -> list[Figure]:
    """t2i_r1 … i2t_r10 in percent. Photos with an equal caption are right for each other.

    A photo counts once: its share of captions that found it, for text to image.
    """
    owner = np.asarray([i for i, texts in enumerate(ranked.captions) for _ in texts])
    keys = [caption_key(text) for texts in ranked.captions for text in texts]
    right_TI = _right(keys, ranked.captions, len(ranked.image_IE))
    text_ranks = _ranks(ranked.text_TE @ ranked.image_IE.T, right_TI)
    measured = ranked.image_IE[: len(ranked.captions)]
    to_texts = measured @ np.concatenate((ranked.text_TE, ranked.distractor_XE)).T
    right_IT = np.zeros(to_texts.shape, np.bool_)
    right_IT[:, : len(keys)] = right_TI[:, : len(measured)].T
    image_ranks = _ranks(to_texts, right_IT)
    figures = []
    for k in RECALL_AT:
        found = np.bincount(owner, text_ranks < k) / np.bincount(owner)
        figures.append(_recall(f"t2i_r{k}", found))
    for k in RECALL_AT:
        figures.append(_recall(f"i2t_r{k}", (image_ranks < k).astype(np.float64)))
    return figures


def _right(
    keys: Sequence[str], captions: Sequence[Sequence[str]], pictures: int
) -> NDArray[np.bool_]:
    has = [{caption_key(text) for text in texts} for texts in captions]
    right = np.zeros((len(keys), pictures), np.bool_)
    for row, key in enumerate(keys):
        right[row, : len(has)] = [key in own for own in has]
    return right


def _ranks(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The number of wrong items at or above each row's best right one."""
    best = np.where(right, scores, -np.inf).max(axis=1, keepdims=True)
    ranks: NDArray[np.int64] = ((scores >= best) & ~right).sum(axis=1)
    return ranks


def _recall(name: str, found: NDArray[np.float64]) -> Figure:
    low, high = wilson(float(found.mean()), len(found))
    return Figure(
        name=name,
        value=round(100 * float(found.mean()), 2),
        n=len(found),
        low=round(100 * low, 2),
        high=round(100 * high, 2),
    )


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % score interval of a share seen in n cases."""
    if n == 0:
        return 0.0, 1.0
    scale = 1 + _Z**2 / n
    centre = (share + _Z**2 / (2 * n)) / scale
    half = _Z / scale * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def caption_figure(written: Sequence[str], references: Sequence[Sequence[str]]) -> list[Figure]:
    """CIDEr-D over the photos; none for a single one, whose weights would all be zero."""
    if len(written) < 2:
        return []
    scores = np.asarray(
        cider_d([tokenize(t) for t in written], [[tokenize(t) for t in r] for r in references])
    )
    interval = interval_of_mean(scores)
    return [
        Figure(
            name="cider_d",
            value=round(float(scores.mean()), 4),
            n=len(scores),
            low=round(interval.low, 4),
            high=round(interval.high, 4),
        )
    ]
