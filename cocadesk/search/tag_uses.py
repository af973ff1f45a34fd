"""The tags of a library with the numbers of their media: a person's, and the machine's.

Counted over columns in memory, all media at once, and anew only once something has changed;
where they are not in memory, from the table.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from cocadesk.library.catalogue import OWN_TAG, WRITTEN_TAG
from cocadesk.library.columns import Column, ListColumn, Mask, MediaColumns
from cocadesk.library.natural_order import natural_key
from cocadesk.search.branches import LISTED, Branch, Counted
from cocadesk.search.grammar import print_term
from cocadesk.search.terms import Term

if TYPE_CHECKING:
    from cocadesk.library.library import Library

TAG = "tag"
_FIELDS = (TAG, OWN_TAG, WRITTEN_TAG)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagUse:
    """A tag, the filter for it, and how many media have it.

    ``own``: from a person; ``suggested``: from a machine alone; of what lists show. The ``all_``
    ones are of missing and hidden media too. ``is_offered``: suggestions are chosen from it.
    """

    tag: str
    term: str
    own: int
    suggested: int
    all_own: int
    all_suggested: int
    is_offered: bool


Uses: TypeAlias = tuple[TagUse, ...]
Lists: TypeAlias = Mapping[str, Column]


class TagBranches:
    """The tags that a person gave to any medium, each counted as the list that it opens."""

    def __init__(self, library: Library) -> None:
        self._uses = TagUses(library)

    def under(self, branch: str) -> Sequence[Branch]:
        """All of them by name; none is below another."""
        found = [] if branch else [use for use in self._uses.all(()) if use.own]
        found.sort(key=lambda use: natural_key(use.tag))
        return [
            Branch(id=use.tag, name=use.tag, query=use.term, count=use.own + use.suggested)
            for use in found
        ]

    def spelled(self, branches: Sequence[Branch]) -> list[Branch]:
        """Their names are the person's own already."""
        return list(branches)


class TagUses:
    """Counts the tags of one library. Any thread."""

    def __init__(self, library: Library) -> None:
        self._rows = library.results
        self._lock = threading.Lock()
        self._counted = Counted[Uses](library.results, _FIELDS)

    def all(self, offered: Sequence[str]) -> Uses:
        """Each tag that a medium has, or that is ``offered``, once.

        Those that a person gave most often come first, then those suggested most often. A tag
        that people have written in several ways is written as most often.
        """

        def in_memory(columns: MediaColumns, shown: Mask, _offline: Mask) -> Uses:
            return _uses(columns.columns, shown, columns.is_there, offered)

        def in_store() -> Uses:
            return self._from_store(offered)

        with self._lock:
            return self._counted.get(in_memory, in_store, offered)

    def _from_store(self, offered: Sequence[str]) -> Uses:
        keys, lists = self._rows.columns_where("true", _FIELDS)
        shown = self._rows.keys_where(LISTED.where() or "true")
        is_shown = np.fromiter((key in shown for key in keys), np.bool_, len(keys))
        return _uses(lists, is_shown, np.ones(len(keys), np.bool_), offered)


def _uses(lists: Lists, shown: Mask, there: Mask, offered: Sequence[str]) -> Uses:
    own, any_hand = _counts(lists[OWN_TAG], shown), _counts(lists[TAG], shown)
    unseen = there & ~shown
    all_own = own + _counts(lists[OWN_TAG], unseen)
    all_hands = any_hand + _counts(lists[TAG], unseen)
    known = {tag.casefold(): tag for tag in offered}
    written = {tag: tag for tag in all_hands} | known | _spellings(lists[WRITTEN_TAG], there)
    found = [
        TagUse(
            tag=written[tag],
            term=print_term(Term(field=TAG, values=(written[tag],))),
            own=own[tag],
            suggested=any_hand[tag] - own[tag],
            all_own=all_own[tag],
            all_suggested=all_hands[tag] - all_own[tag],
            is_offered=tag in known,
        )
        for tag in written
    ]
    found.sort(key=lambda use: (-use.own, -use.all_own, -use.suggested, use.tag.casefold()))
    return tuple(found)


def _counts(column: Column, shown: Mask) -> Counter[str]:
    """How many of the media that are ``shown`` have each text, whatever its case."""
    assert isinstance(column, ListColumn)
    counts: Counter[str] = Counter()
    if not shown.any():
        return counts
    numbers = np.bincount(column.codes[shown[column.owners]], minlength=len(column.texts))
    for place in np.flatnonzero(numbers).tolist():
        counts[column.texts[place].casefold()] += int(numbers[place])
    return counts


def _spellings(column: Column, there: Mask) -> dict[str, str]:
    """The spelling that most media have, of each text in one form for all cases."""
    assert isinstance(column, ListColumn)
    found: dict[str, str] = {}
    numbers = np.bincount(column.codes[there[column.owners]], minlength=len(column.texts))
    places = np.flatnonzero(numbers)
    totals: Counter[str] = Counter()
    for place in places.tolist():
        totals[column.texts[place]] += int(numbers[place])
    for text, _ in sorted(totals.items(), key=lambda one: (-one[1], one[0])):
        found.setdefault(text.casefold(), text)
    return found
