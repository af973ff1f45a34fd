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

    ``offline`` of them lie on a disk that is away; ``example`` is one.
    """

    text: str
    media: int
    offline: int
    example: int


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
        used = np.flatnonzero(self.counts)
        numbers = (self.counts[used], self.offline[used], np.asarray(self.examples)[used])
        lists = (each.tolist() for each in (used, *numbers))
        for place, more, more_offline, example in zip(*lists, strict=True):
            text = self.texts[place]
            count, offline, _ = merged.get(text, (0, 0, 0))
            merged[text] = (count + more, offline + more_offline, example)
        for text, (count, offline, example) in merged.items():
            yield Tallied(text, count, offline, example)


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
    has_any = columns[0].codes >= 0
    for column in columns[1:]:
        has_any = has_any | (column.codes >= 0)
    numbers = np.flatnonzero(shown & has_any)
    combined = columns[0].codes[numbers] + np.int32(1)
    for column in columns[1:]:
        combined = _combined(combined, column.codes[numbers] + np.int32(1), len(column.texts) + 1)
    combined = _dense(combined)
    firsts = _firsts(combined)
    texts = [
        LEVELS.join(
            "" if column.codes[number] < 0 else column.texts[int(column.codes[number])]
            for column in columns
        )
        for number in numbers[firsts].tolist()
    ]
    return tally_pairs(texts, numbers, combined, offline, key)


def _firsts(codes: NDArray[np.integer]) -> NDArray[np.int64]:
    """A place at which each of the codes 0, 1, … stands."""
    places = np.zeros(int(codes.max()) + 1 if len(codes) else 0, np.int64)
    places[codes] = np.arange(len(codes))
    return places


def _combined(above: NDArray[np.int32], codes: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """One number for each pair of numbers; ``codes`` lie below ``count``.

    A sort of a million pairs takes a tenth of a second. But most texts stand below one other
    alone: such pairs are told by the text, and only the others are sorted.
    """
    usual = np.zeros(count, np.int32)
    usual[codes] = above
    is_other = usual[codes] != above
    if not is_other.any():
        return codes
    pairs = above[is_other].astype(np.int64) * count + codes[is_other]
    _, inverse = np.unique(pairs, return_inverse=True)
    numbers = codes.copy()
    numbers[is_other] = count + inverse
    return _dense(numbers)


def _dense(numbers: NDArray[np.int32]) -> NDArray[np.int32]:
    """The same numbers without gaps."""
    used = np.zeros(int(numbers.max()) + 1 if len(numbers) else 0, np.bool_)
    used[numbers] = True
    if used.all():
        return numbers
    small: NDArray[np.int32] = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return small[numbers]


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
