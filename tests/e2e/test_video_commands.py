"""Videos on the command line: real videos, a real (tiny) network."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import write_photo
from tests.support.inner_engine import inner_engine
from tests.support.program import Outcome, invoked
from tests.support.tiny_model import write_tiny_checkpoint
from tests.support.videos import make_clip_of_colours, make_sound


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint with random weights."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films, a photo, and sound alone."""
    folder = tmp_path_factory.mktemp("media")
    make_clip_of_colours(folder / "long.mp4", ("red", "green", "blue", "white"))
    make_clip_of_colours(folder / "short.webm", ("white",))
    write_photo(folder / "photo.jpg", 3)
    make_sound(folder / "sound.mp4")
    return folder


@pytest.fixture(scope="module")
def indexed(
    tmp_path_factory: pytest.TempPathFactory, media: Path, model: Path
) -> tuple[Path, Outcome]:
    """A library of them, and what indexing them said."""
    library = tmp_path_factory.mktemp("libraries") / "library"
    return library, invoked("index", media, "--library", library, "--model", model, "--json")


def check_results(results: list[dict[str, Any]]) -> None:
    """Each medium once, best first, films with all their moments, best first."""
    assert sorted(Path(r["path"]).name for r in results) == ["long.mp4", "photo.jpg", "short.webm"]
    scores = [result["score"] for result in results]
    assert scores == sorted(scores, reverse=True)
    counts = {"long.mp4": 4, "short.webm": 1, "photo.jpg": 0}
    for result in results:
        moments = result["moments"]
        assert len(moments) == counts[Path(result["path"]).name]
        assert result["time"] == (moments[0]["time"] if moments else None)
        own = [moment["score"] for moment in moments]
        assert own == sorted(own, reverse=True)
        assert not own or own[0] <= result["score"] + 1e-6


def test_index_counts_videos_and_names_what_has_no_picture(indexed: tuple[Path, Outcome]) -> None:
    """Sound alone is no video, and says so."""
    document = indexed[1].document
    assert (document["indexed"], document["videos"]) == (3, 2)
    assert [Path(f["path"]).name for f in document["failed"]] == ["sound.mp4"]
    assert "no moving picture" in document["failed"][0]["reason"]


def test_search_gives_the_time_and_the_moments_of_videos(
    indexed: tuple[Path, Outcome], model: Path
) -> None:
    """In the document as numbers, in the text as players show it; the limit counts media."""
    common = ("--library", indexed[0], "--model", model)
    check_results(invoked("search", "something red", *common, "--json").document["results"])
    limited = invoked("search", "something red", *common, "--limit", "2", "--json")
    assert len(limited.document["results"]) == 2
    text = invoked("search", "something red", "--all", *common).out
    films = [line for line in text.splitlines() if ".mp4" in line or ".webm" in line]
    assert len(films) == 2
    assert all(re.search(r"(long\.mp4|short\.webm) at \d:\d\d", line) for line in films)


def test_a_running_engine_gives_the_same_answers(media: Path, tmp_path: Path) -> None:
    """Index and search through it carry videos and moments too."""
    library = tmp_path / "library"
    with inner_engine(library, "fake", opener=lambda _: FakeBackend()):
        document = invoked("index", media, "--library", library, "--json").document
        assert (document["indexed"], document["videos"]) == (3, 2)
        found = invoked("search", "red", "--library", library, "--json").document
        check_results(found["results"])
        text = invoked("index", media, "--library", library).out
        assert text.startswith("0 indexed, 3 unchanged, 1 failed in ")
