"""The socket, the greeting and the life of an engine, with the fake one."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cocadesk.errors import UserError
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.client import EngineClient, EngineGoneError
from cocadesk.protocol.endpoint import (
    Endpoint,
    Transport,
    endpoint_file,
    read_endpoint,
    write_endpoint,
)
from cocadesk.protocol.launch import FAKE_MODULE, connect_or_start, running_engine
from cocadesk.protocol.messages import GetInfo, Info, Keys, ListNewest, Ok, StopEngine


def _endpoint(engine: FakeEngine) -> Endpoint:
    assert engine.server.endpoint is not None
    return engine.server.endpoint


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a Unix matter")
def test_only_the_user_can_reach_the_socket_and_the_token(library: Path) -> None:
    """The socket lies in a 0700 folder; the token's file has mode 0600."""
    with FakeEngine(library, media=0) as engine:
        socket_folder = Path(_endpoint(engine).address).parent
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(endpoint_file(library).stat().st_mode) == 0o600
        assert stat.S_IMODE(endpoint_file(library).parent.stat().st_mode) == 0o700
    assert not socket_folder.exists()
    assert not endpoint_file(library).exists()


def test_a_wrong_token_is_refused_in_a_sentence(library: Path) -> None:
    """Knowing the address is not enough."""
    with FakeEngine(library, media=0) as engine:
        stranger = msgspec.structs.replace(_endpoint(engine), token="guess")
        with pytest.raises(UserError, match="token"):
            EngineClient(stranger)


def test_a_client_of_another_version_is_told_so(library: Path) -> None:
    """The hello carries the protocol's version; a foreign one gets a sentence."""
    with (
        FakeEngine(library, media=0) as engine,
        pytest.raises(UserError, match="another version"),
    ):
        EngineClient(_endpoint(engine), protocol=99)


def test_the_engine_serves_over_loopback_tcp_as_well(library: Path) -> None:
    """The transport of Windows works everywhere, with the same token."""
    with (
        FakeEngine(library, media=3, transport=Transport.TCP) as engine,
        EngineClient(_endpoint(engine)) as client,
    ):
        assert _endpoint(engine).address == "127.0.0.1"
        assert client.ask(ListNewest(), Keys).total == 3


def test_a_client_that_sends_garbage_is_dropped_and_others_go_on(library: Path) -> None:
    """A broken greeting ends that connection alone."""
    with FakeEngine(library, media=1) as engine:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with link:
            link.connect(_endpoint(engine).address)
            link.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert link.recv(10) == b""
        with EngineClient(_endpoint(engine)) as client:
            assert client.ask(GetInfo(), Info).counts.media == 1


def test_an_unused_engine_ends_by_itself(library: Path) -> None:
    """After its last client the engine lingers, then takes its address away."""
    FakeEngine(library, media=0, linger_s=0.05).server.run()
    assert read_endpoint(library) is None


def test_an_address_of_a_dead_engine_is_cleared(library: Path) -> None:
    """After kill -9 the file stays; the next client removes it and finds none."""
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                           capture_output=True, check=True)  # fmt: skip
    dead = Endpoint(
        protocol=1,
        transport=Transport.UNIX,
        address=os.fspath(library / "none"),
        token="t",
        pid=int(child.stdout),
        library="x",
    )
    write_endpoint(library, dead)
    assert running_engine(library) is None
    assert read_endpoint(library) is None


def test_a_second_client_joins_the_engine_that_the_first_started(library: Path) -> None:
    """A started engine outlives its first client; StopEngine ends it."""
    with connect_or_start(library, module=FAKE_MODULE, extra=["--media", "5"]) as first:
        with connect_or_start(library, module=FAKE_MODULE) as second:
            assert second.welcome.engine_pid == first.welcome.engine_pid != os.getpid()
            assert second.ask(GetInfo(), Info).counts.media == 5
        assert first.ask(StopEngine(), Ok) == Ok()
        with pytest.raises(EngineGoneError):
            first.receive(10)
    assert running_engine(library) is None


def test_an_engine_that_cannot_start_leaves_its_own_sentence(library: Path) -> None:
    """The last line of the engine's log becomes the reason."""
    with pytest.raises(UserError, match="--nonsense"):
        connect_or_start(library, module=FAKE_MODULE, extra=["--nonsense"])
