"""Numbers, times and sizes as people read them."""

from __future__ import annotations

import math
from datetime import datetime

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    JobKind,
    JobState,
    JobValue,
    MediaKind,
    ModelState,
    ModelValue,
    Row,
)


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 photo``, ``1,204 photos``; ``plural`` where it is more than an s."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def count_media(number: int) -> str:
    """``1 photo or video``, ``1,204 photos and videos``."""
    return count(number, "photo or video", "photos and videos")


def clock(seconds: float) -> str:
    """A place in a video: ``0:04``, ``1:02:03``."""
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def time_left(seconds: float | None) -> str:
    """``about 2 minutes left``, coarse on purpose; empty where unknown."""
    if seconds is None:
        return ""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 55:
        return f"about {round(seconds / 5) * 5} seconds left"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"about {count(max(1, minutes), 'minute')} left"
    return f"about {count(max(1, round(minutes / 60)), 'hour')} left"


def file_size(size_bytes: int) -> str:
    """``412 KB``, ``3.4 MB``; powers of 1,000 as file managers have it."""
    if size_bytes < 1000:
        return count(size_bytes, "byte")
    for unit, scale in (("KB", 1e3), ("MB", 1e6)):
        if size_bytes < 1000 * scale:
            value = size_bytes / scale
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{size_bytes / 1e9:.1f} GB"


def day(iso: str | None) -> str:
    """A camera's wall time: ``3 May 2025, 14:30``; empty where unknown."""
    when = _read(iso)
    return f"{when.day} {when:%B %Y}, {when:%H:%M}" if when else iso or ""


def moment(iso: str) -> str:
    """The time of an event here: ``14:30`` today, else ``3 May, 14:30``."""
    read = _read(iso)
    if read is None:
        return iso
    when = read.astimezone()
    now = datetime.now().astimezone()
    if when.date() == now.date():
        return f"{when:%H:%M}"
    year = "" if when.year == now.year else f" {when.year}"
    return f"{when.day} {when:%b}{year}, {when:%H:%M}"


def _read(iso: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(iso or "")
    except ValueError:
        return None


def picture_size(row: Row) -> str:
    """``4032 × 3024 · 3.4 MB``."""
    parts = []
    if row.width and row.height:
        parts.append(f"{row.width} × {row.height}")
    if row.size_bytes:
        parts.append(file_size(row.size_bytes))
    return " · ".join(parts)


def marks(row: Row) -> str:
    """Stars, flag and favourite mark: ``★★★★☆ · Picked · Favourite``; empty without any."""
    parts = ["★" * row.stars + "☆" * (5 - row.stars)] if row.stars else []
    parts += {"pick": ["Picked"], "reject": ["Rejected"]}.get(row.flag, [])
    return " · ".join([*parts, "Favourite"] if row.favourite else parts)


_UNPLAYABLE = (".webp", ".avif", ".avifs")
"""Pictures that move, and that Qt's player does not know."""


def playable(row: Row) -> WirePath | None:
    """The file that a player shows: a video, or that of a Live Photo; None without one."""
    if row.kind is MediaKind.VIDEO:
        return None if row.name.lower().endswith(_UNPLAYABLE) else row.path
    return next((part.path for part in row.parts if part.role == "video"), None)


def has_moments(row: Row) -> bool:
    """True for a video, and a photo with a video of its own."""
    return row.kind is MediaKind.VIDEO or any(p.role in ("video", "inside") for p in row.parts)


def short_marks(row: Row) -> str:
    """The same in a few letters, for a thumbnail: ``★4 ✓ ♥``."""
    parts = [f"★{row.stars}"] if row.stars else []
    parts += {"pick": ["✓"], "reject": ["✗"]}.get(row.flag, [])
    return " ".join([*parts, "♥"] if row.favourite else parts)


JOB_STATES = {
    JobState.QUEUED: "Waiting",
    JobState.RUNNING: "Running",
    JobState.PAUSED: "Paused",
    JobState.DONE: "Done",
    JobState.FAILED: "Failed",
    JobState.CANCELLED: "Stopped",
}


def job_state(job: JobValue) -> str:
    """One word on where a job stands."""
    return JOB_STATES[job.state]


_NOUNS = {
    JobKind.CAPTION: "photo",
    JobKind.TAG: "photo",
    JobKind.TAKE_OVER: "photo",
    JobKind.SWITCH_MODEL: "photo",
    JobKind.GROUP: "photo",
    JobKind.TEACH: "step",
}


def job_line(job: JobValue) -> str:
    """One line on how far a job is or how it ended."""
    done = count(job.done, _NOUNS.get(job.kind, "file"))
    if job.state is JobState.CANCELLED:
        rest = "Nothing has changed." if job.kind is JobKind.TEACH else "What was done is kept."
        return job.message or f"Stopped after {done}. {rest}"
    if job.state is JobState.FAILED:
        return job.message or "This job failed."
    if job.state is JobState.DONE:
        return job.message or f"Done: {done}."
    if job.state is JobState.PAUSED:
        return f"Paused after {done}."
    if job.state is JobState.QUEUED:
        return f"waits for {job.waits_for}" if job.waits_for else "waiting for its turn"
    parts = [job.stage] if job.stage else []
    if job.total:
        parts.append(f"{job.done:,} of {job.total:,}")
        if job.fraction:
            parts.append(f"{math.floor(100 * job.fraction)} % of the next one")
    elif job.done or not parts:
        parts.append(done)
    if job.failed:
        parts.append(f"{job.failed:,} could not be {'written' if _writes(job) else 'read'}")
    if left := time_left(job.seconds_left):
        parts.append(left)
    return " · ".join(parts)


def _writes(job: JobValue) -> bool:
    return job.kind is JobKind.WRITE


def device_line(model: ModelValue) -> str:
    """The device of the model in use, with the reason for it."""
    if model.state is ModelState.FAILED:
        return f"The model could not be opened. {model.reason}".strip()
    if model.state is not ModelState.READY:
        return "The model is being opened…"
    where = f"It runs on {_device(model.device)}"
    if model.precision:
        where += f" in {model.precision}"
    return f"{where}: {model.reason.rstrip('.')}." if model.reason else f"{where}."


def _device(name: str) -> str:
    if name == "cpu":
        return "the processor (CPU)"
    return f"the graphics card ({name})" if name.startswith("cuda") else name or "this computer"
