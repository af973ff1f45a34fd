"""The order of jobs: short ones pass long ones, but not what they build on."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cocadesk.engine.job_order import SHORT_S, Lane, in_order, may_pass, seconds_of, waits
from cocadesk.engine.job_records import Job, JobSpec
from cocadesk.protocol.values import JobKind, JobState, JobValue


def _job(name: str, kind: JobKind, seconds: float | None, state: str = "queued") -> Job:
    value = JobValue(id=name, kind=kind, title=name, state=JobState(state))
    spec = JobSpec(title=name, work="", seconds=seconds)
    return Job(value=value, spec=spec, created_utc=datetime.now(UTC))


def _names(jobs: list[Job]) -> list[str]:
    return [job.value.title for job in jobs]


def test_short_jobs_go_before_long_ones_and_keep_their_own_order() -> None:
    """The oldest first among equals; a job of unknown length counts as long."""
    jobs = [
        _job("index all", JobKind.INDEX, None),
        _job("index 12", JobKind.INDEX, 1.2),
        _job("caption all", JobKind.CAPTION, 4000.0),
        _job("index 3", JobKind.INDEX, 0.3),
    ]
    assert _names(in_order(jobs, Lane.MAIN)) == ["index 12", "index 3", "index all", "caption all"]


@pytest.mark.parametrize(
    ("kind", "other", "passes"),
    [
        (JobKind.INDEX, JobKind.INDEX, True),
        (JobKind.CAPTION, JobKind.INDEX, True),
        (JobKind.WRITE, JobKind.INDEX, True),
        (JobKind.WRITE, JobKind.SWITCH_MODEL, True),
        (JobKind.WRITE, JobKind.CAPTION, False),
        (JobKind.WRITE, JobKind.WRITE, False),
        (JobKind.TAG, JobKind.INDEX, False),
        (JobKind.TAG, JobKind.CAPTION, True),
        (JobKind.CAPTION, JobKind.SWITCH_MODEL, False),
    ],
)
def test_a_job_passes_only_what_it_does_not_build_on(
    kind: JobKind, other: JobKind, passes: bool
) -> None:
    """Captions are written after they were made, tags after the vectors are there."""
    assert may_pass(_job("short", kind, 1.0), _job("long", other, None)) is passes


@pytest.mark.parametrize(
    ("seconds", "passes"), [(0.0, True), (SHORT_S, True), (SHORT_S + 1, False)]
)
def test_only_short_jobs_pass_and_only_long_ones_are_passed(seconds: float, passes: bool) -> None:
    """Else a hundred small ones would keep each other waiting."""
    job, long = _job("job", JobKind.INDEX, seconds), _job("long", JobKind.INDEX, None)
    assert may_pass(job, long) is passes
    assert not may_pass(job, _job("short", JobKind.INDEX, SHORT_S))


def test_a_short_job_that_must_wait_holds_up_no_other_short_one() -> None:
    """It waits for what it builds on, so those behind it pass both."""
    now = _job("captions", JobKind.CAPTION, None, "running")
    jobs = [now, _job("write", JobKind.WRITE, 1.0), _job("index 3", JobKind.INDEX, 0.3)]
    assert _names(in_order(jobs, Lane.MAIN, now=now)) == ["index 3", "captions", "write"]
    reasons = waits(jobs, {Lane.MAIN: now}, lambda _job: "")
    assert reasons == {"captions": "", "write": "“captions” and 1 more", "index 3": "“captions”"}


def test_a_job_that_has_worked_for_long_is_long_whatever_was_thought() -> None:
    """Videos take longer than photos; it is passed from then on."""
    videos, photos = _job("videos", JobKind.INDEX, 12.0), _job("photos", JobKind.INDEX, 1.0)
    assert not may_pass(photos, videos)
    videos.worked_s = SHORT_S + 1
    assert may_pass(photos, videos)


def test_lessons_and_fetchings_are_in_lanes_of_their_own() -> None:
    """They compute in another process: nothing waits for them, nor they for anything."""
    jobs = [
        _job("lesson", JobKind.TEACH, None),
        _job("index", JobKind.INDEX, None),
        _job("fetch", JobKind.FETCH_MODEL, None),
    ]
    assert _names(in_order(jobs, Lane.LESSONS)) == ["lesson"]
    assert _names(in_order(jobs, Lane.MAIN)) == ["index"]
    assert _names(in_order(jobs, Lane.FETCHING)) == ["fetch"]


def test_each_job_says_what_goes_before_it() -> None:
    """One that passes waits for a step; the others for the ends of those before them."""
    now = _job("index all", JobKind.INDEX, None, "running")
    now.step_s = 1.3
    jobs = [
        now,
        _job("caption all", JobKind.CAPTION, None),
        _job("index 12", JobKind.INDEX, 1.2),
        _job("lesson", JobKind.TEACH, None),
        _job("paused", JobKind.INDEX, None, "paused"),
    ]
    assert waits(jobs, {Lane.MAIN: now}, lambda _job: "") == {
        "index all": "",
        "caption all": "“index all” and 1 more",
        "index 12": "“index all”; a step of it takes up to 2 s",
        "lesson": "",
        "paused": "",
    }


def test_a_job_that_is_held_waits_for_that_and_holds_up_no_other() -> None:
    """On battery, for one; the reason stands where else the other jobs would."""
    held, free = _job("held", JobKind.INDEX, None), _job("free", JobKind.WRITE, None)

    def hold(job: Job) -> str:
        return "mains power" if job is held else ""

    assert in_order([held, free], Lane.MAIN, hold) == [free]
    assert waits([held, free], {}, hold) == {"held": "mains power", "free": ""}


def test_the_length_of_a_job_is_told_by_its_files() -> None:
    """Of kinds that are never short nothing is known, nor without a number."""
    assert seconds_of(JobKind.INDEX, 12) == pytest.approx(1.2)
    assert seconds_of(JobKind.INDEX, None) is None
    assert seconds_of(JobKind.SWITCH_MODEL, 1) is None
