"""Finding a library's engine and starting one: the command, its surroundings, its failures."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import cocadesk
from cocadesk.errors import UserError
from cocadesk.protocol.endpoint import Endpoint, Transport, log_file, read_endpoint, write_endpoint
from cocadesk.protocol.launch import (
    FAKE_MODULE,
    connect_or_start,
    engine_command,
    engine_environment,
    running_engine,
    start_engine,
    start_failure,
)
from cocadesk.protocol.messages import Ok, StopEngine
from tests.support.scripted_engine import ScriptedEngine, serving

WAIT_S = 30


def test_where_no_engine_runs_there_is_none(library: Path) -> None:
    """Asking starts nothing."""
    assert running_engine(library) is None
    assert not log_file(library).exists()


def test_a_running_engine_is_joined_and_none_is_started(library: Path) -> None:
    """A second one would be a second writer of the library."""
    with serving(library, ScriptedEngine({})), connect_or_start(library) as client:
        assert client.welcome.engine_pid == os.getpid()
    assert not log_file(library).exists()


def test_an_engine_of_another_version_is_not_replaced(library: Path) -> None:
    """It is refused in a sentence: its windows are still open."""
    with serving(library, ScriptedEngine({})) as server:
        assert server.endpoint is not None
        forged = Endpoint(
            protocol=server.endpoint.protocol,
            transport=server.endpoint.transport,
            address=server.endpoint.address,
            port=server.endpoint.port,
            token="another",
            pid=server.endpoint.pid,
            library="l",
        )
        write_endpoint(library, forged)
        with pytest.raises(UserError, match="refused the connection"):
            connect_or_start(library)
        write_endpoint(library, server.endpoint)


def test_the_address_of_an_engine_that_hangs_is_kept(library: Path, tmp_path: Path) -> None:
    """Its process lives, so it may yet answer; only a dead one's address is taken away."""
    alive = Endpoint(
        protocol=2,
        transport=Transport.UNIX,
        address=str(tmp_path / "none"),
        token="t",
        pid=os.getpid(),
        library="l",
    )
    write_endpoint(library, alive)
    assert running_engine(library) is None
    assert read_endpoint(library) == alive


def test_the_command_is_this_python_without_the_current_folder(library: Path) -> None:
    """A file called ``torch.py`` in a photo folder must not be run."""
    command = engine_command(library, module="some.module", extra=["--flag", "1"])
    assert command[0] == sys.executable
    assert command[1:4] == ["-P", "-m", "some.module"]
    assert command[4:] == ["--library", str(library), "--flag", "1"]


def test_the_engine_is_that_of_this_very_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its package comes first on the path, once, and the path's own folders stay."""
    root = str(Path(cocadesk.__file__).resolve().parent.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/a", root, "", "/b"]))
    assert engine_environment()["PYTHONPATH"].split(os.pathsep) == [root, "/a", "/b"]
    monkeypatch.delenv("PYTHONPATH")
    assert engine_environment()["PYTHONPATH"] == root


def test_a_failed_start_names_the_last_line_of_the_log(library: Path) -> None:
    """The engine's own sentence, and where more of it stands."""
    log_file(library).write_text("a trace\nThe library is of a newer CocaDesk.\n\n", "utf-8")
    error = start_failure(library)
    assert error.why == "The library is of a newer CocaDesk."
    assert str(log_file(library)) in error.what_to_do


def test_a_failed_start_without_a_log_is_an_error_all_the_same(library: Path) -> None:
    """The disk may be full."""
    assert start_failure(library).what == "The engine could not start."
    log_file(library).write_bytes(b"\xff\xfe broken")
    assert start_failure(library).why


def test_an_engine_that_does_not_answer_in_time_is_given_up(library: Path) -> None:
    """The sentence says for how long, and which log to read."""
    with pytest.raises(UserError, match="did not start in time") as caught:
        connect_or_start(library, module="this", extra=[], limit_s=0.0)
    assert str(log_file(library)) in caught.value.what_to_do


def test_the_log_of_an_engine_holds_all_that_it_prints(library: Path) -> None:
    """Nobody sees its terminal."""
    process = start_engine(library, module="this")
    assert process.wait(WAIT_S) == 0
    assert "Beautiful is better than ugly" in log_file(library).read_text("utf-8")


def test_a_started_engine_is_reaped_without_anybody_asking(library: Path) -> None:
    """Its number is free again, and no warning comes where its object is let go."""
    pid = start_engine(library, module="this").pid
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gc.collect()
    for _ in range(3000):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        subprocess.run([sys.executable, "-c", ""], check=True)
    pytest.fail("the process stayed a zombie")


def test_a_program_that_ends_before_its_engine_says_nothing(library: Path) -> None:
    """The engine is meant to outlive it, so its object's complaint is out of place."""
    script = (
        "import sys; from pathlib import Path\n"
        "from cocadesk.protocol.launch import FAKE_MODULE, connect_or_start\n"
        "connect_or_start(Path(sys.argv[1]), module=FAKE_MODULE, extra=['--media', '0']).close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", script, str(library)],
        capture_output=True,
        text=True,
        env=engine_environment(),
    )
    client = running_engine(library)
    assert client is not None
    with client:
        assert client.ask(StopEngine(), Ok, timeout_s=WAIT_S) == Ok()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_two_programs_that_start_together_share_one_engine(library: Path) -> None:
    """The slower one's engine may fail: the library is open already; it joins the other."""
    with (
        connect_or_start(library, module=FAKE_MODULE, extra=["--media", "2"]) as one,
        connect_or_start(library, module=FAKE_MODULE) as two,
    ):
        assert one.welcome.engine_pid == two.welcome.engine_pid
        assert one.ask(StopEngine(), Ok, timeout_s=WAIT_S) == Ok()


def test_a_cache_that_cannot_be_written_is_said(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Address and log of an engine lie there; asking for a running one gives none."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "file" / "cache"))
    assert running_engine(library) is None
    with pytest.raises(UserError, match="COCADESK_CACHE"):
        connect_or_start(library)
