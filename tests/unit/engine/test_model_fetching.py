"""Models of the hub as jobs of an engine: fetched, gone on with, waited for, removed."""

from __future__ import annotations

import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.engine.model_fetching import SPEED_OF_LAST_S, _Speed
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.locations import STARTER, cache_folder
from cocadesk.model.backend import Backend
from cocadesk.model.checkpoints import cache_files, hub
from cocadesk.model.checkpoints.checkpoint import open_checkpoint
from cocadesk.model.checkpoints.fetching import find_snapshot
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    CareReport,
    ControlJob,
    FetchModel,
    GetInfo,
    Info,
    JobReply,
    Jobs,
    ListJobs,
    ListModels,
    ModelRemoved,
    Models,
    RemoveModel,
    RepairLibrary,
    UseModel,
)
from cocadesk.protocol.values import JobAction, JobKind, JobState, JobValue, ModelOffer
from tests.support.engines import filled_library, unnamed_model, use_model, watch
from tests.support.fake_backend import FakeBackend
from tests.support.inner_engine import inner_engine
from tests.support.other_model import OtherBackend
from tests.support.served_hub import SAFE, SIZE, SmallHub, serving, until
from tests.support.tiny_model import write_tiny_checkpoint

WAIT_S = 60.0
REPOSITORY = "laion/CoCa-ViT-B-32-laion2B-s13B-b90k"
SOURCE = "open_clip:coca_ViT-B-32/laion2b_s13b_b90k"
SAME = f"hf-hub:{REPOSITORY}"


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    """A hub that serves the second of the offered models."""
    with serving(tmp_path, monkeypatch, REPOSITORY) as small_hub:
        monkeypatch.setenv("HF_ENDPOINT", small_hub.address)
        filled_library(tmp_path, STARTER)
        yield small_hub


def _open(source: str) -> Backend:
    """A stand-in; one of the hub only once its files are here."""
    made: FakeBackend = FakeBackend()
    if hub.is_of_hub(source):
        find_snapshot(source, fetch=False)
        made = OtherBackend()
    return made  # type: ignore[return-value]


@pytest.fixture
def client(served: SmallHub, tmp_path: Path) -> Iterator[EngineClient]:
    with inner_engine(tmp_path / "library", STARTER, opener=_open) as client:
        yield client


def fetch(client: EngineClient, source: str = SOURCE) -> JobValue:
    """The job that fetches the model."""
    return client.ask(FetchModel(source=source), JobReply, timeout_s=WAIT_S).job


def offer(client: EngineClient) -> ModelOffer:
    """The offer of the model."""
    offers = client.ask(ListModels(), Models, timeout_s=WAIT_S).offers
    return next(offer for offer in offers if offer.source == SOURCE)


def control(client: EngineClient, job: JobValue, action: JobAction) -> JobValue:
    """The job once this is done about it."""
    return client.ask(ControlJob(job_id=job.id, action=action), JobReply, timeout_s=WAIT_S).job


def job_now(client: EngineClient, job: JobValue) -> JobValue:
    """The job as it is."""
    jobs = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    return next(one for one in jobs if one.id == job.id)


def test_a_model_is_fetched_as_a_job_that_counts_bytes(
    client: EngineClient, served: SmallHub
) -> None:
    """Paused it stays where it is, and goes on from there; the offer says so all the while."""
    served.fault(bytes_per_s=1_000_000)
    assert not offer(client).is_here
    job = fetch(client)
    assert (job.kind, job.state.is_final) == (JobKind.FETCH_MODEL, False)
    assert offer(client).job_id == job.id
    assert fetch(client, SAME).id == job.id
    until(lambda: job_now(client, job).done > 300_000)
    now = job_now(client, job)
    assert now.is_bytes
    assert now.total is not None
    assert SIZE <= now.total < SIZE + 1000
    assert now.seconds_left is not None
    assert 0 < now.seconds_left < 60
    control(client, job, JobAction.PAUSE)
    until(lambda: _is_still(served.partial))
    had = served.partial.stat().st_size
    assert offer(client).fetched_bytes == had
    served.fault()
    served.forget_log()
    assert fetch(client).id == job.id
    end = watch(client, job).job
    assert (end.state, end.done) == (JobState.DONE, end.total)
    assert "is on this computer now" in end.message
    assert f"GET /delivery/{SAFE} bytes={had}-" in served.log
    served.assert_whole()
    assert offer(client).is_here
    assert offer(client).job_id == ""
    again = fetch(client)
    assert again.state is JobState.DONE
    assert "already" in again.message


def _is_still(path: Path) -> bool:
    import time

    size = path.stat().st_size
    time.sleep(0.4)
    return path.stat().st_size == size


def test_a_fetching_goes_on_in_the_next_engine(served: SmallHub, tmp_path: Path) -> None:
    """The engine's end ends the process that fetches; its job is not lost."""
    served.fault(bytes_per_s=1_000_000)
    with inner_engine(tmp_path / "library", STARTER, opener=_open) as client:
        job = fetch(client)
        until(lambda: served.partial.exists() and served.partial.stat().st_size > 300_000)
    had = served.partial.stat().st_size
    assert _is_still(served.partial)
    served.fault()
    with inner_engine(tmp_path / "library", STARTER, opener=_open) as client:
        assert watch(client, job).job.state is JobState.DONE
    assert f"GET /delivery/{SAFE} bytes={had}-" in served.log
    served.assert_whole()


def test_a_library_is_repaired_while_a_model_is_fetched(
    client: EngineClient, served: SmallHub
) -> None:
    """The fetching touches no library: it goes on all the while."""
    served.fault(bytes_per_s=1_000_000)
    job = fetch(client)
    until(lambda: job_now(client, job).done > 100_000)
    assert client.ask(RepairLibrary(), CareReport, timeout_s=WAIT_S).problems == ()
    assert not job_now(client, job).state.is_final
    control(client, job, JobAction.CANCEL)


def test_a_stopped_fetching_is_gone_on_with_by_the_next_one(
    client: EngineClient, served: SmallHub
) -> None:
    """As Ctrl+C and another ``model get`` do it."""
    served.fault(bytes_per_s=1_000_000)
    job = fetch(client)
    until(lambda: served.partial.exists() and served.partial.stat().st_size > 300_000)
    assert control(client, job, JobAction.CANCEL).state is JobState.CANCELLED
    until(lambda: _is_still(served.partial))
    had = served.partial.stat().st_size
    served.fault()
    served.forget_log()
    other = fetch(client)
    assert other.id != job.id
    assert watch(client, other).job.state is JobState.DONE
    assert f"GET /delivery/{SAFE} bytes={had}-" in served.log


def test_a_model_that_is_not_here_is_fetched_and_then_used_in_one_order(
    client: EngineClient, served: SmallHub
) -> None:
    """The switch waits for the fetching and says so; other jobs would go on meanwhile."""
    served.fault(bytes_per_s=2_000_000)
    switch = use_model(client, SOURCE)
    fetching = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    assert [job.kind for job in fetching] == [JobKind.SWITCH_MODEL, JobKind.FETCH_MODEL]
    assert switch.waits_for == "“Fetching CoCa ViT-B-32”"
    end = watch(client, switch).job
    assert end.state is JobState.DONE, end.message
    served.assert_whole()
    assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.source == SOURCE


def test_a_switch_ends_with_the_fetching_that_a_person_stops(
    client: EngineClient, served: SmallHub
) -> None:
    """Nobody is surprised by a download that begins again."""
    served.fault(bytes_per_s=500_000)
    switch = use_model(client, SOURCE)
    fetching = next(
        job
        for job in client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
        if job.kind is JobKind.FETCH_MODEL
    )
    control(client, fetching, JobAction.CANCEL)
    assert watch(client, switch).job.state is JobState.CANCELLED
    assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.source == STARTER


def test_another_choice_replaces_a_switch_that_waits_for_a_fetching(
    client: EngineClient, served: SmallHub
) -> None:
    """The last wish counts: nothing is fetched for the first any more, and what came is kept."""
    served.fault(bytes_per_s=500_000)
    first = use_model(client, SOURCE)
    until(lambda: served.partial.exists() and served.partial.stat().st_size > 100_000)
    second = use_model(client, "another")
    assert watch(client, second).job.state is JobState.DONE
    assert watch(client, first).job.state is JobState.CANCELLED
    jobs = client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs
    assert [job.state for job in jobs if job.kind is JobKind.FETCH_MODEL] == [JobState.CANCELLED]
    assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.source == "another"
    assert served.partial.stat().st_size > 100_000


def test_what_was_asked_for_by_itself_is_fetched_on_though_a_switch_is_given_up(
    client: EngineClient, served: SmallHub
) -> None:
    """So is what another switch of the same model still waits for."""
    served.fault(bytes_per_s=1_500_000)
    asked = fetch(client)
    first = use_model(client, SOURCE)
    second = use_model(client, SAME)
    assert watch(client, first).job.state is JobState.CANCELLED
    assert use_model(client, STARTER).state is JobState.DONE
    assert watch(client, second).job.state is JobState.CANCELLED
    assert watch(client, asked).job.state is JobState.DONE


def test_a_hub_that_refuses_fails_both_jobs_with_its_sentence(
    client: EngineClient, served: SmallHub
) -> None:
    """The old model answers as before."""
    served.fault(status=403, code="GatedRepo")
    switch = use_model(client, SOURCE)
    end = watch(client, switch).job
    assert end.state is JobState.FAILED
    assert "lets only chosen people fetch" in end.message
    assert client.ask(GetInfo(), Info, timeout_s=WAIT_S).model.source == STARTER


def test_without_room_no_job_begins(
    client: EngineClient, served: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told at once what is missing, also where it shall be used."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(cache_files.shutil, "disk_usage", lambda _path: usage(0, 0, 1_400_000_000))
    for body in (FetchModel(source=SOURCE), UseModel(source=SOURCE)):
        with pytest.raises(UserError, match="no room for CoCa ViT-B-32") as refused:
            client.ask(body, JobReply, timeout_s=WAIT_S)
        assert "2.2 GB" in refused.value.why
        assert "809 MB" in refused.value.what_to_do
    assert client.ask(ListJobs(), Jobs, timeout_s=WAIT_S).jobs == ()


def test_a_fetched_model_is_removed_with_its_converted_copy(
    client: EngineClient, served: SmallHub, tmp_path: Path
) -> None:
    """What others keep in the caches stays; the bytes that came free are told."""
    assert watch(client, fetch(client)).job.state is JobState.DONE
    snapshot = hub.snapshot_of(served.folder)
    assert snapshot is not None
    copies = {"own": snapshot / SAFE, "other": tmp_path / "elsewhere" / SAFE}
    own, taken = ("", ""), 0
    for number, (name, source) in enumerate(copies.items()):
        kept = write_tiny_checkpoint(cache_folder() / "models" / name, seed=number)
        (kept / "origin.json").write_text(f'{{"source": "{source}"}}')
        compiled = cache_folder() / "compiled" / f"{open_checkpoint(kept).ids().image_id}-1.bin"
        compiled.parent.mkdir(exist_ok=True)
        compiled.write_bytes(bytes(5000))
        ids = open_checkpoint(kept).ids()
        own = own if number else (ids.model_id, ids.image_id)
        taken = taken or 5000 + sum(file.stat().st_size for file in kept.iterdir())
    neighbour = served.cache / "models--org--other" / "blobs"
    neighbour.mkdir(parents=True)
    entry = {
        model.source: model for model in client.ask(ListModels(), Models, timeout_s=WAIT_S).models
    }
    assert entry[SOURCE].is_removable
    assert (entry[SOURCE].model_id, entry[SOURCE].image_id) == own
    freed = client.ask(RemoveModel(source=SAME), ModelRemoved, timeout_s=WAIT_S).freed_bytes
    assert SIZE + taken < freed < SIZE + taken + 1000
    assert len(list((cache_folder() / "compiled").iterdir())) == 1
    assert not served.folder.exists()
    assert not (served.cache / ".locks" / served.folder.name).exists()
    assert neighbour.exists()
    assert not (cache_folder() / "models" / "own").exists()
    assert (cache_folder() / "models" / "other").exists()
    with pytest.raises(UserError, match="can't be removed") as refused:
        client.ask(RemoveModel(source=SOURCE), ModelRemoved, timeout_s=WAIT_S)
    assert "Nothing of it" in refused.value.why


def test_what_is_needed_is_not_removed(client: EngineClient, served: SmallHub) -> None:
    """Neither what is being fetched, nor what a switch waits for, nor what answers.

    Nor another version of it: all lie in one folder.
    """
    served.fault(bytes_per_s=1_000_000)
    switch = use_model(client, SAME)
    for _ in range(2):
        for source in (SOURCE, f"{SAME}@v2"):
            with pytest.raises(UserError, match="can't be removed") as refused:
                client.ask(RemoveModel(source=source), ModelRemoved, timeout_s=WAIT_S)
            assert "in use, or a job" in refused.value.why
        served.fault()
        assert watch(client, switch).job.state is JobState.DONE
    use_model(client, STARTER)
    shutil.rmtree(cache_folder() / "models", ignore_errors=True)


def test_what_the_library_names_is_not_removed_by_an_engine_with_another_model(
    served: SmallHub, tmp_path: Path
) -> None:
    """A model that is named for one process hides none of the library's own."""
    with Library.open(tmp_path / "library", create=False) as library:
        library.set_caption_source(SAME)
    unnamed_model(tmp_path / "library")
    with inner_engine(tmp_path / "library", "another", opener=_open) as client:
        assert watch(client, fetch(client)).job.state is JobState.DONE
        with pytest.raises(UserError, match="can't be removed"):
            client.ask(RemoveModel(source=SOURCE), ModelRemoved, timeout_s=WAIT_S)
    assert hub.is_here(hub.parse_repository(SOURCE))


@pytest.mark.parametrize(
    ("source", "is_in_cache"),
    [
        (SOURCE, True),
        (f"{SAME}@v2", True),
        (f"{{cache}}/models--{REPOSITORY.replace('/', '--')}/snapshots/main/{SAFE}", True),
        (f"local-dir:{{cache}}/models--{REPOSITORY.replace('/', '--')}/snapshots/main", True),
        ("hf-hub:no-name", False),
        ("{cache}", False),
        (STARTER, False),
        ("/elsewhere/weights.safetensors", False),
    ],
)
def test_the_folder_of_a_source_is_that_of_all_its_versions(
    served: SmallHub, source: str, is_in_cache: bool
) -> None:
    """By its name in the hub or by a path in the hub's cache."""
    found = hub.folder_of(source.replace("{cache}", str(served.cache)))
    assert found == (served.folder if is_in_cache else None)


def test_the_time_left_follows_the_line() -> None:
    """Of the last seconds alone: a line that was slow an hour ago may be quick now."""
    now_s = [0.0]
    speed = _Speed(lambda: now_s[0])
    assert speed.seconds_left(0, None) is None
    now_s[0] = 60.0
    assert speed.seconds_left(0, 1000) is None
    now_s[0] = 70.0
    assert speed.seconds_left(10, 1000) == pytest.approx(990.0)
    now_s[0] = 70.0 + SPEED_OF_LAST_S
    assert speed.seconds_left(500, 1000) == pytest.approx(500 * SPEED_OF_LAST_S / 490)
    assert speed.seconds_left(1000, 1000) == 0
