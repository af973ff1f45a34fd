"""The outbox: results in order, and of all else the latest."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.protocol.messages import (
    AnnotationsChanged,
    Cancelled,
    Done,
    Event,
    EventBody,
    Failed,
    FinalMessage,
    JobChanged,
    ModelChanged,
    Ok,
    Partial,
    Progress,
    RowsChanged,
    RunChanged,
)
from cocadesk.protocol.outbox import MAX_NAMED_KEYS, Outbox
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    JobKind,
    JobState,
    JobValue,
    ModelState,
    ModelValue,
    RunState,
    RunValue,
    TeachPoint,
    TuningMethod,
)


def _job(done: int, job_id: str = "a") -> JobChanged:
    value = JobValue(id=job_id, kind=JobKind.INDEX, title="t", state=JobState.RUNNING, done=done)
    return JobChanged(job=value)


def test_only_the_latest_progress_waits_and_results_are_never_dropped() -> None:
    """A slow client gets one progress and one event a job, but every part."""
    outbox = Outbox()
    for done in range(100):
        outbox.put(Progress(id=1, done=done))
        outbox.put(Event(body=_job(done)))
        outbox.put(Partial(id=1, body=Ok()))
    assert len(outbox.take_results()) == 100
    assert outbox.take_latest() == [Progress(id=1, done=99), Event(body=_job(99))]


def test_the_end_of_a_request_takes_its_waiting_progress_away() -> None:
    """No progress comes after the answer."""
    outbox = Outbox()
    outbox.put(Progress(id=1, done=5))
    outbox.put(Done(id=1, body=Ok()))
    assert outbox.take_latest() == []
    assert outbox.take_results() == [Done(id=1, body=Ok())]


def test_the_curve_of_a_run_has_no_gaps_however_slow_the_client() -> None:
    """The newest state of each run waits with all points that were not sent."""
    outbox = Outbox()
    for step in (1, 2, 3):
        outbox.put(Event(body=RunChanged(run=_run("a", step), points=(TeachPoint(step=step),))))
    outbox.put(Event(body=RunChanged(run=_run("b", 7))))
    first, second = outbox.take_latest()
    points = tuple(TeachPoint(step=step) for step in (1, 2, 3))
    assert first == Event(body=RunChanged(run=_run("a", 3), points=points))
    assert second == Event(body=RunChanged(run=_run("b", 7)))


def _run(run_id: str, step: int) -> RunValue:
    return RunValue(
        id=run_id,
        folder=WirePath("/runs"),
        state=RunState.RUNNING,
        method=TuningMethod.HEAD,
        step=step,
    )


def test_events_about_rows_are_merged_and_name_no_keys_when_there_are_many() -> None:
    """Two batches become one event; too many keys become 'any of them'."""
    outbox = Outbox()
    outbox.put(Event(body=RowsChanged(keys=("a", "b"))))
    outbox.put(Event(body=RowsChanged(keys=("b", "c"))))
    assert outbox.take_latest() == [Event(body=RowsChanged(keys=("a", "b", "c")))]
    outbox.put(Event(body=RowsChanged(keys=("a",))))
    outbox.put(Event(body=RowsChanged(keys=tuple(str(n) for n in range(MAX_NAMED_KEYS)))))
    outbox.put(Event(body=RowsChanged(keys=("z",))))
    assert outbox.take_latest() == [Event(body=RowsChanged())]


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("is_second", [True, False])
def test_rows_have_only_new_suggestions_where_both_events_say_so(
    is_first: bool, is_second: bool
) -> None:
    """One that says more is not lost among them."""
    outbox = Outbox()
    outbox.put(Event(body=RowsChanged(keys=("a",), only_suggestions=is_first)))
    outbox.put(Event(body=RowsChanged(keys=("b",), only_suggestions=is_second)))
    merged = RowsChanged(keys=("a", "b"), only_suggestions=is_first and is_second)
    assert outbox.take_latest() == [Event(body=merged)]


@pytest.mark.parametrize("end", [Done(id=1, body=Ok()), Failed(id=1, what="x"), Cancelled(id=1)])
def test_every_kind_of_end_takes_its_own_progress_only(end: FinalMessage) -> None:
    """Another request's progress stays."""
    outbox = Outbox()
    outbox.put(Progress(id=1, done=5))
    outbox.put(Progress(id=2, done=6))
    outbox.put(end)
    assert outbox.take_latest() == [Progress(id=2, done=6)]


def test_a_part_of_an_answer_leaves_the_progress_waiting() -> None:
    """The request goes on."""
    outbox = Outbox()
    outbox.put(Progress(id=1, done=5))
    outbox.put(Partial(id=1, body=Ok()))
    assert outbox.has_latest
    assert outbox.take_results() == [Partial(id=1, body=Ok())]


def test_what_was_taken_is_gone() -> None:
    """Nothing is sent twice."""
    outbox = Outbox()
    outbox.put(Done(id=1, body=Ok()))
    outbox.put(Event(body=RowsChanged()))
    assert outbox.has_results
    assert outbox.has_latest
    outbox.take_results()
    outbox.take_latest()
    assert not outbox.has_results
    assert not outbox.has_latest
    assert outbox.take_results() == outbox.take_latest() == []


def test_each_job_has_a_place_of_its_own() -> None:
    """A job that ends is not hidden by one that runs."""
    outbox = Outbox()
    outbox.put(Event(body=_job(1, "a")))
    outbox.put(Event(body=_job(1, "b")))
    outbox.put(Event(body=_job(2, "a")))
    assert outbox.take_latest() == [Event(body=_job(2, "a")), Event(body=_job(1, "b"))]


def test_of_models_and_undo_titles_only_the_latest_counts() -> None:
    """Both say how things are now."""
    outbox = Outbox()
    bodies: list[EventBody] = []
    for name in ("one", "two"):
        model = ModelValue(state=ModelState.READY, name=name)
        bodies = [ModelChanged(model=model), AnnotationsChanged(undo_title=name)]
        for body in bodies:
            outbox.put(Event(body=body))
    assert outbox.take_latest() == [Event(body=body) for body in bodies]


def test_once_any_row_may_have_changed_no_key_narrows_it_again() -> None:
    """In whichever order the two come."""
    for first, second in (
        (RowsChanged(), RowsChanged(keys=("a",))),
        (RowsChanged(keys=("a",)),) * 2,
    ):
        outbox = Outbox()
        outbox.put(Event(body=first))
        outbox.put(Event(body=second))
        outbox.put(Event(body=RowsChanged() if first.keys else RowsChanged(keys=("b",))))
        assert outbox.take_latest() == [Event(body=RowsChanged())]


@given(
    st.lists(st.lists(st.text("abc", min_size=1, max_size=2), min_size=1, max_size=4, unique=True))
)
def test_merged_rows_name_each_changed_key_once(batches: list[list[str]]) -> None:
    """Whatever was published, in the order in which it first came."""
    outbox = Outbox()
    for batch in batches:
        outbox.put(Event(body=RowsChanged(keys=tuple(batch))))
    expected = tuple(dict.fromkeys(key for batch in batches for key in batch))
    assert outbox.take_latest() == ([Event(body=RowsChanged(keys=expected))] if batches else [])


@given(st.lists(st.sampled_from(["part", "progress", "event", "take"]), max_size=60))
def test_results_come_in_order_and_complete_whatever_lies_between(steps: list[str]) -> None:
    """And progress never goes back."""
    outbox, sent, told = Outbox(), 0, [-1]
    got: list[int] = []
    for number, step in enumerate(steps):
        if step == "part":
            outbox.put(Partial(id=number, body=Ok()))
            sent += 1
        elif step == "progress":
            outbox.put(Progress(id=-1, done=number))
        elif step == "event":
            outbox.put(Event(body=RowsChanged()))
        else:
            got += [m.id for m in outbox.take_results() if isinstance(m, Partial)]
            told += [m.done for m in outbox.take_latest() if isinstance(m, Progress)]
    got += [m.id for m in outbox.take_results() if isinstance(m, Partial)]
    assert len(got) == sent
    assert got == sorted(got)
    assert told == sorted(told)
