"""Features and captions that a learner works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.tuning.new_words import NewWords


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFeatures:
    """V crops of P photos as the locked image side sees them; crop 0 is the plain photo."""

    vectors_PVE: NDArray[np.float16]
    tokens_PVND: NDArray[np.float16]

    def take(self, photos: Sequence[int]) -> CachedFeatures:
        """Some of the photos, read into memory."""
        rows = np.asarray(photos, np.int64)
        return CachedFeatures(
            vectors_PVE=self.vectors_PVE[rows], tokens_PVND=self.tokens_PVND[rows]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSet:
    """The tuning photos (``own``) and the general pictures; captions are prepared.

    The decoder replays with the general pictures whose numbers ``replayed`` holds.
    """

    own: CachedFeatures
    captions: tuple[tuple[str, ...], ...]
    general: CachedFeatures
    replayed: tuple[int, ...]
    sentences: tuple[str, ...]
    new: NewWords
