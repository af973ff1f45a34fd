"""``cocadesk words``: the same answers with and without a running engine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.annotated_library import annotated_library
from tests.support.fake_backend import FakeBackend
from tests.support.inner_engine import inner_engine
from tests.support.program import document_of, invoked


def words(base: Path, *arguments: str | os.PathLike[str], code: int = 0) -> dict[str, Any]:
    """Runs ``cocadesk words … --json`` here; gives its document."""
    return document_of(base / "library", "words", *arguments, code=code)


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A folder with a library that nobody has open."""
    with annotated_library(tmp_path) as case:
        case.library.media.set_captions({case.key("b.jpg"): "a machine's"}, "model-1")
    return tmp_path


def test_words_are_set_undone_redone_and_remembered(base: Path) -> None:
    """The documents of the commands, step by step."""
    photo = base / "photos" / "a.jpg"
    done = words(base, "set", photo, "--caption", "mine", "--add-tag", "x", "--add-tag", "y")
    assert done == {"changed": 1, "title": "Caption and tags of a.jpg"}
    assert words(base, "set", photo, "--caption", "mine")["changed"] == 0
    assert words(base, "undo")["undone"] == 1
    assert words(base, "undo") == {"undone": 0, "title": "", "files": 0, "kept": []}
    assert words(base, "redo")["redone"] == 1
    words(base, "set", photo, "--remove-tag", "x", "--caption", "")
    edits = words(base, "history", photo)["edits"]
    assert {tuple(edit) for edit in edits} == {("when", "who", "field", "old", "new", "undone")}
    assert {edit["who"] for edit in edits} == {"person"}
    assert [(e["field"], e["old"], e["new"]) for e in edits[-3:]] == [
        ("caption", "mine", None),
        ("tags added", "x, y", "y"),
        ("tags removed", None, "x"),
    ]


def test_captions_are_previewed_written_kept_and_put_back(base: Path) -> None:
    """Counts of files, and the kept ones by name with the reason."""
    photos = base / "photos"
    words(base, "set", photos / "a.jpg", "--caption", "mine")
    preview = words(base, "write", photos, "--preview")
    assert (preview["written"], preview["unchanged"], len(preview["kept"])) == (2, 0, 1)
    assert [item["new"] for item in preview["files"]] == ["mine", "a machine's"]
    assert list(photos.glob("*.txt")) == []
    written = words(base, "write", photos)
    assert (written["written"], written["unchanged"]) == (2, 0)
    assert [Path(item["path"]).name for item in written["kept"]] == ["c.txt"]
    assert "no caption yet" in written["kept"][0]["reason"]
    assert (photos / "a.txt").read_text() == "mine\n"
    (photos / "a.txt").write_text("notes of mine")
    again = words(base, "write", photos / "a.jpg", photos / "b.jpg")
    assert (again["written"], again["unchanged"], len(again["kept"])) == (0, 1, 1)
    over = words(base, "write", photos / "a.jpg", "--overwrite")
    assert (over["written"], (photos / "a.txt").read_text()) == (1, "mine\n")
    assert words(base, "undo")["undone"] == 1
    assert (photos / "a.txt").read_text() == "notes of mine"
    back = words(base, "undo")
    assert (back["undone"], [Path(item["path"]).name for item in back["kept"]]) == (1, ["a.txt"])
    assert [path.name for path in photos.glob("*.txt")] == ["a.txt"]


def test_texts_beside_photos_become_captions_and_one_undo_takes_them_back(base: Path) -> None:
    """Counts of photos; those whose text is left alone by name with the reason."""
    photos = base / "photos"
    (photos / "a.txt").write_text("our boat\n", encoding="utf-8")
    (photos / "b.txt").write_text("theirs", encoding="utf-8")
    words(base, "set", photos / "b.jpg", "--caption", "mine")
    read = words(base, "read", photos)
    assert (read["taken"], read["unchanged"], read["without"]) == (1, 0, 1)
    assert [Path(item["path"]).name for item in read["kept"]] == ["b.jpg"]
    assert words(base, "history", photos / "a.jpg")["edits"][-1]["new"] == "our boat"
    assert words(base, "read", photos)["unchanged"] == 1
    assert words(base, "undo")["undone"] == 1
    assert words(base, "read", photos / "a.jpg")["taken"] == 1


def test_a_redo_that_leaves_the_only_file_alone_does_not_say_redone(alone: Path) -> None:
    """Somebody wrote the file in between: the line says that nothing was done."""
    photo, library = alone / "photos" / "b.jpg", os.fspath(alone / "library")
    words(alone, "write", photo)
    words(alone, "undo")
    photo.with_suffix(".txt").write_text("notes of mine")
    outcome = invoked("words", "redo", "--library", library)
    assert outcome.out == "Caption file of b.jpg: nothing redone.\n"
    assert photo.with_suffix(".txt").read_text() == "notes of mine"


def test_what_is_not_in_the_library_is_named(alone: Path) -> None:
    """One sentence and what to do, exit code 2, and nothing has changed."""
    stranger = alone / "photos" / "stranger.jpg"
    for arguments in (
        ["set", stranger, "--caption", "x"],
        ["set", alone / "photos" / "a.jpg", stranger, "--caption", "x"],
        ["history", stranger],
        ["write", alone / "elsewhere"],
        ["write", alone / "elsewhere", "--preview"],
    ):
        error = words(alone, *arguments, code=2)["error"]
        assert "is not in the library" in error["what"]
        assert "cocadesk index" in error["what_to_do"]
    assert "nothing to set" in words(alone, "set", stranger, code=2)["error"]["what"]
    assert words(alone, "undo")["undone"] == 0


def test_the_vocabulary_is_shown(alone: Path) -> None:
    """The tags that the machine chooses from, and whose they are."""
    shown = words(alone, "vocabulary")
    assert len(shown["tags"]) > 300
    assert shown["is_own"] is False
    (alone / "empty.txt").write_text("\n")
    error = words(alone, "vocabulary", alone / "empty.txt", code=2)["error"]
    assert "no tags" in error["why"]
    assert words(alone, "vocabulary")["is_own"] is False


def test_own_tags_are_set_through_the_engine(tmp_path: Path) -> None:
    """It tags everything anew from stored vectors; the photos may be away."""
    with annotated_library(tmp_path) as case:
        for name in ("a.jpg", "b.jpg", "c.jpg"):
            (case.photos / name).rename(tmp_path / name)
    (tmp_path / "mine.txt").write_text("something red\nsomething green\n")
    with inner_engine(tmp_path / "library", "fake", opener=lambda _: FakeBackend()):
        done = words(tmp_path, "vocabulary", tmp_path / "mine.txt")
        assert done == {"tags": ["something red", "something green"], "is_own": True, "tagged": 3}
        back = words(tmp_path, "vocabulary", "--shipped")
        assert (back["is_own"], back["tagged"]) == (False, 3)


def test_a_folder_without_a_library_is_said(tmp_path: Path) -> None:
    """No library is made by asking for words."""
    error = words(tmp_path, "undo", code=2)["error"]
    assert "no library" in error["what"]
    assert not (tmp_path / "library").exists()


def test_tags_are_listed_renamed_merged_and_removed(base: Path) -> None:
    """The documents of the commands; each is one step of undo."""
    photos = base / "photos"
    words(base, "set", photos / "a.jpg", photos / "b.jpg", "--add-tag", "hound")
    words(base, "set", photos / "c.jpg", "--add-tag", "Dog", "--add-tag", 'a/"b"')
    listed = words(base, "tags", "--own")["tags"]
    assert [(tag["tag"], tag["own"], tag["suggested"]) for tag in listed] == [
        ("hound", 2, 0),
        ('a/"b"', 1, 0),
        ("Dog", 1, 0),
    ]
    assert set(listed[0]) == {"tag", "filter", "own", "suggested", "all_own", "all_suggested"}
    assert words(base, "rename-tag", 'a/"b"', "🐕")["changed"] == 1
    done = words(base, "merge-tag", "hound", "dog")
    assert done == {"changed": 2, "title": "Tag “hound” renamed to “Dog” on 2 photos"}
    assert [tag["tag"] for tag in words(base, "tags", "--own")["tags"]] == ["Dog", "🐕"]
    assert words(base, "undo")["undone"] == 2
    assert words(base, "redo")["redone"] == 2
    assert words(base, "remove-tag", "dog")["changed"] == 3
    assert words(base, "undo")["undone"] == 3
    assert "nowhere" in words(base, "merge-tag", "dog", "nowhere", code=2)["error"]["what"]
    assert "nowhere" in words(base, "rename-tag", "nowhere", "x", code=2)["error"]["what"]
