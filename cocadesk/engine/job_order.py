"""The order of jobs: which is next, which may pass another, and what each of them waits for.

Pure functions over the jobs that are open. Short ones pass long ones, so that a few photos
need not wait for a hundred thousand; nothing passes what it builds on.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Set
from enum import Enum, auto

from cocadesk.engine.job_records import Job
from cocadesk.errors import tr
from cocadesk.protocol.values import JobKind, JobState

SHORT_S = 60.0
"""A job that takes this long at most passes longer ones."""
SECONDS_EACH: Mapping[JobKind, float] = {
    JobKind.INDEX: 0.1,
    JobKind.CAPTION: 0.4,
    JobKind.TAG: 0.001,
    JobKind.WRITE: 0.01,
    JobKind.TAKE_OVER: 0.001,
}
"""Seconds that a file takes on two processors, about: enough to tell a dozen from thousands."""
BUILDS_ON: Mapping[JobKind, Set[JobKind]] = {
    JobKind.WRITE: frozenset({JobKind.CAPTION, JobKind.WRITE, JobKind.TAKE_OVER}),
    JobKind.TAKE_OVER: frozenset({JobKind.WRITE}),
    JobKind.CAPTION: frozenset({JobKind.SWITCH_MODEL}),
    JobKind.TAG: frozenset({JobKind.INDEX, JobKind.SWITCH_MODEL, JobKind.TAG}),
}
"""The kinds whose outcome a job of a kind may be about: it never passes these."""

Hold = Callable[[Job], str]
"""The reason why a job must not run now, e.g. on battery; empty for one that may."""


class Lane(Enum):
    """Jobs of one lane run one at a time, those of different lanes beside each other."""

    MAIN = auto()
    LESSONS = auto()
    FETCHING = auto()


_LANES = {JobKind.TEACH: Lane.LESSONS, JobKind.FETCH_MODEL: Lane.FETCHING}


def lane_of(kind: JobKind) -> Lane:
    """The lane that a kind of job runs in."""
    return _LANES.get(kind, Lane.MAIN)


def seconds_of(kind: JobKind, items: int | None) -> float | None:
    """The time that a job of so many files takes, about; None where nothing is known."""
    if items is None or kind not in SECONDS_EACH:
        return None
    return items * SECONDS_EACH[kind]


def is_short(job: Job) -> bool:
    """True where the job is known to be done soon; not one that has worked for long already."""
    return max(math.inf if job.spec.seconds is None else job.spec.seconds, job.worked_s) <= SHORT_S


def may_pass(job: Job, other: Job) -> bool:
    """True where a job may be done before another one that came first."""
    return is_short(job) and not is_short(other) and not _builds_on(job, other)


def _builds_on(job: Job, other: Job) -> bool:
    return other.value.kind in BUILDS_ON.get(job.value.kind, frozenset())


def in_order(
    jobs: Sequence[Job], lane: Lane, hold: Hold = lambda _job: "", now: Job | None = None
) -> list[Job]:
    """The jobs of a lane that wait and may run, in the order in which they will.

    So is ``now``, which runs: as if it was put by. The first short job that builds on nothing
    before it goes first; short ones before that one wait for what they build on.
    """
    left = [
        job
        for job in jobs
        if job is now
        or (
            job.value.state is JobState.QUEUED and lane_of(job.value.kind) is lane and not hold(job)
        )
    ]
    ordered: list[Job] = []
    while left:
        passing = (
            place
            for place, job in enumerate(left)
            if is_short(job) and not any(_builds_on(job, earlier) for earlier in left[:place])
        )
        ordered.append(left.pop(next(passing, 0)))
    return ordered


def waits(jobs: Sequence[Job], working: Mapping[Lane, Job], hold: Hold) -> dict[str, str]:
    """By the id of each job that waits, what goes before it; the next one waits for nothing."""
    reasons = {
        job.value.id: hold(job) if job.value.state is JobState.QUEUED else "" for job in jobs
    }
    for lane in Lane:
        now = working.get(lane)
        ahead = [] if now is None else [now]
        for job in in_order(jobs, lane, hold, now):
            if job is now:
                continue
            if ahead == [now] and now is not None and may_pass(job, now):
                reasons[job.value.id] = _named(now) + _step_of(now)
            elif ahead:
                first, others = _named(ahead[0]), len(ahead) - 1
                reasons[job.value.id] = (
                    tr("{names} and {more} more", names=first, more=others) if others else first
                )
            ahead.append(job)
    return reasons


def _named(job: Job) -> str:
    return f"“{job.value.title}”"


def _step_of(job: Job) -> str:
    """The time after which a job that is passed makes room, as far as it was measured."""
    if not job.step_s:
        return ""
    return tr("; a step of it takes up to {seconds} s", seconds=math.ceil(job.step_s))
