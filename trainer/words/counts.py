"""Counts of words in texts: they tell common words from rare ones."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

_WORD = re.compile("[a-z]+")


class WordCounts:
    """Occurrences of lower-case words, and of ``phrases`` of several words, in texts."""

    def __init__(self, texts: Iterable[str], phrases: Iterable[str] = ()) -> None:
        self._counts: Counter[str] = Counter()
        self._phrases = {words for phrase in phrases if len(words := _words(phrase)) > 1}
        lengths = sorted({len(words) for words in self._phrases})
        for text in texts:
            words = _words(text)
            self._counts.update(words)
            for length in lengths:
                runs = (words[i : i + length] for i in range(len(words) - length + 1))
                self._counts.update(" ".join(run) for run in runs if run in self._phrases)

    def of(self, phrase: str) -> int:
        """The occurrences of a word or phrase; 0 where it has no letter.

        Of phrases that were not asked for: those of their rarest word.
        """
        words = _words(phrase.lower())
        if words in self._phrases:
            return self._counts[" ".join(words)]
        return min((self._counts[word] for word in words), default=0)


def _words(text: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(text))


def with_article(noun: str) -> str:
    """ "an owl", "a dog"."""
    return f"an {noun}" if noun[:1] in "aeiou" else f"a {noun}"
