"""The state of an offered model as its card shows it: a pure function of what the engine told."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from cocadesk.protocol.values import JobKind, JobState, JobValue, ModelOffer
from ui.kit.texts import count_media, file_size, job_line
from ui.kit.translation import decimal, grouped, tr, tr_count

EXAMPLE = 10_000
"""So many photos stand for a library that has none yet."""


class Stage(Enum):
    """The place of a model between the network and use."""

    ABSENT = auto()
    BROKEN_OFF = auto()
    FETCHING = auto()
    HERE = auto()
    READING = auto()
    USED = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferState:
    """One card: its stage, and the sentences that change with it."""

    stage: Stage
    badge: str = ""
    line: str = ""
    problem: str = ""
    lacks_room: bool = False


def state_of(offer: ModelOffer, job: JobValue | None, problem: str = "") -> OfferState:
    """The state of an offer with the job that is about it now, and the last sentence of trouble."""
    if job is not None and not job.state.is_final:
        is_fetch = job.kind is JobKind.FETCH_MODEL or job.is_bytes
        return OfferState(
            stage=Stage.FETCHING if is_fetch else Stage.READING,
            badge=tr("Paused") if job.state is JobState.PAUSED else "",
            line=fetching_line(job, offer) if is_fetch else reading_line(job, offer),
        )
    problem = problem or offer.problem
    if offer.is_used:
        badge = tr("In use") if offer.is_used_for_captions else tr("Searches")
        return OfferState(stage=Stage.USED, badge=badge, problem=problem)
    if offer.is_here:
        badge = tr("Writes captions") if offer.is_used_for_captions else tr("On this computer")
        return OfferState(stage=Stage.HERE, badge=badge, problem=problem)
    lacks = lacks_room(offer)
    if not problem and lacks and offer.free_bytes is not None:
        problem = tr(
            "There is no room for it: it needs {needed} on the disk, and {free} are free.",
            needed=file_size(offer.needs_bytes),
            free=file_size(offer.free_bytes),
        )
    is_begun = offer.fetched_bytes > 0
    line = ""
    if is_begun:
        line = tr(
            "{percent} % of it is here: the fetching broke off. It goes on where it ended.",
            percent=percent_here(offer),
        )
    return OfferState(
        stage=Stage.BROKEN_OFF if is_begun else Stage.ABSENT,
        line=line,
        problem=problem,
        lacks_room=lacks,
    )


def lacks_room(offer: ModelOffer) -> bool:
    """True where the disk has no room for what is still to come."""
    is_known = offer.free_bytes is not None and not offer.is_here
    return is_known and offer.needs_bytes > (offer.free_bytes or 0)


def percent_here(offer: ModelOffer) -> int:
    """The part that was fetched, never 0 nor 100."""
    share = offer.fetched_bytes / max(1, offer.size_bytes)
    return min(99, max(1, round(100 * share)))


def fetching_line(job: JobValue, offer: ModelOffer) -> str:
    """How far its files are here, and what comes after them."""
    line = job_line(job).rstrip(".")
    if offer.is_awaited and offer.is_for_search:
        return f"{line} · {tr('then it reads your photos')}"
    return line


def reading_line(job: JobValue, offer: ModelOffer) -> str:
    """How far it has read the library, and what answers meanwhile."""
    line = job_line(job).rstrip(".")
    if not offer.is_for_search:
        return line
    return f"{line} · {tr('search uses the present model until this is done')}"


def speed_text(photos_per_second: float) -> str:
    """``about 12 photos a second``; of slow ones the time of a photo."""
    if photos_per_second < 0.95:
        return tr("one photo in about {seconds} s", seconds=decimal(1 / photos_per_second))
    number = photos_per_second
    if number < 10:
        return tr("about {number} photos a second", number=decimal(number))
    return tr("about {number} photos a second", number=grouped(round(number)))


def duration(seconds: float) -> str:
    """``under a minute``, ``about 12 minutes``, ``about 3 h 20 min``, ``about 2 days``."""
    minutes = seconds / 60
    if minutes < 1:
        return tr("under a minute")
    if minutes < 59.5:
        return tr_count(round(minutes), "about {n} minute", "about {n} minutes")
    hours, rest = divmod(round(minutes / 10), 6)
    if hours >= 36:
        return tr_count(round(hours / 24), "about {n} day", "about {n} days")
    if rest and hours < 10:
        return tr("about {hours} h {minutes} min", hours=hours, minutes=rest * 10)
    return tr_count(hours, "about {n} hour", "about {n} hours")


def library_text(offer: ModelOffer, media: int) -> str:
    """The time for this library, for an example where it is empty; what was read counts."""
    if media and (offer.is_used or offer.coverage >= 1.0):
        return tr("has read your photos")
    if offer.photos_per_second is None:
        return ""
    if not media:
        time = duration(EXAMPLE / offer.photos_per_second)
        return tr("{time} for {number} photos", time=time, number=grouped(EXAMPLE))
    time = duration(offer.seconds_for_library or media / offer.photos_per_second)
    if offer.coverage > 0:
        return tr("{time} for what it has not read yet", time=time)
    return tr("{time} for your {media}", time=time, media=count_media(media))


def size_text(offer: ModelOffer) -> str:
    """What it takes: of the network, and of the disk."""
    if offer.is_here:
        return tr("{size} on the disk", size=file_size(offer.size_bytes))
    return tr(
        "{size} to fetch, {room} on the disk",
        size=file_size(offer.size_bytes - offer.fetched_bytes),
        room=file_size(offer.needs_bytes + offer.fetched_bytes),
    )
