"""``cocadesk album`` and ``saved``: the same answers with and without a running engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.annotated_library import annotated_library
from tests.support.program import document_of, invoked


def ask(base: Path, *arguments: str | os.PathLike[str], code: int = 0) -> dict[str, Any]:
    """Runs ``cocadesk … --json`` here; gives its document."""
    return document_of(base / "library", *arguments, code=code)


def names(base: Path, album: str) -> list[str]:
    """The files of an album in its order."""
    return [Path(item["path"]).name for item in ask(base, "album", "show", album)["results"]]


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with a library that nobody has open."""
    with annotated_library(tmp_path):
        pass
    return tmp_path


def test_albums_are_made_ordered_shown_and_deleted(base: Path) -> None:
    """The documents of the commands, step by step; one undo history with the words."""
    a, b, c = (base / "photos" / f"{name}.jpg" for name in "abc")
    assert ask(base, "album", "list") == {"albums": []}
    done = ask(base, "album", "new", "Sea/2014", c, a)
    assert done == {"changed": 2, "title": "New album Sea/2014"}
    assert ask(base, "album", "add", "sea/2014", b)["changed"] == 1
    assert names(base, "Sea/2014") == ["c.jpg", "a.jpg", "b.jpg"]
    ask(base, "album", "move", "Sea/2014", b, "--before", c)
    assert names(base, "Sea/2014") == ["b.jpg", "c.jpg", "a.jpg"]
    ask(base, "album", "move", "Sea/2014", b)
    assert names(base, "Sea/2014") == ["c.jpg", "a.jpg", "b.jpg"]
    ask(base, "album", "remove", "Sea/2014", a)
    assert ask(base, "album", "list") == {"albums": [{"name": "Sea/2014", "count": 2}]}
    ask(base, "album", "rename", "Sea/2014", "Lake")
    assert ask(base, "album", "delete", "Lake") == {
        "changed": 2,
        "title": "Deletion of album Lake",
    }
    undone = ask(base, "words", "undo")
    assert (undone["undone"], undone["title"]) == (2, "Deletion of album Lake")
    assert names(base, "lake") == ["c.jpg", "b.jpg"]


def test_photos_are_rated_flagged_and_gathered_by_a_filter(base: Path) -> None:
    """What the filters find becomes an album, and leaves it."""
    a, b, _ = (base / "photos" / f"{name}.jpg" for name in "abc")
    rated = ask(base, "words", "set", a, b, "--rate", "4", "--flag", "pick", "--favourite")
    assert rated == {"changed": 2, "title": "Ratings, flags and favourite marks of 2 photos"}
    ask(base, "words", "set", b, "--flag", "none", "--no-favourite")
    assert ask(base, "album", "new", "Best", "--filter", "rating:>=4")["changed"] == 2
    assert ask(base, "album", "remove", "Best", "--filter", "flag:none")["changed"] == 1
    assert names(base, "Best") == ["a.jpg"]
    found = ask(base, "search", "album:best favourite:yes")["results"]
    assert [Path(item["path"]).name for item in found] == ["a.jpg"]


def test_searches_are_saved_listed_shown_and_deleted(base: Path) -> None:
    """Shown as a search is, as things are then."""
    a = base / "photos" / "a.jpg"
    done = ask(base, "saved", "new", "Good ones", "rating:>=4")
    assert done == {"changed": 0, "title": "New saved search Good ones"}
    assert ask(base, "saved", "show", "good ones")["results"] == []
    ask(base, "words", "set", a, "--rate", "5")
    assert ask(base, "saved", "list") == {
        "searches": [{"name": "Good ones", "query": "rating:>=4", "count": 1}]
    }
    (found,) = ask(base, "saved", "show", "GOOD ones")["results"]
    assert Path(found["path"]).name == "a.jpg"
    ask(base, "saved", "new", "Good ones", "rating:5", "--replace")
    ask(base, "saved", "rename", "Good ones", "Best")
    assert ask(base, "saved", "list")["searches"][0]["query"] == "rating:5"
    ask(base, "saved", "delete", "Best")
    assert ask(base, "saved", "list") == {"searches": []}


def test_mistakes_are_sentences_that_help(base: Path) -> None:
    """The nearest name, and what there is to give."""
    ask(base, "album", "new", "Summer")
    for arguments, sentence in (
        (("album", "show", "Sumer"), "Did you mean Summer?"),
        (("album", "add", "Summer"), "--filter TEXT"),
        (("album", "new", "SUMMER"), "Choose another name."),
        (("album", "show", ""), ""),
        (("saved", "show", "Dogs"), "There are none yet."),
        (("saved", "new", "x", "colour:red"), ""),
        (("words", "set", str(base / "photos" / "a.jpg"), "--rate", "6"), "1 to 5 stars"),
    ):
        error = ask(base, *arguments, code=2)["error"]
        assert error["what"]
        assert sentence in error["what_to_do"]


def test_people_read_lines(alone: Path) -> None:
    """Counts before names, a hint where there is nothing yet."""
    library = ("--library", alone / "library")
    assert "album new" in invoked("album", "list", *library).out
    assert "saved new" in invoked("saved", "list", *library).out
    made = invoked("album", "new", "Sea", alone / "photos" / "b.jpg", *library)
    assert made.out == "New album Sea: done.\n"
    assert invoked("album", "list", *library).out == "      1  Sea\n"
    assert invoked("album", "show", "Sea", *library).out == f"{alone / 'photos' / 'b.jpg'}\n"
    again = invoked("album", "add", "Sea", alone / "photos" / "b.jpg", *library)
    assert again.out == "No change.\n"
    invoked("album", "remove", "Sea", alone / "photos" / "b.jpg", *library)
    assert invoked("album", "show", "Sea", *library).out == "The album is empty.\n"
