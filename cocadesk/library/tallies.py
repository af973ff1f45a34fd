"""Numbers of media by the texts that they have: folders, places, persons, albums.

Done for all media at once in NumPy; see ``columns``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.columns import ListColumn, Mask, TextColumn
from cocadesk.library.texts import Texts

LEVELS = "\x1f"
"""Stands between the names of a place, of which the larger come first."""
_ID_LETTERS = 26
_MIX = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 1], np.uint64)


class Tallied(NamedTuple):
    """A text with the number of media that have it.

    ``offline`` of them lie on a disk that is away; ``key`` is that of one.
    """

    text: str
    media: int
    offline: int
    key: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tally:
    """Texts with numbers of media: arrays of one length; only texts that some medium has count.

    ``examples`` are media, by what ``key`` makes keys of. A text may stand in it twice.
    """

    texts: Sequence[str]
    counts: NDArray[np.int64]
    offline: NDArray[np.int64]
    examples: Sequence[int] | NDArray[np.integer]
    key: Callable[[int], str]

    def __iter__(self) -> Iterator[Tallied]:
        """Each text once; those of no medium are left out."""
        merged: dict[str, tuple[int, int, int]] = {}
        for place in np.flatnonzero(self.counts).tolist():
            text = self.texts[place]
            count, offline, _ = merged.get(text, (0, 0, 0))
            merged[text] = (
                count + int(self.counts[place]),
                offline + int(self.offline[place]),
                int(self.examples[place]),
            )
        for text, (count, offline, example) in merged.items():
            yield Tallied(text, count, offline, self.key(example))


def tally_texts(column: TextColumn, shown: Mask, offline: Mask, key: Callable[[int], str]) -> Tally:
    """The texts of a column, of the media that are ``shown``."""
    numbers = np.flatnonzero(shown & (column.codes >= 0))
    return tally_pairs(column.texts, numbers, column.codes[numbers], offline, key)


def tally_lists(column: ListColumn, shown: Mask, offline: Mask, key: Callable[[int], str]) -> Tally:
    """The texts of a column with several texts a medium."""
    is_shown = shown[column.owners]
    owners, codes = column.owners[is_shown], column.codes[is_shown]
    return tally_pairs(column.texts, owners, codes, offline, key)


def tally_pairs(
    texts: Sequence[str],
    numbers: NDArray[np.integer],
    codes: NDArray[np.integer],
    offline: Mask,
    key: Callable[[int], str],
) -> Tally:
    """The tally of pairs: medium ``numbers[i]`` has ``texts[codes[i]]``, each pair once."""
    examples = np.zeros(len(texts), np.int64)
    examples[codes] = numbers
    away = codes[offline[numbers]]
    return Tally(
        texts=texts,
        counts=np.bincount(codes, minlength=len(texts)),
        offline=np.bincount(away, minlength=len(texts)),
        examples=examples,
        key=key,
    )


def tally_places(
    columns: Sequence[TextColumn], shown: Mask, offline: Mask, key: Callable[[int], str]
) -> Tally:
    """Combinations of the texts of several columns, with ``LEVELS`` between them."""
    numbers = np.flatnonzero(shown & np.any([c.codes >= 0 for c in columns], axis=0))
    combined = np.zeros(len(numbers), np.int64)
    for column in columns:
        one, _ = _dense(combined, column.codes[numbers].astype(np.int64), len(column.texts))
        combined = one
    firsts = _firsts(combined)
    texts = [
        LEVELS.join(
            "" if column.codes[number] < 0 else column.texts[int(column.codes[number])]
            for column in columns
        )
        for number in numbers[firsts].tolist()
    ]
    return tally_pairs(texts, numbers, combined, offline, key)


def _firsts(codes: NDArray[np.int64]) -> NDArray[np.integer]:
    """A place at which each of the codes 0, 1, … stands."""
    places = np.zeros(int(codes.max()) + 1 if len(codes) else 0, np.int64)
    places[codes] = np.arange(len(codes))
    return places


def _dense(
    above: NDArray[np.int64], codes: NDArray[np.int64], count: int
) -> tuple[NDArray[np.int64], int]:
    """One small number for each pair of numbers (codes from -1 on), and how many there are.

    A sort of a million pairs takes a tenth of a second. But most texts stand below one other
    alone: such pairs are told by the text, and only the others are sorted.
    """
    codes = codes + 1
    usual = np.zeros(count + 1, np.int64)
    usual[codes] = above
    numbers = codes.copy()
    is_other = usual[codes] != above
    pairs = above[is_other] * (count + 1) + codes[is_other]
    _, inverse = np.unique(pairs, return_inverse=True)
    numbers[is_other] = count + 1 + inverse
    used = np.zeros(int(numbers.max()) + 1 if len(numbers) else 0, np.bool_)
    used[numbers] = True
    small = np.cumsum(used) - 1
    return small[numbers], int(np.count_nonzero(used))


class AlbumTally:
    """Numbers of media by the albums that they are in; the last texts' albums are kept."""

    def __init__(self) -> None:
        self._last: tuple[Texts, tuple[str, ...], NDArray[np.int64]] | None = None

    def counts(self, albums: Sequence[str], column: ListColumn, shown: Mask) -> list[int]:
        """The number of media in each of these albums, by id."""
        places = self._places(tuple(albums), column.texts)[column.codes]
        inside = (places >= 0) & shown[column.owners]
        found: list[int] = np.bincount(places[inside], minlength=len(albums)).tolist()
        return found

    def _places(self, albums: tuple[str, ...], texts: Texts) -> NDArray[np.int64]:
        """For each text ("ALBUM PLACE") the place of its album in ``albums``; -1: of none."""
        if self._last is None or self._last[0] is not texts or self._last[1] != albums:
            known = _marks(Texts.of(f"{album} " for album in albums))
            order = np.argsort(known, kind="stable")
            marks = _marks(texts)
            places = np.full(len(texts), -1, np.int64)
            if len(known):
                at = order[np.minimum(np.searchsorted(known[order], marks), len(known) - 1)]
                places = np.where(known[at] == marks, at, -1)
            self._last = (texts, albums, places)
        return self._last[2]


def _marks(texts: Texts) -> NDArray[np.uint64]:
    """One number for the id with which each text begins; 0 where it begins with none."""
    is_long = np.diff(texts.offsets) > _ID_LETTERS
    starts = texts.offsets[:-1][is_long]
    letters = np.zeros((len(starts), 32), np.uint8)
    for place in range(_ID_LETTERS):
        letters[:, place] = texts.data[starts + place]
    marks = np.zeros(len(texts), np.uint64)
    mixed = letters.view(np.uint64) * _MIX
    marks[is_long] = mixed[:, 0] ^ mixed[:, 1] ^ mixed[:, 2] ^ mixed[:, 3]
    return marks
