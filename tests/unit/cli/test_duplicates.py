"""``cocadesk duplicates``: the same answers with and without a running engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cocadesk.library.library import Library
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import run_index
from tests.support.program import document_of, invoked
from tests.support.scenes import photos_and_copies


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with a library of copies, same pictures and a burst that nobody has open."""
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos_and_copies(tmp_path / "photos")])
        info = FakeInfo()
        library.set_model(info.image_id, model_id=info.model_id)
    return tmp_path


def ask(base: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Runs ``cocadesk … --json`` here; gives its document."""
    return document_of(base / "library", *arguments, code=code)


def files(document: dict[str, Any]) -> list[list[str]]:
    """The names of the files of each group, the best first."""
    return [[Path(f["path"]).name for f in group["files"]] for group in document["groups"]]


def test_groups_are_listed_by_label_with_the_best_first(base: Path) -> None:
    """What is new is compared first; --limit leaves some out."""
    done = ask(base, "duplicates")
    assert (done["total"], done["exact"], done["same"], done["burst"]) == (3, 1, 1, 1)
    same = ask(base, "duplicates", "--label", "same")
    (group,) = same["groups"]
    assert (group["label"], group["count"], group["chosen"]) == ("same", 4, False)
    assert group["reason"] == "has the camera's details"
    best = group["files"][0]
    assert Path(best.pop("path")).name == "whole.jpg"
    assert best.pop("size_bytes") > 1000
    assert best == {"label": "exact", "part": 0, "width": 640, "height": 480}
    assert len(ask(base, "duplicates", "--limit", "1")["groups"]) == 1


def test_the_first_of_each_group_is_called_the_best(base: Path) -> None:
    """Not "exact", as if it were a copy of another file."""
    said = invoked("duplicates", "--label", "same", "--library", base / "library").out
    heading, *lines = said.strip().splitlines()
    assert heading.startswith("same: 4 files")
    assert [line.split()[0] for line in lines[:4]] == ["best", *["same"] * 3], said


def test_people_decide_and_take_it_back(base: Path) -> None:
    """What does not belong, and what is the best; words undo is the way back."""
    photos = base / "photos"
    ask(base, "duplicates")
    done = ask(base, "duplicates", "--not-same", f"{photos}/small.jpg")
    assert done == {"changed": 4, "title": "Set apart: 4 photos"}
    assert "small.jpg" not in str(files(ask(base, "duplicates")))
    done = ask(base, "duplicates", "--best", f"{photos}/cropped.jpg")
    assert done == {"changed": 1, "title": "Best of its group: cropped.jpg"}
    (group,) = ask(base, "duplicates", "--label", "same")["groups"]
    assert (group["chosen"], group["reason"]) == (True, "you chose it")
    assert Path(group["files"][0]["path"]).name == "cropped.jpg"
    ask(base, "words", "undo")
    ask(base, "words", "undo")
    (group,) = ask(base, "duplicates", "--label", "same")["groups"]
    assert (group["count"], group["chosen"]) == (4, False)


def test_mistakes_get_a_sentence(alone: Path) -> None:
    """Paths without a decision, a decision without paths, two best ones."""
    one = f"{alone}/photos/whole.jpg"
    for arguments, sentence in (
        ((one,), "not said what to do"),
        (("--not-same",), "Name the photos"),
        (("--best", one, f"{alone}/photos/small.jpg"), "Name one photo"),
        (("--best", f"{alone}/nowhere.jpg"), "is not in the library"),
    ):
        outcome = invoked("duplicates", *arguments, "--library", alone / "library")
        assert outcome.code == 2, outcome.out
        assert sentence in outcome.err


def test_the_list_is_for_people_too(alone: Path) -> None:
    """A line a group, with its reason, and one a file; the rest is counted."""
    out = invoked("duplicates", "--limit", "1", "--library", alone / "library").out
    assert out.startswith("burst: 3 files (")
    assert "640 × 480" not in out
    assert "burst-2.jpg" in out
    assert out.endswith("... and 2 more groups.\n")


def test_a_search_shows_the_best_hit_of_a_group_on_request(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the number of the others, if that is wished: a script gets every file."""
    monkeypatch.setattr("cocadesk.model.backend.open_source", lambda *_, **__: FakeBackend())
    ask(base, "duplicates")
    every = ask(base, "search", "something red")["results"]
    shown = ask(base, "search", "something red", "--collapse")["results"]
    assert (len(every), len(shown)) == (11, 5)
    assert {hit["copies"] for hit in every} == {0}
    assert sorted(hit["copies"] for hit in shown) == [0, 0, 1, 2, 3]
    assert shown[0]["path"] == every[0]["path"]
    said = invoked("search", "red", "--collapse", "--all", "--library", base / "library").out
    assert "of its group)" in said
