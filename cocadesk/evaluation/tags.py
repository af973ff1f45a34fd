"""Tags as probabilities, measured: how far they may be believed, and what is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cocadesk.evaluation.intervals import Interval, interval_of_mean, interval_of_share
from cocadesk.evaluation.runs import Labelled, batches

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend

BINS = 15

GivenTags = Sequence[tuple[str, float]]
"""A picture's tags with their probabilities, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagMetrics:
    """``right`` is what the probabilities promise: the mean over all tags given, in percent.

    ``tags_per_photo`` is a number of tags, ``untagged`` the percentage of photos without one.
    """

    tags_per_photo: float
    right: float
    untagged: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """The tags of N pictures."""

    given: Sequence[GivenTags]

    def _sums(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        numbers = np.asarray([len(tags) for tags in self.given], np.float64)
        right = np.asarray([sum(score for _, score in tags) for tags in self.given], np.float64)
        return numbers, right

    def metrics(self) -> TagMetrics:
        """The figures over all pictures."""
        numbers, right = self._sums()
        return TagMetrics(
            tags_per_photo=float(numbers.mean()),
            right=100 * float(right.sum() / max(numbers.sum(), 1)),
            untagged=100 * float((numbers == 0).mean()),
        )

    def intervals(self) -> Mapping[str, Interval]:
        """The figures' 95 % intervals over the pictures, by name."""
        numbers, right = self._sums()
        # A drawn set may have no tag at all, of which nothing is right.
        return {
            "tags_per_photo": interval_of_mean(numbers),
            "right": interval_of_share(100 * right, np.maximum(numbers, 1e-9)),
            "untagged": interval_of_mean(100.0 * (numbers == 0)),
        }


def evaluate_tags(
    backend: Backend,
    pictures: Iterable[Labelled],
    tag: Callable[[NDArray[np.float32]], Sequence[GivenTags]],
) -> Tagged:
    """The tags of pictures, by a function of their vectors (B, E).

    Raises:
        ValueError: no pictures.
    """
    given = list[GivenTags]()
    for batch in batches(pictures):
        given.extend(tag(backend.embed_images(np.stack([item.image_HWC for item in batch]))))
    if not given:
        raise ValueError("no pictures to tag")
    return Tagged(given=given)


def calibration_error(
    likely_N: NDArray[np.floating], is_true_N: NDArray[np.bool_], bins: int = BINS
) -> float:
    """The expected calibration error: how far probabilities lie from what they promise.

    Over equally wide bins of probability, the gap between mean probability and share of
    true ones, weighted by how many are in the bin (Naeini et al. 2015). 0 where there are
    none.
    """
    if not len(likely_N):
        return 0.0
    bin_N = np.minimum((likely_N * bins).astype(np.int64), bins - 1)
    promised = np.bincount(bin_N, likely_N, bins)
    held = np.bincount(bin_N, is_true_N, bins)
    return float(np.abs(promised - held).sum() / len(likely_N))
