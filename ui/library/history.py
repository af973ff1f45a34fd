"""The lists that a person has looked at, to go back and forward through them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from ui.library.query import EVERYTHING, Query

MOST_VISITS = 200
MOST_PLACES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a list: the media under the cursor and at the top, by their keys."""

    current: str | None = None
    top: str | None = None


START = Place()
"""The begin of a list."""


class History:
    """Lists in the order in which they were opened, and the place in each.

    While somebody types, each letter asks another question; all of them are one visit, as long
    as nobody looks further into a list than its begin.
    """

    def __init__(self) -> None:
        self._visits: list[Query] = [EVERYTHING.sorted()]
        self._at = 0
        self._is_typing = False
        self._places: OrderedDict[Query, Place] = OrderedDict()

    @property
    def current(self) -> Query:
        """The list that is looked at."""
        return self._visits[self._at]

    @property
    def can_go_back(self) -> bool:
        """True where there is a list before this one."""
        return self._at > 0

    @property
    def can_go_forward(self) -> bool:
        """True where one has gone back before."""
        return self._at < len(self._visits) - 1

    def visit(self, query: Query, *, is_typed: bool = False) -> None:
        """Notes that another list is looked at; those that were ahead are gone."""
        if query == self.current:
            self._is_typing = self._is_typing and is_typed
            return
        replaces = is_typed and self._is_typing and self.place_in(self.current) == START
        del self._visits[self._at + (0 if replaces else 1) :]
        if not self._visits or self._visits[-1] != query:
            self._visits.append(query)
        del self._visits[:-MOST_VISITS]
        self._at = len(self._visits) - 1
        self._is_typing = is_typed

    def step(self, by: int) -> Query | None:
        """The list before (-1) or after (1) this one, which is looked at from now on."""
        place = self._at + by
        if not 0 <= place < len(self._visits):
            return None
        self._at, self._is_typing = place, False
        return self.current

    def forget(self) -> None:
        """Only the list that is looked at is left, without a place in it."""
        self._visits, self._at, self._is_typing = [self.current], 0, False
        self._places.clear()

    def rename_term(self, old: str, new: str) -> None:
        """Lists with a filter whose value has another name now are found by that one."""
        self._visits = [query.renamed_term(old, new) for query in self._visits]
        places = ((query.renamed_term(old, new), place) for query, place in self._places.items())
        self._places = OrderedDict(places)

    def keep_place(self, query: Query, place: Place) -> None:
        """Notes how far somebody has looked into a list."""
        self._places[query] = place
        self._places.move_to_end(query)
        while len(self._places) > MOST_PLACES:
            self._places.popitem(last=False)

    def place_in(self, query: Query) -> Place:
        """The place in a list where it was left; of another one its begin."""
        return self._places.get(query, START)
