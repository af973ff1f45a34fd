"""What to say where there are no photos to show, and why."""

from __future__ import annotations

from dataclasses import dataclass

from cocadesk.errors import UserError
from cocadesk.protocol.values import JobValue
from ui.engine.link import EngineLink, LinkState
from ui.kit.icons import Icon
from ui.library.browser import Browser, Showing


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyState:
    """An empty state's words; no button where ``button`` is empty."""

    icon: Icon
    title: str
    text: str
    button: str = ""


def empty_state_for(
    link: EngineLink, browser: Browser, job: JobValue | None, shown: int
) -> EmptyState | None:
    """The words for the empty middle of the window; None where there are photos."""
    if link.state is LinkState.FAILED and not shown:
        return _failed(link)
    if browser.problem is not None:
        return _problem(browser.problem, "Show all photos" if browser.is_filtered else "Try again")
    if shown:
        return None
    if link.state is not LinkState.CONNECTED or browser.showing is Showing.NOTHING_YET:
        return EmptyState(
            icon=Icon.ENGINE,
            title="Getting ready…",
            text="The engine is starting. This takes a few seconds the first time.",
        )
    if browser.is_filtered:
        return EmptyState(
            icon=Icon.NOTHING,
            title="Nothing found",
            text="Try other or fewer words. Describe what can be seen in the photo.",
            button="Show all photos",
        )
    if job is not None and not job.state.is_final:
        return EmptyState(
            icon=Icon.PHOTO,
            title="Reading your photos…",
            text="They appear here as they are read. You can search at any time.",
        )
    return EmptyState(
        icon=Icon.PHOTO,
        title="Add your first folder",
        text="CocaDesk reads the photos and videos in it, and you find them by describing them. "
        "Your photos stay where they are, and nothing leaves this computer. "
        "You can also drag a folder into this window.",
        button="Add folder…",
    )


def _failed(link: EngineLink) -> EmptyState:
    return _problem(link.problem or UserError("The engine could not start."), "Try again")


def _problem(error: UserError, button: str) -> EmptyState:
    return EmptyState(
        icon=Icon.WARNING,
        title=error.what,
        text=" ".join(part for part in (error.why, error.what_to_do) if part),
        button=button,
    )
