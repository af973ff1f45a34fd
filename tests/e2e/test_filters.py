"""Filters from the command line to the answer: real files, a real (tiny) network."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.engines import coloured_photos
from tests.support.program import Outcome, invoked
from tests.support.tiny_model import write_tiny_checkpoint
from tests.support.videos import make_clip_of_colours


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Photos in two folders and a video; one photo has a caption and a tag by hand."""
    base = tmp_path_factory.mktemp("filters")
    model = write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny")
    coloured_photos(base / "photos" / "2014")
    make_clip_of_colours(base / "photos" / "clip.mp4", ("red", "green"))
    (base / "photos" / "2014" / "white-3.jpg").rename(base / "photos" / "white-3.jpg")
    library = ("--library", base / "library")
    assert invoked("index", base / "photos", *library, "--model", model).code == 0
    words = ("--caption", "Ida in the snow", "--add-tag", "Ida")
    assert invoked("words", "set", base / "photos" / "white-3.jpg", *words, *library).code == 0
    return base


def _names(outcome: Outcome) -> set[str]:
    assert outcome.code == 0, outcome.err
    return {Path(result["path"]).name for result in outcome.document["results"]}


@pytest.mark.parametrize(
    ("filter_text", "names"),
    [
        ("kind:video", {"clip.mp4"}),
        ("tag:Ida", {"white-3.jpg"}),
        ("kind:photo -has:caption", {"blue-2.jpg", "green-1.jpg", "red-0.jpg", "red-4.jpg"}),
        ("has:caption kind:video", set()),
    ],
)
def test_a_search_finds_only_what_fits(base: Path, filter_text: str, names: set[str]) -> None:
    """As an option and among the words alike."""
    common = ("--library", base / "library", "--json")
    assert _names(invoked("search", "red", "--filter", filter_text, *common)) == names
    assert _names(invoked("search", f"red {filter_text}", *common)) == names


def test_a_folder_is_a_filter_too(base: Path) -> None:
    """By the name of a part of its path."""
    found = invoked(
        "search", "red", "--filter", "folder:2014", "--library", base / "library", "--json"
    )
    assert _names(found) == {"blue-2.jpg", "green-1.jpg", "red-0.jpg", "red-4.jpg"}


def test_files_are_written_only_for_what_fits(base: Path) -> None:
    """The preview names them; no other file appears."""
    common = ("--library", base / "library", "--json")
    chosen = ("words", "write", base / "photos", "--filter", "has:caption")
    preview = invoked(*chosen, "--preview", *common).document
    assert [Path(item["path"]).name for item in preview["files"]] == ["white-3.txt"]
    assert invoked(*chosen, *common).document["written"] == 1
    assert [path.name for path in base.rglob("*.txt")] == ["white-3.txt"]


def test_a_filter_that_is_none_is_a_sentence(base: Path) -> None:
    """The field is named, with what could have been meant."""
    outcome = invoked(
        "tag", base / "photos", "--filter", "knd:video", "--library", base / "library"
    )
    assert outcome.code == 2
    assert "knd" in outcome.err
    assert "kind" in outcome.err
