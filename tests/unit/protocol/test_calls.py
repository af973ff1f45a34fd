"""One request being answered, and those that follow a job."""

from __future__ import annotations

import threading

import pytest

from cocadesk.protocol.calls import Call, CallCancelledError, JobWatchers
from cocadesk.protocol.messages import (
    Cancelled,
    Done,
    EngineMessage,
    Failed,
    FinalMessage,
    JobReply,
    Ok,
    Partial,
    Progress,
)
from cocadesk.protocol.values import JobKind, JobState, JobValue, WorkState


class Sent(list[EngineMessage]):
    """What a call has sent."""

    def call(self, request_id: int = 1) -> Call:
        """A call that sends to this list."""
        return Call(request_id, self.append)


def job(state: JobState, done: int = 0) -> JobReply:
    """The state of one job."""
    value = JobValue(
        id="job", kind=JobKind.INDEX, title="t", state=state, done=done, total=9, stage="Reading"
    )
    return JobReply(job=value)


def test_only_the_first_end_of_a_call_is_sent() -> None:
    """A late worker does no harm."""
    sent = Sent()
    call = sent.call()
    call.finish(Ok())
    call.end(Failed(id=1, what="too late"))
    call.cancel()
    call.progress(WorkState(done=1))
    call.partial(Ok())
    assert sent == [Done(id=1, body=Ok())]


def test_a_cancelled_call_is_answered_and_its_handler_stopped() -> None:
    """The handler learns of it at its next check."""
    sent = Sent()
    call = sent.call(8)
    call.check()
    call.cancel()
    with pytest.raises(CallCancelledError):
        call.check()
    call.finish(Ok())
    assert sent == [Cancelled(id=8)]
    assert call.is_finished


def test_progress_and_parts_carry_the_calls_number() -> None:
    """So the client knows whose they are."""
    sent = Sent()
    call = sent.call(3)
    state = WorkState(stage="Reading", done=2, total=5, failed=1, seconds_left=1.5, current="a.jpg")
    call.progress(state)
    call.partial(Ok())
    assert sent == [
        Progress(
            id=3, stage="Reading", done=2, total=5, failed=1, seconds_left=1.5, current="a.jpg"
        ),
        Partial(id=3, body=Ok()),
    ]


def test_of_many_threads_that_end_a_call_one_wins() -> None:
    """A cancel and an answer at the same time are one answer."""
    for _ in range(50):
        sent = Sent()
        call = sent.call()
        start = threading.Barrier(4)

        def end(call: Call = call, start: threading.Barrier = start) -> None:
            start.wait()
            call.finish(Ok())

        threads = [threading.Thread(target=end) for _ in range(3)]
        for thread in threads:
            thread.start()
        start.wait()
        call.cancel()
        for thread in threads:
            thread.join()
        assert len(sent) == 1
        assert isinstance(sent[0], FinalMessage)


def test_a_watcher_hears_how_the_job_stands_and_then_how_it_moves() -> None:
    """The first word comes at once, the answer with the end."""
    sent, watchers = Sent(), JobWatchers()
    watchers.add(sent.call(), job(JobState.QUEUED))
    watchers.tell(job(JobState.RUNNING, done=4))
    watchers.tell(job(JobState.DONE, done=9))
    watchers.tell(job(JobState.DONE, done=9))
    assert sent == [
        Progress(id=1, stage="Reading", total=9),
        Progress(id=1, stage="Reading", done=4, total=9),
        Done(id=1, body=job(JobState.DONE, done=9)),
    ]


@pytest.mark.parametrize("state", [state for state in JobState if state.is_final])
def test_whoever_watches_a_job_that_has_ended_is_answered_at_once(state: JobState) -> None:
    """Done, failed or cancelled."""
    sent = Sent()
    JobWatchers().add(sent.call(), job(state))
    assert sent == [Done(id=1, body=job(state))]


def test_a_paused_job_goes_on_being_watched() -> None:
    """A pause is no end."""
    sent, watchers = Sent(), JobWatchers()
    watchers.add(sent.call(), job(JobState.RUNNING))
    watchers.tell(job(JobState.PAUSED, done=2))
    watchers.tell(job(JobState.DONE, done=9))
    assert isinstance(sent[-1], Done)
    assert len(sent) == 3


def test_a_watcher_that_has_left_is_forgotten() -> None:
    """And the others hear on."""
    gone, stays, watchers = Sent(), Sent(), JobWatchers()
    leaving = gone.call()
    watchers.add(leaving, job(JobState.RUNNING))
    watchers.add(stays.call(2), job(JobState.RUNNING))
    leaving.cancel()
    watchers.tell(job(JobState.RUNNING, done=5))
    assert gone[-1] == Cancelled(id=1)
    assert stays[-1] == Progress(id=2, stage="Reading", done=5, total=9)


def test_news_of_a_job_that_nobody_watches_goes_nowhere() -> None:
    """Also of one that was watched once."""
    sent, watchers = Sent(), JobWatchers()
    watchers.tell(job(JobState.RUNNING))
    watchers.add(sent.call(), job(JobState.DONE))
    watchers.tell(job(JobState.RUNNING))
    assert len(sent) == 1
