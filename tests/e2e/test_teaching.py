"""Teaching with the real program: command line, engine, trainer, a tiny model.

The trainer is the real one with few steps; ``tests/bench/bench_teach.py`` takes all of them.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetInfo,
    GetRun,
    Hits,
    Info,
    Keys,
    ListNewest,
    Run,
    RunChanged,
    Search,
    SetAnnotations,
)
from cocadesk.protocol.values import JobState, RunState
from tests.support.engines import coloured_photos, index, stop
from tests.support.kinds import NAME, write_lesson
from tests.support.program import cocadesk, invoked, started
from tests.support.tiny_model import write_tiny_checkpoint

WAIT_S = 120.0
SHORT_TRAINER = ("--trainer", "tests.support.short_trainer")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint with random weights."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny")


@contextlib.contextmanager
def _engine(library: Path, *extra: str) -> Iterator[EngineClient]:
    """A client of the library's engine, which ends with it."""
    with connect_or_start(library, events=True, extra=extra) as client:
        try:
            yield client
        finally:
            stop(client)


def test_a_folder_with_words_teaches_a_model_that_answers_when_the_command_ends(
    tmp_path: Path, model: Path
) -> None:
    """The folder is read on the way; figures before and after come with what they rest on."""
    write_lesson(tmp_path / "lesson", count=6)
    (tmp_path / "lesson" / "notes.txt").write_text("no photo has this name\n")
    library = tmp_path / "library"
    with _engine(library, "--model", str(model), *SHORT_TRAINER):
        outcome = cocadesk(
            "teach", tmp_path / "lesson", "--model", model, "--library", library, "--keep", "--json"
        )
    assert outcome.code == 0, outcome.err
    document = outcome.document
    assert (document["photos"], document["captions"]) == (6, 12)
    assert (document["kept"], document["trial"]) == (True, True)
    assert document["seconds"] > 0
    for name in ("before", "after", "general_before", "general_after"):
        assert 0 <= document[name]["t2i_r1"] <= 100
        rests_on = document["intervals"][name]["t2i_r1"]
        assert rests_on["low"] <= document[name]["t2i_r1"] <= rests_on["high"]
        assert rests_on["n"] > 0
    info = invoked("info", "--library", library, "--json").document
    assert info["model"] == document["model"]
    assert info["model_source"] == f"run:{document['run']}"
    back = invoked("model", "use", model, "--library", library, "--json")
    assert back.code == 0, back.err
    assert back.document["source"] == str(model)
    listed = invoked("model", "list", "--library", library, "--json").document["models"]
    used = {entry["source"]: entry["used"] for entry in listed}
    assert used == {"starter": False, f"run:{document['run']}": False, str(model): True}
    with _engine(library):
        pass  # ends the engine that the commands have left


def test_a_run_outlives_a_killed_engine_and_teaches_the_words_of_the_library(
    tmp_path: Path, model: Path
) -> None:
    """After kill -9 the same command goes on with the same run, and keeps it."""
    library = tmp_path / "library"
    photos = coloured_photos(tmp_path / "photos")
    arguments = ("teach", "--library-words", "--library", library, "--keep", "--json")
    extra = ("--model", str(model), *SHORT_TRAINER)
    with connect_or_start(library, events=True, extra=extra) as client:
        assert index(client, photos).job.state is JobState.DONE
        keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
        words = SetAnnotations(keys=keys, caption=f"a {NAME} on the ground")
        client.ask(words, AnnotationsReply, timeout_s=WAIT_S)
        with started(*arguments) as command:
            run_id = _wait_for_learning(client)
            os.kill(client.welcome.engine_pid, signal.SIGKILL)
            out, _ = command.communicate(timeout=WAIT_S)
        assert command.returncode == 2
        assert b"the same command goes on" in out
    with _engine(library, *SHORT_TRAINER) as client:
        outcome = cocadesk(*arguments)
        assert outcome.code == 0, outcome.err
        assert (outcome.document["run"], outcome.document["photos"]) == (run_id, len(keys))
        run = client.ask(GetRun(run_id=run_id), Run, timeout_s=WAIT_S).run
        assert run.state is RunState.KEPT
        steps = [point.step for point in run.points]
        assert steps == sorted(set(steps))
        assert steps[-1] == run.steps
        assert len(client.ask(Search(text=NAME), Hits, timeout_s=WAIT_S).hits) == len(keys)
        assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.model_id == run.model_id


def _wait_for_learning(client: EngineClient) -> str:
    """The id of the run, once it has a point of its curve."""
    while True:
        event = client.next_event(WAIT_S)
        if isinstance(event, RunChanged) and event.points:
            return event.run.id
