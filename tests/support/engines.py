"""Engines for tests, fake and real, behind one way to open them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageDraw

from cocadesk.engine.local import Access, AnyEngine, LocalEngine
from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.library.layout import read_manifest, write_manifest
from cocadesk.library.library import Library
from cocadesk.locations import STARTER
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.launch import connect_or_start
from cocadesk.protocol.messages import (
    JobReply,
    Ok,
    StartIndex,
    StopEngine,
    UseModel,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState, JobValue, ModelPurpose
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import run_index

FAKE_MODEL = ("--backend", "tests.support.fake_backend:FakeBackend", "--no-watching")
WAIT_S = 60.0
COLOURS = ("red", "green", "blue", "white")


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineCase:
    """An engine for the contract tests.

    ``open`` gives a client of an engine whose library holds a few photos;
    ``word`` stands in the caption of the best answer to ``query``.
    """

    name: str
    open: Callable[[Path], AbstractContextManager[AnyEngine]]
    new_folder: Callable[[Path], Path]
    query: str
    word: str


@contextmanager
def fake_client(base: Path) -> Iterator[EngineClient]:
    """A client of a fake engine that runs on a thread of this process."""
    library = base / "library"
    library.mkdir()
    with FakeEngine(library, media=30) as engine:
        assert engine.server.endpoint is not None
        with EngineClient(engine.server.endpoint, events=True) as client:
            yield client


@contextmanager
def real_client(base: Path, *extra: str) -> Iterator[EngineClient]:
    """A client of a real engine process with a small model for tests, not yet used."""
    library = base / "library"
    with connect_or_start(library, events=True, extra=[*FAKE_MODEL, *extra]) as client:
        try:
            yield client
        finally:
            stop(client)


def stop(client: EngineClient) -> None:
    """Ends the engine, unless it has ended already."""
    try:
        client.ask(StopEngine(), Ok, timeout_s=30)
        while True:
            client.receive(30)
    except ConnectionError:
        return


@contextmanager
def filled_real_client(base: Path) -> Iterator[EngineClient]:
    """As ``real_client``, with five plain pictures indexed."""
    with real_client(base) as client:
        job = index(client, coloured_photos(base / "photos"))
        assert job.job.state is JobState.DONE, job.job.message
        yield client


def index(client: AnyEngine, folder: Path) -> JobReply:
    """Indexes a folder through the engine and waits for its end."""
    started = client.ask(StartIndex(folders=(WirePath.of(folder),)), JobReply, timeout_s=WAIT_S)
    return watch(client, started.job)


def watch(client: AnyEngine, job: JobValue) -> JobReply:
    """Waits for the end of a job."""
    return client.ask(WatchJob(job_id=job.id), JobReply, timeout_s=WAIT_S)


def use_model(client: AnyEngine, source: str, purpose: ModelPurpose | None = None) -> JobValue:
    """The job that lets another model answer, or caption."""
    body = UseModel(source=source, purpose=purpose)
    return client.ask(body, JobReply, timeout_s=WAIT_S).job


def filled_library(base: Path, source: str = STARTER) -> Path:
    """A folder of five plain photos and the library that has read them, without an engine.

    Workers that decode take longer to start than five photos to be read in this process.
    """
    with Library.open(base / "library") as library:
        run_index(library, [coloured_photos(base / "photos")])
        info = FakeInfo()
        library.set_model(info.image_id, model_id=info.model_id, source=source)
    return base


def unnamed_model(folder: Path) -> None:
    """Lets a library name no model: an engine that is given another has it for itself alone."""
    manifest = read_manifest(folder)
    assert manifest is not None
    write_manifest(folder, replace(manifest, model_source=None))


def coloured_photos(folder: Path) -> Path:
    """A folder of five photos of one colour each (two of them red, in two shapes)."""
    folder.mkdir(parents=True)
    for number, name in enumerate((*COLOURS, "red")):
        size = (640, 480) if number < len(COLOURS) else (300, 500)
        picture = Image.new("RGB", size, name)
        ImageDraw.Draw(picture).line((0, 0, 40 + 9 * number, 30), fill="black", width=3)
        picture.save(folder / f"{name}-{number}.jpg", quality=92)
    return folder


def photos_and_a_broken_one(base: Path) -> Path:
    """Three photos and a file that only pretends to be one."""
    folder = base / "more photos"
    folder.mkdir()
    for number in range(3):
        picture = Image.new("RGB", (200 + number, 160), COLOURS[number])
        ImageDraw.Draw(picture).ellipse((30, 30, 70 + 20 * number, 90), fill="yellow")
        picture.save(folder / f"new-{number}.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    return folder


def _any_folder(base: Path) -> Path:
    folder = base / "more photos"
    folder.mkdir()
    return folder


@contextmanager
def filled_local_engine(base: Path) -> Iterator[LocalEngine]:
    """An engine in this process with five plain pictures indexed."""
    with local_engine(base / "library") as engine:
        job = index(engine, coloured_photos(base / "photos"))
        assert job.job.state is JobState.DONE, job.job.message
        yield engine


def local_engine(folder: Path, access: Access = Access.CREATE) -> LocalEngine:
    """An engine in this process with a small model for tests."""
    return LocalEngine(folder, access=access, open_model=lambda _source: FakeBackend())


ENGINES = [
    EngineCase(name="fake", open=fake_client, new_folder=_any_folder, query="a dog", word="dog"),
    EngineCase(
        name="real",
        open=filled_real_client,
        new_folder=photos_and_a_broken_one,
        query="something red",
        word="red",
    ),
    EngineCase(
        name="local",
        open=filled_local_engine,
        new_folder=photos_and_a_broken_one,
        query="something red",
        word="red",
    ),
]
