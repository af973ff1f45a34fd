"""One model searches while another writes captions."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cocadesk.engine.local import Access, LocalEngine
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.locations import STARTER
from cocadesk.model.backend import Backend, open_backend
from cocadesk.picture_input import InputSpec, Resize
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    DatasetSummary,
    Describe,
    DescribedFile,
    DescribedFiles,
    DescribeFiles,
    Description,
    Detail,
    GetDetail,
    GetInfo,
    Hits,
    Info,
    JobReply,
    Keys,
    ListModels,
    ListNewest,
    Models,
    PreviewDataset,
    Search,
    StartCaption,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionStyle,
    DescriptionKind,
    JobState,
    ModelPurpose,
    ModelState,
    ModelValue,
    Scope,
    TeachSource,
)
from cocadesk.resources import resource_path
from tests.support.engines import filled_library, index, unnamed_model, use_model, watch
from tests.support.fake_backend import FakeBackend, FakeCaption, FakeInfo
from tests.support.inner_engine import inner_engine
from tests.support.open_clip_towers import run_towers
from tests.support.other_model import OTHER, OtherBackend
from tests.support.released_model import write_released

WAIT_S = 20.0
WRITER = FakeInfo(
    model_id="writer-000000000000",
    image_id="writer-111111111111",
    input_spec=InputSpec(size_px=48, resize=Resize.CENTER_CROP),
    styles=("sentence",),
)
TOWER = replace(OTHER, is_for_captions=False, styles=())


class Writer(FakeBackend):
    """Writes captions of its own, of pictures of its own size."""

    def info(self) -> FakeInfo:
        return WRITER

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        assert images_BHWC.shape[1:] == (48, 48, 3)
        return [FakeCaption(text="as the writer says", score=0.8) for _ in images_BHWC]


class Tower(OtherBackend):
    """Can only search."""

    def __init__(self) -> None:
        super().__init__(TOWER)

    def caption(self, images_BHWC: NDArray[np.uint8], options: object = None) -> list[FakeCaption]:
        raise AssertionError("it has no decoder")


class Spoiled(FakeBackend):
    """Is good for captions alone."""

    def info(self) -> FakeInfo:
        return replace(WRITER, is_for_search=False, reason="there is a CPU alone")


class Gated(Tower):
    """Reads one picture for each leave given."""

    def __init__(self, leave: threading.Semaphore) -> None:
        super().__init__()
        self._leave = leave

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert self._leave.acquire(timeout=WAIT_S)
        return super().embed_images(images_BHWC)


class Shop:
    """Opens the stand-ins by name; ``gated`` reads a picture for each leave given."""

    def __init__(self) -> None:
        self.leave = threading.Semaphore(0)
        self.gone: set[str] = set()
        self.opened: list[str] = []

    def open(self, source: str) -> Backend:
        makers = {
            STARTER: FakeBackend,
            "writer": Writer,
            "tower": Tower,
            "spoiled": Spoiled,
            "gated": lambda: Gated(self.leave),
        }
        if source in self.gone or source not in makers:
            raise UserError(f"There is no model “{source}”.", "Its files are gone.")
        self.opened.append(source)
        return makers[source]()  # type: ignore[return-value]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def client(tmp_path: Path, shop: Shop) -> Iterator[EngineClient]:
    """A client of an engine with five photos; the starter searches and captions."""
    filled_library(tmp_path)
    with inner_engine(tmp_path / "library", STARTER, opener=shop.open) as client:
        yield client


def _model(client: EngineClient) -> ModelValue:
    return client.ask(GetInfo(waits=True), Info, timeout_s=WAIT_S).model


def _manifest(tmp_path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((tmp_path / "library" / "library.json").read_text())
    return found


def _captions(client: EngineClient) -> set[str | None]:
    job = client.ask(StartCaption(scope=Scope()), JobReply, timeout_s=WAIT_S).job
    assert watch(client, job).job.state is JobState.DONE
    keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
    assert len(keys) == 5
    return {client.ask(GetDetail(key=k), Detail, timeout_s=WAIT_S).row.caption for k in keys}


def test_a_model_for_captions_alone_reads_nothing_and_searches_go_on(
    client: EngineClient, tmp_path: Path
) -> None:
    """At once, and remembered; captions are its own, of pictures of its own size."""
    assert len(_captions(client)) == 4
    job = use_model(client, "writer", ModelPurpose.CAPTIONS)
    assert job.state is JobState.DONE
    assert "Captions are written" in job.message
    model = _model(client)
    assert (model.source, model.model_id) == (STARTER, FakeInfo().model_id)
    assert model.captions is not None
    assert model.captions.source == "writer"
    assert model.captions.model_id == WRITER.model_id
    assert model.styles == (CaptionStyle.SENTENCE,)
    assert _captions(client) == {"as the writer says"}
    assert len(client.ask(Search(text="red"), Hits, timeout_s=WAIT_S).hits) == 5
    assert (_manifest(tmp_path)["caption_source"], _manifest(tmp_path)["model_source"]) == (
        "writer",
        STARTER,
    )
    with Library.open(tmp_path / "library", writer=False, create=False) as library:
        rows = list(library.media.iter_rows())
    assert {row.machine_caption_model for row in rows} == {WRITER.model_id}
    assert all(str(row.machine_tags_model).startswith(FakeInfo().model_id) for row in rows)


def test_a_single_photo_is_described_by_both(client: EngineClient) -> None:
    """The caption by the one, the tags by the vectors of the other."""
    use_model(client, "writer", ModelPurpose.CAPTIONS)
    key = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[0]
    said = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert said.caption == "as the writer says"
    assert said.reason == ""


def test_a_model_that_can_only_search_leaves_captions_to_the_starter(
    client: EngineClient, tmp_path: Path
) -> None:
    """Without being told; the list and the facts say who does what."""
    assert watch(client, use_model(client, "tower")).job.state is JobState.DONE
    model = _model(client)
    assert (model.source, model.model_id) == ("tower", TOWER.model_id)
    assert model.captions is not None
    assert (model.captions.source, model.captions.state) == (STARTER, ModelState.READY)
    assert len(model.styles) == 3
    assert all("picture" in str(caption) for caption in _captions(client))
    assert _manifest(tmp_path)["caption_source"] is None
    entries = client.ask(ListModels(), Models, timeout_s=WAIT_S).models
    (captioning,) = [entry for entry in entries if entry.is_used_for_captions]
    assert captioning.source == STARTER
    (searching,) = [entry for entry in entries if entry.is_used]
    assert searching.source == "tower"
    assert watch(client, use_model(client, STARTER)).job.state is JobState.DONE
    assert _model(client).captions is None


def test_another_model_for_search_leaves_captions_to_the_one_that_writes_them(
    client: EngineClient, tmp_path: Path, shop: Shop
) -> None:
    """Also after a restart; and the same one for both gives the rest up again."""
    use_model(client, "writer", ModelPurpose.CAPTIONS)
    job = use_model(client, "tower", ModelPurpose.SEARCH)
    assert watch(client, job).job.state is JobState.DONE
    model = _model(client)
    assert (model.source, model.captions and model.captions.source) == ("tower", "writer")
    assert _captions(client) == {"as the writer says"}
    assert _manifest(tmp_path)["caption_source"] == "writer"


def test_the_choice_survives_a_restart_and_files_that_are_gone(tmp_path: Path, shop: Shop) -> None:
    """Search goes on without the model that captions; captions say what to do."""
    library = filled_library(tmp_path) / "library"
    with inner_engine(library, STARTER, opener=shop.open) as client:
        use_model(client, "writer", ModelPurpose.CAPTIONS)
    with inner_engine(library, STARTER, opener=shop.open) as client:
        model = _model(client)
        assert model.captions is not None
        assert model.captions.state is ModelState.READY
    shop.gone.add("writer")
    with inner_engine(library, STARTER, opener=shop.open) as client:
        assert len(client.ask(Search(text="red"), Hits, timeout_s=WAIT_S).hits) == 5
        model = _model(client)
        assert model.state is ModelState.READY
        assert model.captions is not None
        assert model.captions.state is ModelState.FAILED
        assert "gone" in model.captions.reason
        job = client.ask(StartCaption(scope=Scope()), JobReply, timeout_s=WAIT_S).job
        end = watch(client, job).job
        assert end.state is JobState.FAILED
        assert "--for captions" in end.message
        assert use_model(client, STARTER, ModelPurpose.CAPTIONS).state is JobState.DONE
        assert all("picture" in str(caption) for caption in _captions(client))


def test_an_interrupted_switch_for_search_leaves_captions_as_they_were(
    tmp_path: Path, shop: Shop
) -> None:
    """The next engine ends it; captions come from the same model before, meanwhile and after."""
    library = filled_library(tmp_path) / "library"
    with inner_engine(library, STARTER, opener=shop.open) as client:
        use_model(client, "writer", ModelPurpose.BOTH)
        shop.leave.release(1)
        watch(client, use_model(client, "writer"))
        job = use_model(client, "gated", ModelPurpose.SEARCH)
    with inner_engine(library, STARTER, opener=shop.open) as client:
        assert _model(client).model_id == WRITER.model_id
        shop.leave.release(100)
        assert watch(client, job).job.state is JobState.DONE
        model = _model(client)
    assert (model.source, model.captions and model.captions.source) == ("gated", "writer")


def test_a_choice_for_captions_stays_though_a_switch_that_began_before_ends_later(
    client: EngineClient, shop: Shop
) -> None:
    """The last wish counts for each of both."""
    job = use_model(client, "gated")
    use_model(client, "writer", ModelPurpose.CAPTIONS)
    shop.leave.release(100)
    assert watch(client, job).job.state is JobState.DONE
    model = _model(client)
    assert (model.source, model.captions and model.captions.source) == ("gated", "writer")


@pytest.mark.parametrize(
    ("source", "purpose", "said"),
    [
        ("tower", ModelPurpose.CAPTIONS, "can only search"),
        ("tower", ModelPurpose.BOTH, "can only search"),
        ("spoiled", None, "spoiled its search"),
        ("spoiled", ModelPurpose.SEARCH, "--for captions"),
        ("no such", ModelPurpose.CAPTIONS, "There is no model"),
    ],
)
def test_what_a_model_cannot_do_is_refused_and_nothing_changes(
    client: EngineClient, tmp_path: Path, source: str, purpose: ModelPurpose | None, said: str
) -> None:
    """In a sentence that says what it can."""
    with pytest.raises(UserError, match=said) as refused:
        use_model(client, source, purpose)
    assert "CPU" not in str(refused.value)  # where it runs is no reason
    model = _model(client)
    assert (model.source, model.captions) == (STARTER, None)
    assert _manifest(tmp_path)["caption_source"] is None


def test_a_spoiled_model_captions(client: EngineClient) -> None:
    """For that it is as good as any."""
    assert use_model(client, "spoiled", ModelPurpose.CAPTIONS).state is JobState.DONE
    captions = _model(client).captions
    assert captions is not None
    assert captions.source == "spoiled"


def test_a_choice_for_captions_holds_where_the_model_was_named_for_one_process(
    tmp_path: Path, shop: Shop
) -> None:
    """Before one is chosen, the named one captions, else the starter."""
    filled_library(tmp_path)
    unnamed_model(tmp_path / "library")
    with inner_engine(tmp_path / "library", "tower", opener=shop.open) as client:
        before = _model(client).captions
        assert before is not None
        assert before.source == STARTER
        use_model(client, "writer", ModelPurpose.CAPTIONS)
        after = _model(client).captions
        assert after is not None
        assert after.source == "writer"


def test_two_models_are_not_taught(client: EngineClient) -> None:
    """The sentence names both and the way to one."""
    use_model(client, "writer", ModelPurpose.CAPTIONS)
    body = PreviewDataset(source=TeachSource(uses_library=True))
    with pytest.raises(UserError, match="writer writes captions"):
        client.ask(body, DatasetSummary, timeout_s=WAIT_S)


@pytest.mark.parametrize("kind", list(DescriptionKind))
def test_files_outside_the_library_are_described_by_either(
    client: EngineClient, tmp_path: Path, kind: DescriptionKind
) -> None:
    """Captions of files by the one that captions, their tags by the one that searches."""
    use_model(client, "writer", ModelPurpose.CAPTIONS)
    Image.new("RGB", (90, 70), "red").save(tmp_path / "new.png")
    answers: list[DescribedFile] = []
    body = DescribeFiles(paths=(WirePath.of(tmp_path / "new.png"),), kind=kind)
    end = client.ask(
        body,
        DescribedFiles,
        timeout_s=WAIT_S,
        on_partial=lambda part: answers.append(part) if isinstance(part, DescribedFile) else None,
    )
    assert end.failed == ()
    is_caption = kind is DescriptionKind.CAPTION
    assert [answer.caption for answer in answers] == ["as the writer says" if is_caption else None]


def test_the_starter_searches_while_a_released_coca_captions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both real; each gets pictures as it wants them: squashed to 260 px, and cut to 64."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    photos = tmp_path / "photos"
    photos.mkdir()
    for sample in sorted((resource_path("samples") / "photos").glob("*.jpg"))[:3]:
        (photos / sample.name).write_bytes(sample.read_bytes())
    source = str(write_released(tmp_path / "released" / "open_clip_model.safetensors").parent)
    with LocalEngine(tmp_path / "library", access=Access.CREATE) as engine:
        assert index(engine, photos).job.state is JobState.DONE
        assert use_model(engine, source, ModelPurpose.CAPTIONS).state is JobState.DONE
        started = engine.ask(StartCaption(scope=Scope()), JobReply).job
        assert watch(engine, started).job.state is JobState.DONE
        assert len(engine.ask(Search(text="a dog"), Hits).hits) == 3
        info = engine.ask(GetInfo(waits=True), Info)
    with open_backend(source) as captioning, open_backend() as searching:
        ids = captioning.info().model_id, searching.info().model_id
    assert (info.model.captions and info.model.captions.model_id, info.model.model_id) == ids
    with Library.open(tmp_path / "library", writer=False, create=False) as library:
        rows = list(library.media.iter_rows())
        assert library.views.has(info.model.image_id)
    assert [row.machine_caption_model for row in rows] == [ids[0]] * 3
    assert {str(row.machine_tags_model).partition("+")[0] for row in rows} == {ids[1]}


@pytest.mark.timeout(600)
def test_a_clip_searches_photos_while_the_starter_captions_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Open_clip's own network from a folder; without its files captions of files still come."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    photos = tmp_path / "photos"
    photos.mkdir()
    for sample in sorted((resource_path("samples") / "photos").glob("*.jpg"))[:3]:
        (photos / sample.name).write_bytes(sample.read_bytes())
    source = tmp_path / "towers"
    run_towers(source, "siglip", photos)
    with LocalEngine(tmp_path / "library", access=Access.CREATE) as engine:
        assert use_model(engine, f"local-dir:{source}").state is JobState.DONE
        assert index(engine, photos).job.state is JobState.DONE
        started = engine.ask(StartCaption(scope=Scope()), JobReply).job
        assert watch(engine, started).job.state is JobState.DONE
        hits = engine.ask(Search(text="two children play with a red ball"), Hits).hits
        info = engine.ask(GetInfo(waits=True), Info)
    with open_backend(str(source), "cpu") as backend, open_backend() as starter:
        ids = backend.info().model_id, starter.info().model_id
        expected = backend.embed_texts(["two children play with a red ball"])[0]
    assert len(hits) == 3
    assert (info.model.source, info.model.model_id) == (str(source), ids[0])
    assert info.model.captions is not None
    assert (info.model.captions.source, info.model.captions.model_id) == (STARTER, ids[1])
    with Library.open(tmp_path / "library", writer=False, create=False) as library:
        rows = {row.key: row for row in library.media.iter_rows()}
        views = library.views.of_keys(info.model.image_id, list(rows))
        cosines = {key: float(np.asarray(v[0].vector) @ expected) for key, v in views.items()}
    assert [hit.key for hit in hits] == sorted(cosines, key=lambda key: -cosines[key])
    assert {row.machine_caption_model for row in rows.values()} == {ids[1]}
    assert all(str(row.machine_tags_model).startswith(ids[0]) for row in rows.values())
    (source / "open_clip_model.safetensors").unlink()
    with LocalEngine(tmp_path / "library", access=Access.WRITE) as engine:
        with pytest.raises(UserError, match="cannot be opened"):
            engine.ask(Search(text="a dog"), Hits)
        back = watch(engine, use_model(engine, STARTER)).job
        assert back.state is JobState.DONE, back.message
        assert len(engine.ask(Search(text="a dog"), Hits).hits) == 3
        assert engine.ask(GetInfo(waits=True), Info).model.captions is None
