"""Real indexes beside each other: a few photos pass many, and nothing is lost or done twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.engine.crash_guard import CrashGuard
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.index_job import STAGES, IndexHandler, IndexSpec
from cocadesk.engine.job_records import Job, JobSpec
from cocadesk.engine.loaded_model import ModelHolder
from cocadesk.engine.power import Power
from cocadesk.engine.scheduler import Scheduler
from cocadesk.engine.watching import ON_BATTERY, WatchHandler
from cocadesk.indexing.types import IndexStage
from cocadesk.library.library import Library
from cocadesk.library.rows import new_key
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    GetInfo,
    Info,
    JobChanged,
    JobReply,
    StartIndex,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import IndexReport, JobKind, JobState, JobValue
from tests.support.engines import watch
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import write_photo
from tests.support.inner_engine import inner_engine

WAIT_S = 60.0
PICTURE_S = 0.1


class SlowBackend(FakeBackend):
    """A tenth of a second for each picture, as a large network."""

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the fake, later."""
        threading.Event().wait(PICTURE_S * len(images_BHWC))
        return super().embed_images(images_BHWC)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[EngineClient]:
    """A client of an engine with a slow network and an empty folder that it knows."""
    (tmp_path / "many").mkdir()
    with inner_engine(tmp_path / "library", "fake", opener=lambda _: SlowBackend()) as made:
        watch(made, _index(made, tmp_path / "many"))
        yield made


def _index(client: EngineClient, *folders: Path) -> JobValue:
    body = StartIndex(folders=tuple(map(WirePath.of, folders)))
    return client.ask(body, JobReply, timeout_s=WAIT_S).job


def _wait_for(client: EngineClient, job: JobValue, stage: str) -> None:
    while True:
        event = client.next_event(WAIT_S)
        if isinstance(event, JobChanged) and event.job.id == job.id and event.job.stage == stage:
            return


def test_an_index_of_a_few_photos_passes_one_of_many(client: EngineClient, tmp_path: Path) -> None:
    """The long one reads each photo once, before or after."""
    for seed in range(40):
        write_photo(tmp_path / "many" / f"{seed}.jpg", seed)
    for seed in range(100, 103):
        write_photo(tmp_path / "few" / f"{seed}.jpg", seed)
    long = _index(client)
    _wait_for(client, long, STAGES[IndexStage.EMBED])
    short = watch(client, _index(client, tmp_path / "few"))
    assert isinstance(short.report, IndexReport)
    assert (short.job.state, short.report.indexed) == (JobState.DONE, 3)
    whole = watch(client, long)
    assert whole.job.state is JobState.DONE
    assert isinstance(whole.report, IndexReport)
    assert (whole.report.indexed, whole.report.unchanged) == (40, 3)
    assert whole.job.message.startswith("40 photos added")
    assert whole.job.finished >= short.job.finished
    counts = client.ask(GetInfo(), Info, timeout_s=WAIT_S).counts
    assert (counts.media, counts.views, counts.without_vectors) == (43, 43, 0)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[EngineContext]:
    """What handlers share, of an empty library; there are no jobs."""
    with Library.open(tmp_path / "library") as library:

        def none() -> Scheduler:
            raise AssertionError("no job is asked for")

        holder = ModelHolder(library, lambda _: FakeBackend(), "fake", cache=tmp_path)
        yield EngineContext(
            library=library,
            model=holder,
            jobs=none,
            publish=lambda _event: None,
            run_long=lambda call, work, name: call.finish(work()),
            crash_guard=CrashGuard(library),
        )


def _job(kind: JobKind, seconds: float | None = None) -> Job:
    value = JobValue(id=new_key(), kind=kind, title="t", state=JobState.QUEUED)
    spec = JobSpec(title="t", work="", seconds=seconds)
    return Job(value=value, spec=spec, created_utc=datetime.now(UTC))


def _on_battery(tmp_path: Path) -> Path:
    """The battery of a computer that runs on it, as the system tells of it."""
    battery = tmp_path / "supplies" / "BAT0"
    battery.mkdir(parents=True)
    (battery / "type").write_text("Battery\n")
    (battery / "status").write_text("Discharging\n")
    return battery


@pytest.mark.parametrize("is_on_battery", [True, False])
def test_on_battery_an_index_rests_as_long_as_it_works_and_says_so(
    context: EngineContext, tmp_path: Path, is_on_battery: bool
) -> None:
    """In the list of jobs, in plain words; on mains power it does neither."""
    if is_on_battery:
        _on_battery(tmp_path)
    slept_s: list[float] = []
    power = Power(tmp_path / "supplies", sleep=slept_s.append)
    context.model.start()
    context.model.settled()
    write_photo(tmp_path / "photos" / "0.jpg", 0)
    no_others = SimpleNamespace(all=tuple)
    handler = IndexHandler(replace(context, power=power, jobs=lambda: no_others))  # type: ignore[arg-type, return-value]
    spec = IndexSpec(folders=(WirePath.of(tmp_path / "photos"),))
    stages = {step.stage for step in handler.steps(msgspec.json.encode(spec).decode())}
    context.model.close()
    reading = STAGES[IndexStage.EMBED] + (", at half speed on battery" if is_on_battery else "")
    assert reading in stages
    assert STAGES[IndexStage.SCAN] in stages
    assert bool(slept_s) is is_on_battery
    assert all(0 < seconds <= 1 for seconds in slept_s)


def test_on_battery_long_jobs_wait_where_a_person_wants_that(
    context: EngineContext, tmp_path: Path
) -> None:
    """Short ones go on, and so does what reads no photos."""
    battery = _on_battery(tmp_path)
    handler = WatchHandler(replace(context, power=Power(tmp_path / "supplies")))
    assert handler.why_held(_job(JobKind.INDEX)) == ""
    context.library.set_watching(waits_on_battery=True)
    assert handler.why_held(_job(JobKind.INDEX)) == ON_BATTERY
    assert handler.why_held(_job(JobKind.CAPTION, 3600.0)) == ON_BATTERY
    assert handler.why_held(_job(JobKind.INDEX, 1.0)) == ""
    assert handler.why_held(_job(JobKind.WRITE)) == ""
    (battery / "status").write_text("Charging\n")
    charging = replace(context, power=Power(tmp_path / "supplies"))
    assert WatchHandler(charging).why_held(_job(JobKind.INDEX)) == ""
