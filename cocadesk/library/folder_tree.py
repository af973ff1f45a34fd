"""The folders of media as a tree, with the numbers of what lies in and below each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.natural_order import natural_key
from cocadesk.library.tallies import Tally
from cocadesk.library.texts import Texts

TOP = 0
"""The number of what is above all folders."""


class FolderTree:
    """Numbers for folders, by their texts ("/a/b/"); a folder keeps its own. One thread.

    A folder's number is higher than that of the one above it.
    """

    def __init__(self) -> None:
        self._number_of: dict[str, int] = {"": TOP}
        self._texts = [""]
        self._above = [TOP]
        self._depths = [0]
        self._known: tuple[Texts, NDArray[np.int32]] | None = None

    def __len__(self) -> int:
        return len(self._texts)

    def text(self, number: int) -> str:
        """The text of a folder."""
        return self._texts[number]

    def number(self, text: str) -> int | None:
        """The number of a folder; None where nothing is known of it."""
        return self._number_of.get(text)

    def numbers(self, texts: Sequence[str]) -> NDArray[np.int32]:
        """The number of the folder of each text; new ones get the next."""
        if not isinstance(texts, Texts):
            return np.fromiter(map(self._add, texts), np.int32, len(texts))
        known, done = self._known, 0
        if known is not None and _begins_with(texts, known[0]):
            done = len(known[0])
        new = np.fromiter(map(self._add, _decoded(texts, done)), np.int32, len(texts) - done)
        numbers = new if not done or known is None else np.concatenate([known[1], new])
        self._known = (texts, numbers)
        return numbers

    def _add(self, text: str) -> int:
        missing = []
        while (number := self._number_of.get(text)) is None:
            missing.append(text)
            text = text[: text.rfind("/", 0, len(text) - 1) + 1]
        for below in reversed(missing):
            self._above.append(number)
            self._depths.append(self._depths[number] + 1)
            number = self._number_of[below] = len(self._texts)
            self._texts.append(below)
        return number

    def counted(self, tally: Tally) -> FolderCounts:
        """The numbers of media in and below each folder, of those in folders."""
        numbers = self.numbers(tally.texts)
        size = len(self)
        totals, offline = np.zeros(size, np.int64), np.zeros(size, np.int64)
        np.add.at(totals, numbers, tally.counts)
        np.add.at(offline, numbers, tally.offline)
        examples = np.zeros(size, np.int64)
        is_used = tally.counts > 0
        examples[numbers[is_used]] = np.asarray(tally.examples)[is_used]
        above, depths = np.array(self._above), np.array(self._depths)
        by_depth = np.argsort(depths, kind="stable")
        ends = np.searchsorted(depths[by_depth], np.arange(depths.max() + 2))
        for depth in range(int(depths.max()), 0, -1):
            level = by_depth[ends[depth] : ends[depth + 1]]
            level = level[totals[level] > 0]
            np.add.at(totals, above[level], totals[level])
            np.add.at(offline, above[level], offline[level])
            examples[above[level]] = examples[level]
        used = np.flatnonzero(totals > 0)
        number_below = np.bincount(above[used[used != TOP]], minlength=size)
        return FolderCounts(self, totals, offline, examples, above, number_below, tally)


@dataclass(frozen=True, slots=True, eq=False)
class FolderCounts:
    """Numbers by folder, as they were when they were counted. One thread.

    ``totals`` and ``offline`` count the media in and below each folder, ``examples`` are one of
    them each. ``number_below`` is the length of ``below``.
    """

    tree: FolderTree
    totals: NDArray[np.int64]
    offline: NDArray[np.int64]
    examples: NDArray[np.int64]
    above: NDArray[np.integer]
    number_below: NDArray[np.int64]
    tally: Tally
    _order: dict[int, list[int]] = field(default_factory=dict)

    def number(self, text: str) -> int | None:
        """The number of a folder that media lie in or below; None where there are none."""
        number = self.tree.number(text)
        is_counted = number is not None and number < len(self.totals)
        return number if is_counted and self.totals[number] else None

    def below(self, number: int) -> list[int]:
        """The folders in a folder with media in or below them, by name."""
        if number not in self._order:
            self._order.clear()  # of the one whose pages are asked for
            found = np.flatnonzero((self.above == number) & (self.totals > 0)).tolist()
            names = {one: natural_key(self.name(one)) for one in found if one != TOP}
            self._order[number] = sorted(names, key=names.__getitem__)
        return self._order[number]

    def name(self, number: int) -> str:
        """The last part of a folder's text."""
        return self.tree.text(number)[:-1].rpartition("/")[2]

    def example(self, number: int) -> str:
        """The key of a medium in or below a folder."""
        return self.tally.key(int(self.examples[number]))


def _begins_with(texts: Texts, before: Texts) -> bool:
    """True where ``texts`` are those of ``before`` and others behind them."""
    if texts is before:
        return True
    count, size = len(before), int(before.offsets[-1])
    return (
        len(texts) >= count
        and np.array_equal(texts.offsets[: count + 1], before.offsets)
        and np.array_equal(texts.data[:size], before.data[:size])
    )


def _decoded(texts: Texts, start: int) -> Iterable[str]:
    """The texts from the place ``start`` on."""
    offsets = texts.offsets[start:].tolist()
    base = offsets[0]
    raw = texts.data[base : offsets[-1]].tobytes()
    for first, last in pairwise(offsets):
        yield raw[first - base : last - base].decode()
