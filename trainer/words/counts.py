"""Counts of words in texts: they tell common words from rare ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile("[a-z]+")


class WordCounts:
    """Occurrences of lower-case words in texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._counts: Counter[str] = Counter()
        for text in texts:
            self._counts.update(_WORD.findall(text))

    def of(self, phrase: str) -> int:
        """The occurrences of a phrase's rarest word; 0 where it has none."""
        return min((self._counts[w] for w in _WORD.findall(phrase.lower())), default=0)


def with_article(noun: str) -> str:
    """ "an owl", "a dog"."""
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"
