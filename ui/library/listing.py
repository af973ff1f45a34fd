"""The list that the grid shows, as plain values, or the text where there is nothing to show."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import UserError
from cocadesk.protocol.messages import ReadAs, album_name
from ui.kit.texts import count, count_media
from ui.library.query import Showing as Showing


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The list that is shown and the one that was asked for last.

    ``shown`` counts its entries, ``total`` those of the library, ``hidden`` the same pictures
    for which others stand; a list that is not
    ``is_complete`` was cut off, and one that is not ``is_ranked`` answers filters without
    words. Of a search that ``is_judged`` the model believes ``believed`` media to fit; the
    ``rest`` is shown where it ``is_open``. ``likeness`` names the pictures that it is to be like
    or unlike. ``order`` says which comes first where that is not
    its own order, ``problem`` why there is no list. ``note`` is what the engine says of a text,
    ``read_as`` what of it was read as dates.
    """

    showing: Showing = Showing.NOTHING_YET
    query: str = ""
    likeness: str = ""
    note: str = ""
    read_as: tuple[ReadAs, ...] = ()
    order: str = ""
    shown: int = 0
    total: int = 0
    hidden: int = 0
    is_complete: bool = True
    is_ranked: bool = True
    is_filtered: bool = False
    is_settled: bool = False
    is_judged: bool = False
    believed: int = 0
    rest: int = 0
    is_open: bool = False
    problem: UserError | None = None

    @property
    def can_be_saved(self) -> bool:
        """True where a query led here that can be asked again."""
        is_kind = self.showing in (Showing.SEARCH, Showing.ALBUM, Showing.FILTERED)
        return is_kind and not self.likeness

    @property
    def headline(self) -> str:
        """One line on what is shown; empty where a problem is told in its place."""
        line = "" if self.problem is not None else self._line
        hidden = f" · {count(self.hidden, 'same picture')} collapsed" if self.hidden else ""
        return line + hidden if line else ""

    @property
    def _line(self) -> str:
        order = self.order or _ORDERS.get(self.showing, "")
        if self.showing in (Showing.NEWEST, Showing.FILTERED):
            return f"{count_media(self.total)}, {order}" if self.total else ""
        if self.showing is Showing.SEARCH:
            return self._search_line
        if self.showing is Showing.ALBUM:
            album = f"{count_media(self.total)} in the album “{album_name(self.query)}”"
            return f"{album}, {order}" if order else album
        if self.showing is Showing.SIMILAR:
            said = f"{self._asked}, {order}" if self.query else f"Looks {self.likeness}, {order}"
            return said if self.shown else f"Nothing found for {self._asked}"
        if self.showing is Showing.CHOSEN:
            return f"{count_media(self.total)} {self.query}"
        if self.showing is Showing.GROUP:
            return f"{self.query} and what is alike: {count(self.shown, 'photo')}, best first"
        return ""

    @property
    def _asked(self) -> str:
        """The text in quotes, and the pictures beside it."""
        text = f"“{self.query}”" if self.query else ""
        return ", ".join(part for part in (text, self.likeness) if part)

    @property
    def fold_text(self) -> str:
        """The text of the button that shows the rest of a search, or hides it; empty: none."""
        if self.problem is not None or not self.rest:
            return ""
        if self.is_open:
            return f"Show only the {self.believed:,} that fit" if self.believed else "Hide these"
        return (
            f"Show the {self.rest:,} nearest" if not self.believed else f"Show {self.rest:,} more"
        )

    @property
    def _search_line(self) -> str:
        if self.is_judged and not self.is_open and (self.rest or self.believed):
            order = self.order or "best match first"
            if not self.believed:
                return f"Nothing here shows {self._asked}"
            verb = "shows" if self.believed == 1 else "show"
            return f"{count(self.believed, 'photo')} {verb} {self._asked}, {order}"
        if not self.shown:
            return f"Nothing found for {self._asked}"
        if self.is_complete:
            order = self.order or ("best match first" if self.is_ranked else "newest first")
            return f"{count(self.shown, 'result')} for {self._asked}, {order}"
        order = f", {self.order}" if self.order else ""
        if self.is_ranked:
            return f"The {self.shown:,} best matches for {self._asked}{order}"
        which = "first results" if self.order else "newest results"
        return f"The {self.shown:,} {which} for {self._asked}{order}"


_ORDERS = {
    Showing.NEWEST: "newest first",
    Showing.FILTERED: "newest first",
    Showing.SIMILAR: "most alike first",
}
"""The order of each kind of list unless it is said."""


@dataclass(frozen=True, slots=True)
class FilterHint:
    """A sentence on an empty list, and the filter that should go, with its words."""

    text: str
    term: str
    words: str
