"""``cocadesk teach`` and ``cocadesk model`` against an engine of this process."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.cli.errors import OK, USER_ERROR
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    GetInfo,
    GetRun,
    Info,
    Jobs,
    ListJobs,
    ListRuns,
    Run,
    RunChanged,
    Runs,
)
from cocadesk.protocol.values import JobState, RunState, RunValue
from tests.support.engines import coloured_photos
from tests.support.inner_engine import inner_engine
from tests.support.program import Outcome, cocadesk, invoked, started
from tests.support.stand_in_trainer import MODULE
from tests.support.tiny_model import write_tiny_checkpoint

WAIT_S = 60.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model with random weights."""
    return str(write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture
def client(tmp_path: Path, model: str) -> Iterator[EngineClient]:
    """Serves the library that the commands are given; the trainer is the stand-in."""
    coloured_photos(tmp_path / "photos")
    with inner_engine(tmp_path / "library", model, trainer=MODULE) as client:
        yield client


def _teach(tmp_path: Path, *arguments: str) -> Outcome:
    photos, library = tmp_path / "photos", tmp_path / "library"
    return invoked("teach", photos, "--library", library, *arguments)


def test_the_document_has_figures_by_name_and_what_they_rest_on(
    client: EngineClient, tmp_path: Path
) -> None:
    """Kept: the model that it names is the one that answers."""
    outcome = _teach(tmp_path, "--keep", "--json")
    assert outcome.code == OK, outcome.err
    document = outcome.document
    assert document["before"] == {"t2i_r1": 20.0}
    assert document["after"] == {"t2i_r1": 80.0}
    assert document["general_before"] == {"t2i_r1": 40.0}
    assert document["general_after"] == {"t2i_r1": 39.5}
    assert document["intervals"]["after"]["t2i_r1"] == {"n": 4, "low": 5.0, "high": 70.0}
    assert document["skipped"] == [
        {"reason": "There is no photo beside it.", "count": 1},
        {"reason": "The file is empty.", "count": 1},
    ]
    info = client.ask(GetInfo(), Info, timeout_s=WAIT_S).model
    assert (document["kept"], document["model"]) == (True, info.model_id)
    assert info.source == f"run:{document['run']}"


def test_without_a_decision_nothing_changes_and_the_way_to_keep_it_is_named(
    client: EngineClient, tmp_path: Path, model: str
) -> None:
    """Where nobody can be asked, the run waits; using its model keeps it."""
    said = _teach(tmp_path)
    assert said.code == OK, said.err
    (run,) = client.ask(ListRuns(), Runs, timeout_s=WAIT_S).runs
    assert run.state is RunState.WAITING
    assert f"cocadesk model use run:{run.id}" in said.out
    assert "12 s" in said.out
    assert "text to photo R@1" in said.out
    assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.source == model
    library = ("--library", tmp_path / "library")
    assert invoked("model", "use", f"run:{run.id}", *library).code == OK
    kept = client.ask(GetRun(run_id=run.id), Run, timeout_s=WAIT_S).run
    assert kept.state is RunState.KEPT
    listed = invoked("model", "list", *library)
    assert listed.code == OK
    lines = listed.out.splitlines()
    assert [line for line in lines if line.startswith(f"* run:{run.id}")]


def test_a_discarded_run_says_so(client: EngineClient, tmp_path: Path) -> None:
    """The model is gone, the record stays."""
    outcome = _teach(tmp_path, "--discard")
    assert outcome.code == OK, outcome.err
    assert "model was deleted" in outcome.out
    (run,) = client.ask(ListRuns(), Runs, timeout_s=WAIT_S).runs
    assert run.state is RunState.DISCARDED


def test_ctrl_c_pauses_the_run_and_the_same_command_goes_on_with_it(
    client: EngineClient, tmp_path: Path
) -> None:
    """In words; the second time the run is the same one and comes to its end."""
    photos = tmp_path / "endless"
    (tmp_path / "photos").rename(photos)
    arguments = ("teach", photos, "--library", tmp_path / "library", "--discard")
    with started(*arguments) as command:
        run = _wait_for_step(client, 2)
        command.send_signal(signal.SIGINT)
        _, said = command.communicate(timeout=WAIT_S)
    assert command.returncode == 130, said
    assert b"same command goes on" in said
    (job,) = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    assert (job.id, job.state) == (run.id, JobState.PAUSED)
    again = cocadesk(*arguments, limit_s=WAIT_S)
    assert again.code == OK
    assert "Resuming the run that was stopped" in again.err
    (run,) = client.ask(ListRuns(), Runs, timeout_s=WAIT_S).runs
    assert (run.id, run.state) == (job.id, RunState.DISCARDED)


def _wait_for_step(client: EngineClient, step: int) -> RunValue:
    while True:
        event = client.next_event(WAIT_S)
        if isinstance(event, RunChanged) and event.run.step >= step:
            return event.run


def test_a_filter_chooses_what_of_the_library_teaches(client: EngineClient, tmp_path: Path) -> None:
    """Of the captioned photos only those that fit are handed to the trainer."""
    library = ("--library", tmp_path / "library")
    photos = tmp_path / "photos"
    assert invoked("index", photos, *library).code == OK
    for name, tag in (("red-0.jpg", "Ida"), ("blue-2.jpg", "Max")):
        words = ("--caption", f"{tag} in the garden", "--add-tag", tag)
        assert invoked("words", "set", photos / name, *words, *library).code == OK
    arguments = ("teach", "--library-words", "--filter", "tag:Ida", "--discard", "--json")
    outcome = invoked(*arguments, *library)
    assert outcome.code == OK, outcome.err
    folder = tmp_path / "library" / "runs" / outcome.document["run"]
    spec = json.loads((folder / "spec.json").read_text())
    taught = [base64.b64decode(photo["path"]).rpartition(b"/")[2] for photo in spec["photos"]]
    assert taught == [b"red-0.jpg"]
    nothing = invoked("teach", "--library-words", "--filter", "tag:Nobody", "--json", *library)
    assert nothing.code == USER_ERROR


def test_an_engine_with_another_model_is_not_taught_by_mistake(
    client: EngineClient, tmp_path: Path
) -> None:
    """--model names one that the running engine does not serve."""
    outcome = _teach(tmp_path, "--model", "starter", "--json")
    assert outcome.code == USER_ERROR
    error = outcome.document["error"]
    assert "another model" in error["what"]
    assert "cocadesk model use starter" in error["what_to_do"]


def test_models_are_listed_without_a_library_and_without_making_one(tmp_path: Path) -> None:
    """The starter answers where nothing else was chosen."""
    models = invoked("model", "list", "--json", "--library", tmp_path / "library")
    entries = models.document["models"]
    assert [entry["source"] for entry in entries if entry["used"]] == ["starter"]
    assert not (tmp_path / "library").exists()
