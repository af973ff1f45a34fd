"""From exceptions to exit codes and sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cocadesk.cli.errors import StoppedError, guarded
from cocadesk.cli.options import Options
from cocadesk.cli.report import Report
from cocadesk.errors import UserError
from cocadesk.protocol.client import EngineGoneError
from cocadesk.protocol.endpoint import run_folder

PLAIN = Report(as_json=False)


def _raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


def test_a_commands_own_code_is_passed_on() -> None:
    """0 and 1 are the command's to give."""
    assert guarded(lambda: 1, PLAIN) == 1


def test_an_error_for_people_is_code_2_without_a_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Only its sentences are shown."""
    assert guarded(_raising(UserError("No library.", "", "Index first.")), PLAIN) == 2
    assert capfd.readouterr().err == "No library.\nIndex first.\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), StoppedError()])
def test_stopping_is_code_130_and_says_that_nothing_is_lost(
    error: BaseException, capfd: pytest.CaptureFixture[str]
) -> None:
    """Cancelling is no failure."""
    assert guarded(_raising(error), Report(as_json=True)) == 130
    out, err = capfd.readouterr()
    assert "What is done is kept." in err
    assert json.loads(out)["error"]["what"] == "Stopped."


def test_an_engine_that_ends_meanwhile_is_no_bug(capfd: pytest.CaptureFixture[str]) -> None:
    """It may have been killed; nothing that was done is lost."""
    assert guarded(_raising(EngineGoneError("the engine has ended")), PLAIN) == 2
    err = capfd.readouterr().err
    assert "the same command goes on" in err
    assert str(run_folder()) in err


def test_a_bug_is_one_sentence_and_its_traceback_is_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The person sees where the details are; the log has them."""
    log = tmp_path / "logs" / "cocadesk.log"
    assert guarded(_raising(ZeroDivisionError("boom")), PLAIN, log=log) == 3
    err = capfd.readouterr().err
    assert "ZeroDivisionError: boom" in err
    assert str(log) in err
    assert "Traceback" not in err
    assert "Traceback" in log.read_text()
    guarded(_raising(ValueError("again")), PLAIN, log=log)
    assert log.read_text().count("Traceback") == 2


def test_a_log_that_cannot_be_written_shows_the_traceback(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is swallowed."""
    (tmp_path / "file").write_text("")
    log = tmp_path / "file" / "cocadesk.log"
    assert guarded(_raising(ZeroDivisionError("boom")), PLAIN, log=log) == 3
    assert "Traceback" in capfd.readouterr().err


def test_a_large_log_is_put_aside(tmp_path: Path) -> None:
    """It does not grow without end."""
    log = tmp_path / "cocadesk.log"
    log.write_bytes(b"x" * (2**20 + 1))
    guarded(_raising(ValueError("new")), PLAIN, log=log)
    assert log.stat().st_size < 10_000
    assert (tmp_path / "cocadesk.old.log").stat().st_size > 2**20


def test_options_count_before_and_after_the_commands_name(tmp_path: Path) -> None:
    """The later one wins; defaults fill the rest."""
    early = {"library": str(tmp_path / "a"), "model": "run", "as_json": True}
    late = {"library": str(tmp_path / "b"), "model": None, "as_json": False, "query": "a dog"}
    assert Options.of(early, late) == Options(
        library=tmp_path / "b", model="run", as_json=True, is_library_named=True
    )
    assert Options.of().model is None


def test_the_library_comes_from_the_environment_where_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``COCADESK_LIBRARY`` stands for ``--library``."""
    monkeypatch.setenv("COCADESK_LIBRARY", str(tmp_path))
    assert Options.of().library == tmp_path
    monkeypatch.delenv("COCADESK_LIBRARY")
    assert Options.of().library.name == "library"
