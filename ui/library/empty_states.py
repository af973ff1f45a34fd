"""The texts in the middle of the window while there is nothing to show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from cocadesk.errors import UserError
from cocadesk.protocol.values import JobKind, JobState, JobValue
from ui.engine.link import LinkState
from ui.kit.icons import Icon
from ui.kit.texts import clipped, time_left
from ui.kit.translation import grouped, tr, tr_count
from ui.library.listing import FilterHint, Listing
from ui.library.query import Showing

SAMPLES = tr("Look around the samples")
MODELS = tr("Compare models")
OTHER_LIBRARY = tr("Open another library…")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmptyState:
    """An icon with its texts; no button where ``button`` is empty.

    ``links`` are further ways on, less prominent.
    """

    icon: Icon
    title: str
    text: str
    more: str = ""
    button: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An index that runs: media read, of how many where that is known, and what it waits for."""

    done: int = 0
    total: int | None = None
    left: str = ""
    stage: str = ""

    @property
    def share(self) -> str:
        """How far it is: ``0 of 1,500``; nothing while files are still counted."""
        return (
            tr("{done} of {total}", done=grouped(self.done), total=grouped(self.total))
            if self.total
            else ""
        )

    @property
    def line(self) -> str:
        """How far it is and how long it takes, in words."""
        if self.total:
            what = tr_count(
                self.total, "Reading {n} photo or video", "Reading {n} photos and videos"
            )
            return f"{what}, {self.left}." if self.left else f"{what}."
        return f"{self.stage}…" if self.stage else ""


def reading_of(jobs: Iterable[JobValue]) -> Reading | None:
    """The index among the jobs that have not ended, one that runs first."""
    indexes = [job for job in jobs if job.kind is JobKind.INDEX]
    job = next((one for one in indexes if one.state is JobState.RUNNING), None)
    job = job or next(iter(indexes), None)
    if job is None:
        return None
    left = time_left(job.seconds_left)
    return Reading(done=job.done, total=job.total, left=left, stage=job.stage)


STARTING = EmptyState(
    icon=Icon.ENGINE,
    title=tr("Getting ready…"),
    text=tr("The engine is starting. This takes a few seconds the first time."),
)
NOTHING_FOUND = EmptyState(
    icon=Icon.NOTHING,
    title=tr("Nothing found"),
    text=tr("Try other or fewer words. Describe what can be seen in the photo."),
    button=tr("Show all photos"),
)
NOTHING_LEFT = EmptyState(
    icon=Icon.NOTHING,
    title=tr("Nothing found"),
    text=tr("No photo or video passes all of these filters. Remove one, or turn it round."),
    button=tr("Show all photos"),
)
NO_GROUP = EmptyState(
    icon=Icon.STACK,
    title=tr("Nothing is alike"),
    text=tr("This photo is in no group of same pictures any more."),
    button=tr("Show all photos"),
)
FAR_AS = tr("As far as the model can tell. Try other words, or look at what comes nearest.")
NEAREST = tr("Try other words, or look at what comes nearest.")
FITS = tr("What fits appears here by itself.")
APPEAR = tr("They appear here as they are read. You can search at any time.")
FIRST_FOLDER = EmptyState(
    icon=Icon.PHOTO,
    title=tr("Add your first folder"),
    text=tr(
        "CocaDesk reads the photos and videos in it, and you find them by describing them. "
        "Your photos stay where they are, and nothing leaves this computer. "
        "You can also drag a folder into this window."
    ),
    more=tr(
        "The model that comes with it is small and quick: it puts the right photo first one time "
        "in four. A larger one, 1 GB to fetch, does so nearly two times in three."
    ),
    button=tr("Add folder…"),
    links=(SAMPLES, MODELS),
)


def empty_state_for(
    link: LinkState,
    link_problem: UserError | None,
    listing: Listing,
    *,
    is_working: bool,
    reading: Reading | None = None,
    hint: FilterHint | None = None,
) -> EmptyState | None:
    """The texts for the empty middle of the window; None where there are photos."""
    if link is LinkState.FAILED and not listing.shown:
        problem = link_problem or UserError(tr("The engine could not start."))
        return replace(_problem(problem, tr("Try again")), links=(OTHER_LIBRARY,))
    if listing.problem is not None:
        return _problem(
            listing.problem, tr("Show all photos") if listing.is_filtered else tr("Try again")
        )
    if listing.shown:
        return None
    if link is not LinkState.CONNECTED or listing.showing is Showing.NOTHING_YET:
        return STARTING
    if listing.rest:
        return _nothing_shows(listing)
    if hint is not None:
        return EmptyState(
            icon=Icon.NOTHING,
            title=tr("Nothing found"),
            text=hint.text,
            button=tr("Remove “{words}”", words=hint.words),
        )
    if listing.is_filtered:
        return _nothing_found(listing, reading)
    return _first_reading(reading) if is_working else FIRST_FOLDER


def _nothing_shows(listing: Listing) -> EmptyState:
    """The model believes of no photo that it shows what is looked for."""
    return EmptyState(
        icon=Icon.NOTHING,
        title=tr("Nothing here shows “{query}”", query=clipped(listing.query)),
        text=f"{listing.note} {NEAREST}" if listing.note else FAR_AS,
        button=listing.fold_text,
    )


def _nothing_found(listing: Listing, reading: Reading | None) -> EmptyState:
    """Nothing of a library that is being read says little of it."""
    if listing.showing is Showing.GROUP:
        return NO_GROUP
    if listing.note and not (reading is not None and reading.done == 0):
        return replace(NOTHING_FOUND, text=listing.note)
    if reading is None:
        return NOTHING_LEFT if listing.showing is Showing.FILTERED else NOTHING_FOUND
    if not reading.done:
        return EmptyState(
            icon=Icon.PHOTO,
            title=(
                tr("Nothing read yet: {share}", share=reading.share)
                if reading.share
                else tr("Nothing read yet")
            ),
            text=f"{reading.line} {FITS}".strip(),
            button=tr("Show all photos"),
        )
    return EmptyState(
        icon=Icon.NOTHING,
        title=tr("Nothing found among the {share} that are read", share=reading.share),
        text=f"{reading.line} {FITS}".strip(),
        button=tr("Show all photos"),
    )


def _first_reading(reading: Reading | None) -> EmptyState:
    line = "" if reading is None else reading.line
    text = f"{line} {APPEAR}".strip()
    return EmptyState(icon=Icon.PHOTO, title=tr("Reading your photos…"), text=text)


def _problem(error: UserError, button: str) -> EmptyState:
    return EmptyState(
        icon=Icon.WARNING,
        title=error.what,
        text=" ".join(part for part in (error.why, error.what_to_do) if part),
        button=button,
    )
