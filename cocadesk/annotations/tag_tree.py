"""Tags that imply others: a puppy is a dog, a dog is an animal.

What follows from that for a picture's probabilities, on arrays (N, C) of N pictures and
the C tags of a vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.resources import resource_path

SURE = 0.6
"""From this probability on a kind is named, however likely another is."""
ALIKE = 0.75
"""Two kinds are about equally likely where the second has this share of the first or more."""
UNSURE_KINDS = 2
"""So many kinds of one thing are given at most, unless the others are sure: of near-duplicates
(goose, duck, swan) two say enough."""
_MOST = 1 - 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Parents:
    """The tags that a tag implies, by their names.

    It is a kind of each in ``kind_of``, whose kinds exclude each other: what is a poodle is
    no husky. The tags in ``also`` are there too: where a shirt is there is clothing, and
    there may be a coat.
    """

    kind_of: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@cache
def load_parents(file: Path | None = None) -> Mapping[str, Parents]:
    """The parents of the shipped tags, or those in ``file``.

    Three columns between tabs: the tag, what it is a kind of, and what it also is; several
    parents are parted by a comma. Lines that begin with ``#`` do not count.
    """
    path = resource_path("vocabulary", "parents.tsv") if file is None else file
    table = {}
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            tag, kind_of, also = line.split("\t")
            table[tag] = Parents(kind_of=_names(kind_of), also=_names(also))
    return table


def _names(cell: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in cell.split(",") if name.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parent:
    """A tag with the places of its children; ``kinds`` are those that exclude each other."""

    place: int
    children: NDArray[np.intp]
    kinds: NDArray[np.intp]


class TagTree:
    """The tags of one vocabulary that imply others in it; names are compared without case.

    Where a parent is not in the vocabulary, its own parents take its place: "puppy" implies
    "animal" in a list without "dog".
    """

    def __init__(self, tags: Sequence[str], parents: Mapping[str, Parents] | None = None) -> None:
        self._parents = load_parents() if parents is None else parents
        self._place = {tag.casefold(): place for place, tag in enumerate(tags)}
        links = {place: dict(self._links(tag, is_kind=True)) for tag, place in self._place.items()}
        self.ancestors = [_closure(place, links) for place in range(len(tags))]
        """The places of all tags that the tag at each place implies."""
        # A parent has fewer ancestors than its children: the most first is bottom-up.
        order = sorted({p for of in links.values() for p in of}, key=self._number_above)[::-1]
        self._bottom_up = [
            _Parent(
                place=parent,
                children=_places(child for child, of in links.items() if parent in of),
                kinds=_places(child for child, of in links.items() if of.get(parent)),
            )
            for parent in order
        ]

    def _number_above(self, place: int) -> int:
        return len(self.ancestors[place])

    def _links(self, tag: str, *, is_kind: bool) -> Iterator[tuple[int, bool]]:
        """The places of the nearest parents in the vocabulary, and True where it is a kind."""
        own = self._parents.get(tag, Parents())
        named = [(name, False) for name in own.also] + [(name, is_kind) for name in own.kind_of]
        for name, is_kind_of in named:
            if name in self._place:
                yield self._place[name], is_kind_of
            else:
                yield from self._links(name, is_kind=is_kind_of)

    def kinds_in(self, text: str) -> frozenset[int]:
        """The places of the tags that are named in a text, and of all that imply one of these."""
        words = text.casefold().split()
        runs = {" ".join(words[n : n + count]) for n in range(len(words)) for count in (1, 2, 3)}
        runs |= {run.removesuffix("s") for run in runs}
        named = {self._place[run] for run in runs if run in self._place}
        if not named:
            return frozenset()
        return frozenset(named).union(
            place for place, above in enumerate(self.ancestors) if not named.isdisjoint(above)
        )

    def above(self, tag: str) -> frozenset[int]:
        """The places of all tags that a tag of this vocabulary implies."""
        return self.ancestors[self._place[tag.casefold()]]

    def raised(self, likely_NC: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probabilities, a parent's being at least that of each of its children.

        Of kinds that exclude each other the odds of the best two add up: what is a poodle
        or a terrier, as likely as not each, is a dog.
        """
        raised = likely_NC.copy()
        for parent in self._bottom_up:
            best = raised[:, parent.children].max(axis=1)
            if len(parent.kinds) > 1:
                two = np.minimum(_best_two(raised[:, parent.kinds]), _MOST)
                odds = (two / (1 - two)).sum(axis=1)
                best = np.maximum(best, odds / (1 + odds))
            raised[:, parent.place] = np.maximum(raised[:, parent.place], best)
        return raised

    def withheld(self, raised_NC: NDArray[np.float32]) -> NDArray[np.bool_]:
        """True for tags that are not given, though they may be likely: their parent is.

        Kinds between which it is in doubt (two about equally likely, none sure), kinds that
        are not sure behind two others, and what implies any of these.
        """
        withheld = np.zeros(raised_NC.shape, np.bool_)
        for parent in reversed(self._bottom_up):
            if len(parent.kinds) > 1:
                kinds = raised_NC[:, parent.kinds]
                best, second = _best_two(kinds).T
                in_doubt = (best < SURE) & (second >= ALIKE * best)
                place = np.argsort(np.argsort(-kinds, axis=1, kind="stable"), axis=1)
                too_many = (place >= UNSURE_KINDS) & (kinds < SURE)
                withheld[:, parent.kinds] |= in_doubt[:, None] | too_many
            withheld[:, parent.children] |= withheld[:, [parent.place]]
        return withheld

    def in_order(self, scores: Mapping[str, float]) -> list[str]:
        """The tags, best first, a parent right behind the best of those that imply it.

        A parent that is far likelier than they are stands where its own score puts it.
        """
        of = {self._place[tag.casefold()]: score for tag, score in scores.items()}
        key, implied = dict[int, float](), set[int]()
        for place in sorted(of, key=self._number_above, reverse=True):
            below = [key[child] for child in key if place in self.ancestors[child]]
            key[place] = of[place]
            if below and max(below) >= ALIKE * of[place]:
                key[place] = max(below)
                implied.add(place)

        def rank(tag: str) -> tuple[float, bool, int]:
            place = self._place[tag.casefold()]
            is_implied = place in implied
            return -key[place], is_implied, -self._number_above(place) if is_implied else 0

        return sorted(scores, key=rank)


def _places(found: Iterable[int]) -> NDArray[np.intp]:
    return np.asarray(sorted(found), np.intp)


def _closure(place: int, links: Mapping[int, Mapping[int, bool]]) -> frozenset[int]:
    above = frozenset(links.get(place, ()))
    return above.union(*(_closure(parent, links) for parent in above))


def _best_two(values_NK: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 2), the better one first."""
    return np.asarray(np.partition(values_NK, -2, axis=1)[:, :-3:-1])
