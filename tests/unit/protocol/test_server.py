"""The server: lanes, back-pressure, cancelling, errors, and the end of an engine."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.protocol.calls import Call
from cocadesk.protocol.client import EngineClient, EngineGoneError
from cocadesk.protocol.connection import MAX_CALLS
from cocadesk.protocol.endpoint import read_endpoint
from cocadesk.protocol.messages import (
    PROTOCOL_VERSION,
    Cancelled,
    ClientMessage,
    Done,
    EngineMessage,
    Failed,
    FinalMessage,
    GetInfo,
    GetRows,
    Hello,
    JobChanged,
    Keys,
    ListNewest,
    Ok,
    Partial,
    Progress,
    ReplyBody,
    Request,
    Rows,
    RowsChanged,
    Search,
    StopEngine,
    Welcome,
)
from cocadesk.protocol.outbox import EVENT_INTERVAL_S
from cocadesk.protocol.server import EngineServer
from cocadesk.protocol.values import JobKind, JobState, JobValue, Priority, WorkState
from cocadesk.protocol.wire import (
    HEADER_BYTES,
    MAX_HELLO_BYTES,
    FrameReader,
    ProtocolError,
    decode_engine_message,
    encode,
    frame,
)
from tests.support.scripted_engine import ScriptedEngine, connect, serving

WAIT_S = 20


class Gate:
    """An answer that waits until the test opens it."""

    def __init__(self) -> None:
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()

    def __call__(self, _body: object, call: Call) -> ReplyBody:
        self.entered.release()
        while not self.open.wait(0.01):
            call.check()
        return Ok()

    def wait_for(self, count: int) -> None:
        """Blocks until so many calls have come in."""
        for _ in range(count):
            assert self.entered.acquire(timeout=WAIT_S)


def newest(body: ListNewest, _call: Call) -> ReplyBody:
    """An answer that tells which request it belongs to."""
    return Keys(keys=(), offset=body.offset, total=body.limit)


@pytest.fixture
def gate() -> Iterator[Gate]:
    """A gate that stands open once the test is over, so that no thread is left in it."""
    gate = Gate()
    yield gate
    gate.open.set()


def final(client: EngineClient) -> FinalMessage:
    """The next final answer, whatever comes before it."""
    while True:
        message = client.receive(WAIT_S)
        if isinstance(message, FinalMessage):
            return message


def test_a_query_passes_a_batch_that_is_under_way(library: Path, gate: Gate) -> None:
    """The batch came first and is answered last: each priority has threads of its own."""
    engine = ScriptedEngine({GetRows: gate, ListNewest: newest})
    with serving(library, engine) as server, connect(server) as client:
        batch = client.send(GetRows(keys=("k",)), priority=Priority.BATCH)
        gate.wait_for(1)
        query = client.send(ListNewest(), priority=Priority.INTERACTIVE)
        assert final(client).id == query
        gate.open.set()
        assert final(client).id == batch


@pytest.mark.parametrize("busy", [Priority.BATCH, Priority.VISIBLE, Priority.INTERACTIVE])
def test_no_lane_blocks_another(library: Path, gate: Gate, busy: Priority) -> None:
    """With ten requests of one priority in hand or waiting, the two others answer."""
    engine = ScriptedEngine({GetRows: gate, ListNewest: newest})
    with serving(library, engine) as server, connect(server) as client:
        for _ in range(10):
            client.send(GetRows(keys=("k",)), priority=busy)
        gate.wait_for(1)
        for other in set(Priority) - {busy}:
            assert client.ask(ListNewest(), Keys, priority=other, timeout_s=WAIT_S)
        gate.open.set()


def test_batches_of_two_clients_wait_for_each_other(library: Path, gate: Gate) -> None:
    """One thread does all batches: two at once would slow both and the query."""
    engine = ScriptedEngine({GetRows: gate, ListNewest: newest})
    with serving(library, engine) as server, connect(server) as one, connect(server) as two:
        one.send(GetRows(keys=("1",)), priority=Priority.BATCH)
        gate.wait_for(1)
        two.send(GetRows(keys=("2",)), priority=Priority.BATCH)
        two.ask(ListNewest(), Keys, timeout_s=WAIT_S)  # so the engine has read both
        assert GetRows(keys=("2",)) not in engine.asked
        gate.open.set()
        assert isinstance(final(one), Done)
        assert isinstance(final(two), Done)


def test_work_waits_while_a_person_waits(library: Path, gate: Gate) -> None:
    """``wait_until_quiet`` is what a job calls between two photos."""
    engine = ScriptedEngine({GetRows: gate, ListNewest: newest})
    with serving(library, engine) as server, connect(server) as client:
        assert server.wait_until_quiet(0)
        client.send(GetRows(keys=("k",)), priority=Priority.INTERACTIVE)
        gate.wait_for(1)
        assert not server.wait_until_quiet(0.01)
        gate.open.set()
        final(client)
        assert server.wait_until_quiet(WAIT_S)


def test_a_batch_alone_makes_nobody_wait(library: Path, gate: Gate) -> None:
    """Only a person's request counts as one."""
    engine = ScriptedEngine({GetRows: gate})
    with serving(library, engine) as server, connect(server) as client:
        client.send(GetRows(keys=("k",)), priority=Priority.BATCH)
        gate.wait_for(1)
        assert server.wait_until_quiet(0)


def test_a_slow_client_loses_progress_and_never_a_result(library: Path) -> None:
    """It reads nothing while thousands of messages come: parts all wait, progress does not."""
    body = Keys(keys=("x" * 1000,), offset=0, total=0)
    parts, told = 1500, 6000
    has_sent = threading.Event()

    def answer(_body: GetInfo, call: Call) -> ReplyBody:
        for number in range(told):
            call.progress(WorkState(done=number, total=told))
            if number % (told // parts) == 0:
                call.partial(Keys(keys=body.keys, offset=number, total=told))
        has_sent.set()
        return body

    engine = ScriptedEngine({GetInfo: answer})
    with serving(library, engine) as server, connect(server) as client:
        client.send(GetInfo())
        assert has_sent.wait(WAIT_S)
        seen: list[Partial | Progress] = []
        while not isinstance(message := client.receive(WAIT_S), Done):
            assert isinstance(message, Partial | Progress)
            seen.append(message)
    offsets = [m.body.offset for m in seen if isinstance(m, Partial) and isinstance(m.body, Keys)]
    assert offsets == list(range(0, told, told // parts))
    progress = [message.done for message in seen if isinstance(message, Progress)]
    assert progress == sorted(progress)
    assert len(progress) < told / 10


def test_events_come_at_most_twenty_times_a_second(library: Path) -> None:
    """Each is published as soon as the one before has arrived; still they keep their distance."""
    with serving(library, ScriptedEngine({})) as server, connect(server, events=True) as client:
        started_s = time.monotonic()
        for number in range(7):
            server.publish(JobChanged(job=_job(number)))
            assert client.next_event(WAIT_S) == JobChanged(job=_job(number))
        assert time.monotonic() - started_s >= 6 * EVENT_INTERVAL_S - 0.01


def test_results_do_not_wait_for_the_next_event(library: Path) -> None:
    """Twenty answers after an event take less time than twenty events would."""
    engine = ScriptedEngine({ListNewest: newest})
    with serving(library, engine) as server, connect(server, events=True) as client:
        server.publish(RowsChanged())
        client.next_event(WAIT_S)
        started_s = time.monotonic()
        for number in range(20):
            server.publish(JobChanged(job=_job(number)))
            client.ask(ListNewest(), Keys, timeout_s=WAIT_S)
        assert time.monotonic() - started_s < 20 * EVENT_INTERVAL_S


def _job(done: int) -> JobValue:
    return JobValue(id="a", kind=JobKind.INDEX, title="t", state=JobState.RUNNING, done=done)


def test_events_go_to_those_that_asked_for_them(library: Path) -> None:
    """A command line that did not ask gets its answers alone."""
    engine = ScriptedEngine({ListNewest: newest})
    with (
        serving(library, engine) as server,
        connect(server, events=True) as window,
        connect(server) as command,
    ):
        server.publish(RowsChanged(keys=("k",)))
        assert window.next_event(WAIT_S) == RowsChanged(keys=("k",))
        request = command.send(ListNewest(offset=3))
        message = command.receive(WAIT_S)
        assert isinstance(message, Done)
        assert message.id == request


def test_a_cancelled_request_ends_at_once_and_its_handler_is_told(library: Path) -> None:
    """The client is answered before the handler has noticed."""
    noticed = threading.Event()

    def answer(_body: GetInfo, call: Call) -> ReplyBody:
        try:
            while True:
                call.check()
        finally:
            noticed.set()

    engine = ScriptedEngine({GetInfo: answer})
    with serving(library, engine) as server, connect(server) as client:
        request = client.send(GetInfo())
        client.cancel(request)
        assert final(client) == Cancelled(id=request)
        assert noticed.wait(WAIT_S) or not engine.asked


def test_a_request_that_waits_is_not_begun_once_cancelled(library: Path, gate: Gate) -> None:
    """A person who types on does not pay for what he typed before."""
    engine = ScriptedEngine({GetRows: gate, Search: lambda *_: Ok()})
    with serving(library, engine) as server, connect(server) as client:
        batch = client.send(GetRows(keys=("k",)), priority=Priority.BATCH)
        gate.wait_for(1)
        waiting = client.send(Search(text="dog"), priority=Priority.BATCH)
        client.cancel(waiting)
        assert final(client) == Cancelled(id=waiting)
        gate.open.set()
        assert final(client).id == batch
    assert engine.asked == [GetRows(keys=("k",))]


def test_cancelling_what_is_not_there_does_nothing(library: Path) -> None:
    """The answer and the cancel may cross on their way."""
    engine = ScriptedEngine({ListNewest: newest})
    with serving(library, engine) as server, connect(server) as client:
        client.cancel(99)
        assert client.ask(ListNewest(offset=2), Keys, timeout_s=WAIT_S).offset == 2


def test_a_client_that_leaves_takes_its_requests_with_it(library: Path) -> None:
    """Its handlers are told at their next check; the engine goes on."""
    ended, began = threading.Event(), threading.Event()

    def answer(_body: GetInfo, call: Call) -> ReplyBody:
        began.set()
        try:
            while True:
                call.check()
        finally:
            ended.set()

    engine = ScriptedEngine({GetInfo: answer, ListNewest: newest})
    with serving(library, engine) as server:
        with connect(server) as client:
            client.send(GetInfo())
            assert began.wait(WAIT_S)
        assert ended.wait(WAIT_S)
        with connect(server) as other:
            assert other.ask(ListNewest(), Keys, timeout_s=WAIT_S)


def test_an_error_for_people_keeps_its_three_sentences(library: Path) -> None:
    """What, why and what to do, as they were raised."""

    def refuse(*_: object) -> ReplyBody:
        raise UserError("The disk is full.", "It has 0 bytes left.", "Make room.")

    with (
        serving(library, ScriptedEngine({GetInfo: refuse})) as server,
        connect(server) as client,
        pytest.raises(UserError) as caught,
    ):
        client.ask(GetInfo(), Ok, timeout_s=WAIT_S)
    error = caught.value
    assert (error.what, error.why, error.what_to_do) == (
        "The disk is full.",
        "It has 0 bytes left.",
        "Make room.",
    )


def test_a_bug_in_one_answer_is_named_and_ends_no_engine(
    library: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The trace goes to the log; the client gets a sentence and ``is_bug``."""

    def broken(*_: object) -> ReplyBody:
        raise ZeroDivisionError("by nothing")

    engine = ScriptedEngine({GetInfo: broken, ListNewest: newest})
    with serving(library, engine) as server, connect(server) as client:
        client.send(GetInfo())
        message = final(client)
        assert isinstance(message, Failed)
        assert message.is_bug
        assert message.why == "ZeroDivisionError: by nothing"
        assert client.ask(ListNewest(), Keys, timeout_s=WAIT_S)
    assert "answering GetInfo failed" in caplog.text


def test_an_answer_may_come_later_from_another_thread(library: Path) -> None:
    """A handler that gives None has put the call by; only its first end counts."""
    calls: list[Call] = []
    engine = ScriptedEngine({GetInfo: lambda _body, call: calls.append(call)})
    with serving(library, engine) as server, connect(server) as client:
        request = client.send(GetInfo())
        deadline_s = time.monotonic() + WAIT_S
        while not calls and time.monotonic() < deadline_s:
            time.sleep(0)
        for _ in range(3):
            threading.Thread(target=calls[0].finish, args=(Rows(rows=()),)).start()
        assert final(client) == Done(id=request, body=Rows(rows=()))
        calls[0].progress(WorkState(done=1))
        calls[0].partial(Ok())
        follow_up = client.send(StopEngine())
        assert final(client) == Done(id=follow_up, body=Ok())


class RawLink:
    """A connection that sends whatever it is told, greeting or not."""

    def __init__(self, server: EngineServer) -> None:
        endpoint = server.endpoint
        assert endpoint is not None
        self.token = endpoint.token
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(WAIT_S)
        self._socket.connect(endpoint.address)
        self._reader = FrameReader()

    def __enter__(self) -> RawLink:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, *frames: bytes) -> None:
        """Sends bytes as they are."""
        self._socket.sendall(b"".join(frames))

    def greet(self) -> Hello:
        """The greeting that the engine wants."""
        return Hello(protocol=PROTOCOL_VERSION, token=self.token)

    def receive(self) -> EngineMessage | None:
        """The next message; None once the engine has closed the connection."""
        data = b""  # what is left of the last packet comes first
        while True:
            for payload in self._reader.feed(data):
                return decode_engine_message(payload)
            if not (data := self._socket.recv(1 << 16)):
                return None


unix_only = pytest.mark.skipif(sys.platform == "win32", reason="a Unix socket")


@unix_only
def test_one_id_cannot_be_used_twice_at_a_time(library: Path, gate: Gate) -> None:
    """Two answers of one id could not be told apart."""
    engine = ScriptedEngine({GetRows: gate})
    request = encode(Request(id=5, body=GetRows(keys=("k",))))
    with serving(library, engine) as server, RawLink(server) as link:
        link.send(encode(link.greet()))
        assert isinstance(link.receive(), Welcome)
        link.send(request, request)
        message = link.receive()
        assert isinstance(message, Failed)
        assert "too many requests" in message.what


@unix_only
def test_requests_may_come_together_with_the_greeting(library: Path) -> None:
    """One packet may hold both; nothing of it is lost."""
    engine = ScriptedEngine({ListNewest: newest})
    with serving(library, engine) as server, RawLink(server) as link:
        link.send(encode(link.greet()), encode(Request(id=1, body=ListNewest(offset=4))))
        welcome = link.receive()
        assert isinstance(welcome, Welcome)
        assert (welcome.library_id, welcome.schema) == ("scripted", "7")
        assert isinstance(link.receive(), Done)


@unix_only
@pytest.mark.parametrize("frame_bytes", [MAX_HELLO_BYTES + 1, 1 << 31])
def test_a_stranger_cannot_make_the_engine_store_much(library: Path, frame_bytes: int) -> None:
    """Before the greeting only small frames are taken."""
    with serving(library, ScriptedEngine({})) as server, RawLink(server) as link:
        link.send(frame_bytes.to_bytes(4, "big"))
        assert link.receive() is None


@unix_only
def test_whoever_asks_before_he_greets_is_shown_the_door(library: Path) -> None:
    """And no request of his is read."""
    engine = ScriptedEngine({ListNewest: newest})
    with serving(library, engine) as server, RawLink(server) as link:
        link.send(encode(Request(id=1, body=ListNewest())))
        assert link.receive() is None
    assert engine.asked == []


@unix_only
@pytest.mark.parametrize("garbage", [b"\0\0\0\2{}", b"\0\0\0\1\xff"])
def test_a_client_that_breaks_the_protocol_later_is_closed(library: Path, garbage: bytes) -> None:
    """A second greeting breaks it too; others go on."""
    with serving(library, ScriptedEngine({ListNewest: newest})) as server:
        for broken in (garbage, None):
            with RawLink(server) as link:
                link.send(encode(link.greet()))
                assert isinstance(link.receive(), Welcome)
                link.send(broken or encode(link.greet()))
                assert link.receive() is None
        with connect(server) as other:
            assert other.ask(ListNewest(), Keys, timeout_s=WAIT_S)


def test_a_client_may_not_pile_up_requests_without_end(library: Path, gate: Gate) -> None:
    """The thousandth that waits is the last; the others are answered all the same."""
    engine = ScriptedEngine({GetRows: gate})
    with serving(library, engine) as server, connect(server) as client:
        for _ in range(MAX_CALLS + 1):
            client.send(GetRows(keys=("k",)), priority=Priority.INTERACTIVE)
        refused = final(client)
        assert isinstance(refused, Failed)
        assert refused.id == MAX_CALLS + 1
        gate.open.set()
        assert all(isinstance(final(client), Done) for _ in range(MAX_CALLS))


def test_stopping_answers_before_it_ends(library: Path) -> None:
    """The client that asked sees ``Ok`` and then the end of the connection."""
    with serving(library, ScriptedEngine({})) as server, connect(server) as client:
        assert client.ask(StopEngine(), Ok, timeout_s=WAIT_S) == Ok()
        with pytest.raises(EngineGoneError):
            client.receive(WAIT_S)
    assert read_endpoint(library) is None


def test_an_engine_with_a_job_outlives_its_last_client(library: Path) -> None:
    """It lingers from the end of the job on."""
    engine = ScriptedEngine({ListNewest: newest})
    engine.busy = True
    with serving(library, engine, linger_s=0.02) as server:
        for _ in range(3):
            with connect(server) as client:
                assert client.ask(ListNewest(), Keys, timeout_s=WAIT_S)
        assert read_endpoint(library) == server.endpoint
        engine.busy = False
        deadline_s = time.monotonic() + WAIT_S
        while read_endpoint(library) is not None and time.monotonic() < deadline_s:
            time.sleep(0)
        assert read_endpoint(library) is None


def test_a_stop_before_the_start_is_kept(library: Path) -> None:
    """An engine that is told to end while it opens its library never listens."""
    server = EngineServer(ScriptedEngine({}), library)
    server.stop()
    server.run()
    assert read_endpoint(library) is None


def test_publishing_to_a_server_that_has_ended_is_no_error(library: Path) -> None:
    """A job's last word may come late."""
    with serving(library, ScriptedEngine({})) as server:
        pass
    server.publish(RowsChanged())
    server.stop()


def test_a_request_that_is_none_is_refused_and_the_next_one_is_answered(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks again after a lost connection would lose it without end."""

    def broken(message: ClientMessage) -> bytes:
        return frame(encode(message)[HEADER_BYTES:].replace(b'["a"]', b'"a"'))

    engine = ScriptedEngine({ListNewest: newest})
    with serving(library, engine) as server, connect(server) as client:
        with monkeypatch.context() as patched:
            patched.setattr("cocadesk.protocol.client.encode", broken)
            number = client.send(GetRows(keys=("a",)))
        refused = final(client)
        assert isinstance(refused, Failed)
        assert refused.id == number
        assert "keys" in refused.why
        assert client.ask(ListNewest(offset=3), Keys).offset == 3


def test_a_text_with_half_a_letter_is_no_message() -> None:
    """It could be written into no file; whoever sends it is told as of one too long."""
    with pytest.raises(ProtocolError):
        encode(Request(id=1, body=Search(text="\ud83d")))
