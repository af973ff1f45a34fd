"""Frames, paths and the outbox: the pure parts of the protocol."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.protocol.messages import (
    Done,
    Event,
    Hits,
    JobChanged,
    Ok,
    Partial,
    Progress,
    Request,
    RowsChanged,
    RunChanged,
    Search,
)
from cocadesk.protocol.outbox import MAX_NAMED_KEYS, Outbox
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    Hit,
    JobKind,
    JobState,
    JobValue,
    Moment,
    RunState,
    RunValue,
    TeachMethod,
    TeachPoint,
)
from cocadesk.protocol.wire import (
    FrameReader,
    ProtocolError,
    decode_client_message,
    decode_engine_message,
    encode,
    frame,
)


@given(st.lists(st.binary(max_size=200), max_size=8), st.integers(1, 50))
def test_frames_arrive_whole_however_the_stream_is_cut(payloads: list[bytes], step: int) -> None:
    """Any cut of the byte stream gives back the same payloads in order."""
    stream = b"".join(frame(payload) for payload in payloads)
    reader = FrameReader()
    got = []
    for start in range(0, len(stream), step):
        got += list(reader.feed(stream[start : start + step]))
    assert got == payloads


def test_a_foreign_length_is_refused_before_anything_is_stored() -> None:
    """A client that sends HTTP (a huge length) is a protocol error."""
    with pytest.raises(ProtocolError):
        list(FrameReader(1000).feed(b"GET / HTTP/1.1\r\n"))


def test_messages_survive_the_wire() -> None:
    """A request with a body and an answer with moments come back equal."""
    request = Request(id=3, body=Search(text="Ein Hund am Strand, 犬"))
    hit = Hit(
        key="k",
        path=WirePath("/k.mp4"),
        score=0.5,
        time_s=4.0,
        moments=(Moment(time_s=4.0, score=0.5),),
    )
    answer = Done(id=3, body=Hits(hits=(hit,)))
    assert decode_client_message(encode(request)[4:]) == request
    assert decode_engine_message(encode(answer)[4:]) == answer


def test_a_foreign_payload_is_a_protocol_error() -> None:
    """JSON that is none of our messages, and bytes that are no JSON, are named."""
    for payload in (b'{"type": "Nonsense"}', b"\xff\xfe", b"[]"):
        with pytest.raises(ProtocolError):
            decode_client_message(payload)


@given(st.binary(min_size=1, max_size=60).filter(lambda b: b"\0" not in b))
def test_any_file_name_survives_the_wire(name: bytes) -> None:
    """Names that are not UTF-8 keep their bytes and have a text to show."""
    path = WirePath.of(name)
    assert path.to_bytes() == name
    assert os.fsencode(path.to_str()) == name
    path.text.encode("utf-8")


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
        method=TeachMethod.HEAD,
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
