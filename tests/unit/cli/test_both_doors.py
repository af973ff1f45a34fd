"""Every command gives the same document alone and through a running engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from cocadesk.cli.errors import OK, SOME_FAILED, USER_ERROR
from cocadesk.protocol.client import EngineClient
from tests.support.engines import coloured_photos, photos_and_a_broken_one
from tests.support.index_tools import write_photo
from tests.support.inner_engine import inner_engine
from tests.support.program import Outcome, invoked
from tests.support.tiny_model import write_tiny_checkpoint
from tests.support.videos import make_clip_of_colours

Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A tiny checkpoint with random weights."""
    return str(write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny"))


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, model: str) -> Path:
    """Photos and a video, indexed with the tiny model, and a photo outside the library."""
    base = tmp_path_factory.mktemp("doors")
    photos = coloured_photos(base / "photos")
    (photos / "red-0.jpg").rename(os.fsdecode(os.fsencode(photos) + b"/caf\xe9.jpg"))
    make_clip_of_colours(photos / "clip.mp4", ("red", "green"))
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    write_photo(base / "outside.jpg", 5)
    done = invoked("index", photos, "--library", base / "library", "--model", model, "--json")
    assert done.code == SOME_FAILED, done.err
    # Once for all: captions are stored, and a search shows them.
    described = invoked("caption", photos, "--library", base / "library")
    assert described.code == SOME_FAILED, described.err
    # The vectors of the tags, by which searches are judged: an engine makes them in its idle.
    tagged = invoked("tag", photos / "red-4.jpg", "--library", base / "library")
    assert tagged.code == OK, tagged.err
    return base


def _alone(base: Path, model: str) -> AbstractContextManager[object]:
    return nullcontext()


def _served(base: Path, model: str) -> AbstractContextManager[EngineClient]:
    return inner_engine(base / "library", model)


@pytest.fixture(scope="module")
def documents(base: Path, model: str) -> dict[str, dict[str, Outcome]]:
    """What each command of ``READING`` says through each door."""
    said: dict[str, dict[str, Outcome]] = {}
    for name, door in (("alone", _alone), ("served", _served)):
        with door(base, model):
            said[name] = {
                command: invoked(*_arguments(base, command), "--library", base / "library")
                for command in READING
            }
    return said


def _arguments(base: Path, command: str) -> list[str]:
    return [word.replace("BASE", str(base)) for word in READING[command]]


READING: dict[str, list[str]] = {
    "info": ["info", "--json"],
    "library check": ["library", "check"],
    "search": ["search", "something red", "--json"],
    "search with a limit": ["search", "something red", "--limit", "2", "--json"],
    "search with a filter": ["search", "red", "--filter", "kind:video", "--json"],
    "search with terms": ["search", "red kind:photo", "--json"],
    "search for people": ["search", "something red", "--all"],
    "tag": ["tag", "BASE/photos", "BASE/outside.jpg", "--json"],
    "tag a few": ["tag", "BASE/photos/green-1.jpg", "--top", "2", "--json"],
    "tag what is missing": ["tag", "BASE/photos/green-1.jpg", "BASE/nothere.jpg", "--json"],
    "caption": ["caption", "BASE/photos/green-1.jpg", "BASE/outside.jpg", "--json"],
    "caption for people": ["caption", "BASE/photos/blue-2.jpg"],
    "caption with a filter": ["caption", "BASE/photos", "--filter", "kind:video", "--json"],
    "history": ["words", "history", "BASE/photos/green-1.jpg", "--json"],
    "history of a stranger": ["words", "history", "BASE/outside.jpg", "--json"],
    "preview": ["words", "write", "BASE/photos", "--preview", "--json"],
    "preview of nothing": ["words", "write", "BASE/nowhere", "--preview", "--json"],
    "vocabulary": ["words", "vocabulary", "--json"],
    "models": ["model", "list", "--json"],
    "a bad filter": ["search", "red", "--filter", "colour:red", "--json"],
    "nothing to search for": ["search", "   ", "--json"],
}


@pytest.mark.parametrize("command", READING)
def test_both_doors_say_the_same(documents: dict[str, dict[str, Outcome]], command: str) -> None:
    """Code and output, whether an engine runs or not."""
    alone, served = documents["alone"][command], documents["served"][command]
    assert (alone.code, alone.out) == (served.code, served.out)
    assert "Traceback" not in alone.err + served.err


def _document(documents: dict[str, dict[str, Outcome]], command: str) -> dict[str, Any]:
    outcome = documents["alone"][command]
    assert outcome.code in (OK, SOME_FAILED), outcome.err
    return outcome.document


def test_info_has_the_fields_that_programs_read(
    documents: dict[str, dict[str, Outcome]], base: Path, model: str
) -> None:
    """In the order of the README."""
    document = _document(documents, "info")
    assert list(document) == [
        "media", "photos", "videos", "views", "missing", "offline", "failed", "model", "schema",
        "device", "precision", "reason", "model_source", "caption_model", "caption_source",
        "caption_reason", "tags_fitted", "library",
        "without_vectors", "notices",
    ]  # fmt: skip
    assert (document["media"], document["photos"], document["videos"]) == (6, 5, 1)
    assert document["failed"] == 1
    assert (document["model_source"], document["library"]) == (model, str(base / "library"))


def test_search_results_have_paths_scores_and_moments(
    documents: dict[str, dict[str, Outcome]],
) -> None:
    """A name that is not UTF-8 comes as base64, too."""
    results = _document(documents, "search")["results"]
    assert len(results) == 6
    assert sum("path_b64" in result for result in results) == 1
    fields = {"path", "score", "caption", "time", "moments", "copies", "parts"}
    fields |= {"rank", "by", "relevant", "probability"}
    assert all(result.keys() - {"path_b64"} == fields for result in results)
    (video,) = [result for result in results if result["moments"]]
    assert video["time"] == video["moments"][0]["time"]
    assert _document(documents, "search with a limit")["results"] == results[:2]
    lines = documents["alone"]["search for people"].out.splitlines()
    lines = [line for line in lines if "/photos/" in line]
    assert len(lines) == 6
    assert sum(" at 0:0" in line for line in lines) == 1


def test_a_filter_narrows_a_search(documents: dict[str, dict[str, Outcome]]) -> None:
    """As an option, or as terms among the words."""
    everything = _document(documents, "search")["results"]
    videos = _document(documents, "search with a filter")["results"]
    photos = _document(documents, "search with terms")["results"]
    assert [Path(result["path"]).name for result in videos] == ["clip.mp4"]
    assert len(photos) == len(everything) - 1
    assert all(not result["moments"] for result in photos)


def test_tags_and_captions_come_in_the_order_of_the_files(
    documents: dict[str, dict[str, Outcome]], base: Path
) -> None:
    """Each with its path; the broken one is named with the reason."""
    tagged = _document(documents, "tag")
    assert len(tagged["results"]) == 7
    assert tagged["results"][-1]["path"] == str(base / "outside.jpg")
    assert [Path(item["path"]).name for item in tagged["failed"]] == ["broken.jpg"]
    captions = _document(documents, "caption")["results"]
    assert [Path(item["path"]).name for item in captions] == ["green-1.jpg", "outside.jpg"]
    assert all(isinstance(item["caption"], str) for item in captions)
    (few,) = _document(documents, "tag a few")["results"]
    assert len(few["tags"]) <= 2
    (video,) = _document(documents, "caption with a filter")["results"]
    assert Path(video["path"]).name == "clip.mp4"
    missing = documents["alone"]["tag what is missing"]
    assert missing.code == SOME_FAILED
    assert missing.document["failed"] == [
        {"path": str(base / "nothere.jpg"), "reason": "There is no such file."}
    ]


def test_mistakes_are_sentences_in_a_document(documents: dict[str, dict[str, Outcome]]) -> None:
    """Code 2; the sentence names what was wrong."""
    for command, part in (
        ("history of a stranger", "outside.jpg is not in the library."),
        ("preview of nothing", "nowhere is not in the library."),
        ("nothing to search for", "There is nothing to search for."),
        ("a bad filter", "colour"),
    ):
        outcome = documents["alone"][command]
        assert outcome.code == USER_ERROR
        assert part in outcome.document["error"]["what"]
        assert part in outcome.err


@pytest.fixture(params=[_alone, _served], ids=["alone", "served"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path, model: str) -> Iterator[Path]:
    """A new library through one door, for commands that write."""
    photos = photos_and_a_broken_one(tmp_path)
    library = ("--library", tmp_path / "library", "--model", model)
    assert invoked("index", photos / "new-0.png", *library).code == OK
    with request.param(tmp_path, model):
        yield tmp_path


def test_an_index_counts_what_is_new_and_what_failed(fresh: Path) -> None:
    """The document of the README, and the same again when nothing is new."""
    library = ("--library", fresh / "library")
    first = invoked("index", fresh / "more photos", *library, "--json")
    assert first.code == SOME_FAILED
    document = first.document
    assert list(document) == [
        "indexed", "unchanged", "failed", "seconds", "moved", "copied", "missing", "offline",
        "videos",
        "refreshed",
    ]  # fmt: skip
    assert (document["indexed"], document["unchanged"], document["videos"]) == (2, 1, 0)
    (failed,) = document["failed"]
    assert failed["path"] == str(fresh / "more photos" / "broken.jpg")
    assert failed["reason"].endswith(".")
    assert "broken.jpg" in first.err
    again = invoked("index", fresh / "more photos", *library)
    assert again.code == SOME_FAILED
    assert again.out.startswith("0 indexed, 3 unchanged, 1 failed in ")


def test_captions_are_written_where_a_filter_lets_them(fresh: Path) -> None:
    """A preview first, then the files; the others are not touched."""
    library = ("--library", fresh / "library", "--json")
    photos = fresh / "more photos"
    invoked("index", photos, *library)
    for number in (0, 1):
        words = ("--caption", f"number {number}", "--add-tag", f"tag{number}")
        assert invoked("words", "set", photos / f"new-{number}.png", *words, *library).code == OK
    chosen = ("words", "write", photos, "--filter", "tag:tag1")
    preview = invoked(*chosen, "--preview", *library).document
    assert (preview["written"], preview["preview"], preview["kept"]) == (1, True, [])
    assert preview["files"][0]["new"] == "number 1"
    assert list(photos.glob("*.txt")) == []
    done = invoked(*chosen, *library)
    assert (done.code, done.document) == (OK, {"written": 1, "unchanged": 0, "kept": []})
    assert [path.name for path in photos.glob("*.txt")] == ["new-1.txt"]
    nothing = invoked("words", "write", photos, "--filter", "tag:nothing", *library)
    assert nothing.code == USER_ERROR
    assert "fits the filter" in nothing.document["error"]["what"]


def test_own_tags_are_chosen_and_given_back(fresh: Path) -> None:
    """Everything is tagged again from stored vectors; so says the document."""
    (fresh / "mine.txt").write_text("red barn\nblue sky\n")
    library = ("--library", fresh / "library")
    done = invoked("words", "vocabulary", fresh / "mine.txt", *library, "--json").document
    assert (done["tags"], done["is_own"]) == (["red barn", "blue sky"], True)
    assert isinstance(done["tagged"], int)
    back = invoked("words", "vocabulary", "--shipped", *library)
    assert "that ship with CocaDesk" in back.out
    both = invoked("words", "vocabulary", fresh / "mine.txt", "--shipped", *library)
    assert both.code == USER_ERROR


def test_the_lines_for_people_say_what_changed(fresh: Path) -> None:
    """Set, nothing to set, undone, redone, nothing left."""
    photo, library = fresh / "more photos" / "new-0.png", ("--library", fresh / "library")
    assert invoked("words", "set", photo, "--caption", "x", *library).out == (
        "Caption of new-0.png: set.\n"
    )
    assert invoked("words", "set", photo, "--caption", "x", *library).out == "No change.\n"
    assert invoked("words", "undo", *library).out == "Caption of new-0.png: undone.\n"
    assert invoked("words", "undo", *library).out == "There is nothing to undo.\n"
    assert invoked("words", "redo", *library).out == "Caption of new-0.png: redone.\n"
    history = invoked("words", "history", photo, *library)
    assert "(nothing) → x" in history.out
    empty = invoked("words", "set", photo, *library)
    assert (empty.code, "nothing to set" in empty.err) == (USER_ERROR, True)
