"""Accuracy of naming a picture's class by words alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShotMetrics:
    """Pictures whose class is the best one, or among the best five, in percent."""

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
    return ZeroShotMetrics(
        top1=float(100.0 * (ranks < 1).mean()), top5=float(100.0 * (ranks < 5).mean())
    )
