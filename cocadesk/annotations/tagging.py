"""Zero-shot tags: the words of a vocabulary that fit a picture's vector."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.annotations.prompts import TextEncoder, cached_class_vectors
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary, tagger_version
from cocadesk.library.rows import Tag

MIDPOINT = 2.65
"""Standard deviations above the everyday words at which a tag is as likely as not.

Fitted with ``SLOPE`` to the captions of the dev sets; on the 53 sample photos, judged by
eye, tags scored .5 are right every second time.
"""
SLOPE = 1.9
"""The steepness with which likelihood rises with each standard deviation."""
THRESHOLD = 0.4
"""Tags with less are not given."""


class ZeroShotTagger:
    """Scores each tag against how everyday words in general fit the same picture.

    The cosine of one picture with a text says little by itself: some pictures are near to
    every text. So the shipped vocabulary serves as the yardstick: a tag's score
    says how many standard deviations it stands above the mean of those words for
    this picture, brought to 0-1 by a logistic curve. That works for a list of two labels
    as for a thousand, and does not depend on the other pictures of a batch.

    (Taking off what each tag scores on the mean of unrelated pictures was tried on the dev
    sets: it changes the best tag's precision by less than a point, so it is not done.)
    The first use embeds every tag once, or reads the vectors from ``cache``. Any thread.
    """

    def __init__(
        self,
        encoder: TextEncoder,
        vocabulary: Vocabulary,
        *,
        cache: Path | None = None,
        at_least: int = 0,
    ) -> None:
        self.vocabulary = vocabulary
        self.version = tagger_version(encoder.info().model_id, vocabulary)
        """The version to store beside these tags."""
        self._at_least = at_least
        self._encoder = encoder
        self._cache = cache
        self._lock = threading.Lock()
        self._vectors: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None

    def _class_vectors(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The vectors of the tags, and of the everyday words."""
        with self._lock:
            if self._vectors is None:
                tags, everyday = self.vocabulary.tags, load_vocabulary().tags
                own = cached_class_vectors(self._encoder, tags, self._cache)
                same = everyday == tags
                self._vectors = (
                    own,
                    own if same else cached_class_vectors(self._encoder, everyday, self._cache),
                )
            return self._vectors

    def scores(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """The likelihood of each tag for each picture: (N, D) unit norm to (N, C) in 0-1."""
        classes, everyday = self._class_vectors()
        yardstick = vectors @ everyday.T
        mean = yardstick.mean(axis=1, keepdims=True)
        spread = np.maximum(yardstick.std(axis=1, keepdims=True), 1e-6)
        deviations = (vectors @ classes.T - mean) / spread
        likely = 1.0 / (1.0 + np.exp(-SLOPE * (deviations - MIDPOINT)))
        return np.asarray(likely, dtype=np.float32)

    def tag(self, vectors: NDArray[np.float32], top: int = 8) -> list[list[Tag]]:
        """For each picture its likely tags, best first, at most ``top``.

        Tags under the threshold are dropped, but never the best ``at_least`` ones.
        """
        return [self._best(row, top) for row in self.scores(vectors)]

    def _best(self, scores: NDArray[np.float32], top: int) -> list[Tag]:
        order = np.argsort(-scores, kind="stable")[:top]
        return [
            Tag(tag=self.vocabulary.tags[index], score=round(float(scores[index]), 4))
            for place, index in enumerate(order)
            if scores[index] >= THRESHOLD or place < self._at_least
        ]
