"""The text where there are no photos to show, with the reason."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import UserError
from ui.engine.link import LinkState
from ui.kit.icons import Icon
from ui.library.listing import Listing, Showing


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
        return NOTHING_FOUND
    return READING if is_working else FIRST_FOLDER


def _problem(error: UserError, button: str) -> EmptyState:
    return EmptyState(
        icon=Icon.WARNING,
        title=error.what,
        text=" ".join(part for part in (error.why, error.what_to_do) if part),
        button=button,
    )
