"""Unit vectors: every comparison in the program is a cosine."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def unit_vectors(vectors_ND: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The rows at unit norm, (N, D) float32; a row of zeros stays as it is."""
    norms = np.linalg.norm(vectors_ND, axis=-1, keepdims=True)
    return np.asarray(vectors_ND / np.maximum(norms, 1e-12), np.float32)
