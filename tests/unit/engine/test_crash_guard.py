"""Engines that die in a job: each kind of job is set aside, its file named and passed over."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cocadesk.engine.crash_guard import CrashGuard
from cocadesk.engine.job_records import JobSpec
from cocadesk.engine.job_steps import JobStep, Steps
from cocadesk.engine.scheduler import Scheduler
from cocadesk.library.in_hand import InHand, left_in_hand
from cocadesk.library.library import Library
from cocadesk.library.rows import DESCRIBE, EMBED
from cocadesk.protocol.values import JobKind, JobState, JobValue
from tests.support.annotated_library import AnnotatedCase, annotated_library

KINDS = (JobKind.INDEX, JobKind.SWITCH_MODEL, JobKind.CAPTION)


class _Death(BaseException):
    """The end of an engine's process: nobody closes anything behind it."""


class _Engines:
    """Engines of one library, one after the other; each job has these files in hand and dies."""

    def __init__(self, case: AnnotatedCase, kind: JobKind) -> None:
        self.library: Library = case.library
        self.kind = kind
        self.in_hand: list[Path] = []
        self.gain: Callable[[], None] = lambda: None
        self.was_careful: list[bool] = []

    def start(self) -> Scheduler:
        """The next engine: the same library, nothing of the one before."""
        self._guard = CrashGuard(self.library)
        return Scheduler(
            self.library.jobs,
            {self.kind: self._work},
            on_change=lambda _job: None,
            wait_until_quiet=lambda _limit_s: True,
            witness=self._guard,
        )

    def die(self) -> None:
        """One more engine that goes on with the job and dies in it."""
        scheduler = self.start()
        job = scheduler.add(self.kind, "Work", "spec")
        with pytest.raises(_Death):
            scheduler.run(job.id, is_stopped=lambda: False)

    def job(self) -> JobValue:
        """The job as the next engine finds it."""
        return self.start().all()[0]

    def _work(self, _spec: str) -> Steps:
        self.was_careful.append(self._guard.is_careful)
        yield JobStep(stage="working", done=0)
        InHand(self.library.folder).begin(os.fsencode(path) for path in self.in_hand)
        self.gain()
        raise _Death


@pytest.fixture
def case(tmp_path: Path) -> Iterator[AnnotatedCase]:
    """Three photos."""
    with annotated_library(tmp_path) as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_in_which_three_engines_die_is_set_aside_with_its_file(
    case: AnnotatedCase, kind: JobKind
) -> None:
    """The third engine takes one file at a time; the fourth starts, names the file, goes on."""
    engines = _Engines(case, kind)
    engines.in_hand = [case.photos / "a.jpg", case.photos / "b.jpg"]
    engines.die()
    engines.die()
    assert engines.job().state is JobState.QUEUED
    engines.in_hand = [case.photos / "b.jpg"]
    engines.die()
    job = engines.job()
    assert job.state is JobState.FAILED
    assert f"It was reading {case.photos / 'b.jpg'} each time" in job.message
    assert engines.was_careful == [False, False, True]
    (failure,) = case.library.media.failures()
    assert failure.path == os.fsencode(case.photos / "b.jpg")
    assert failure.stage == (DESCRIBE if kind is JobKind.CAPTION else EMBED)
    assert case.library.media.deadly(failure.stage) == {failure.path: failure.reason}


def test_deaths_over_different_files_blame_none(case: AnnotatedCase) -> None:
    """The machine may have run out of memory: the job is set aside all the same."""
    engines = _Engines(case, JobKind.CAPTION)
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        engines.in_hand = [case.photos / name, case.photos / f"{name}.png"]
        engines.die()
    job = engines.job()
    assert job.state is JobState.FAILED
    assert "It was reading" not in job.message
    assert case.library.media.failures() == []


def test_deaths_in_a_job_that_gains_each_time_are_no_reason_to_end_it(
    case: AnnotatedCase,
) -> None:
    """Killed again and again, it gets on: other files are in hand each time."""
    engines = _Engines(case, JobKind.CAPTION)
    engines.gain = case.machine_captions
    for name in ("a.jpg", "b.jpg", "c.jpg", "a.jpg", "b.jpg"):
        engines.in_hand = [case.photos / name]
        engines.die()
    assert engines.job().state is JobState.QUEUED


def test_a_job_that_does_everything_again_dies_three_times_at_most(case: AnnotatedCase) -> None:
    """It commits before the same file each time: that is no gain."""
    engines = _Engines(case, JobKind.CAPTION)
    engines.in_hand = [case.photos / "b.jpg"]
    engines.gain = case.machine_captions
    for _ in range(3):
        engines.die()
    assert engines.job().state is JobState.FAILED
    assert [row.stage for row in case.library.media.failures()] == [DESCRIBE]


def test_what_one_job_had_in_hand_is_not_held_against_the_next(tmp_path: Path) -> None:
    """A job that begins forgets the notes of the one before."""
    with Library.open(tmp_path) as library:
        InHand(library.folder).begin((b"/a",))
        CrashGuard(library).watch(JobSpec(title="next", work=""))
        assert CrashGuard(library).in_hand() == ()


def test_files_that_were_done_with_are_not_in_hand(tmp_path: Path) -> None:
    """One that is begun again is; none is after the good end of the job."""
    with InHand(tmp_path) as notes:
        notes.begin((b"/a", b"/b"))
        notes.leave((b"/a",))
        assert left_in_hand(tmp_path) == (b"/b",)
        notes.begin((b"/a",))
        assert set(left_in_hand(tmp_path)) == {b"/a", b"/b"}
    assert left_in_hand(tmp_path) == ()
