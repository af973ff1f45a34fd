"""Which model answers, and changing it while the engine serves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.locations import durable_source
from cocadesk.model.backend import Backend, open_source
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    ControlJob,
    Detail,
    Done,
    GetDetail,
    GetInfo,
    Hits,
    Info,
    JobReply,
    Jobs,
    Keys,
    ListJobs,
    ListModels,
    ListNewest,
    ModelChanged,
    Models,
    Search,
    StartCaption,
)
from cocadesk.protocol.values import (
    CaptionStyle,
    IndexReport,
    JobAction,
    JobKind,
    JobState,
    ModelState,
    ModelValue,
    Scope,
)
from tests.support.engines import filled_library, use_model, watch
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.inner_engine import inner_engine
from tests.support.other_model import OTHER, OtherBackend

WAIT_S = 20.0
TAUGHT = FakeInfo(model_id="fake-999999999999")


class TaughtBackend(FakeBackend):
    """The fake with other words: same image id."""

    def info(self) -> FakeInfo:
        return TAUGHT


class Shop:
    """Opens the stand-ins by name; ``other`` reads one picture for each leave given."""

    def __init__(self) -> None:
        self.leave = threading.Semaphore(0)
        self.words = threading.Event()
        self.words.set()
        self.asked = threading.Event()
        self.gone: set[str] = set()

    def open(self, source: str) -> Backend:
        """One of the stand-ins."""
        made: FakeBackend
        if source == "first":
            made = _SlowWords(self)
        elif source == "taught":
            made = TaughtBackend()
        elif source in {"other", "another"} - self.gone:
            made = _SlowPictures(self)
        else:
            raise UserError(f"There is no model “{source}”.", "Its files are gone.")
        return made  # type: ignore[return-value]


class _SlowWords(FakeBackend):
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if "slowly" in texts[0]:
            self._shop.asked.set()
            assert self._shop.words.wait(WAIT_S)
        return super().embed_texts(texts)


class _SlowPictures(OtherBackend):
    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self._shop = shop

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert self._shop.leave.acquire(timeout=WAIT_S)
        return super().embed_images(images_BHWC)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(tmp_path: Path, shop: Shop) -> Iterator[EngineClient]:
    """A client of an engine with five photos, answered by ``first``."""
    filled_library(tmp_path, "first")
    with inner_engine(tmp_path / "library", "first", opener=shop.open) as client:
        yield client
        shop.leave.release(100)


def _model(client: EngineClient) -> ModelValue:
    client.ask(Search(text="red"), Hits, timeout_s=WAIT_S)
    return client.ask(GetInfo(), Info, timeout_s=WAIT_S).model


def test_a_model_that_shares_the_vectors_answers_at_once_and_after_a_restart(
    client: EngineClient, tmp_path: Path, shop: Shop
) -> None:
    """Nothing is read again; everybody is told; ``library.json`` remembers."""
    used = use_model(client, "taught")
    assert (used.state, used.kind) == (JobState.DONE, JobKind.SWITCH_MODEL)
    assert _model(client).model_id == TAUGHT.model_id
    assert len(client.ask(Search(text="red"), Hits, timeout_s=WAIT_S).hits) == 5
    told = None
    while told is None or told.source != "taught":
        event = client.next_event(WAIT_S)
        told = event.model if isinstance(event, ModelChanged) else told
    manifest = json.loads((tmp_path / "library" / "library.json").read_text())
    assert (manifest["model_source"], manifest["model_id"]) == ("taught", TAUGHT.model_id)


def test_other_vectors_are_made_first_while_the_old_model_answers(
    client: EngineClient, shop: Shop
) -> None:
    """One write at the end switches; the list shows what each covers."""
    job = use_model(client, "other")
    assert not job.state.is_final
    assert _model(client).model_id == FakeInfo().model_id
    shop.leave.release(100)
    ended = watch(client, job)
    assert ended.job.state is JobState.DONE, ended.job.message
    assert "5 photos" in ended.job.message
    assert isinstance(ended.report, IndexReport)
    assert (ended.report.indexed, ended.report.failed) == (5, ())
    assert _model(client).model_id == OTHER.model_id
    assert len(client.ask(Search(text="red"), Hits, timeout_s=WAIT_S).hits) == 5
    models = client.ask(ListModels(), Models, timeout_s=WAIT_S).models
    (used,) = [entry for entry in models if entry.is_used]
    assert (used.source, used.coverage) == ("other", 1.0)


def test_an_interrupted_switch_goes_on_with_the_next_engine(tmp_path: Path, shop: Shop) -> None:
    """The old model answers until then."""
    library = filled_library(tmp_path, "first") / "library"
    with inner_engine(library, "first", opener=shop.open) as client:
        job = use_model(client, "other")
        shop.leave.release(1)
    shop.leave.release(100)
    with inner_engine(library, "first", opener=shop.open) as client:
        assert watch(client, job).job.state is JobState.DONE
        assert _model(client).model_id == OTHER.model_id


def test_the_last_wish_counts(client: EngineClient) -> None:
    """Going back to the model in use cancels a switch that has begun."""
    job = use_model(client, "other")
    client.ask(ControlJob(job_id=job.id, action=JobAction.PAUSE), JobReply, timeout_s=WAIT_S)
    assert use_model(client, "taught").state is JobState.DONE
    jobs = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    states = {job.title: job.state for job in jobs if job.kind is JobKind.SWITCH_MODEL}
    assert set(states.values()) == {JobState.CANCELLED, JobState.DONE}
    assert _model(client).model_id == TAUGHT.model_id


def test_who_has_begun_with_the_old_model_ends_with_it(client: EngineClient, shop: Shop) -> None:
    """A search in flight is answered though its model is no longer the one in use."""
    shop.words.clear()
    request = client.send(Search(text="slowly, something red"))
    assert shop.asked.wait(WAIT_S)
    assert use_model(client, "taught").state is JobState.DONE
    shop.words.set()
    while True:
        message = client.receive(WAIT_S)
        if isinstance(message, Done) and message.id == request:
            break
    assert isinstance(message.body, Hits)
    assert len(message.body.hits) == 5


def test_a_model_that_is_none_changes_nothing(client: EngineClient, shop: Shop) -> None:
    """A mistyped name is refused at once, in a sentence; a switch that has begun goes on."""
    job = use_model(client, "other")
    with pytest.raises(UserError, match="no model"):
        use_model(client, "mistyped")
    assert _model(client).source == "first"
    shop.leave.release(100)
    assert watch(client, job).job.state is JobState.DONE


def test_a_switch_to_a_model_that_is_gone_is_not_started_again(
    client: EngineClient, shop: Shop
) -> None:
    """It says so at once; the switch that runs meanwhile goes on."""
    first = use_model(client, "other")
    client.ask(ControlJob(job_id=first.id, action=JobAction.CANCEL), JobReply, timeout_s=WAIT_S)
    shop.leave.release(1)
    watch(client, first)
    shop.gone.add("other")
    running = use_model(client, "another")
    with pytest.raises(UserError, match="no model"):
        client.ask(ControlJob(job_id=first.id, action=JobAction.AGAIN), JobReply, timeout_s=WAIT_S)
    shop.leave.release(100)
    assert watch(client, running).job.state is JobState.DONE


@pytest.mark.parametrize("again", [True, False])
def test_the_style_that_was_wanted_last_stays_though_its_job_came_first(
    client: EngineClient, shop: Shop, again: bool
) -> None:
    """Captions of one photo pass those of all, which leave them as they are; both wait for
    the new model, whose captions they are.
    """
    switch = use_model(client, "other")
    every = StartCaption(scope=Scope(), again=again, style=CaptionStyle.SHORT)
    long = client.ask(every, JobReply, timeout_s=WAIT_S).job
    one, other = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[:2]
    last = StartCaption(scope=Scope(keys=(one,)), again=again, style=CaptionStyle.ALT_TEXT)
    short = client.ask(last, JobReply, timeout_s=WAIT_S).job
    assert short.state is JobState.QUEUED
    shop.leave.release(100)
    ends = [watch(client, job).job for job in (switch, short, long)]
    assert {job.state for job in ends} == {JobState.DONE}
    rows = [client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row for key in (one, other)]
    assert [str(row.caption).startswith("a picture all in") for row in rows] == [True, False]


def test_a_library_whose_model_has_vanished_says_so_and_takes_another(
    tmp_path: Path, shop: Shop
) -> None:
    """Listing works, search explains, and another model can be used at once."""
    library = filled_library(tmp_path, "gone") / "library"
    with inner_engine(library, "first", opener=shop.open) as client:
        with pytest.raises(UserError, match="gone"):
            client.ask(Search(text="red"), Hits, timeout_s=WAIT_S)
        value = client.ask(GetInfo(), Info, timeout_s=WAIT_S).model
        assert (value.state, value.source) == (ModelState.FAILED, "gone")
        assert use_model(client, "taught").state is JobState.DONE
        assert len(client.ask(Search(text="red"), Hits, timeout_s=WAIT_S).hits) == 5


def test_a_remembered_model_that_is_gone_names_the_way_back(tmp_path: Path) -> None:
    """Whoever just typed the name knows what it was; who opens a library may not."""
    source = str(tmp_path / "gone")
    with pytest.raises(UserError, match="cocadesk model use starter"):
        open_source(source, None, is_chosen_here=False)
    with pytest.raises(UserError, match="no model") as raised:
        open_source(source, None, is_chosen_here=True)
    assert "model use" not in str(raised.value)
    for run in ("run:NOSUCHRUN", "run:../../etc"):
        with pytest.raises(UserError, match="no teaching run"):
            open_source(run, tmp_path, is_chosen_here=True)


def test_a_path_is_remembered_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``library.json`` must mean the same wherever the next command is given."""
    (tmp_path / "models" / "mine").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert durable_source("models/mine") == str(tmp_path / "models" / "mine")
    assert durable_source("starter") == "starter"
    assert durable_source("open_clip:coca_ViT-B-32/x") == "open_clip:coca_ViT-B-32/x"
