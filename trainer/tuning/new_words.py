"""New words of the tuning captions, and sentences that tell them from the old ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
QUERIES = ("{}", "a {}", "a photo of a {}")
"""Usual queries for a name."""


def words_of(text: str) -> list[str]:
    """The words of a text, casefolded."""
    return [word.casefold() for word in _WORD.findall(text)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWords:
    """Words that the general sentences don't have: names, mostly."""

    words: frozenset[str]

    @staticmethod
    def find(captions: Iterable[str], known: Iterable[str]) -> NewWords:
        """The captions' words that no general sentence has, as they are or without an s."""
        vocabulary = {word for sentence in known for word in words_of(sentence)} | _LITTLE
        found = {word for caption in captions for word in words_of(caption)}
        return NewWords(
            words=frozenset(
                word
                for word in found
                if len(word) > 1
                and not word.isdigit()
                and word not in vocabulary
                and word.removesuffix("s") not in vocabulary
            )
        )

    def of(self, captions: Iterable[str]) -> frozenset[str]:
        """The new words of a photo's captions."""
        return frozenset(w for caption in captions for w in words_of(caption)) & self.words


def hard_sentences(
    captions: Sequence[str], new: NewWords, known: Sequence[str], seed: int, count: int
) -> list[str]:
    """The tuning captions with other words in the new ones' place.

    Anchored to the untuned model's vectors, they leave the name alone to carry
    what is new: not "a photo of a …", and not invented words at large.
    """
    random = np.random.default_rng((seed, 4))
    nouns = [s for s in known if " " not in s] or ["thing"]
    frames = [c.split() for c in captions if new.of([c])]
    made: dict[str, None] = {}
    for _ in range(count if frames else 0):
        frame = frames[int(random.integers(len(frames)))]
        is_known = random.random() < 0.7
        stand_in = nouns[int(random.integers(len(nouns)))] if is_known else _invented(random)
        made[" ".join(stand_in if new.of([word]) else word for word in frame)] = None
    return list(made)


def _invented(random: np.random.Generator) -> str:
    """An invented word of two or three syllables."""
    syllables = [
        "".join(part[int(random.integers(len(part)))] for part in _PARTS)
        for _ in range(int(random.integers(2, 4)))
    ]
    return "".join(syllables)


_PARTS = (
    ("b", "d", "f", "fl", "g", "gl", "k", "l", "m", "n", "p", "qu", "r", "s", "t", "v", "w", "z"),
    ("a", "e", "i", "o", "u", "oo", "ai"),
    ("", "", "b", "l", "m", "n", "r", "t", "x"),
)
_LITTLE = frozenset(
    _WORD.findall(
        """a an the and or of in on at to from with without by for into over under near next behind
    before after this that these those it its is are was were be been being has have had do does
    did not no my our your his her their there here very more most some any each both other
    while as up down out off through across along around between during i we you he she they who
    which what where when how"""
    )
)
