"""The lists that a person can open in a library, with the number of media in each.

Each has the filter that opens it, and counts what that filter lets pass: media that are
missing are left out, as in any list. All is counted from the columns in memory, or by the
store where they are not there, and anew only once something has changed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from cocadesk.library.columns import Mask, MediaColumns
from cocadesk.search.branches import (
    LISTED,
    AlbumBranches,
    Branch,
    Branches,
    Counted,
    FolderBranches,
    PersonBranches,
    PlaceBranches,
    SearchBranches,
)
from cocadesk.search.filters import Filter, parse_filter, unless_missing
from cocadesk.search.tag_uses import TagBranches
from cocadesk.search.terms import DateRange, Term

if TYPE_CHECKING:
    from cocadesk.library.library import Library

RECENT_DAYS = 30
STANDARD = {
    "all": "",
    "favourites": "favourite:yes",
    "picks": "flag:pick",
    "videos": "kind:video",
    "without-caption": "-has:caption",
    "to-review": "captioned:machine",
    "missing": "state:missing",
    "offline": "state:offline",
}
"""The filters of lists that every library has; one more is that of recent media."""
RECENT = "recent"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardList:
    """One of the lists of every library, with its filter and the number of its media."""

    name: str
    query: str
    count: int


Lists: TypeAlias = tuple[StandardList, ...]


class Overview:
    """Counts the lists of one library. Any thread.

    ``today`` gives the day from which recent media are reckoned.
    """

    def __init__(
        self, library: Library, today: Callable[[], date] = lambda: datetime.now(UTC).date()
    ) -> None:
        self._rows = library.results
        self._today = today
        self._lock = threading.Lock()
        fields = frozenset[str]().union(*(one.fields() for one in _filters(today()).values()))
        self._standard = Counted[Lists](library.results, fields)
        self._branches: dict[str, Branches] = {
            "folder": FolderBranches(library),
            "place": PlaceBranches(library),
            "person": PersonBranches(library),
            "tag": TagBranches(library),
            "album": AlbumBranches(library),
            "search": SearchBranches(library),
        }

    def standard(self) -> Lists:
        """The lists of every library, in their order."""
        today = self._today()

        def in_memory(columns: MediaColumns, there: Mask, _offline: Mask) -> Lists:
            def count(among: Filter) -> int:
                wanted = unless_missing(among)
                if wanted.terms == among.terms + LISTED.terms:
                    return int(np.count_nonzero(among.mask(columns) & there))
                return int(np.count_nonzero(wanted.mask(columns)))

            return _counted(today, count)

        def in_store() -> Lists:
            return _counted(
                today,
                lambda among: self._rows.count_where(unless_missing(among).where() or "true"),
            )

        with self._lock:
            return self._standard.get(in_memory, in_store, today)

    def branches(
        self, kind: str, under: str = "", offset: int = 0, limit: int | None = None
    ) -> tuple[list[Branch], int]:
        """A stretch of the branches of a kind, in or below another one, and how many there are.

        ``kind``: folder, place, person, tag, album or search.
        """
        with self._lock:
            found = self._branches[kind].under(under)
            end = None if limit is None else offset + limit
            return self._branches[kind].spelled(found[offset:end]), len(found)


def _filters(today: date) -> dict[str, Filter]:
    recent = DateRange(first=today - timedelta(days=RECENT_DAYS - 1))
    return {
        **{name: parse_filter(text) for name, text in STANDARD.items()},
        RECENT: Filter((Term(field="added", values=(recent,)),)),
    }


def _counted(today: date, count: Callable[[Filter], int]) -> Lists:
    return tuple(
        StandardList(name=name, query=str(among), count=count(among))
        for name, among in _filters(today).items()
    )
