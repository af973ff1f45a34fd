"""``--filter`` and filter terms in a query, from the command line to the files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cocadesk.cli.errors import OK, USER_ERROR
from tests.support.engines import coloured_photos
from tests.support.index_tools import write_video
from tests.support.inner_engine import inner_engine
from tests.support.program import Outcome, invoked
from tests.support.stand_in_trainer import MODULE
from tests.support.tiny_model import write_tiny_checkpoint


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny model with random weights."""
    return str(write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, model: str) -> Path:
    """A library of five photos and a video, two photos with a tag, one with a caption."""
    base = tmp_path_factory.mktemp("base")
    photos = coloured_photos(base / "photos" / "2014")
    write_video(base / "photos" / "2015 holidays" / "clip.mp4", "red", "blue")
    command(base, "index", base / "photos", "--model", model)
    command(
        base, "words", "set", photos / "red-0.jpg", "--add-tag", "Ida", "--caption", "a red one"
    )
    command(base, "words", "set", photos / "red-4.jpg", "--add-tag", "Ida", "--add-tag", "dog")
    return base


def ran(base: Path, *arguments: str | os.PathLike[str]) -> Outcome:
    """Runs a command with ``--json`` in this process."""
    return invoked(*arguments, "--library", base / "library", "--json")


def command(base: Path, *arguments: str | os.PathLike[str]) -> dict[str, Any]:
    """The document of a command that succeeds."""
    outcome = ran(base, *arguments)
    assert outcome.code == OK, outcome.err
    return outcome.document


def names(document: dict[str, Any], entry: str = "results") -> list[str]:
    """The files' names in a document."""
    return sorted(Path(item["path"]).name for item in document[entry])


@pytest.fixture(params=["alone", "engine"])
def served(request: pytest.FixtureRequest, base: Path, model: str) -> Iterator[Path]:
    """The library, alone or also served by a running engine."""
    if request.param == "alone":
        yield base
        return
    with inner_engine(base / "library", model):
        yield base


@pytest.mark.parametrize(
    ("query", "option", "found"),
    [
        ("dog kind:video", "", ["clip.mp4"]),
        ("dog", "kind:video", ["clip.mp4"]),
        ("a tag:ida", "", ["red-0.jpg", "red-4.jpg"]),
        ("a tag:ida -tag:DOG", "", ["red-0.jpg"]),
        ("a tag:ida", "has:caption", ["red-0.jpg"]),
        ("a folder:2015", "", []),
        ('a folder:"2015 Holidays"', "", ["clip.mp4"]),
        ("a", "folder:2014 name:red", ["red-0.jpg", "red-4.jpg"]),
        ("a taken:1990..1995", "", []),
        ("kind:video", "", ["clip.mp4"]),
        ("tag:ida", "-tag:dog", ["red-0.jpg"]),
    ],
)
def test_search_finds_what_passes(served: Path, query: str, option: str, found: list[str]) -> None:
    """Terms in the query and the option are joined; an engine answers the same."""
    assert names(command(served, "search", query, "--filter", option)) == found


def test_only_words_give_a_result_its_score(base: Path) -> None:
    """What filters alone find comes newest first, each line a path."""
    clip = f"{base / 'photos'}/"
    library = ("--library", base / "library")
    plain = invoked("search", "kind:video", *library)
    assert plain.out.startswith(clip), plain.err
    scored = invoked("search", "dog kind:video", "--all", *library).out
    assert not scored.startswith(clip)
    assert clip in scored


def test_a_bad_filter_is_a_sentence_with_the_nearest(served: Path) -> None:
    """Nothing is guessed; the exit code is that of a mistake."""
    for arguments, hint in (
        (("search", "dog kidn:video"), "kind"),
        (("search", "dog", "--filter", "kind:vidoe"), "video"),
        (("search", "dog", "--filter", "words"), "words is no filter"),
        (("words", "write", served / "photos", "--preview", "--filter", "tga:x"), "tag"),
        (("caption", served / "photos", "--filter", "rating:many"), "rating:"),
    ):
        outcome = ran(served, *arguments)
        assert outcome.code == USER_ERROR
        assert hint in outcome.out + outcome.err


def test_only_filtered_media_are_described(base: Path, model: str) -> None:
    """Captions and tags are made of what passes, below the given folder."""
    photos = base / "photos"
    captions = command(base, "caption", photos, "--filter", "tag:dog", "--model", model)
    assert names(captions) == ["red-4.jpg"]
    tags = command(
        base, "tag", photos / "2014", "--filter", "-tag:ida name:red,gr", "--model", model
    )
    assert all("red" not in name for name in names(tags))
    assert names(tags)


def test_captions_are_written_beside_filtered_media_alone(base: Path) -> None:
    """The preview names the same files as the job writes."""
    photos, chosen = base / "photos", ("--filter", "tag:ida -tag:dog")
    preview = command(base, "words", "write", photos, "--preview", *chosen)
    assert names(preview, "files") == ["red-0.txt"]
    written = command(base, "words", "write", photos, *chosen)
    assert written["written"] == 1
    assert [path.name for path in photos.rglob("*.txt")] == ["red-0.txt"]
    command(base, "words", "undo")
    assert list(photos.rglob("*.txt")) == []


def test_the_library_teaches_what_passes(base: Path, model: str) -> None:
    """A filter narrows the photos that a run learns from."""
    with inner_engine(base / "library", model, trainer=MODULE):
        for text, count in (("", 2), ("-tag:dog", 1)):
            run = command(base, "teach", "--library-words", "--filter", text, "--discard")["run"]
            spec = json.loads((base / "library" / "runs" / run / "spec.json").read_text())
            assert len(spec["photos"]) == count
