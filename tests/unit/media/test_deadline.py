"""Deadlines that follow the work done, in seconds that the test counts itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cocadesk.media.pool.deadline import Deadline, Patience, WorkDone, work_of

PATIENCE = Patience(deadline_s=20, longest_s=3600, silence_s=60, wait_s=600)
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of the work")


def test_a_worker_that_computes_too_long_hangs_whatever_the_clock_says() -> None:
    """Its file is to blame: it would hang the next time too."""
    deadline = Deadline(PATIENCE, 0)
    deadline.note_work(0, WorkDone(100.0))
    deadline.note_work(1, WorkDone(120.0))
    assert deadline.late(1) is None
    deadline.note_work(2, WorkDone(120.5))
    late = deadline.late(2)
    assert late is not None
    assert (late.reason, late.is_passing) == (
        "Decoding took more than 20 seconds of computing.",
        False,
    )


def test_a_slow_machine_gives_a_file_as_long_as_it_moves_on() -> None:
    """A hundredth of a second of computing in half a minute is a sign of life."""
    deadline = Deadline(PATIENCE, 0)
    for step in range(19):
        deadline.note_work(30.0 * step, WorkDone(step / 100))
        assert deadline.late(30.0 * step) is None


def test_bytes_are_signs_of_life_though_nothing_is_computed() -> None:
    """A slow disk gives a few bytes now and then."""
    deadline = Deadline(PATIENCE, 0)
    for step in range(10):
        deadline.note_work(50.0 * step, WorkDone(1.0, read_bytes=step))
        assert deadline.late(50.0 * step) is None


@pytest.mark.parametrize(
    ("is_sleeping", "reason"),
    [
        (True, "The disk did not answer for 60 seconds."),
        (False, "The computer was too busy: the decoder had no turn for 60 seconds."),
    ],
)
def test_a_worker_that_stands_still_says_nothing_about_its_file(
    is_sleeping: bool, reason: str
) -> None:
    """After a minute the file is put off, and the sentence says what was waited for."""
    deadline = Deadline(PATIENCE, 0)
    still = WorkDone(1.0, 500, is_sleeping)
    for now_s in (0, 30, 60):
        deadline.note_work(now_s, still)
        assert deadline.late(now_s) is None
    deadline.note_work(61, still)
    late = deadline.late(61)
    assert late is not None
    assert (late.reason, late.is_passing) == (reason, True)


def test_traces_of_work_do_not_keep_a_file_for_ever() -> None:
    """Ten minutes with a little of this and that are enough for now."""
    deadline = Deadline(PATIENCE, 0)
    for now_s in range(0, 601, 50):
        deadline.note_work(now_s, WorkDone(now_s / 1000))
        assert deadline.late(now_s) is None
    deadline.note_work(640, WorkDone(0.7))
    late = deadline.late(640)
    assert late is not None
    assert (late.reason, late.is_passing) == (
        "Decoding is too slow now: it was not done after 10 minutes.",
        True,
    )


def test_heartbeats_renew_all_but_the_longest() -> None:
    """A video of hours is decoded, one that never ends is not."""
    deadline = Deadline(PATIENCE, 0)
    deadline.note_work(0, WorkDone(0.0))
    for step in range(1, 240):
        deadline.note_work(15.0 * step, WorkDone(15.0 * step))
        assert deadline.late(15.0 * step) is None
        deadline.note_heartbeat(15.0 * step)
    assert deadline.has_beaten
    deadline.note_work(3615, WorkDone(3601.0))
    late = deadline.late(3615)
    assert late is not None
    assert not late.is_passing
    assert "3600 seconds" in late.reason


def test_heartbeats_without_work_are_believed_only_so_long() -> None:
    """A worker that says that it moves on, and does nothing, ends by the clock."""
    deadline = Deadline(PATIENCE, 0)
    now_s = 0.0
    while deadline.late(now_s) is None:
        now_s += 10
        deadline.note_heartbeat(now_s)
    assert now_s == 2 * 3600 + 10


def test_where_the_system_tells_of_no_work_words_are_the_only_signs_of_life() -> None:
    """Then a silent worker may be waiting, and its file is tried again."""
    deadline = Deadline(PATIENCE, 0)
    deadline.note_work(59, None)
    assert deadline.late(60) is None
    deadline.note_heartbeat(60)
    assert deadline.late(119) is None
    late = deadline.late(121)
    assert late is not None
    assert late.is_passing


def test_a_first_look_that_comes_late_is_not_held_against_the_worker() -> None:
    """Whoever takes the results was busy for minutes with other things."""
    deadline = Deadline(PATIENCE, 0)
    deadline.note_work(300, WorkDone(90.0))
    assert deadline.late(300) is None


@needs_proc
def test_the_work_of_a_process_is_its_computing_and_its_reading() -> None:
    """What this very process does is seen; computing raises the one, reading the other."""
    before = work_of(os.getpid())
    assert before is not None
    while (after := work_of(os.getpid())) is not None and after.cpu_s <= before.cpu_s:
        sum(range(10_000))
    assert after is not None
    assert after.read_bytes > before.read_bytes
    assert not after.is_sleeping


@needs_proc
def test_a_process_that_is_gone_has_no_work() -> None:
    """It may end between two looks."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert work_of(child.pid) is None
