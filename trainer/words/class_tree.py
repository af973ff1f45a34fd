"""The trunk's classes under WordNet's broader words: partitions of them with names.

ImageNet's classes are WordNet's meanings. A partition joins classes under a broader word,
so that a picture whose breed is unsure still teaches "dog".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.words.counts import WordCounts
from trainer.words.packages import package_file
from trainer.words.wordnet import WordNet

#: Broader words that captions use for something else, or that say nothing of a picture.
_MISLEADING = frozenset(
    [
        "padding",
        "blower",
        "fixing",
        "connection",
        "matter",
        "setup",
        "apparatus",
        "brake",
        "filter",
        "cover",
        "sheet",
        "landing",
        "light",
        "artifact",
        "object",
        "instrument",
        "equipment",
        "device",
        "system",
        "unit",
        "container",
        "covering",
        "structure",
        "tool",
        "creature",
        "machine",
        "support",
        "barrier",
        "restraint",
        "mechanism",
        "fastener",
        "implement",
    ]
)
_LEAST_COUNT = 8
_RARE_SENSE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """Meanings that hold all classes between them, and the one that each class belongs to."""

    groups: tuple[str, ...]
    group_C: NDArray[np.int64]


def imagenet_classes() -> list[str]:
    """WordNet's ids of the 1,000 classes in the order of the trunk's outputs.

    Raises:
        UserError: timm is not installed.
    """
    path = package_file("timm", "data/_info/imagenet_synsets.txt", "The list of image classes")
    return path.read_text("utf-8").split()


class ClassTree:
    """Classes (ids of meanings), the names of their meanings, and their partitions."""

    def __init__(self, classes: Sequence[str], wordnet: WordNet, counts: WordCounts) -> None:
        self._wordnet, self._counts = wordnet, counts
        self._classes = frozenset(classes)
        self._chains = [wordnet.chain(id_) for id_ in classes]
        self._covers = Counter(id_ for chain in self._chains for id_ in chain)

    def names(self, id_: str) -> list[str]:
        """At most two words for a meaning; a broader one has none where none is common."""
        words = [word.lower() for word in self._wordnet.synsets[id_].words]
        if id_ in self._classes:
            clear = [w for w in words if self._wordnet.rank(w, id_) <= _RARE_SENSE] or words
            return list(dict.fromkeys((clear[0], max(clear, key=self._counts.of))))
        return broader_names(id_, self._wordnet, self._counts)

    def partition(self, breadth: int) -> Partition:
        """Each class under its broadest meaning with a name that holds ``breadth`` at most."""
        chosen = []
        for chain in self._chains:
            above = [i for i in chain[1:] if self._covers[i] <= breadth and self.names(i)]
            chosen.append(above[-1] if above else chain[0])
        groups = list(dict.fromkeys(chosen))
        place = {id_: number for number, id_ in enumerate(groups)}
        return Partition(groups=tuple(groups), group_C=np.array([place[id_] for id_ in chosen]))


def broader_names(id_: str, wordnet: WordNet, counts: WordCounts) -> list[str]:
    """At most two common words whose first meaning this is, the commonest first."""
    words = [word.lower() for word in wordnet.synsets[id_].words]
    clear = [w for w in words if wordnet.rank(w, id_) == 0 and w not in _MISLEADING]
    clear = [word for word in clear if counts.of(word) >= _LEAST_COUNT]
    return sorted(clear, key=lambda word: -counts.of(word))[:2]
