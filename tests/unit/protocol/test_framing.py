"""Frames, paths and messages: the pure parts of the protocol."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.protocol.messages import (
    Done,
    Hits,
    Ok,
    Progress,
    Request,
    Search,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    Hit,
    Moment,
)
from cocadesk.protocol.wire import (
    MAX_FRAME_BYTES,
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


def test_a_frame_of_the_largest_size_passes_and_one_byte_more_does_not() -> None:
    """On both sides: it is neither sent nor taken."""
    with pytest.raises(ProtocolError, match="too long"):
        frame(bytes(MAX_FRAME_BYTES + 1))
    assert list(FrameReader(100).feed(frame(bytes(100)))) == [bytes(100)]
    with pytest.raises(ProtocolError, match="101 bytes"):
        list(FrameReader(100).feed(frame(bytes(101))))


def test_an_empty_payload_is_a_frame() -> None:
    """Four zero bytes, and the next frame follows."""
    assert frame(b"") == bytes(4)
    assert list(FrameReader().feed(frame(b"") + frame(b"x"))) == [b"", b"x"]


def test_what_is_left_of_a_packet_waits_for_the_next_one() -> None:
    """A header may be cut, and the reader may be asked again without new bytes."""
    reader = FrameReader()
    data = frame(b"one") + frame(b"two")
    assert list(reader.feed(data[:9])) == [b"one"]
    assert list(reader.feed(b"")) == []
    assert list(reader.feed(data[9:])) == [b"two"]


def test_frames_before_a_foreign_one_are_still_given() -> None:
    """The error comes where the bytes go wrong, not before."""
    payloads = FrameReader(10).feed(frame(b"good") + b"\xff\xff\xff\xff")
    assert next(payloads) == b"good"
    with pytest.raises(ProtocolError):
        next(payloads)


def test_a_limit_may_be_raised_while_bytes_wait() -> None:
    """The greeting has a small limit; what follows it has the large one."""
    reader = FrameReader(8)
    first = list(reader.feed(frame(b"hello")))
    reader.max_bytes = MAX_FRAME_BYTES
    assert first + list(reader.feed(frame(bytes(5000)))) == [b"hello", bytes(5000)]


def test_defaults_are_not_sent() -> None:
    """A thousand rows a second: what nobody set takes no bytes."""
    assert len(encode(Progress(id=1))) < 40
    assert b"seconds_left" in encode(Progress(id=1, seconds_left=0.0))


def test_a_field_that_this_version_does_not_know_is_passed_over() -> None:
    """An older client of the same protocol reads a newer engine."""
    payload = b'{"type": "Ok", "news": 1}'
    reply = b'{"type": "Done", "id": 4, "body": ' + payload + b"}"
    assert decode_engine_message(reply) == Done(id=4, body=Ok())


@pytest.mark.parametrize(
    "payload",
    [
        b'{"type": "Request", "id": "one", "body": {"type": "GetInfo"}}',
        b'{"type": "Request", "id": 1}',
        b'{"type": "Request", "id": 1, "body": {"type": "Ok"}}',
        b'{"type": "Done", "id": 1, "body": {"type": "Ok"}}',
        b'{"type": "Request", "id": 1, "body": {"type": "GetInfo"}, "priority": "now"}',
    ],
)
def test_a_message_of_a_wrong_shape_is_refused(payload: bytes) -> None:
    """Types are checked at the door, so that handlers need not."""
    with pytest.raises(ProtocolError):
        decode_client_message(payload)


def test_a_clients_message_is_none_of_the_engines() -> None:
    """Each side takes the other's messages only."""
    with pytest.raises(ProtocolError):
        decode_engine_message(encode(Request(id=1, body=Search(text="x")))[4:])


@pytest.mark.parametrize("text", ["/photos/ä.jpg", "C:\\photos\\x.jpg", "", "/a/\u2028"])
def test_a_readable_path_travels_as_text_alone(text: str) -> None:
    """Only odd names cost the second field."""
    path = WirePath.of(text)
    assert (path.text, path.raw) == (text, None)
    assert path.to_str() == text


def test_an_odd_name_has_a_text_to_show() -> None:
    """Every program may print it, and none takes it for the name."""
    path = WirePath.of(b"/photos/caf\xe9.jpg")
    assert path.text == "/photos/caf?.jpg"
    assert path.raw is not None
    assert path != WirePath(path.text)
