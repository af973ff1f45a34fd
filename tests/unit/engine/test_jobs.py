"""Jobs: order, pause, resume, cancel, failure, and life after a crash."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator

import pytest

from cocadesk.engine.job_steps import JobOutcome, JobStep, Steps
from cocadesk.engine.scheduler import Scheduler
from cocadesk.errors import UserError
from cocadesk.protocol.values import IndexReport, JobAction, JobKind, JobState, JobValue
from tests.support.gated_jobs import Moves, RowStore


class Bench(Moves):
    """A scheduler whose jobs count to three and wait for leave at each step."""

    def __init__(self, store: RowStore) -> None:
        super().__init__()
        self.store = store
        self.leave = threading.Semaphore(0)
        self.steps_taken: list[str] = []
        self.closed: list[str] = []
        self.asked = 0
        self.scheduler = Scheduler(
            store,
            {JobKind.INDEX: self._count, JobKind.TAG: self._break},
            on_change=self.on_change,
            wait_until_quiet=self._is_quiet,
        )

    def _is_quiet(self, _limit_s: float) -> bool:
        self.asked += 1
        return True

    def _count(self, spec: str) -> Steps:
        try:
            for number in range(3):
                self.leave.acquire()
                self.steps_taken.append(f"{spec}{number}")
                yield JobStep(stage="counting", done=number + 1, total=3)
            return JobOutcome(message=f"{spec} is done", report=IndexReport(indexed=1))
        finally:
            self.closed.append(spec)

    def _break(self, spec: str) -> Steps:
        yield JobStep(stage="breaking", done=0)
        if spec == "bug":
            raise RuntimeError("a bug")
        raise UserError("The disk is full.", "", "Make room.")

    def wait_for_state(self, job_id: str, state: JobState) -> JobValue:
        """Blocks until the job is in that state."""
        self.wait_until(lambda: any(c.id == job_id and c.state is state for c in self.changes))
        return self.scheduler.get(job_id)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench(RowStore())
    made.scheduler.start()
    yield made
    made.leave.release(100)
    made.scheduler.close()


def test_jobs_run_one_after_another_and_end_with_a_sentence(bench: Bench) -> None:
    """The second waits for the first; both leave their message and report."""
    first = bench.scheduler.add(JobKind.INDEX, "First", "a")
    second = bench.scheduler.add(JobKind.INDEX, "Second", "b")
    bench.leave.release(6)
    ended = bench.wait_for_state(second.id, JobState.DONE)
    assert bench.steps_taken == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert ended.message == "b is done"
    assert bench.scheduler.report(first.id) == IndexReport(indexed=1)
    assert [job.id for job in bench.scheduler.all()] == [second.id, first.id]


def test_the_same_order_twice_is_one_job(bench: Bench) -> None:
    """Clicking twice does not index twice."""
    first = bench.scheduler.add(JobKind.INDEX, "First", "a")
    assert bench.scheduler.add(JobKind.INDEX, "First", "a").id == first.id


def test_a_paused_job_lets_the_next_go_and_goes_on_when_resumed(bench: Bench) -> None:
    """Pausing closes the steps; resuming begins them anew."""
    first = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(1)
    bench.wait_until(lambda: bool(bench.steps_taken))
    bench.scheduler.control(first.id, JobAction.PAUSE)
    second = bench.scheduler.add(JobKind.INDEX, "Second", "b")
    bench.leave.release(4)
    bench.wait_for_state(second.id, JobState.DONE)
    assert bench.scheduler.get(first.id).state is JobState.PAUSED
    bench.scheduler.control(first.id, JobAction.RESUME)
    bench.leave.release(3)
    bench.wait_for_state(first.id, JobState.DONE)


def test_a_cancelled_job_closes_its_steps_and_stays_cancelled(bench: Bench) -> None:
    """Cancelling is final; later orders to it change nothing."""
    job = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(1)
    bench.wait_until(lambda: bool(bench.steps_taken))
    bench.scheduler.control(job.id, JobAction.CANCEL)
    other = bench.scheduler.add(JobKind.INDEX, "Second", "b")
    bench.leave.release(10)
    bench.wait_for_state(other.id, JobState.DONE)
    assert bench.closed == ["a", "b"]
    assert bench.scheduler.control(job.id, JobAction.RESUME).state is JobState.CANCELLED


@pytest.mark.parametrize(("spec", "words"), [("full", "disk is full"), ("bug", "RuntimeError")])
def test_a_job_that_fails_says_why_and_the_next_runs(bench: Bench, spec: str, words: str) -> None:
    """A user's problem and a bug of ours both end that job alone."""
    job = bench.scheduler.add(JobKind.TAG, "Breaks", spec)
    assert words in bench.wait_for_state(job.id, JobState.FAILED).message
    after = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(3)
    bench.wait_for_state(after.id, JobState.DONE)


def test_what_ran_when_the_engine_was_killed_goes_on_at_the_next_start(bench: Bench) -> None:
    """A row in the state 'running' is work to do; what was paused stays paused."""
    running = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(1)
    bench.wait_until(lambda: bool(bench.steps_taken))
    waiting = bench.scheduler.add(JobKind.INDEX, "Second", "b")
    bench.scheduler.control(waiting.id, JobAction.PAUSE)
    after_crash = RowStore(bench.store.rows)
    assert after_crash.rows[running.id].state == "running"
    again = Bench(after_crash)
    again.scheduler.start()
    again.leave.release(3)
    assert again.wait_for_state(running.id, JobState.DONE).title == "First"
    assert again.scheduler.get(waiting.id).state is JobState.PAUSED
    again.scheduler.close()


def test_closing_leaves_the_job_for_the_next_engine(bench: Bench) -> None:
    """The row still says what is to be done, and that no engine died in it."""
    job = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(1)
    bench.wait_until(lambda: bool(bench.steps_taken))
    bench.leave.release(1)
    bench.scheduler.close()
    assert bench.store.rows[job.id].state == "queued"
    assert bench.closed == ["a"]


def test_a_job_in_which_engines_die_is_given_up_after_three_that_gained_nothing(
    bench: Bench,
) -> None:
    """Else it would start, kill and start for ever; whoever came further gets new tries."""
    job = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(1)
    bench.wait_until(lambda: bool(bench.steps_taken))
    rows = dict(bench.store.rows)
    for done, state in ((0, "queued"), (2, "queued"), (2, "queued"), (2, "failed")):
        row = dataclasses.replace(rows[job.id], state="running", done=done)
        store = RowStore({job.id: row})
        again = Bench(store)
        value = again.scheduler.get(job.id)
        assert value.state == state
        if state == "queued":
            again.scheduler.start()
            again.wait_for_state(job.id, JobState.RUNNING)
        rows = dict(store.rows)
        again.leave.release(100)
        again.scheduler.close()
    assert "3 times" in value.message
    assert not again.scheduler.is_busy()


def test_what_was_done_at_once_is_remembered_as_a_job(bench: Bench) -> None:
    """It never runs; its sentence and report are there from the start."""
    outcome = JobOutcome(message="It is so.", report=IndexReport(unchanged=2))
    job = bench.scheduler.record(JobKind.SWITCH_MODEL, "Changing", "x", outcome)
    assert (job.state, job.message) == (JobState.DONE, "It is so.")
    assert bench.scheduler.report(job.id) == IndexReport(unchanged=2)
    assert bench.store.rows[job.id].state == "done"


def test_a_row_of_a_newer_program_is_left_alone() -> None:
    """An unknown kind of job neither runs nor is lost."""
    store = RowStore()
    bench = Bench(store)
    job = bench.scheduler.add(JobKind.INDEX, "First", "a")
    store.rows[job.id] = dataclasses.replace(store.rows[job.id], kind="from-the-future")
    again = Bench(store)
    assert again.scheduler.all() == ()
    assert not again.scheduler.is_busy()
    assert job.id in store.rows


def test_a_disk_that_is_full_ends_neither_a_job_nor_the_thread(bench: Bench) -> None:
    """What runs goes on; a new order is refused, since nobody would remember it."""
    job = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(1)
    bench.wait_until(lambda: bool(bench.steps_taken))
    bench.store.is_full = True
    with pytest.raises(UserError, match="full"):
        bench.scheduler.add(JobKind.INDEX, "Second", "b")
    bench.leave.release(2)
    bench.wait_for_state(job.id, JobState.DONE)
    bench.store.is_full = False
    after = bench.scheduler.add(JobKind.INDEX, "Third", "c")
    bench.leave.release(3)
    bench.wait_for_state(after.id, JobState.DONE)
    assert [job.title for job in bench.scheduler.all()] == ["Third", "First"]


def test_a_job_asks_before_each_step_whether_a_person_waits(bench: Bench) -> None:
    """Between two steps the requests of people go first."""
    job = bench.scheduler.add(JobKind.INDEX, "First", "a")
    bench.leave.release(3)
    bench.wait_for_state(job.id, JobState.DONE)
    assert bench.asked >= 3
