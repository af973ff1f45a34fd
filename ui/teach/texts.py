"""The teaching page's texts: figures, states and verdicts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cocadesk.protocol.messages import DatasetSummary
from cocadesk.protocol.values import (
    JobState,
    JobValue,
    MetricValue,
    RunState,
    RunValue,
    SkippedValue,
)
from ui.kit.texts import moment, time_left
from ui.kit.translation import decimal, grouped, tr, tr_count

FIRST = "t2i_r1"
AMONG_FIVE = "t2i_r5"
CAPTIONS = "cider_d"
TOLD: dict[str, str] = {
    FIRST: tr("The right photo comes first"),
    AMONG_FIVE: tr("The right photo is among the first 5"),
    CAPTIONS: tr("Its captions match people’s (CIDEr-D)"),
}
SMALL_LOSS = 2.0
LARGE_LOSS = 5.0
_FEW_S, _NEARLY_A_MINUTE_S = 10, 55

INTRO = tr(
    "Show CocaDesk a few photos with captions of your own, and it learns your "
    "words for them: a name, a place, a kind of thing that it has no word for. "
    "A good folder holds a dozen photos or more of each thing, taken from "
    "different sides, and beside each photo a text file of the same name "
    "(boat.jpg, boat.txt) with one caption a line. All of it happens on this "
    "computer, and nothing changes until you have seen how well it did and "
    "chosen to keep it."
)

STATES: dict[RunState, str] = {
    RunState.RUNNING: tr("learning"),
    RunState.WAITING: tr("undecided"),
    RunState.KEPT: tr("kept"),
    RunState.DISCARDED: tr("discarded"),
    RunState.FAILED: tr("failed"),
}


def duration(seconds: float) -> str:
    """``about 2 minutes``, coarse on purpose."""
    if seconds < _FEW_S:
        return tr("a few seconds")
    if seconds < _NEARLY_A_MINUTE_S:
        return tr("about {seconds} seconds", seconds=round(seconds / 5) * 5)
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return tr_count(minutes, "about {n} minute", "about {n} minutes")
    return tr_count(max(1, round(minutes / 60)), "about {n} hour", "about {n} hours")


def percent(value: float) -> str:
    """A figure of 0 to 100 as people read it: ``42 %``, with a space that keeps together."""
    return f"{value:.0f}\u00a0%"


def is_share(metric: MetricValue) -> bool:
    """True where the figure counts photos (in per cent), and is no score."""
    return "_r" in metric.name and not metric.name.startswith("rouge")


def figure(metric: MetricValue) -> str:
    """``5 of 6`` where it counts, else ``0.90``."""
    if is_share(metric):
        found = round(metric.value * metric.n / 100)
        return tr("{found} of {all}", found=found, all=grouped(metric.n))
    return decimal(metric.value, 2)


def certainty(metric: MetricValue) -> str:
    """The 95 % interval as text."""
    if is_share(metric):
        return tr(
            "{value}; likely {low}–{high}",
            value=percent(metric.value),
            low=decimal(metric.low, 0),
            high=percent(metric.high),
        )
    return tr("likely {low}–{high}", low=decimal(metric.low, 2), high=decimal(metric.high, 2))


def found_line(found: DatasetSummary) -> str:
    """``48 photos with 96 captions``."""
    return photos_and_captions(found.photos, found.captions)


def photos_and_captions(photos: int, captions: int) -> str:
    """``48 photos with 96 captions``."""
    return tr(
        "{photos} with {captions}",
        photos=tr_count(photos, "{n} photo", "{n} photos"),
        captions=tr_count(captions, "{n} caption", "{n} captions"),
    )


def held_out_line(found: DatasetSummary) -> str:
    """One line on how the run will be measured."""
    if found.is_trial:
        return tr(
            "With {photos} photos this is a trial first: {held_out} of {photos} are held back to "
            "see what learning brings. The model that you may keep then learns from all {photos}.",
            photos=grouped(found.photos),
            held_out=grouped(found.held_out),
        )
    return tr(
        "{held_out} of {photos} photos are held back: they are not learned from, "
        "and show afterwards how well it did.",
        held_out=grouped(found.held_out),
        photos=grouped(found.photos),
    )


def time_line(found: DatasetSummary) -> str:
    """One line on the time it takes, as far as it is known."""
    if found.seconds is None:
        return tr("Measuring how long it will take…")
    line = tr("Learning takes {duration} on this computer.", duration=duration(found.seconds))
    if found.reembed_seconds > 0:
        line += " " + tr(
            "If you keep it, every photo of the library is then read again, "
            "{duration}; you can search meanwhile.",
            duration=duration(found.reembed_seconds),
        )
    return line


def skipped_line(skipped: SkippedValue) -> str:
    """``3 files skipped (a.jpg, b.jpg, …): The .txt beside the photo is empty.``."""
    paths = (example.text for example in skipped.examples[:3])
    names = [os.path.basename(path) for path in paths]  # noqa: PTH119
    if names and skipped.count > len(names):
        names.append("…")
    examples = f" ({', '.join(names)})" if names else ""
    return tr_count(
        skipped.count,
        "{n} file skipped{examples}: {reason}",
        "{n} files skipped{examples}: {reason}",
        examples=examples,
        reason=skipped.reason,
    )


def run_title(run: RunValue) -> str:
    """The run's title, or a general one."""
    return run.title or tr("Your photos")


def run_subtitle(run: RunValue) -> str:
    """One line for the list of runs."""
    when = moment(run.created)
    was_stopped = run.state is RunState.DISCARDED and not run.after
    state = tr("stopped") if was_stopped else STATES[run.state]
    return f"{state} · {when}" if when else state


def progress_line(run: RunValue, job: JobValue | None) -> str:
    """One line on a run's progress, from its job where that is known."""
    if job is not None and job.state is JobState.PAUSED:
        return tr("Paused at {place}. It resumes exactly where it stopped.", place=_place(run, job))
    if job is not None and job.state is JobState.QUEUED:
        return tr("Waiting for its turn.")
    parts = [job.stage if job is not None and job.stage else tr("Learning"), _place(run, job)]
    if job is not None and (left := time_left(job.seconds_left)):
        parts.append(left)
    return " · ".join(part for part in parts if part)


def _place(run: RunValue, job: JobValue | None) -> str:
    if job is not None and (job.total or 0) > 1:
        return tr("{done} of {total}", done=grouped(job.done), total=grouped(job.total or 0))
    if run.steps and run.step:
        return tr("step {step} of {steps}", step=grouped(run.step), steps=grouped(run.steps))
    return tr("the beginning") if job is not None and job.state is JobState.PAUSED else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A sentence on what came of a run, and whether keeping it is the better choice."""

    text: str
    advises_keeping: bool


def verdict(run: RunValue) -> Verdict:
    """The advice on a finished run, and how sure it is."""
    if _named(run.before, FIRST) is None or _named(run.after, FIRST) is None:
        return Verdict(
            text=tr("There was nothing to measure it by: keep it only if you want to try it."),
            advises_keeping=False,
        )
    gained = _gained(run)
    if gained is None:
        return _no_gain(run)
    before, after = gained
    lost = _lost(run)
    text = (
        tr(
            "It finds your photos better: the right one comes first for {before} before, "
            "for {now} now",
            before=figure(before),
            now=figure(after),
        )
        if after.name == FIRST
        else tr(
            "It finds your photos better: the right one comes among the first 5 for {before} "
            "before, for {now} now",
            before=figure(before),
            now=figure(after),
        )
    )
    if lost > LARGE_LOSS:
        return Verdict(
            text=tr(
                "{gain}. But it has forgotten other things ({general}): keep it only if "
                "those matter less to you.",
                gain=text,
                general=_general(run),
            ),
            advises_keeping=False,
        )
    return Verdict(
        text=tr(
            "Worth keeping. {gain}{beside}.{doubt}",
            gain=text,
            beside=_beside(run, lost),
            doubt=_doubt(before, after),
        ),
        advises_keeping=True,
    )


def _gained(run: RunValue) -> tuple[MetricValue, MetricValue] | None:
    """The figure of search that rose most, before and after; None where none did.

    Photos that bear one name are all right answers to it, so that the very photo of a
    caption may stay behind its like: among the first five says more then.
    """
    found = [(_named(run.before, name), _named(run.after, name)) for name in (FIRST, AMONG_FIVE)]
    pairs = [(old, new) for old, new in found if old is not None and new is not None]
    risen = [(old, new) for old, new in pairs if new.value > old.value]
    return max(risen, key=lambda pair: pair[1].value - pair[0].value, default=None)


def _no_gain(run: RunValue) -> Verdict:
    before, after = _named(run.before, CAPTIONS), _named(run.after, CAPTIONS)
    if before is not None and after is not None and after.value > before.high:
        return Verdict(
            text=tr(
                "It finds your photos no better than before, but its captions are much "
                "closer to yours: keep it if captions are what you want."
            ),
            advises_keeping=_lost(run) <= LARGE_LOSS,
        )
    return Verdict(
        text=tr(
            "Not worth keeping: it finds your photos no better than before. More "
            "photos of each thing, or captions that name it in the same words, may "
            "help."
        ),
        advises_keeping=False,
    )


def _beside(run: RunValue, lost: float) -> str:
    if _named(run.general_after, FIRST) is None:
        return ""
    if lost <= SMALL_LOSS:
        return tr(", and everything else as well as before")
    return tr(", and other things a little worse ({general})", general=_general(run))


def _doubt(before: MetricValue, after: MetricValue) -> str:
    if after.low > before.high:
        return ""
    return " " + tr_count(
        after.n,
        "With {n} photo to measure by, some of that can be luck: try a few searches.",
        "With {n} photos to measure by, some of that can be luck: try a few searches.",
    )


def _lost(run: RunValue) -> float:
    """Points of general search that were lost; 0 where it was not measured."""
    before, after = _named(run.general_before, FIRST), _named(run.general_after, FIRST)
    return 0.0 if before is None or after is None else before.value - after.value


def _general(run: RunValue) -> str:
    before, after = _named(run.general_before, FIRST), _named(run.general_after, FIRST)
    if before is None or after is None:
        return ""
    return tr(
        "{before} before, {now} now, of {all}",
        before=percent(before.value),
        now=percent(after.value),
        all=grouped(after.n),
    )


def _named(metrics: Sequence[MetricValue], name: str) -> MetricValue | None:
    return next((metric for metric in metrics if metric.name == name), None)
