"""``cocadesk forget``, ``purge`` and ``exclude``: the same with and without a running engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from cocadesk.library.library import Library
from tests.support.annotated_library import annotated_library
from tests.support.index_tools import run_index
from tests.support.program import document_of, invoked


def document(base: Path, *arguments: str | os.PathLike[str], code: int = 0) -> dict[str, Any]:
    """Runs ``cocadesk … --json`` here; gives its document."""
    return document_of(base / "library", *arguments, code=code)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with a library of three photos that nobody has open; one of them is gone."""
    with annotated_library(tmp_path) as case:
        case.machine_captions()
        (tmp_path / "photos" / "c.jpg").unlink()
        run_index(case.library, [tmp_path / "photos"])
    return tmp_path


def test_a_photo_is_forgotten_and_its_pattern_named(base: Path) -> None:
    """The numbers of what went, kind by kind."""
    done = document(base, "forget", base / "photos" / "a.jpg", "--yes")
    assert done["excluded"] == ["/a.jpg"]
    assert (done["media"], done["vectors"], done["captions"], done["thumbnails"]) == (1, 1, 1, 1)
    assert set(done) == {
        "media",
        "vectors",
        "captions",
        "edits",
        "thumbnails",
        "previews",
        "failures",
        "folders",
        "jobs",
        "runs",
        "backups",
        "versions",
        "freed_bytes",
        "excluded",
    }
    assert (base / "photos" / "a.jpg").exists()
    assert document(base, "info")["media"] == 2


def test_without_a_terminal_forgetting_needs_a_yes(base: Path) -> None:
    """The sentence says what would go; nothing has."""
    refused = document(base, "forget", base / "photos", code=2)
    assert "3 photos and videos" in refused["error"]["why"]
    assert "--yes" in refused["error"]["what_to_do"]
    assert document(base, "purge", code=2)["error"]["what"] == refused["error"]["what"]
    assert document(base, "info")["media"] == 3


def test_the_missing_are_purged(base: Path) -> None:
    """Where nothing is missing, nothing is asked."""
    assert document(base, "purge", "--yes")["media"] == 1
    assert document(base, "purge")["media"] == 0
    assert document(base, "info")["media"] == 2


def test_patterns_are_added_listed_and_removed(base: Path) -> None:
    """The photos that they fit are counted, and still known."""
    photos = base / "photos"
    assert document(base, "exclude", photos) == {
        "folder": str(photos),
        "patterns": [],
        "hidden": 0,
    }
    assert document(base, "exclude", photos, "A.*", "*.png")["hidden"] == 1
    assert document(base, "exclude", photos, "--list")["patterns"] == ["A.*", "*.png"]
    counts = document(base, "info")
    assert (counts["media"], counts["missing"]) == (3, 2)
    left = document(base, "exclude", photos, "--remove", "A.*")
    assert left["patterns"] == ["*.png"]
    assert document(base, "exclude", photos, "x", "--list", code=2)["error"]


def test_people_read_what_went(alone: Path) -> None:
    """In words, and what was done so that it does not come back."""
    library = ("--library", alone / "library")
    done = invoked("forget", alone / "photos" / "a.jpg", "--yes", *library)
    assert "Forgotten: 1 photo or video, 1 vector, 1 caption" in done.out
    assert "does not come back: /a.jpg" in done.err
    assert "Nothing is excluded" not in invoked("exclude", alone / "photos", *library).out
    assert invoked("purge", "--yes", *library).code == 0
    assert invoked("purge", "--yes", *library).out == "Nothing to forget.\n"
    with Library.open(alone / "library") as opened:
        assert len(opened.media.identities()) == 1
