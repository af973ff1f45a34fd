"""The list that the grid shows, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cocadesk.errors import UserError
from ui.kit.texts import count


class Showing(Enum):
    """The kinds of list."""

    NOTHING_YET = 0
    NEWEST = 1
    SEARCH = 2
    SIMILAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The list that is shown and the one that was asked for last.

    ``shown`` counts its entries, ``total`` those of the library; a list that is not
    ``is_complete`` was cut off. ``problem`` says why there is none.
    """

    showing: Showing = Showing.NOTHING_YET
    query: str = ""
    shown: int = 0
    total: int = 0
    is_complete: bool = True
    is_filtered: bool = False
    problem: UserError | None = None

    @property
    def headline(self) -> str:
        """One line on what is shown."""
        if self.showing is Showing.NEWEST:
            noun = "photos and videos" if self.total > 1 else "photo or video"
            return f"{self.total:,} {noun}, newest first" if self.total else ""
        if self.showing is Showing.SEARCH:
            if not self.shown:
                return f"Nothing found for “{self.query}”"
            if self.is_complete:
                return f"{count(self.shown, 'result')} for “{self.query}”, best match first"
            return f"The {self.shown:,} best matches for “{self.query}”"
        if self.showing is Showing.SIMILAR:
            return f"Looks like {self.query}, most alike first"
        return ""
