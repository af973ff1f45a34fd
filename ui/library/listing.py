"""The list that the grid shows, as plain values, or the text where there is nothing to show."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import UserError
from cocadesk.protocol.messages import album_name
from ui.engine.link import LinkState
from ui.kit.icons import Icon
from ui.kit.texts import count, count_media
from ui.library.query import Showing as Showing


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The list that is shown and the one that was asked for last.

    ``shown`` counts its entries, ``total`` those of the library, ``hidden`` the same pictures
    for which others stand; a list that is not
    ``is_complete`` was cut off, and one that is not ``is_ranked`` answers filters without
    words. ``order`` says which comes first where that is not its own order, ``problem`` why
    there is no list.
    """

    showing: Showing = Showing.NOTHING_YET
    query: str = ""
    order: str = ""
    shown: int = 0
    total: int = 0
    hidden: int = 0
    is_complete: bool = True
    is_ranked: bool = True
    is_filtered: bool = False
    is_settled: bool = False
    problem: UserError | None = None

    @property
    def can_be_saved(self) -> bool:
        """True where a query led here that can be asked again."""
        return self.showing in (Showing.SEARCH, Showing.ALBUM, Showing.FILTERED)

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
            return f"Looks like {self.query}, {order}"
        if self.showing is Showing.CHOSEN:
            return f"{count_media(self.total)} {self.query}"
        if self.showing is Showing.GROUP:
            return f"{self.query} and what is alike: {count(self.shown, 'photo')}, best first"
        return ""

    @property
    def _search_line(self) -> str:
        if not self.shown:
            return f"Nothing found for “{self.query}”"
        if self.is_complete:
            order = self.order or ("best match first" if self.is_ranked else "newest first")
            return f"{count(self.shown, 'result')} for “{self.query}”, {order}"
        order = f", {self.order}" if self.order else ""
        if self.is_ranked:
            return f"The {self.shown:,} best matches for “{self.query}”{order}"
        which = "first results" if self.order else "newest results"
        return f"The {self.shown:,} {which} for “{self.query}”{order}"


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


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyState:
    """An icon with its texts; no button where ``button`` is empty."""

    icon: Icon
    title: str
    text: str
    button: str = ""


STARTING = EmptyState(
    icon=Icon.ENGINE,
    title="Getting ready…",
    text="The engine is starting. This takes a few seconds the first time.",
)
NOTHING_FOUND = EmptyState(
    icon=Icon.NOTHING,
    title="Nothing found",
    text="Try other or fewer words. Describe what can be seen in the photo.",
    button="Show all photos",
)
NOTHING_LEFT = EmptyState(
    icon=Icon.NOTHING,
    title="Nothing found",
    text="No photo or video passes all of these filters. Remove one, or turn it round.",
    button="Show all photos",
)
NO_GROUP = EmptyState(
    icon=Icon.STACK,
    title="Nothing is alike",
    text="This photo is in no group of same pictures any more.",
    button="Show all photos",
)
READING = EmptyState(
    icon=Icon.PHOTO,
    title="Reading your photos…",
    text="They appear here as they are read. You can search at any time.",
)
FIRST_FOLDER = EmptyState(
    icon=Icon.PHOTO,
    title="Add your first folder",
    text="CocaDesk reads the photos and videos in it, and you find them by describing them. "
    "Your photos stay where they are, and nothing leaves this computer. "
    "You can also drag a folder into this window.",
    button="Add folder…",
)


def empty_state_for(
    link: LinkState,
    link_problem: UserError | None,
    listing: Listing,
    *,
    is_working: bool,
    hint: FilterHint | None = None,
) -> EmptyState | None:
    """The texts for the empty middle of the window; None where there are photos."""
    if link is LinkState.FAILED and not listing.shown:
        return _problem(link_problem or UserError("The engine could not start."), "Try again")
    if listing.problem is not None:
        return _problem(listing.problem, "Show all photos" if listing.is_filtered else "Try again")
    if listing.shown:
        return None
    if link is not LinkState.CONNECTED or listing.showing is Showing.NOTHING_YET:
        return STARTING
    if hint is not None:
        return EmptyState(
            icon=Icon.NOTHING,
            title="Nothing found",
            text=hint.text,
            button=f"Remove “{hint.words}”",
        )
    if listing.showing is Showing.FILTERED:
        return NOTHING_LEFT
    if listing.is_filtered:
        return NO_GROUP if listing.showing is Showing.GROUP else NOTHING_FOUND
    return READING if is_working else FIRST_FOLDER


def _problem(error: UserError, button: str) -> EmptyState:
    return EmptyState(
        icon=Icon.WARNING,
        title=error.what,
        text=" ".join(part for part in (error.why, error.what_to_do) if part),
        button=button,
    )
