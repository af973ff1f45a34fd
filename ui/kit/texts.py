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
from ui.kit.translation import decimal, grouped, month_name, tr, tr_count


def clipped(text: str, most: int = 80) -> str:
    """The beginning of a long text, e.g. of a query that was pasted by mistake."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def unquoted(text: str) -> str:
    """A query that is one phrase in quotes without them, to be put into the language's own."""
    inner = text[1:-1]
    is_phrase = len(text) > 2 and text[0] == text[-1] == '"' and '"' not in inner
    return inner if is_phrase and inner.strip() else text


def count_media(number: int) -> str:
    """``1 photo or video``, ``1,204 photos and videos``."""
    return tr_count(number, "{n} photo or video", "{n} photos and videos")


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
        return tr("a few seconds left")
    if seconds < 55:
        return tr("about {seconds} seconds left", seconds=round(seconds / 5) * 5)
    minutes = round(seconds / 60)
    if minutes < 60:
        return tr_count(max(1, minutes), "about {n} minute left", "about {n} minutes left")
    hours = max(1, round(minutes / 60))
    return tr_count(hours, "about {n} hour left", "about {n} hours left")


def file_size(size_bytes: int) -> str:
    """``412 KB``, ``3.4 MB``; powers of 1,000 as file managers have it."""
    if size_bytes < 1000:
        return tr_count(size_bytes, "{n} byte", "{n} bytes")
    for unit, scale in (("KB", 1e3), ("MB", 1e6)):
        if size_bytes < 1000 * scale:
            value = size_bytes / scale
            return f"{decimal(value)} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{decimal(size_bytes / 1e9)} GB"


def day(iso: str | None) -> str:
    """A camera's wall time: ``3 May 2025, 14:30``; empty where unknown."""
    when = _read(iso)
    if when is None:
        return iso or ""
    return tr(
        "{day} {month} {year}, {time}",
        day=when.day,
        month=month_name(when.month),
        year=when.year,
        time=f"{when:%H:%M}",
    )


def moment(iso: str) -> str:
    """The time of an event here: ``14:30`` today, else ``3 May, 14:30``."""
    read = _read(iso)
    if read is None:
        return iso
    when = read.astimezone()
    now = datetime.now().astimezone()
    time = f"{when:%H:%M}"
    if when.date() == now.date():
        return time
    month = month_name(when.month, is_short=True)
    if when.year == now.year:
        return tr("{day} {month}, {time}", day=when.day, month=month, time=time)
    return tr("{day} {month} {year}, {time}", day=when.day, month=month, year=when.year, time=time)


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
    parts += {"pick": [tr("Picked")], "reject": [tr("Rejected")]}.get(row.flag, [])
    return " · ".join([*parts, tr("Favourite")] if row.favourite else parts)


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
    JobState.QUEUED: tr("Waiting"),
    JobState.RUNNING: tr("Running"),
    JobState.PAUSED: tr("Paused"),
    JobState.DONE: tr("Done"),
    JobState.FAILED: tr("Failed"),
    JobState.CANCELLED: tr("Stopped"),
}


def job_state(job: JobValue) -> str:
    """One word on where a job stands."""
    return JOB_STATES[job.state]


_OF_PHOTOS = (
    JobKind.CAPTION,
    JobKind.TAG,
    JobKind.TAKE_OVER,
    JobKind.SWITCH_MODEL,
    JobKind.GROUP,
)


def _done(job: JobValue) -> str:
    """How much a job has done, in what it counts."""
    if job.is_bytes:
        return file_size(job.done)
    if job.kind in _OF_PHOTOS:
        return tr_count(job.done, "{n} photo", "{n} photos")
    if job.kind is JobKind.TEACH:
        return tr_count(job.done, "{n} step", "{n} steps")
    return tr_count(job.done, "{n} file", "{n} files")


def job_line(job: JobValue) -> str:
    """One line on how far a job is or how it ended."""
    done = _done(job)
    if job.state is JobState.CANCELLED:
        return job.message or _stopped(job, done)
    if job.state is JobState.FAILED:
        return job.message or tr("This job failed.")
    if job.state is JobState.DONE:
        return job.message or tr("Done: {done}.", done=done)
    if job.state is JobState.PAUSED:
        return tr("Paused after {done}.", done=done)
    if job.state is JobState.QUEUED:
        if job.waits_for:
            return tr("waits for {waits_for}", waits_for=job.waits_for)
        return tr("waiting for its turn")
    parts = [job.stage] if job.stage else []
    if job.total:
        number = file_size if job.is_bytes else grouped
        parts.append(tr("{done} of {all}", done=number(job.done), all=number(job.total)))
        if job.fraction:
            percent = math.floor(100 * job.fraction)
            parts.append(tr("{percent} % of the next one", percent=percent))
    elif job.done:
        parts.append(done)
    elif not parts:
        parts.append(tr("beginning…"))
    if job.failed:
        parts.append(_failed(job))
    if left := time_left(job.seconds_left):
        parts.append(left)
    return " · ".join(parts)


def _stopped(job: JobValue, done: str) -> str:
    if job.kind is JobKind.TEACH:
        return tr("Stopped after {done}. Nothing has changed.", done=done)
    return tr("Stopped after {done}. What was done is kept.", done=done)


def _failed(job: JobValue) -> str:
    failed = grouped(job.failed)
    if job.kind is JobKind.WRITE:
        return tr("{failed} could not be written", failed=failed)
    return tr("{failed} could not be read", failed=failed)


def device_line(model: ModelValue) -> str:
    """The device of the model in use, with the reason for it."""
    if model.state is ModelState.FAILED:
        return f"{tr('The model could not be opened.')} {model.reason}".strip()
    if model.state is not ModelState.READY:
        return tr("The model is being opened…")
    name = model.name
    used = tr("The model in use ({name})", name=name) if name else tr("The model in use")
    device, precision, reason = _device(model.device), model.precision, model.reason.rstrip(".")
    if precision and reason:
        return tr(
            "{model} runs on {device} in {precision}: {reason}.",
            model=used,
            device=device,
            precision=precision,
            reason=reason,
        )
    if precision:
        return tr(
            "{model} runs on {device} in {precision}.",
            model=used,
            device=device,
            precision=precision,
        )
    if reason:
        return tr("{model} runs on {device}: {reason}.", model=used, device=device, reason=reason)
    return tr("{model} runs on {device}.", model=used, device=device)


def _device(name: str) -> str:
    if name == "cpu":
        return tr("the processor (CPU)")
    if name.startswith("cuda"):
        return tr("the graphics card ({name})", name=name)
    return name or tr("this computer")
