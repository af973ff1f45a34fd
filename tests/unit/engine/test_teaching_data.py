"""What of a library teaches: a person's words alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from cocadesk.engine.teaching.spec import build_spec
from cocadesk.library.library import Library
from cocadesk.model.backend import Backend
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    AnnotationsReply,
    GetRows,
    JobReply,
    Keys,
    ListNewest,
    Rows,
    SetAnnotations,
    StartCaption,
    StartWrite,
    UndoAnnotations,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState, Row, Scope, TeachSource, TuningMethod
from tests.support.engines import filled_library, index
from tests.support.fake_backend import FakeBackend
from tests.support.inner_engine import inner_engine

WAIT_S = 20.0
LIBRARY = TeachSource(uses_library=True)


def _open(_source: str) -> Backend:
    return FakeBackend()  # type: ignore[return-value]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[EngineClient]:
    """A client of an engine with five photos."""
    filled_library(tmp_path, "fake")
    with inner_engine(tmp_path / "library", "fake", opener=_open) as client:
        yield client


def _rows(client: EngineClient) -> dict[str, Row]:
    keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
    rows = client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows
    return {row.name: row for row in rows}


def _do(client: EngineClient, body: StartCaption | StartWrite) -> None:
    job = client.ask(body, JobReply, timeout_s=WAIT_S).job
    ended = client.ask(WatchJob(job_id=job.id), JobReply, timeout_s=WAIT_S).job
    assert ended.state is JobState.DONE, ended.message


def _captions(folder: Path, source: TeachSource) -> dict[str, tuple[str, ...]]:
    with Library.open(folder, writer=False) as library:
        spec = build_spec(library, source, TuningMethod.HEAD, model="x").spec
    return {Path(photo.path.decode()).name: photo.captions for photo in spec.photos}


def test_a_caption_teaches_and_a_tag_that_it_does_not_name(
    client: EngineClient, tmp_path: Path
) -> None:
    """ "a photo of a TAG" for each tag that a person has added."""
    rows = _rows(client)
    red, blue, green = (rows[name].key for name in ("red-0.jpg", "blue-2.jpg", "green-1.jpg"))
    ask = client.ask
    ask(
        SetAnnotations(keys=(red,), caption="Our  Zorbo\nat home"),
        AnnotationsReply,
        timeout_s=WAIT_S,
    )
    ask(
        SetAnnotations(keys=(red,), add_tags=("zorbo", "old chair")),
        AnnotationsReply,
        timeout_s=WAIT_S,
    )
    ask(SetAnnotations(keys=(blue,), add_tags=("apple",)), AnnotationsReply, timeout_s=WAIT_S)
    ask(SetAnnotations(keys=(green,), caption="taken back"), AnnotationsReply, timeout_s=WAIT_S)
    ask(UndoAnnotations(), AnnotationsReply, timeout_s=WAIT_S)
    assert _captions(tmp_path / "library", LIBRARY) == {
        "red-0.jpg": ("Our Zorbo at home", "a photo of an old chair"),
        "blue-2.jpg": ("a photo of an apple",),
    }
    assert set(_captions(tmp_path / "library", TeachSource(keys=(blue,)))) == {"blue-2.jpg"}


def test_what_a_machine_wrote_teaches_nothing(client: EngineClient, tmp_path: Path) -> None:
    """Neither its captions in the library, nor those that we wrote beside the photos."""
    rows = _rows(client)
    _do(client, StartCaption(scope=Scope()))
    human = SetAnnotations(keys=(rows["red-0.jpg"].key,), caption="Our Zorbo")
    client.ask(human, AnnotationsReply, timeout_s=WAIT_S)
    _do(client, StartWrite(scope=Scope()))
    photos = tmp_path / "photos"
    moved = tmp_path / "photos" / "moved"
    moved.mkdir()
    for name in ("blue-2.jpg", "blue-2.txt"):
        (photos / name).rename(moved / name)
    index(client, photos)
    assert set(_captions(tmp_path / "library", LIBRARY)) == {"red-0.jpg"}
    with Library.open(tmp_path / "library", writer=False) as library:
        source = TeachSource(folders=(WirePath.of(photos),))
        spec = build_spec(library, source, TuningMethod.HEAD, model="x").spec
    refused = {path.decode(): sha for path, sha in spec.not_human.items()}
    written = sorted(photos.rglob("*.txt"))
    assert len(written) == 5
    for file in written:
        sha = hashlib.sha256(file.read_bytes()).hexdigest()
        assert (refused.get(str(file)) == sha) is (file.name != "red-0.txt")


def test_photos_that_are_gone_are_counted_with_the_reason(
    client: EngineClient, tmp_path: Path
) -> None:
    """The rest teaches."""
    keys = tuple(row.key for row in _rows(client).values())
    client.ask(SetAnnotations(keys=keys, caption="Our Zorbo"), AnnotationsReply, timeout_s=WAIT_S)
    (tmp_path / "photos" / "red-0.jpg").unlink()
    with Library.open(tmp_path / "library", writer=False) as library:
        dataset = build_spec(library, LIBRARY, TuningMethod.HEAD, model="x")
    assert len(dataset.spec.photos) == 4
    ((reason, skipped),) = dataset.skipped.items()
    assert (reason, skipped.count) == ("Its file is not there now.", 1)
    assert skipped.examples == [bytes(tmp_path / "photos" / "red-0.jpg")]
