"""Parts of a picture and the heat of its cells: what every network's maps are made of.

A network is shown many parts of a picture, each alone. What it says of them is spread over the
cells of a grid: a cell's heat is the mean over the parts that cover it. Parts of several sizes
are set against their own mean before they are added, since small ones always fit a text less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Heat = NDArray[np.float32]

FULL_RANGE, LEAST_SPAN = 1.7, 0.02
"""A text's map is hot where its cosines differ so many times as much as those of everyday words on
the same picture: of things that are in photos 1.8 times (median), of other words as much. Nowhere
where they differ by less than the second.
"""
LOG_PROBABILITY_SPAN = 3.5
"""Parts between which a word's log probability differs by less have no full heat anywhere."""
TOWER_SIDE = 12
"""Cells along a side of the maps of a model whose own cells are not known."""
CUTOUT_STEPS = 5
"""Cutouts along a side; each is a third of it, and two that are next to each other share half."""
NEUTRAL = (
    *("a man", "a woman", "a child", "people", "a dog", "a cat", "a bird", "food", "a flower"),
    *("a tree", "grass", "sky", "water", "sand", "snow", "a mountain", "a street", "a building"),
    *("a room", "a wall", "a table", "a car", "a shirt", "something", "a photo", "a picture"),
)
"""Everyday words. What speaks for all of them speaks for none: their mean is taken off a text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Scores (K, T) of K parts for T texts, and what share of each of N cells a part covers."""

    scores_KT: NDArray[np.float32]
    cover_KN: NDArray[np.float32]


def cutout_edges(size_px: int) -> list[tuple[int, int, int]]:
    """Top, left and side of each cutout of a square picture, in pixels."""
    side = max(1, round(size_px / 3))
    starts = sorted({round(n * (size_px - side) / (CUTOUT_STEPS - 1)) for n in range(CUTOUT_STEPS)})
    return [(top, left, side) for top, left in product(starts, repeat=2)]


def cutouts(image_HWC: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The cutouts of a square picture (S, S, 3), each enlarged to its size, (K, S, S, 3)."""
    size = len(image_HWC)
    cut = [
        image_HWC[top : top + side, left : left + side]
        for top, left, side in cutout_edges(size)
    ]  # fmt: skip
    return enlarged(np.stack(cut), size)


def enlarged(images_BHWC: NDArray[np.uint8], size_px: int) -> NDArray[np.uint8]:
    """Square pictures (B, s, s, 3) of another size, bilinear."""
    side = images_BHWC.shape[1]
    at = np.clip((np.arange(size_px) + 0.5) * side / size_px - 0.5, 0, side - 1)
    low = np.floor(at).astype(int)
    high, share = np.minimum(low + 1, side - 1), (at - low).astype(np.float32)
    rows = images_BHWC.astype(np.float32)
    rows = rows[:, low] * (1 - share)[:, None, None] + rows[:, high] * share[:, None, None]
    both = rows[:, :, low] * (1 - share)[:, None] + rows[:, :, high] * share[:, None]
    return np.asarray(np.round(both), np.uint8)


@cache
def cutout_cover(size_px: int, side: int) -> NDArray[np.float32]:
    """What share of each cell of a grid with ``side`` rows a cutout covers, (K, side * side)."""
    edges = np.linspace(0, size_px, side + 1)

    def covered(start: int, end: int) -> NDArray[np.float64]:
        inside = np.minimum(edges[1:], end) - np.maximum(edges[:-1], start)
        return np.asarray(np.clip(inside, 0, None) / np.diff(edges))

    rows = [
        np.outer(covered(top, top + cut), covered(left, left + cut)).ravel()
        for top, left, cut in cutout_edges(size_px)
    ]
    return np.array(rows, np.float32)


def window_cover(windows: Sequence[Sequence[int]], side: int) -> NDArray[np.float32]:
    """The same of windows that name the cells which they hold."""
    cover_KN = np.zeros((len(windows), side * side), np.float32)
    for number, cells in enumerate(windows):
        cover_KN[number, list(cells)] = 1
    return cover_KN


def joined(kinds: Sequence[Parts], side: int) -> Heat:
    """The mean of the maps of several kinds of parts, each against its own mean: (T, side, side).

    Kinds count alike, however far apart their scores lie; the result is on their mean scale.
    """
    maps = [spread(kind) for kind in kinds]
    maps = [each - each.mean(1, keepdims=True) for each in maps]
    widths = [each.std(1, keepdims=True) for each in maps]
    scale = np.mean(widths, axis=0)
    even = [each / np.maximum(width, 1e-9) for each, width in zip(maps, widths, strict=True)]
    return np.asarray((np.mean(even, axis=0) * scale).reshape(-1, side, side), np.float32)


def spread(parts: Parts) -> Heat:
    """Each cell's mean over the parts that cover it, by how much they do, (T, N)."""
    weight_N = parts.cover_KN.sum(0)
    found = parts.scores_KT.T @ parts.cover_KN / np.maximum(weight_N, 1e-9)
    return np.asarray(found, np.float32)


def scaled(scores_TYX: Heat, span: float) -> Heat:
    """Heat from 0 to 1: the coolest cell is 0, the hottest 1 where they differ by ``span``.

    Squared: parts overlap, so that their means fall off slowly around what is meant.
    """
    lowest = scores_TYX.min((-2, -1), keepdims=True)
    range_T11 = scores_TYX.max((-2, -1), keepdims=True) - lowest
    return np.asarray(((scores_TYX - lowest) / np.maximum(range_T11, span)) ** 2, np.float32)


def told_apart(vectors_TE: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors of a text and, after it, of ``NEUTRAL``, without what the latter have in common."""
    return np.asarray(vectors_TE - vectors_TE[1:].mean(0), np.float32)


def heat_of_text(maps_TYX: Heat) -> Heat:
    """The heat (h, w) of the first of the maps, whose other ones are of ``NEUTRAL``."""
    ranges_T = np.ptp(maps_TYX.reshape(len(maps_TYX), -1), axis=1)
    span = max(LEAST_SPAN, FULL_RANGE * float(ranges_T[1:].mean()))
    return np.asarray(scaled(maps_TYX[:1], span)[0])
