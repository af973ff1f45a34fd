"""Jobs beside each other: short ones pass, lessons run beside, crashes are counted right."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import msgspec
import pytest

from cocadesk.engine.job_records import Job, JobSpec
from cocadesk.protocol.values import JobAction, JobKind, JobState, JobValue
from tests.support.gated_jobs import GatedJobs, RowStore


@pytest.fixture
def jobs() -> Iterator[GatedJobs]:
    """A scheduler that lets a job be passed again at once."""
    made = GatedJobs()
    yield made
    made.close()


def _spec(store: RowStore, job: JobValue) -> JobSpec:
    return msgspec.json.decode(store.rows[job.id].spec, type=JobSpec)


def test_a_short_job_passes_a_long_one_between_two_of_its_steps(jobs: GatedJobs) -> None:
    """The long one goes on where it was; both end well."""
    long = jobs.begin(JobKind.INDEX, "long:4")
    jobs.let("long", 1)
    jobs.wait_for_steps("long1")
    short = jobs.scheduler.add(JobKind.INDEX, "short", "short:2", items=12)
    jobs.let("long", 1)
    jobs.let("short", 2)
    jobs.wait_for(short, JobState.DONE)
    assert jobs.log == ["long1", "long2", "short1", "short2"]
    jobs.let("long", 2)
    jobs.wait_for(long, JobState.DONE)
    assert jobs.log[4:] == ["long3", "long4"]


def test_all_short_jobs_that_wait_pass_before_the_long_one_goes_on(jobs: GatedJobs) -> None:
    """It has to begin anew each time, so it does once."""
    jobs.begin(JobKind.INDEX, "long:3")
    first = jobs.scheduler.add(JobKind.CAPTION, "first", "first:1", items=3)
    second = jobs.scheduler.add(JobKind.WRITE, "second", "second:1", items=3)
    jobs.let("long", 1)
    jobs.let("first", 1)
    jobs.let("second", 1)
    jobs.wait_for(second, JobState.DONE)
    assert jobs.log == ["long1", "first1", "second1"]
    assert jobs.scheduler.get(first.id).state is JobState.DONE


def test_a_job_that_was_passed_gets_some_time_before_it_is_passed_again() -> None:
    """Else a stream of short jobs would keep a long one beginning for ever."""
    jobs = GatedJobs(rest_s=1e9)
    long = jobs.begin(JobKind.INDEX, "long:3")
    first = jobs.scheduler.add(JobKind.INDEX, "first", "first:1", items=1)
    jobs.let("long", 1)
    jobs.let("first", 1)
    jobs.wait_for(first, JobState.DONE)
    jobs.wait_for(long, JobState.RUNNING)
    second = jobs.scheduler.add(JobKind.INDEX, "second", "second:1", items=1)
    jobs.let("second", 1)
    jobs.let("long", 2)
    jobs.wait_for(second, JobState.DONE)
    assert jobs.log == ["long1", "first1", "long2", "long3", "second1"]
    jobs.close()


def test_a_job_that_begins_anew_is_not_passed_again_before_it_has_committed() -> None:
    """Its way to the first commit may take minutes: it is not gone in vain each time."""
    jobs = GatedJobs(commits=frozenset({"long3"}))
    long = jobs.begin(JobKind.INDEX, "long:5")
    first = jobs.scheduler.add(JobKind.INDEX, "first", "first:1", items=1)
    jobs.let("long", 1)
    jobs.let("first", 1)
    jobs.wait_for(first, JobState.DONE)
    jobs.wait_for(long, JobState.RUNNING)
    second = jobs.scheduler.add(JobKind.INDEX, "second", "second:1", items=1)
    jobs.let("second", 1)
    jobs.let("long", 5)
    jobs.wait_for(second, JobState.DONE)
    taken = jobs.log[:-1]
    assert taken[:5] == ["long1", "first1", "long1", "long2", "long3"]
    jobs.close()


def test_jobs_that_wait_are_not_forgotten_for_those_that_have_ended() -> None:
    """Many short ones may pass a long one; the next engine goes on with that all the same."""
    store = RowStore()
    jobs = GatedJobs(store)
    long = jobs.begin(JobKind.INDEX, "long:2")
    row = store.rows[long.id]
    jobs.close()
    rows = {
        f"z{place}": dataclasses.replace(row, id=f"z{place}", state="done") for place in range(60)
    }
    again = GatedJobs(RowStore({long.id: row, **rows}))
    assert again.scheduler.get(long.id).state in (JobState.QUEUED, JobState.RUNNING)
    assert len(again.scheduler.all()) == 51
    again.close()


def test_captions_are_not_written_before_the_job_that_makes_them_is_done(jobs: GatedJobs) -> None:
    """A job passes nothing that it builds on, however short it is."""
    jobs.begin(JobKind.CAPTION, "captions:2")
    write = jobs.scheduler.add(JobKind.WRITE, "write", "write:1", items=1)
    jobs.let("write", 1)
    jobs.let("captions", 2)
    jobs.wait_for(write, JobState.DONE)
    assert jobs.log == ["captions1", "captions2", "write1"]


def test_a_lesson_runs_beside_an_index(jobs: GatedJobs) -> None:
    """It is a process of its own: neither waits for the other."""
    lesson = jobs.begin(JobKind.TEACH, "lesson:2")
    index = jobs.begin(JobKind.INDEX, "index:1")
    assert jobs.scheduler.get(lesson.id).state is JobState.RUNNING
    jobs.let("lesson", 1)
    jobs.wait_for_steps("lesson1")
    jobs.let("index", 1)
    jobs.wait_for(index, JobState.DONE)
    jobs.let("lesson", 1)
    jobs.wait_for(lesson, JobState.DONE)


def test_what_a_job_waits_for_is_told_and_changes_with_the_others(jobs: GatedJobs) -> None:
    """In the value that every window gets, without being asked."""
    long = jobs.begin(JobKind.INDEX, "long:1")
    later = jobs.scheduler.add(JobKind.CAPTION, "later", "later:1")
    assert jobs.scheduler.get(later.id).waits_for == "“long”"
    other = jobs.scheduler.add(JobKind.SWITCH_MODEL, "other", "other:1")
    assert jobs.scheduler.get(other.id).waits_for == "“long” and 1 more"
    jobs.scheduler.control(later.id, JobAction.CANCEL)
    assert jobs.scheduler.get(later.id).waits_for == ""
    assert jobs.scheduler.get(other.id).waits_for == "“long”"
    jobs.let("long", 1)
    jobs.wait_for(long, JobState.DONE)
    running = jobs.wait_for(other, JobState.RUNNING)
    assert running.waits_for == ""
    told = [value.waits_for for value in jobs.changes if value.id == other.id]
    assert list(dict.fromkeys(told)) == ["“long” and 1 more", "“long”", ""]


def test_an_engine_that_dies_in_a_passing_job_is_no_crash_of_the_job_that_was_passed(
    jobs: GatedJobs,
) -> None:
    """Its row says that it waits: only what ran is counted."""
    long = jobs.begin(JobKind.INDEX, "long:3")
    short = jobs.scheduler.add(JobKind.INDEX, "short", "short:2", items=1)
    jobs.let("long", 1)
    jobs.wait_for(short, JobState.RUNNING)
    killed = RowStore(jobs.store.rows)
    assert killed.rows[long.id].state == "queued"
    assert killed.rows[short.id].state == "running"
    again = GatedJobs(killed)
    again.let("short", 2)
    again.let("long", 3)
    again.wait_for(short, JobState.DONE)
    again.wait_for(long, JobState.DONE)
    assert _spec(killed, short).crashes == 1
    assert _spec(killed, long).crashes == 0
    again.close()


def test_an_engine_that_dies_in_an_index_beside_a_lesson_is_a_crash_of_the_index(
    jobs: GatedJobs,
) -> None:
    """The lesson's work is done by another process; alone, it is counted."""
    lesson = jobs.begin(JobKind.TEACH, "lesson:2")
    index = jobs.begin(JobKind.INDEX, "index:2")
    rows = dict(jobs.store.rows)
    for expected, killed in ((0, RowStore(rows)), (1, RowStore({lesson.id: rows[lesson.id]}))):
        again = GatedJobs(killed)
        again.wait_for(lesson, JobState.RUNNING)
        assert _spec(killed, lesson).crashes == expected
        if index.id in killed.rows:
            again.wait_for(index, JobState.RUNNING)
            assert _spec(killed, index).crashes == 1
        again.close()


def test_a_short_job_passes_captions_though_a_write_waits_for_them(jobs: GatedJobs) -> None:
    """The write came before it and has to wait; the photos have not."""
    jobs.begin(JobKind.CAPTION, "captions:2")
    write = jobs.scheduler.add(JobKind.WRITE, "write", "write:1", items=1)
    index = jobs.scheduler.add(JobKind.INDEX, "index", "index:1", items=1)
    for name in ("write", "index", "captions"):
        jobs.let(name, 1)
    jobs.wait_for(index, JobState.DONE)
    assert jobs.log == ["captions1", "index1"]
    jobs.let("captions", 1)
    jobs.wait_for(write, JobState.DONE)


def test_a_lesson_waits_for_a_job_that_has_its_last_try(jobs: GatedJobs) -> None:
    """It may be what took the memory: the other one must not be given up for that."""
    index, lesson = jobs.begin(JobKind.INDEX, "index:1"), jobs.begin(JobKind.TEACH, "lesson:1")
    rows = dict(jobs.store.rows)
    spec = msgspec.json.decode(rows[index.id].spec, type=JobSpec)
    text = msgspec.json.encode(msgspec.structs.replace(spec, crashes=1)).decode()
    rows[index.id] = dataclasses.replace(rows[index.id], spec=text)
    again = GatedJobs(RowStore(rows))
    again.wait_for(index, JobState.RUNNING)
    assert again.scheduler.get(lesson.id).state is JobState.QUEUED
    assert "index" in again.scheduler.get(lesson.id).waits_for
    again.let("index", 1)
    again.let("lesson", 1)
    again.wait_for(lesson, JobState.DONE)
    again.close()


def test_a_job_that_failed_starts_again_with_the_same_order(jobs: GatedJobs) -> None:
    """Its id stays, its numbers and its message begin anew; it is another attempt."""
    job = jobs.scheduler.add(JobKind.INDEX, "bad", "bad:1")
    jobs.let("bad", 1)
    assert "full" in jobs.wait_for(job, JobState.FAILED).message
    again = jobs.scheduler.again(job.id, "good:1")
    assert (again.id, again.state, again.attempt) == (job.id, JobState.QUEUED, 2)
    assert (again.message, again.finished, again.done) == ("", "", 0)
    jobs.let("good", 1)
    assert jobs.wait_for(job, JobState.DONE).message == "good is done"
    reloaded = GatedJobs(RowStore(jobs.store.rows))
    assert reloaded.scheduler.get(job.id).attempt == 2
    reloaded.close()


def test_a_job_that_was_stopped_starts_again_and_one_that_is_done_does_not(
    jobs: GatedJobs,
) -> None:
    """There is nothing more to do then; while it is open, the order is that job."""
    job = jobs.begin(JobKind.INDEX, "job:2")
    jobs.scheduler.control(job.id, JobAction.CANCEL)
    jobs.let("job", 1)
    assert jobs.scheduler.wait_until_left(job.id, 30)
    assert jobs.scheduler.again(job.id, "job:2").state is JobState.QUEUED
    assert jobs.scheduler.again(job.id, "job:2").attempt == 2
    jobs.let("job", 1)
    jobs.wait_for(job, JobState.DONE)
    assert jobs.scheduler.again(job.id, "job:2").state is JobState.DONE


def test_a_job_that_was_given_up_for_its_crashes_gets_new_tries(jobs: GatedJobs) -> None:
    """A person who starts it again has made room, or takes the chance."""
    job = jobs.begin(JobKind.INDEX, "job:1")
    row = jobs.store.rows[job.id]
    spec = msgspec.structs.replace(msgspec.json.decode(row.spec, type=JobSpec), crashes=2)
    text = msgspec.json.encode(spec).decode()
    killed = RowStore({job.id: dataclasses.replace(row, spec=text)})
    again = GatedJobs(killed)
    assert "3 times" in again.scheduler.get(job.id).message
    again.scheduler.again(job.id, "job:1")
    again.wait_for(job, JobState.RUNNING)
    assert _spec(killed, job).crashes == 0
    again.close()


def test_the_engine_ends_while_a_job_is_passed_and_both_go_on_with_the_next() -> None:
    """An end in good order leaves two jobs that wait."""
    jobs = GatedJobs()
    long = jobs.begin(JobKind.INDEX, "long:3")
    short = jobs.scheduler.add(JobKind.INDEX, "short", "short:2", items=1)
    jobs.let("long", 1)
    jobs.wait_for(short, JobState.RUNNING)
    jobs.let("short", 1)
    jobs.close()
    assert {jobs.store.rows[job.id].state for job in (long, short)} <= {"queued", "done"}


def test_a_job_that_is_held_stops_after_its_step_and_goes_on_when_it_may() -> None:
    """As on battery: what is not held runs meanwhile."""
    held: set[str] = set()

    def hold(job: Job) -> str:
        return "mains power" if job.value.title in held else ""

    jobs = GatedJobs(hold=hold)
    index = jobs.begin(JobKind.INDEX, "index:2")
    held.add("index")
    jobs.let("index", 1)
    waiting = jobs.wait_for(index, JobState.QUEUED)
    assert waiting.waits_for == "mains power"
    assert not jobs.scheduler.is_busy()
    write = jobs.begin(JobKind.WRITE, "write:1")
    jobs.let("write", 1)
    jobs.wait_for(write, JobState.DONE)
    held.clear()
    jobs.scheduler.reconsider()
    jobs.let("index", 1)
    jobs.wait_for(index, JobState.DONE)
    jobs.close()
