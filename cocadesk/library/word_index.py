"""The words of many texts, and for each word the texts that hold it: in memory alone.

Nothing of it lies on the disk: it is made anew of the columns that filters read (a hundred
thousand captions take about 0.2 s), follows them as they grow, and goes with them. So it is
never stale, never damaged, and nothing is left in it of what was forgotten.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.texts import Texts
from cocadesk.library.words import is_unspaced, words_of

_PIECE_BYTES = 1 << 22
_MERGED = 4
"""A part takes those after it in where they are not smaller than a fourth of it."""
_LOCK = threading.Lock()

_IS_LETTER = np.zeros(256, np.bool_)
_IS_LETTER[[*range(ord("0"), ord("9") + 1), *range(ord("a"), ord("z") + 1)]] = True
_IS_LETTER[0x80:] = True  # which of them are letters is looked at word by word

# Numbers of words: sums of their bytes times powers of one odd number, modulo 2 ** 64.
_BASE = 0x9E3779B97F4A7C15
_POWERS = np.ones(_PIECE_BYTES + 1, np.uint64)
_BACK = np.ones(_PIECE_BYTES + 1, np.uint64)


class WordMatch(Enum):
    """The ways of comparing a word of a text with one that is looked for."""

    EQUAL = auto()
    STARTS = auto()


@dataclass(frozen=True, slots=True)
class _Part:
    """The words of the texts from ``start`` to ``end``.

    ``hashes`` sorts the distinct runs of letters ``runs``; run i stands in the texts
    ``owners[starts[i]:starts[i + 1]]``. Runs that are not ASCII hold ``words``: word w is in run
    ``run_of[w]``.
    """

    start: int
    end: int
    hashes: NDArray[np.uint64]
    runs: Texts
    starts: NDArray[np.int64]
    owners: NDArray[np.int32]
    words: Texts
    run_of: NDArray[np.int32]

    def codes(self, word: str, match: WordMatch) -> NDArray[np.int32]:
        """The texts that hold a word, by number; one may come twice."""
        found: list[NDArray[np.integer]] = []
        if is_unspaced(word):
            found.append(self.run_of[np.flatnonzero(self.words.containing(word))])
        elif match is WordMatch.STARTS:
            found.append(self.run_of[np.flatnonzero(self.words.starting(word))])
            if word.isascii():
                found.append(self._ascii_runs(np.flatnonzero(self.runs.starting(word))))
        else:
            found.append(self.run_of[np.flatnonzero(self.words.equal(word))])
            if word.isascii():
                found.append(self._run(word))
        runs = np.concatenate(found)
        return np.concatenate(
            [self.owners[self.starts[run] : self.starts[run + 1]] for run in runs.tolist()]
            or [self.owners[:0]]
        )

    def _run(self, word: str) -> NDArray[np.integer]:
        number = np.uint64(_hash(word.encode()))
        place = int(np.searchsorted(self.hashes, number))
        is_there = (
            place < len(self.hashes)
            and self.hashes[place] == number
            and self.runs.bytes_of(place) == word.encode()
        )
        return np.array([place] if is_there else [], np.int32)

    def _ascii_runs(self, runs: NDArray[np.integer]) -> NDArray[np.integer]:
        """Those of ``runs`` whose words are not among ``words``."""
        return np.setdiff1d(runs, self.run_of)


class WordIndex:
    """The words of growing ``Texts``; a value that never changes. Any thread."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        self._parts = tuple(parts)
        self.count = parts[-1].end if parts else 0

    @classmethod
    def of(cls, texts: Texts) -> WordIndex:
        """That of ``texts``; where they have grown, only what is new is gone through."""
        known = texts.aid
        if isinstance(known, WordIndex) and known.count == len(texts):
            return known
        with _LOCK:
            known = texts.aid if isinstance(texts.aid, WordIndex) else cls(())
            if known.count != len(texts):
                known = texts.aid = cls(known._grown(texts))
        return known

    def _grown(self, texts: Texts) -> list[_Part]:
        parts, start, end = list(self._parts), self.count, len(texts)
        while parts and parts[-1].end - parts[-1].start <= _MERGED * (end - start):
            start = parts.pop().start
        return [*parts, _part(texts, start, end)]

    def codes(self, word: str, match: WordMatch = WordMatch.EQUAL) -> NDArray[np.int32]:
        """The numbers of the texts that hold ``word``, as ``words_of`` gives words.

        One may come twice. A word that is written without spaces is found inside others.
        """
        return np.concatenate([part.codes(word, match) for part in self._parts] or [_NO_CODES])


_NO_CODES = np.zeros(0, np.int32)


def _part(texts: Texts, start: int, end: int) -> _Part:
    """The words of some texts."""
    hashes, places, lengths, owners = (
        np.concatenate(found) for found in zip(*_tokens(texts, start, end), strict=True)
    )
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    is_first = np.ones(len(hashes), np.bool_)  # of its word and of its text
    is_first[1:] = (hashes[1:] != hashes[:-1]) | (owners[1:] != owners[:-1])
    hashes, owners, order = hashes[is_first], owners[is_first], order[is_first]
    is_new = np.ones(len(hashes), np.bool_)
    is_new[1:] = hashes[1:] != hashes[:-1]
    starts = np.append(np.flatnonzero(is_new), len(hashes))
    one_of_each = order[is_new]
    runs = _gathered(texts.data, places[one_of_each], lengths[one_of_each])
    words, run_of = _foreign_words(runs)
    return _Part(start, end, hashes[is_new], runs, starts, owners, words, run_of)


def _tokens(texts: Texts, start: int, end: int) -> list[tuple[NDArray[np.generic], ...]]:
    """Hash, place, length and text of each run of letters, a stretch of texts at a time."""
    found: list[tuple[NDArray[np.generic], ...]] = [_tokens_of(texts, start, start)]
    while start < end:
        limit = texts.offsets[start] + _PIECE_BYTES
        last = int(np.searchsorted(texts.offsets, limit, side="right")) - 1
        last = min(end, max(start + 1, last))
        found.append(_tokens_of(texts, start, last))
        start = last
    return found


def _tokens_of(texts: Texts, start: int, end: int) -> tuple[NDArray[np.generic], ...]:
    first, last = int(texts.offsets[start]), int(texts.offsets[end])
    last = min(last, first + _PIECE_BYTES)  # of one text of megabytes the beginning
    data = texts.data[first:last]
    is_letter = _IS_LETTER[data]
    begins, ends = is_letter.copy(), is_letter.copy()
    begins[1:] &= ~is_letter[:-1]
    ends[:-1] &= ~is_letter[1:]
    # No word goes on from one text to the next.
    borders = np.minimum(texts.offsets[start : end + 1] - first, len(data))
    inner = borders[(borders > 0) & (borders < len(data))]
    begins[inner] = is_letter[inner]
    ends[inner - 1] = is_letter[inner - 1]
    places = np.flatnonzero(begins)
    lengths = np.flatnonzero(ends) + 1 - places
    counts = np.diff(np.searchsorted(places, borders))
    owners = np.repeat(np.arange(start, end, dtype=np.int32), counts)
    return _hashes(data, places, lengths), places + first, lengths, owners


def _hashes(
    data: NDArray[np.uint8], places: NDArray[np.intp], lengths: NDArray[np.intp]
) -> NDArray[np.uint64]:
    _fill_powers()
    sums = np.zeros(len(data) + 1, np.uint64)
    np.cumsum(data * _POWERS[: len(data)], out=sums[1:])
    hashes: NDArray[np.uint64] = (sums[places + lengths] - sums[places]) * _BACK[places]
    return hashes


def _fill_powers() -> None:
    if _POWERS[1] == 1:
        for powers, base in ((_BACK, pow(_BASE, -1, 1 << 64)), (_POWERS, _BASE)):
            filled = np.full(len(powers), base, np.uint64)
            filled[0] = 1
            powers[:] = np.cumprod(filled)


def _hash(word: bytes) -> int:
    """The same of one word."""
    total, power = 0, 1
    for byte in word:
        total += byte * power
        power = power * _BASE % (1 << 64)
    return total % (1 << 64)


def _gathered(
    data: NDArray[np.uint8], places: NDArray[np.intp], lengths: NDArray[np.intp]
) -> Texts:
    """The stretches of ``data`` that begin at these places."""
    offsets = np.zeros(len(places) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    bytes_of = np.repeat(places - offsets[:-1], lengths) + np.arange(offsets[-1])
    return Texts(data[bytes_of], offsets)


def _foreign_words(runs: Texts) -> tuple[Texts, NDArray[np.int32]]:
    """The words in those runs that are not ASCII, and the run of each."""
    is_foreign = np.zeros(len(runs), np.bool_)
    high = np.flatnonzero(runs.data >= 0x80)
    is_foreign[np.searchsorted(runs.offsets, high, side="right") - 1] = True
    pairs = [
        (word, run)
        for run in np.flatnonzero(is_foreign).tolist()
        for word in words_of(runs.bytes_of(run).decode("utf-8", "replace"))
    ]
    run_of = np.fromiter((run for _, run in pairs), np.int32, len(pairs))
    return Texts.of(word for word, _ in pairs), run_of
