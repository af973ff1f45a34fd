"""From a cosine to a probability: does a photo show what a query says, or is it merely nearest?

A cosine alone does not tell: some photos are near to every text, and something is nearest to
any text. So each photo is asked about the query and about the everyday words of the tags at
once. What counts is how far the query stands above what is usual for this photo, and above
the words that fit it best and mean something else: a photo of a woman is near to "a woman in
a kimono", but nearer to "woman" and "dress". All of it is in standard deviations of the
photo's cosines with these words, so that the same numbers serve other models.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Background: TypeAlias = Callable[[], NDArray[np.float32] | None]
"""Gives the unit vectors (C, D) of everyday words by the model in use; None: not made yet."""
Kinds: TypeAlias = Callable[[str], Collection[int]]
"""Gives the places of the everyday words that are kinds of what a text names."""

_QUERIES_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """A logistic curve over two deviations (see ``tests/bench/honest_end.py`` for the recipe).

    ``own`` weighs how far a query stands above all words for this photo, ``lead`` how far
    above those that fit the photo best, and ``breadth`` how near the query is to all words, in
    deviations of theirs: what is near to nothing (nonsense, a rare thing) has to show more.
    ``bias`` is added. A photo shows what is asked for
    where its probability is at least ``shown_from``. The ``alike`` words that are nearest to
    the query say the same, so they do not compete, nor do kinds of what it names (a dog is an
    animal); of the others the best count most
    (``sharpness``).
    """

    own: float = 0.629
    lead: float = 0.83
    breadth: float = 0.227
    bias: float = -3.3
    shown_from: float = 0.5
    alike: int = 10
    sharpness: float = 3.0


@dataclass(frozen=True, slots=True)
class _Words:
    """The background: words (C, D), and the mean and spread of their nearness to all of them."""

    vectors_CD: NDArray[np.float32]
    mean: float
    spread: float


def _no_kinds(_text: str) -> Collection[int]:
    return ()


class Calibrator:
    """Probabilities that photos show what queries say. Any thread."""

    def __init__(
        self,
        background: Background,
        constants: Constants | None = None,
        *,
        kinds: Kinds = _no_kinds,
    ) -> None:
        self._background = background
        self._kinds = kinds
        self.constants = constants or Constants()
        self._words: _Words | None = None
        self._asked = lru_cache(_QUERIES_KEPT)(self._standing)

    def probabilities(
        self, text: str, query_D: NDArray[np.float32], vectors_ND: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """(N,): of photos by their unit vectors (N, D); None without a background.

        ``query_D`` is the unit vector of ``text``.
        """
        words = self._known_words()
        if words is None or words.vectors_CD.shape[1:] != query_D.shape:
            return None
        competes_C, breadth = self._asked(text, query_D.tobytes())
        cosines_NC = vectors_ND @ words.vectors_CD.T
        return probabilities(
            vectors_ND @ query_D, cosines_NC, competes_C, self.constants, breadth=breadth
        )

    def _known_words(self) -> _Words | None:
        if self._words is None:
            vectors_CD = self._background()
            if vectors_CD is not None:
                near_C = vectors_CD @ vectors_CD.mean(axis=0)
                spread = max(float(near_C.std()), 1e-6)
                self._words = _Words(vectors_CD, float(near_C.mean()), spread)
        return self._words

    def _standing(self, text: str, query: bytes) -> tuple[NDArray[np.bool_], float]:
        """The words that compete with a query, and its breadth."""
        words = self._words
        assert words is not None
        cosines_C = words.vectors_CD @ np.frombuffer(query, np.float32)
        breadth = (float(cosines_C.mean()) - words.mean) / words.spread
        competes_C = competing(cosines_C, self.constants.alike)
        kinds = list(self._kinds(text))
        if len(kinds) < len(competes_C) // 2:
            competes_C[kinds] = False
        return competes_C, breadth


def competing(cosines_C: NDArray[np.float32], alike: int) -> NDArray[np.bool_]:
    """(C,): False for the ``alike`` words that are nearest to the query."""
    competes_C = np.ones(len(cosines_C), np.bool_)
    # A short list keeps some that compete.
    number = min(alike, len(cosines_C) // 2)
    competes_C[np.argsort(-cosines_C, kind="stable")[:number]] = False
    return competes_C


def probabilities(
    query_N: NDArray[np.float32],
    words_NC: NDArray[np.float32],
    competes_C: NDArray[np.bool_],
    constants: Constants,
    *,
    breadth: float = 0.0,
) -> NDArray[np.float32]:
    """(N,): from N photos' cosines with the query and with the words of the background."""
    mean_N = words_NC.mean(axis=1)
    spread_N = np.maximum(words_NC.std(axis=1), 1e-6)
    own_N = (query_N - mean_N) / spread_N
    rivals_NC = (words_NC[:, competes_C] - mean_N[:, None]) / spread_N[:, None]
    best_N = rivals_NC.max(axis=1)
    excess_NC = np.exp(constants.sharpness * (rivals_NC - best_N[:, None]))
    rival_N = best_N + np.log(excess_NC.mean(axis=1)) / constants.sharpness
    log_odds = constants.own * own_N + constants.lead * (own_N - rival_N)
    log_odds += constants.breadth * breadth + constants.bias
    return np.asarray(1 / (1 + np.exp(-np.clip(log_odds, -60, 60))), np.float32)
