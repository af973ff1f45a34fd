"""Teaching through the engine, with a quick stand-in where the real trainer is too slow."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from cocadesk.engine.teaching.trainer_process import TrainerChild
from cocadesk.errors import UserError
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    AnnotationsReply,
    ControlJob,
    DatasetSummary,
    DecideRun,
    GetInfo,
    GetRun,
    Hits,
    Info,
    JobChanged,
    JobReply,
    Keys,
    ListModels,
    ListNewest,
    ListRuns,
    Models,
    PreviewDataset,
    ReplyBody,
    Run,
    RunChanged,
    Runs,
    Search,
    SetAnnotations,
    StartTeach,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    JobAction,
    JobState,
    JobValue,
    RunState,
    RunValue,
    TeachPoint,
    TeachSource,
)
from cocadesk.trainer_messages import TuningSpec
from tests.support.engines import coloured_photos, index, watch
from tests.support.inner_engine import inner_engine
from tests.support.stand_in_trainer import MODULE
from tests.support.tiny_model import write_tiny_checkpoint

WAIT_S = 15.0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model with random weights."""
    return str(write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of photos; who teaches from it needs no words in them here."""
    return coloured_photos(tmp_path_factory.mktemp("teaching") / "photos")


@pytest.fixture
def client(tmp_path: Path, model: str) -> Iterator[EngineClient]:
    """A client of an engine whose library is empty."""
    with inner_engine(tmp_path / "library", model, trainer=MODULE) as client:
        yield client


def _start(client: EngineClient, photos: Path, title: str = "") -> JobValue:
    body = StartTeach(source=TeachSource(folders=(WirePath.of(photos),)), title=title)
    return client.ask(body, JobReply, timeout_s=WAIT_S).job


def _run(client: EngineClient, run_id: str) -> Run:
    return client.ask(GetRun(run_id=run_id), Run, timeout_s=WAIT_S)


def _wait_for_step(client: EngineClient, run_id: str, step: int) -> None:
    """Takes events until the run has come so far."""
    while True:
        event = client.next_event(WAIT_S)
        if isinstance(event, RunChanged) and event.run.id == run_id and event.run.step >= step:
            return


def test_a_run_without_a_title_is_named_by_its_folder(client: EngineClient, photos: Path) -> None:
    """The job says once that it learns; the run, and so its model, bears the folder's name."""
    job = _start(client, photos)
    assert job.title == f"Learning from {photos.name}"
    assert _run(client, job.id).run.title == photos.name


def test_a_run_is_a_job_with_a_curve_figures_and_a_model_that_may_be_kept(
    client: EngineClient, photos: Path
) -> None:
    """Started, followed, measured, kept: then search answers with the new model, for good."""
    before = client.ask(Search(text="red"), Hits, timeout_s=WAIT_S)
    old = client.ask(GetInfo(), Info, timeout_s=WAIT_S).model
    job = _start(client, photos, "Colours")
    assert (job.title, job.kind) == ("Learning from Colours", "teach")
    ended = watch(client, job)
    assert ended.job.state is JobState.DONE, ended.job.message
    assert isinstance(ended.report, RunValue)
    assert "20" in ended.job.message
    assert "80" in ended.job.message
    run = _run(client, job.id).run
    assert (run.state, run.is_trial, run.step, run.steps) == (RunState.WAITING, True, 5, 5)
    assert [point.step for point in run.points] == [1, 2, 3, 4, 5]
    assert (run.before[0].value, run.after[0].value, run.after[0].n) == (20.0, 80.0, 4)
    told: list[TeachPoint] = []
    while len(told) < 5:
        event = client.next_event(WAIT_S)
        if isinstance(event, RunChanged):
            told.extend(event.points)
    assert told == list(run.points)
    kept = client.ask(DecideRun(run_id=job.id, keep=True), Run, timeout_s=WAIT_S).run
    assert kept.state is RunState.KEPT
    new = client.ask(GetInfo(), Info, timeout_s=WAIT_S).model
    assert (new.model_id, new.image_id) == (run.model_id, old.image_id)
    assert new.model_id != old.model_id
    assert new.source == f"run:{job.id}"
    assert client.ask(Search(text="red"), Hits, timeout_s=WAIT_S).hits == before.hits == ()
    models = client.ask(ListModels(), Models, timeout_s=WAIT_S).models
    assert [m.source for m in models if m.is_used] == [new.source]
    assert "starter" in [m.source for m in models]


def test_a_kept_model_answers_after_a_restart_and_cannot_be_discarded(
    tmp_path: Path, model: str, photos: Path
) -> None:
    """``library.json`` remembers it; throwing away what is in use is refused."""
    library = tmp_path / "library"
    with inner_engine(library, model, trainer=MODULE) as client:
        job = _start(client, photos)
        watch(client, job)
        kept = client.ask(DecideRun(run_id=job.id, keep=True), Run, timeout_s=WAIT_S).run
    with inner_engine(library, model, trainer=MODULE) as client:
        client.ask(Search(text="red"), Hits, timeout_s=WAIT_S)
        assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.model_id == kept.model_id
        with pytest.raises(UserError, match="in use"):
            client.ask(DecideRun(run_id=job.id, keep=False), Run, timeout_s=WAIT_S)
        runs = client.ask(ListRuns(), Runs, timeout_s=WAIT_S).runs
        assert [(run.id, run.state) for run in runs] == [(job.id, RunState.KEPT)]


def test_a_discarded_run_keeps_its_record_and_loses_its_model(
    client: EngineClient, photos: Path
) -> None:
    """What was tried and how it did can be looked up; deciding twice is refused."""
    job = _start(client, photos)
    watch(client, job)
    run = client.ask(DecideRun(run_id=job.id, keep=False), Run, timeout_s=WAIT_S).run
    assert (run.state, run.after[0].value) == (RunState.DISCARDED, 80.0)
    folder = Path(run.folder.to_str())
    assert not (folder / "checkpoints").exists()
    assert len(_run(client, job.id).run.points) == 5
    with pytest.raises(UserError, match="discarded"):
        client.ask(DecideRun(run_id=job.id, keep=True), Run, timeout_s=WAIT_S)


def test_a_paused_run_goes_on_where_it_was(client: EngineClient, photos: Path) -> None:
    """Pausing lets the trainer save; the same order again is the same run."""
    job = _start(client, photos, "endless")
    _wait_for_step(client, job.id, 2)
    client.ask(ControlJob(job_id=job.id, action=JobAction.PAUSE), JobReply, timeout_s=WAIT_S)
    assert _start(client, photos, "endless").id == job.id
    client.ask(ControlJob(job_id=job.id, action=JobAction.RESUME), JobReply, timeout_s=WAIT_S)
    assert watch(client, job).job.state is JobState.DONE
    run = _run(client, job.id).run
    assert [point.step for point in run.points] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("is_paused", [False, True], ids=["running", "paused"])
def test_a_cancelled_run_is_over_and_leaves_no_model(
    client: EngineClient, photos: Path, is_paused: bool
) -> None:
    """Running or paused: the trainer ends and the run counts as discarded."""
    job = _start(client, photos, "endless")
    _wait_for_step(client, job.id, 2)
    if is_paused:
        client.ask(ControlJob(job_id=job.id, action=JobAction.PAUSE), JobReply, timeout_s=WAIT_S)
    client.ask(ControlJob(job_id=job.id, action=JobAction.CANCEL), JobReply, timeout_s=WAIT_S)
    assert watch(client, job).job.state is JobState.CANCELLED
    assert _run(client, job.id).run.state is RunState.DISCARDED
    with pytest.raises(UserError):
        client.ask(DecideRun(run_id=job.id, keep=True), Run, timeout_s=WAIT_S)


def test_a_run_that_was_stopped_starts_again_from_its_beginning(
    client: EngineClient, photos: Path
) -> None:
    """The same run: what it had learned is gone, its curve begins anew."""
    job = _start(client, photos, "endless")
    _wait_for_step(client, job.id, 2)
    stop = ControlJob(job_id=job.id, action=JobAction.CANCEL)
    client.ask(stop, JobReply, timeout_s=WAIT_S)
    again = ControlJob(job_id=job.id, action=JobAction.AGAIN)
    assert client.ask(again, JobReply, timeout_s=WAIT_S).job.attempt == 2
    assert _run(client, job.id).run.state is RunState.RUNNING
    while [point.step for point in _run(client, job.id).run.points] != [1, 2]:
        client.next_event(WAIT_S)
    client.ask(stop, JobReply, timeout_s=WAIT_S)
    assert watch(client, job).job.state is JobState.CANCELLED


@pytest.mark.parametrize(("title", "words"), [("dies", "out of luck"), ("full", "disk is full")])
def test_a_trainer_that_dies_fails_its_run_with_a_sentence(
    client: EngineClient, photos: Path, title: str, words: str
) -> None:
    """Its own words, or the last that it said; the model in use is as it was."""
    job = _start(client, photos, title)
    ended = watch(client, job).job
    assert ended.state is JobState.FAILED
    assert words in ended.message
    run = _run(client, job.id).run
    assert (run.state, run.message) == (RunState.FAILED, ended.message)
    assert client.ask(Search(text="red"), Hits, timeout_s=WAIT_S).hits == ()


def test_a_killed_trainers_run_goes_on_where_it_was_when_asked_again(
    client: EngineClient, photos: Path, tmp_path: Path
) -> None:
    """The same lesson is the same run, from its last saved state."""
    job = _start(client, photos, "endless")
    _wait_for_step(client, job.id, 2)
    folder = tmp_path / "library" / "runs" / job.id
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    assert watch(client, job).job.state is JobState.FAILED
    again = _start(client, photos, "endless")
    assert again.id == job.id
    assert watch(client, again).job.state is JobState.DONE
    assert _run(client, job.id).run.state is RunState.WAITING
    assert [point.step for point in _run(client, job.id).run.points] == [1, 2, 3, 4, 5]


def test_a_failed_lesson_begins_anew_where_its_model_has_changed_since(
    tmp_path: Path, photos: Path
) -> None:
    """An update has put other weights in the same place: what was learned does not fit them."""
    library, model = tmp_path / "library", write_tiny_checkpoint(tmp_path / "tiny")
    with inner_engine(library, str(model), trainer=MODULE) as client:
        job = _start(client, photos, "dies")
        assert watch(client, job).job.state is JobState.FAILED
        assert _start(client, photos).id == job.id
        assert watch(client, job).job.state is JobState.DONE
        job = _start(client, photos, "dies")
        assert watch(client, job).job.state is JobState.FAILED
    write_tiny_checkpoint(model, seed=2)
    with inner_engine(library, str(model), trainer=MODULE) as client:
        again = _start(client, photos)
        assert again.id != job.id
        assert watch(client, again).job.state is JobState.DONE


def test_an_engine_that_ends_lets_the_trainer_save_and_the_next_goes_on(
    tmp_path: Path, model: str, photos: Path
) -> None:
    """Its end is like a pause."""
    library = tmp_path / "library"
    with inner_engine(library, model, trainer=MODULE) as client:
        job = _start(client, photos, "endless")
        _wait_for_step(client, job.id, 2)
    with inner_engine(library, model, trainer=MODULE) as client:
        assert watch(client, job).job.state is JobState.DONE
        assert [p.step for p in _run(client, job.id).run.points] == [1, 2, 3, 4, 5]


def test_the_trainer_ends_when_whoever_started_it_is_gone(tmp_path: Path, photos: Path) -> None:
    """Its stdin is the line of life: two trainers never write one run."""
    child = TrainerChild("teach", _order(tmp_path / "run", "endless"), module=MODULE)
    for line in child.lines(WAIT_S):
        assert line is not None
        if line.stage == "train" and line.done == 2:
            break
    stdin = child._process.stdin
    assert stdin is not None
    stdin.close()
    assert child._process.wait(WAIT_S) == 75
    child.kill()


def _order(folder: Path, title: str) -> Path:
    folder.mkdir()
    (folder / "spec.json").write_bytes(msgspec.json.encode(TuningSpec(title=title)))
    return folder


def test_looking_counts_first_and_then_says_how_long_it_takes(
    tmp_path: Path, model: str, photos: Path
) -> None:
    """Only a person's words count; each sample has a thumbnail of the library."""
    with inner_engine(tmp_path / "library", model, trainer=MODULE) as client:
        source = TeachSource(uses_library=True)
        nothing = client.ask(PreviewDataset(source=source), DatasetSummary, timeout_s=WAIT_S)
        assert "captions or add tags" in nothing.problem
        assert client.ask(ListRuns(), Runs, timeout_s=WAIT_S).own_words == 0
        index(client, photos)
        keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
        client.ask(
            SetAnnotations(keys=keys[:1], caption="a Zorbo"), AnnotationsReply, timeout_s=WAIT_S
        )
        client.ask(
            SetAnnotations(keys=keys[:2], add_tags=("zorbo",)), AnnotationsReply, timeout_s=WAIT_S
        )
        assert client.ask(ListRuns(), Runs, timeout_s=WAIT_S).own_words == 2
        parts: list[ReplyBody] = []
        found = client.ask(
            PreviewDataset(source=source),
            DatasetSummary,
            on_partial=parts.append,
            timeout_s=WAIT_S,
        )
    (first,) = parts
    assert isinstance(first, DatasetSummary)
    assert (first.photos, first.seconds, found.seconds) == (2, None, 12.5)
    assert {sample.captions for sample in found.samples} == {
        ("a Zorbo",),
        ("a photo of a zorbo",),
    }
    for sample in found.samples:
        assert sample.thumbnail is not None
        assert Path(sample.thumbnail.to_str()).stat().st_size > 0
    assert [item.count for item in found.skipped] == [1]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (TeachSource(), "nothing to learn"),
        (TeachSource(folders=(WirePath("/no/such/folder"),)), "no folder"),
        (TeachSource(uses_library=True), "nothing to learn"),
    ],
    ids=["nothing", "missing folder", "no words"],
)
def test_what_cannot_teach_is_refused_in_a_sentence(
    client: EngineClient, source: TeachSource, words: str
) -> None:
    """No run is made of it."""
    with pytest.raises(UserError, match=words):
        client.ask(StartTeach(source=source), JobReply, timeout_s=WAIT_S)
    assert client.ask(ListRuns(), Runs, timeout_s=WAIT_S).runs == ()


def test_a_killed_trainer_is_told_from_one_that_was_asked_to_stop(
    client: EngineClient, photos: Path
) -> None:
    """A system out of memory kills with a signal; the sentence says so."""
    job = _start(client, photos, "endless")
    _wait_for_step(client, job.id, 2)
    folder = Path(_run(client, job.id).run.folder.to_str())
    os.kill(int((folder / "pid").read_text()), signal.SIGKILL)
    ended = watch(client, job).job
    assert ended.state is JobState.FAILED
    assert "memory" in ended.message


def test_jobs_are_announced(client: EngineClient, photos: Path) -> None:
    """The window's panel of jobs hears of the run as of any job."""
    job = _start(client, photos)
    states: list[JobState] = []
    while JobState.DONE not in states:
        event = client.next_event(WAIT_S)
        if isinstance(event, JobChanged) and event.job.id == job.id:
            states.append(event.job.state)
