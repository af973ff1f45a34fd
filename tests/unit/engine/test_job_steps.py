"""What a job keeps from leg to leg, for its report."""

from __future__ import annotations

from msgspec.structs import replace

from cocadesk.engine.job_steps import Legs
from cocadesk.protocol.values import JobKind, JobState, JobValue

RUNNING = JobValue(id="a", kind=JobKind.INDEX, title="a", state=JobState.RUNNING)
PASSED = replace(RUNNING, state=JobState.QUEUED)
SHORT = replace(RUNNING, id="b", title="b")


def test_a_job_finds_what_its_earlier_legs_have_left() -> None:
    """Also after a short one of its kind has passed it, which has its own."""
    legs = Legs(set[str])
    legs.of_running([RUNNING], JobKind.INDEX).add("first")
    assert legs.of_running([PASSED, SHORT], JobKind.INDEX) == set()
    assert legs.of_running([RUNNING, replace(SHORT, state=JobState.DONE)], JobKind.INDEX) == {
        "first"
    }


def test_a_job_that_is_started_again_begins_with_nothing() -> None:
    """It was stopped or has failed: what it did then is known now."""
    legs = Legs(set[str])
    legs.of_running([RUNNING], JobKind.INDEX).add("first")
    again = replace(RUNNING, attempt=2)
    assert legs.of_running([again], JobKind.INDEX) == set()


def test_what_a_job_that_has_ended_has_done_is_let_go_of() -> None:
    """Were it ever to run again under its number, it would begin with nothing."""
    legs = Legs(set[str])
    legs.of_running([RUNNING], JobKind.INDEX).add("first")
    assert legs.of_running([replace(RUNNING, state=JobState.DONE)], JobKind.INDEX) == set()
    assert legs.of_running([RUNNING], JobKind.INDEX) == set()


def test_jobs_of_other_kinds_are_not_looked_at() -> None:
    """A lesson runs beside an index."""
    legs = Legs(set[str])
    lesson = replace(RUNNING, id="l", kind=JobKind.TEACH)
    legs.of_running([lesson, RUNNING], JobKind.INDEX).add("first")
    assert legs.of_running([RUNNING, lesson], JobKind.INDEX) == {"first"}
    assert legs.of_running([lesson], JobKind.INDEX) == set()
