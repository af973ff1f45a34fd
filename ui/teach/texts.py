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
from ui.kit.texts import count, moment, time_left

FIRST = "t2i_r1"
AMONG_FIVE = "t2i_r5"
CAPTIONS = "cider_d"
TOLD: dict[str, str] = {
    FIRST: "The right photo comes first",
    AMONG_FIVE: "The right photo is among the first 5",
    CAPTIONS: "Its captions match people’s (CIDEr-D)",
}
SMALL_LOSS = 2.0
LARGE_LOSS = 5.0

INTRO = (
    "Show CocaDesk a few photos with captions of your own, and it learns your words for them: a "
    "name, a place, a kind of thing that it has no word for. A good folder holds a dozen photos "
    "or more of each thing, taken from different sides, and beside each photo a text file of the "
    "same name (boat.jpg, boat.txt) with one caption a line. All of it happens on this computer, "
    "and nothing changes until you have seen how well it did and chosen to keep it."
)

STATES: dict[RunState, str] = {
    RunState.RUNNING: "learning",
    RunState.WAITING: "undecided",
    RunState.KEPT: "kept",
    RunState.DISCARDED: "discarded",
    RunState.FAILED: "failed",
}


def duration(seconds: float) -> str:
    """``about 2 minutes``, coarse on purpose."""
    return time_left(seconds).removesuffix(" left")


def percent(value: float) -> str:
    """A figure of 0 to 100 as people read it: ``42 %``, with a space that keeps together."""
    return f"{value:.0f}\u00a0%"


def is_share(metric: MetricValue) -> bool:
    """True where the figure counts photos (in per cent), and is no score."""
    return "_r" in metric.name and not metric.name.startswith("rouge")


def figure(metric: MetricValue) -> str:
    """``5 of 6`` where it counts, else ``0.90``."""
    if is_share(metric):
        return f"{round(metric.value * metric.n / 100)} of {metric.n:,}"
    return f"{metric.value:.2f}"


def certainty(metric: MetricValue) -> str:
    """The 95 % interval as text."""
    if is_share(metric):
        return f"{percent(metric.value)}; likely {metric.low:.0f}–{percent(metric.high)}"
    return f"likely {metric.low:.2f}–{metric.high:.2f}"


def found_line(found: DatasetSummary) -> str:
    """``48 photos with 96 captions``."""
    return f"{count(found.photos, 'photo')} with {count(found.captions, 'caption')}"


def held_out_line(found: DatasetSummary) -> str:
    """One line on how the run will be measured."""
    if found.is_trial:
        return (
            f"With {count(found.photos, 'photo')} this is a trial first: {found.held_out} of "
            f"{found.photos} are held back to see what learning brings. The model that you may "
            f"keep then learns from all {found.photos}."
        )
    return (
        f"{found.held_out} of {found.photos:,} photos are held back: they are not learned from, "
        "and show afterwards how well it did."
    )


def time_line(found: DatasetSummary) -> str:
    """One line on the time it takes, as far as it is known."""
    if found.seconds is None:
        return "Measuring how long it will take…"
    line = f"Learning takes {duration(found.seconds)} on this computer."
    if found.reembed_seconds > 0:
        line += (
            f" If you keep it, every photo of the library is then read again, "
            f"{duration(found.reembed_seconds)}; you can search meanwhile."
        )
    return line


def skipped_line(skipped: SkippedValue) -> str:
    """``3 files skipped (a.jpg, b.jpg, …): The .txt beside the photo is empty.``."""
    paths = (example.text for example in skipped.examples[:3])
    names = [os.path.basename(path) for path in paths]  # noqa: PTH119
    if names and skipped.count > len(names):
        names.append("…")
    examples = f" ({', '.join(names)})" if names else ""
    return f"{count(skipped.count, 'file')} skipped{examples}: {skipped.reason}"


def run_title(run: RunValue) -> str:
    """The run's title, or a general one."""
    return run.title or "Your photos"


def run_subtitle(run: RunValue) -> str:
    """One line for the list of runs."""
    when = moment(run.created)
    was_stopped = run.state is RunState.DISCARDED and not run.after
    state = "stopped" if was_stopped else STATES[run.state]
    return f"{state} · {when}" if when else state


def progress_line(run: RunValue, job: JobValue | None) -> str:
    """One line on a run's progress, from its job where that is known."""
    if job is not None and job.state is JobState.PAUSED:
        return f"Paused at {_place(run, job)}. It resumes exactly where it stopped."
    if job is not None and job.state is JobState.QUEUED:
        return "Waiting for its turn."
    parts = [job.stage if job is not None and job.stage else "Learning", _place(run, job)]
    if job is not None and (left := time_left(job.seconds_left)):
        parts.append(left)
    return " · ".join(part for part in parts if part)


def _place(run: RunValue, job: JobValue | None) -> str:
    if job is not None and (job.total or 0) > 1:
        return f"{job.done:,} of {job.total:,}"
    if run.steps and run.step:
        return f"step {run.step:,} of {run.steps:,}"
    return "the beginning" if job is not None and job.state is JobState.PAUSED else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A sentence on what came of a run, and whether keeping it is the better choice."""

    text: str
    advises_keeping: bool


def verdict(run: RunValue) -> Verdict:
    """The advice on a finished run, and how sure it is."""
    if _named(run.before, FIRST) is None or _named(run.after, FIRST) is None:
        return Verdict(
            text="There was nothing to measure it by: keep it only if you want to try it.",
            advises_keeping=False,
        )
    gained = _gained(run)
    if gained is None:
        return _no_gain(run)
    before, after = gained
    lost = _lost(run)
    place = "first" if after.name == FIRST else "among the first 5"
    text = (
        f"It finds your photos better: the right one comes {place} for {figure(before)} before, "
        f"for {figure(after)} now"
    )
    if lost > LARGE_LOSS:
        return Verdict(
            text=f"{text}. But it has forgotten other things ({_general(run)}): keep it only if "
            "those matter less to you.",
            advises_keeping=False,
        )
    return Verdict(
        text=f"Worth keeping. {text}{_beside(run, lost)}.{_doubt(before, after)}",
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
            text="It finds your photos no better than before, but its captions are much closer "
            "to yours: keep it if captions are what you want.",
            advises_keeping=_lost(run) <= LARGE_LOSS,
        )
    return Verdict(
        text="Not worth keeping: it finds your photos no better than before. More photos of each "
        "thing, or captions that name it in the same words, may help.",
        advises_keeping=False,
    )


def _beside(run: RunValue, lost: float) -> str:
    if _named(run.general_after, FIRST) is None:
        return ""
    if lost <= SMALL_LOSS:
        return ", and everything else as well as before"
    return f", and other things a little worse ({_general(run)})"


def _doubt(before: MetricValue, after: MetricValue) -> str:
    if after.low > before.high:
        return ""
    return (
        f" With {count(after.n, 'photo')} to measure by, some of that can be luck: "
        "try a few searches."
    )


def _lost(run: RunValue) -> float:
    """Points of general search that were lost; 0 where it was not measured."""
    before, after = _named(run.general_before, FIRST), _named(run.general_after, FIRST)
    return 0.0 if before is None or after is None else before.value - after.value


def _general(run: RunValue) -> str:
    before, after = _named(run.general_before, FIRST), _named(run.general_after, FIRST)
    if before is None or after is None:
        return ""
    return f"{percent(before.value)} before, {percent(after.value)} now, of {after.n:,}"


def _named(metrics: Sequence[MetricValue], name: str) -> MetricValue | None:
    return next((metric for metric in metrics if metric.name == name), None)
