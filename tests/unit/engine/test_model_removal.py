"""Removing a model: only what CocaDesk fetched, and no library of this person needs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub.utils import WeakFileLock

from cocadesk.engine.model_removal import is_ours, remove_model
from cocadesk.errors import UserError
from cocadesk.library.layout import read_manifest
from cocadesk.library.library import Library
from cocadesk.library.model_uses import model_uses
from cocadesk.locations import STARTER
from cocadesk.model.backend import Backend
from cocadesk.model.checkpoints import hub
from cocadesk.model.checkpoints.cache_files import copy_from
from cocadesk.model.checkpoints.fetched_files import note_blob
from cocadesk.protocol.messages import GetInfo, Info
from tests.support.engines import unnamed_model
from tests.support.fake_backend import FakeBackend
from tests.support.inner_engine import inner_engine

SOURCE = "hf-hub:org/coca"
REPOSITORY = hub.parse_repository(SOURCE)
SAFE, SETTINGS = "open_clip_model.safetensors", "open_clip_config.json"
COMMIT, OTHER = "c" * 40, "d" * 40


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty caches of the hub and of ours."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def brought(folder: Path, commit: str = COMMIT, weights: bytes = b"weights") -> Path:
    """A hub's cache into which another program brought the model."""
    repository = folder / REPOSITORY.folder.name
    for name, data in ((SAFE, weights), (SETTINGS, b"{}"), ("README.md", b"about it")):
        draft = repository / "blobs" / "draft"
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(data)
        blob = draft.rename(draft.with_name(hub.hash_of(draft)))
        place = repository / "snapshots" / commit / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(Path("..", "..", "blobs", blob.name))
    (repository / "refs").mkdir(exist_ok=True)
    (repository / "refs" / "main").write_text(commit)
    return folder


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    """The folder in the hub's cache of a model that CocaDesk brought there."""
    copy_from(SOURCE, brought(tmp_path / "elsewhere"), lambda _done, _all: None)
    return REPOSITORY.folder


def library_that_uses(folder: Path, source: str) -> Path:
    """A library that searches with a model, closed."""
    with Library.open(folder) as library:
        library.set_model("image-id", model_id="id", source=source)
    return folder


def refusal(library: Path | None = None) -> str:
    """The sentences with which the removal is refused; everything stays."""
    with pytest.raises(UserError, match=f"{SOURCE} can't be removed") as refused:
        remove_model(SOURCE, library)
    assert hub.is_here(REPOSITORY)
    return f"{refused.value.why} {refused.value.what_to_do}"


def test_what_was_fetched_is_removed(fetched: Path) -> None:
    """With its folder; the second time nothing of it is there."""
    assert is_ours(SOURCE)
    assert remove_model(SOURCE) == len(b"weights" + b"{}")
    assert not fetched.exists()
    assert not is_ours(SOURCE)
    with pytest.raises(UserError, match="Nothing of it is on this computer"):
        remove_model(SOURCE)


def test_what_another_program_brought_is_left_alone(tmp_path: Path) -> None:
    """A model that could be used as well as one of no known kind."""
    brought(tmp_path / "hub")
    text = tmp_path / "hub" / "models--org--texts" / "snapshots" / COMMIT / "model.bin"
    text.parent.mkdir(parents=True)
    text.write_bytes(b"a model of another kind")
    assert not is_ours(SOURCE)
    said = refusal()
    assert "CocaDesk did not fetch it" in said
    assert f"remove the folder {REPOSITORY.folder} yourself" in said
    with pytest.raises(UserError, match="can't be removed"):
        remove_model("hf-hub:org/texts")
    assert text.exists()


def test_files_of_another_program_in_the_same_repository_stay(fetched: Path) -> None:
    """Another version of theirs with the same settings, and what lies beside ours."""
    brought(fetched.parent, OTHER, b"other weights")
    beside = fetched / "snapshots" / COMMIT / "extra.json"
    beside.write_text("theirs")
    assert remove_model(SOURCE) == len(b"weights")
    theirs = fetched / "snapshots" / OTHER
    assert (theirs / SAFE).read_bytes() == b"other weights"
    assert (theirs / SETTINGS).read_bytes() == b"{}"
    assert beside.read_text() == "theirs"
    assert not (fetched / "snapshots" / COMMIT / SAFE).exists()


def test_a_half_fetched_model_is_removed(tmp_path: Path) -> None:
    """What has come of it takes room, too."""
    tag = "a" * 64
    note_blob(REPOSITORY.folder, tag)
    partial = REPOSITORY.folder / "blobs" / f"{tag}.incomplete"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(bytes(1000))
    assert remove_model(SOURCE) == 1000
    assert not REPOSITORY.folder.exists()


def test_what_is_being_fetched_at_this_moment_stays(fetched: Path) -> None:
    """By another engine, or by another program."""
    blob = (fetched / "snapshots" / COMMIT / SAFE).resolve()
    locks = fetched.parent / ".locks" / fetched.name
    locks.mkdir(parents=True)
    with WeakFileLock(locks / f"{blob.name}.lock"):
        assert "is being fetched at this moment" in refusal()
    assert remove_model(SOURCE)


@pytest.mark.parametrize("source", [SOURCE, f"{SOURCE}@v2", "snapshots"])
def test_a_model_that_another_library_uses_stays(
    fetched: Path, tmp_path: Path, source: str
) -> None:
    """Under any name, for search or for captions; until that library uses another one."""
    named = str(fetched / "snapshots" / COMMIT) if source == "snapshots" else source
    used = library_that_uses(tmp_path / "used", named)
    assert f"The library in {used} uses it." in refusal(tmp_path / "mine")
    with Library.open(used) as library:
        library.set_model("other", source=STARTER)
        library.set_caption_source(named)
    assert f"The library in {used} uses it." in refusal(tmp_path / "mine")
    with Library.open(used) as library:
        library.set_caption_source(None)
    assert remove_model(SOURCE, tmp_path / "mine")


def test_a_library_whose_disk_is_away_keeps_its_model(fetched: Path, tmp_path: Path) -> None:
    """One that was removed does not."""
    disk = tmp_path / "disk"
    library_that_uses(disk / "photos" / "library", SOURCE)
    library_that_uses(tmp_path / "gone", SOURCE)
    shutil.rmtree(tmp_path / "gone")
    disk.rename(tmp_path / "unplugged")
    disk.mkdir()
    assert f"The library in {disk / 'photos' / 'library'} uses it, and is not there" in refusal()
    assert [use.is_away for use in model_uses()] == [True]
    (tmp_path / "unplugged").rename(disk.with_name("again"))
    disk.rmdir()
    (tmp_path / "again").rename(disk)
    shutil.rmtree(disk / "photos" / "library")
    (disk / "photos" / "a.jpg").touch()
    assert remove_model(SOURCE)


def test_a_library_that_was_moved_or_is_damaged_keeps_its_model(
    fetched: Path, tmp_path: Path
) -> None:
    """Where nothing can be read of it, what it said last counts."""
    used = library_that_uses(tmp_path / "used", SOURCE)
    for name in ("library.json", "library.json.copy"):
        (used / name).write_text("{")
    assert f"The library in {used} uses it." in refusal()


@pytest.fixture
def other_engine(tmp_path: Path) -> Iterator[Path]:
    """A library whose engine works with the model for itself alone."""

    def opened(_source: str) -> Backend:
        return FakeBackend()  # type: ignore[return-value]

    folder = tmp_path / "open"
    Library.open(folder).close()
    unnamed_model(folder)
    with inner_engine(folder, SOURCE, opener=opened) as client:
        assert client.ask(GetInfo(waits=True), Info, timeout_s=60).model.source == SOURCE
        manifest = read_manifest(folder)
        assert manifest is not None
        assert manifest.model_source in (None, SOURCE)
        unnamed_model(folder)
        yield folder


def test_a_model_that_an_engine_has_open_stays(fetched: Path, other_engine: Path) -> None:
    """Also where its library names another one."""
    said = refusal()
    assert f"open in the engine of the library in {other_engine}" in said
