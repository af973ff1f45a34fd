"""``cocadesk jobs``: listed, started again, failures tried again; with an engine and without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from tests.support.index_tools import write_photo
from tests.support.inner_engine import inner_engine
from tests.support.program import document_of, invoked
from tests.support.tiny_model import write_tiny_checkpoint


def _document(base: Path, *arguments: str | os.PathLike[str], code: int = 0) -> dict[str, Any]:
    return document_of(base / "library", *arguments, code=code)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny checkpoint with random weights."""
    return str(write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(params=["alone", "engine"])
def base(request: pytest.FixtureRequest, tmp_path: Path, model: str) -> Iterator[Path]:
    """A folder with a library, and photos that it lacks, of which one is broken.

    Nobody has the library open, or an engine has.
    """
    write_photo(tmp_path / "photos" / "first.jpg", 29)
    write_photo(tmp_path / "more" / "good.jpg", 30)
    (tmp_path / "more" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    library = tmp_path / "library"
    done = invoked("index", tmp_path / "photos", "--library", library, "--model", model)
    assert done.code == 0, done.err
    with inner_engine(library, model) if request.param == "engine" else nullcontext():
        yield tmp_path


@pytest.fixture
def failed(base: Path) -> dict[str, Any]:
    """The job of an index with a broken file, as the list has it."""
    _document(base, "index", base / "more", code=1)
    job: dict[str, Any] = _document(base, "jobs")["jobs"][0]
    return job


def test_jobs_are_listed_with_how_they_ended(base: Path, failed: dict[str, Any]) -> None:
    """Newest first; nothing waits any more."""
    assert (failed["kind"], failed["state"], failed["failed"]) == ("index", "done", 1)
    assert failed["waits_for"] == ""
    assert failed["message"]


def test_exactly_the_files_that_failed_are_tried_again(base: Path, failed: dict[str, Any]) -> None:
    """Mended since, they are in the library."""
    write_photo(base / "more" / "broken.jpg", 31)
    again = _document(base, "jobs", "retry", failed["id"])
    assert (again["state"], again["failed"], again["total"]) == ("done", 0, 1)
    refused = _document(base, "jobs", "retry", again["id"], code=2)
    assert "nothing to try again" in refused["error"]["what"]


def test_a_job_that_is_done_does_not_start_again(base: Path, failed: dict[str, Any]) -> None:
    """Nor does one that is not there, or is not named."""
    done = _document(base, "jobs", "again", failed["id"], code=2)
    assert "this is done" in done["error"]["what"]
    assert "no such job" in _document(base, "jobs", "again", "x", code=2)["error"]["what"]
    assert "No job was named" in _document(base, "jobs", "stop", code=2)["error"]["what"]


def test_people_read_one_line_a_job(base: Path, failed: dict[str, Any]) -> None:
    """Its id first, to be given to the other commands."""
    lines = invoked("jobs", "--library", base / "library").out.splitlines()
    assert lines[0].startswith(failed["id"])
    assert "Adding more" in lines[0]
    assert "could not be read" in lines[0]


def test_watching_is_turned_off_and_on(base: Path) -> None:
    """It is remembered; each folder is named with the reason why nobody tells of its changes."""
    assert _document(base, "library", "watch")["on"]
    off = _document(base, "library", "watch", "off", "--wait-on-battery")
    assert (off["on"], off["waits_on_battery"]) == (False, True)
    assert [folder["why_not"] for folder in off["folders"]] == ["Watching is turned off."]
    assert not _document(base, "library", "watch")["on"]
    assert _document(base, "library", "watch", "on")["waits_on_battery"]
