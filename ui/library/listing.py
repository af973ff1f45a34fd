"""The list that the grid shows, as plain values, or the text where there is nothing to show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from cocadesk.errors import UserError
from cocadesk.protocol.messages import album_name
from ui.engine.link import LinkState
from ui.kit.icons import Icon
from ui.kit.texts import count, count_media


class Showing(Enum):
    """The kinds of list."""

    NOTHING_YET = 0
    NEWEST = 1
    SEARCH = 2
    SIMILAR = 3
    ALBUM = 4
    GROUP = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The list that is shown and the one that was asked for last.

    ``shown`` counts its entries, ``total`` those of the library, ``hidden`` the same pictures
    for which others stand; a list that is not
    ``is_complete`` was cut off, and one that is not ``is_ranked`` answers filters without
    words. ``problem`` says why there is none.
    """

    showing: Showing = Showing.NOTHING_YET
    query: str = ""
    shown: int = 0
    total: int = 0
    hidden: int = 0
    is_complete: bool = True
    is_ranked: bool = True
    is_filtered: bool = False
    problem: UserError | None = None

    @property
    def can_be_saved(self) -> bool:
        """True where a query led here that can be asked again."""
        return self.showing in (Showing.SEARCH, Showing.ALBUM)

    @property
    def headline(self) -> str:
        """One line on what is shown; empty where a problem is told in its place."""
        line = "" if self.problem is not None else self._line
        hidden = f" · {count(self.hidden, 'same picture')} collapsed" if self.hidden else ""
        return line + hidden if line else ""

    @property
    def _line(self) -> str:
        if self.showing is Showing.NEWEST:
            return f"{count_media(self.total)}, newest first" if self.total else ""
        if self.showing is Showing.SEARCH:
            if not self.shown:
                return f"Nothing found for “{self.query}”"
            first = "best match first" if self.is_ranked else "newest first"
            if self.is_complete:
                return f"{count(self.shown, 'result')} for “{self.query}”, {first}"
            which = "best matches" if self.is_ranked else "newest results"
            return f"The {self.shown:,} {which} for “{self.query}”"
        if self.showing is Showing.ALBUM:
            return f"{count_media(self.total)} in the album “{album_name(self.query)}”"
        if self.showing is Showing.SIMILAR:
            return f"Looks like {self.query}, most alike first"
        if self.showing is Showing.GROUP:
            return f"{self.query} and what is alike: {count(self.shown, 'photo')}, best first"
        return ""


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
    link: LinkState, link_problem: UserError | None, listing: Listing, *, is_working: bool
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
