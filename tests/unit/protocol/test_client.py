"""The blocking client: answers, progress, events, timeouts, and an engine that goes away."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.protocol.calls import Call
from cocadesk.protocol.client import EngineClient, EngineGoneError, RequestCancelledError
from cocadesk.protocol.endpoint import Endpoint, Transport
from cocadesk.protocol.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Cancelled,
    ClientMessage,
    Done,
    EngineMessage,
    Event,
    GetInfo,
    Hello,
    Keys,
    ListNewest,
    Ok,
    Partial,
    Progress,
    ReplyBody,
    Request,
    RowsChanged,
    Welcome,
)
from cocadesk.protocol.values import Priority
from cocadesk.protocol.wire import FrameReader, ProtocolError, decode_client_message, encode
from tests.support.scripted_engine import ScriptedEngine, connect, serving

WAIT_S = 20
WELCOME = Welcome(protocol=PROTOCOL_VERSION, library_id="l", schema="1", engine_pid=1)


class Peer:
    """The other end of one connection, scripted message by message."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._reader = FrameReader()
        self._inbox: list[ClientMessage] = []

    def read(self) -> ClientMessage:
        """The client's next message."""
        while not self._inbox:
            data = self._link.recv(1 << 16)
            assert data, "the client has gone"
            self._inbox += [decode_client_message(payload) for payload in self._reader.feed(data)]
        return self._inbox.pop(0)

    def send(self, *messages: EngineMessage) -> None:
        """Sends the messages in one packet."""
        self._link.sendall(b"".join(encode(message) for message in messages))

    def send_bytes(self, data: bytes) -> None:
        """Sends bytes as they are."""
        self._link.sendall(data)


@contextmanager
def scripted(play: Callable[[Peer], None], *, greets: bool = True) -> Iterator[Endpoint]:
    """An endpoint at which ``play`` answers one client, then hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            link, _ = listener.accept()
            with link:
                link.settimeout(WAIT_S)
                peer = Peer(link)
                assert isinstance(peer.read(), Hello)
                if greets:
                    peer.send(WELCOME)
                play(peer)

        thread = threading.Thread(target=serve, name="scripted-peer")
        thread.start()
        yield Endpoint(
            protocol=PROTOCOL_VERSION,
            transport=Transport.TCP,
            address="127.0.0.1",
            port=listener.getsockname()[1],
            token="t",
            pid=1,
            library="l",
        )
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_an_answer_comes_with_its_progress_and_parts(library: Path) -> None:
    """In their order, and each to its own callback."""

    def answer(_body: GetInfo, call: Call) -> ReplyBody:
        call.partial(Keys(keys=("a",), offset=0, total=2))
        call.partial(Keys(keys=("b",), offset=1, total=2))
        return Ok()

    parts: list[ReplyBody] = []
    with serving(library, ScriptedEngine({GetInfo: answer})) as server, connect(server) as client:
        assert client.ask(GetInfo(), Ok, on_partial=parts.append, timeout_s=WAIT_S) == Ok()
    assert [part.keys for part in parts if isinstance(part, Keys)] == [("a",), ("b",)]


def test_progress_reaches_its_callback() -> None:
    """Where nobody listens to it, it is passed over."""

    def play(peer: Peer) -> None:
        for _ in range(2):
            request = peer.read()
            assert isinstance(request, Request)
            peer.send(
                Progress(id=request.id, stage="Reading", done=1, total=2, seconds_left=3.5),
                Done(id=request.id, body=Ok()),
            )

    seen: list[Progress] = []
    with scripted(play) as endpoint, EngineClient(endpoint) as client:
        client.ask(GetInfo(), Ok, on_progress=seen.append, timeout_s=WAIT_S)
        client.ask(GetInfo(), Ok, timeout_s=WAIT_S)
    assert seen == [Progress(id=1, stage="Reading", done=1, total=2, seconds_left=3.5)]


def test_a_late_answer_to_another_request_is_passed_over() -> None:
    """Somebody asked before and did not wait: that answer is not this one's."""

    def play(peer: Peer) -> None:
        first, second = peer.read(), peer.read()
        assert isinstance(first, Request)
        assert isinstance(second, Request)
        peer.send(
            Partial(id=first.id, body=Ok()),
            Done(id=first.id, body=Ok()),
            Done(id=second.id, body=Keys(keys=(), offset=7, total=0)),
        )

    with scripted(play) as endpoint, EngineClient(endpoint) as client:
        client.send(GetInfo())
        assert client.ask(ListNewest(), Keys, timeout_s=WAIT_S).offset == 7


def test_events_between_answers_wait_for_whoever_asks_for_them() -> None:
    """They come in their order, whatever was asked meanwhile."""
    one, two, three = (Event(body=RowsChanged(keys=(name,))) for name in "abc")

    def play(peer: Peer) -> None:
        request = peer.read()
        assert isinstance(request, Request)
        peer.send(one, two, Done(id=request.id, body=Ok()), three)

    with scripted(play) as endpoint, EngineClient(endpoint, events=True) as client:
        client.ask(GetInfo(), Ok, timeout_s=WAIT_S)
        bodies = [client.next_event(WAIT_S) for _ in range(3)]
    assert bodies == [one.body, two.body, three.body]


def test_the_greeting_says_who_asks_and_whether_he_wants_events() -> None:
    """An engine's log names its clients."""
    heard: list[ClientMessage] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            link, _ = listener.accept()
            with link:
                peer = Peer(link)
                heard.append(peer.read())
                peer.send(WELCOME)

        thread = threading.Thread(target=serve)
        thread.start()
        endpoint = Endpoint(
            protocol=PROTOCOL_VERSION,
            transport=Transport.TCP,
            address="127.0.0.1",
            port=listener.getsockname()[1],
            token="secret",
            pid=1,
            library="l",
        )
        with EngineClient(endpoint, name="test", events=True) as client:
            assert client.welcome == WELCOME
        thread.join(WAIT_S)
    assert heard == [Hello(protocol=PROTOCOL_VERSION, token="secret", client="test", events=True)]


def test_a_request_carries_its_priority() -> None:
    """A job's question does not pass for a person's."""
    seen: list[Priority] = []

    def play(peer: Peer) -> None:
        for _ in Priority:
            request = peer.read()
            assert isinstance(request, Request)
            seen.append(request.priority)
            peer.send(Done(id=request.id, body=Ok()))

    with scripted(play) as endpoint, EngineClient(endpoint) as client:
        for priority in Priority:
            client.ask(GetInfo(), Ok, priority=priority, timeout_s=WAIT_S)
    assert seen == list(Priority)


def test_an_engine_that_says_nothing_is_not_waited_for_for_ever() -> None:
    """The limit is for the time between two messages; the connection stays."""

    def play(peer: Peer) -> None:
        first, second = peer.read(), peer.read()
        assert isinstance(first, Request)
        assert isinstance(second, Request)
        peer.send(Done(id=first.id, body=Ok()), Done(id=second.id, body=Ok()))

    with scripted(play) as endpoint, EngineClient(endpoint) as client:
        with pytest.raises(TimeoutError):
            client.ask(GetInfo(), Ok, timeout_s=0.02)
        assert client.ask(GetInfo(), Ok, timeout_s=WAIT_S) == Ok()


def test_progress_begins_the_limit_anew() -> None:
    """A long request that moves on is no silent one."""

    def play(peer: Peer) -> None:
        request = peer.read()
        assert isinstance(request, Request)
        for done in range(4):
            threading.Event().wait(0.15)
            peer.send(Progress(id=request.id, done=done))
        peer.send(Done(id=request.id, body=Ok()))

    with scripted(play) as endpoint, EngineClient(endpoint) as client:
        assert client.ask(GetInfo(), Ok, timeout_s=0.5) == Ok()


def test_a_greeting_that_does_not_come_is_a_timeout() -> None:
    """Something else may listen at an old address."""
    is_over = threading.Event()

    def play(_peer: Peer) -> None:
        is_over.wait(WAIT_S)

    with scripted(play, greets=False) as endpoint:
        with pytest.raises(TimeoutError):
            EngineClient(endpoint, timeout_s=0.05)
        is_over.set()


def test_anything_but_a_welcome_breaks_the_protocol() -> None:
    """The first message must be one."""
    with (
        scripted(lambda peer: peer.send(Done(id=1, body=Ok())), greets=False) as endpoint,
        pytest.raises(ProtocolError, match="did not greet"),
    ):
        EngineClient(endpoint)


def test_an_interrupted_question_is_cancelled() -> None:
    """Ctrl-C while a command waits: the engine is told before the command ends."""
    heard: list[ClientMessage] = []

    def play(peer: Peer) -> None:
        request = peer.read()
        assert isinstance(request, Request)
        peer.send(Progress(id=request.id, done=1))
        heard.append(peer.read())

    def interrupt(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with (
        scripted(play) as endpoint,
        EngineClient(endpoint) as client,
        pytest.raises(KeyboardInterrupt),
    ):
        client.ask(GetInfo(), Ok, on_progress=interrupt, timeout_s=WAIT_S)
    assert heard == [Cancel(id=1)]


def test_an_answer_that_was_cancelled_is_an_error_of_its_own() -> None:
    """Cancelling is no error for people."""

    def play(peer: Peer) -> None:
        request = peer.read()
        assert isinstance(request, Request)
        peer.send(Cancelled(id=request.id))

    with (
        scripted(play) as endpoint,
        EngineClient(endpoint) as client,
        pytest.raises(RequestCancelledError),
    ):
        client.ask(GetInfo(), Ok, timeout_s=WAIT_S)


def test_an_answer_of_another_type_is_named() -> None:
    """It would fail later, where nobody sees why."""

    def play(peer: Peer) -> None:
        request = peer.read()
        assert isinstance(request, Request)
        peer.send(Done(id=request.id, body=Ok()))

    with (
        scripted(play) as endpoint,
        EngineClient(endpoint) as client,
        pytest.raises(ProtocolError, match="Ok came instead of Keys"),
    ):
        client.ask(ListNewest(), Keys, timeout_s=WAIT_S)


@pytest.mark.parametrize("data", [b"", encode(Done(id=1, body=Ok()))[:-3]])
def test_an_engine_that_ends_is_told_from_one_that_is_slow(data: bytes) -> None:
    """Also in the midst of a message."""

    def play(peer: Peer) -> None:
        peer.read()
        peer.send_bytes(data)

    with (
        scripted(play) as endpoint,
        EngineClient(endpoint) as client,
        pytest.raises(EngineGoneError),
    ):
        client.ask(GetInfo(), Ok, timeout_s=WAIT_S)


def test_asking_an_engine_that_has_ended_says_so() -> None:
    """Not only waiting: the sending finds it out as well, sooner or later."""
    with scripted(lambda _peer: None) as endpoint, EngineClient(endpoint) as client:
        for _ in range(3):
            with pytest.raises(EngineGoneError):
                client.ask(GetInfo(), Ok, timeout_s=WAIT_S)


def test_an_address_where_nobody_listens_is_a_connection_error(tmp_path: Path) -> None:
    """For both kinds of address; the caller starts an engine then."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    nowhere = [(Transport.TCP, "127.0.0.1", port)]
    if hasattr(socket, "AF_UNIX"):
        nowhere.append((Transport.UNIX, str(tmp_path / "none"), 0))
    for transport, address, number in nowhere:
        endpoint = Endpoint(
            protocol=PROTOCOL_VERSION,
            transport=transport,
            address=address,
            port=number,
            token="t",
            pid=1,
            library="l",
        )
        with pytest.raises(OSError, match=r"refused|No such file"):
            EngineClient(endpoint)


def test_a_refusal_is_an_error_for_people(library: Path) -> None:
    """In the engine's own words."""
    with serving(library, ScriptedEngine({})) as server:
        assert server.endpoint is not None
        with pytest.raises(UserError) as caught:
            EngineClient(server.endpoint, protocol=PROTOCOL_VERSION + 1)
    assert str(PROTOCOL_VERSION) in caught.value.why
    assert "Close all windows" in caught.value.what_to_do


def test_a_connection_may_be_closed_twice(library: Path) -> None:
    """Once by hand, once by its block; the engine goes on for others."""
    with serving(library, ScriptedEngine({GetInfo: lambda *_: Ok()})) as server:
        with connect(server) as client:
            client.close()
        with connect(server) as other:
            assert other.ask(GetInfo(), Ok, timeout_s=WAIT_S) == Ok()
