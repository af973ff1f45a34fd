"""The nearest of vectors in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest_in(
    vectors_ND: NDArray[np.float32], vector: NDArray[np.float32], limit: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Indexes and cosines of the ``limit`` rows nearest to ``vector`` (D,), best first.

    The rows of ``vectors_ND`` have unit norm.
    """
    norm = float(np.linalg.norm(vector)) or 1.0
    unit = np.asarray(vector, np.float32) / np.float32(norm)
    # Not "@": BLAS would start threads that wait for each other on a busy machine
    # (measured beside a training run: 40 ms against 0.5 ms for 10,000 × 256).
    cosine_N = np.einsum("nd,d->n", vectors_ND, unit)
    if limit < len(cosine_N):
        best = np.argpartition(-cosine_N, limit - 1)[:limit]
    else:
        best = np.arange(len(cosine_N))
    best = best[np.argsort(-cosine_N[best], kind="stable")]
    return best, cosine_N[best]
