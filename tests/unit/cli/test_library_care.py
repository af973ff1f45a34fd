"""``cocadesk library``: sentences and exit codes of check, repair, backup, restore, export."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cocadesk.cli.errors import OK, SOME_FAILED, USER_ERROR
from tests.support.damaged_library import DAMAGES, Original, annotated_original, words_of
from tests.support.program import Outcome, invoked


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """A small library with captions, tags and a backup."""
    return annotated_original(tmp_path_factory.mktemp("original"))


def library(folder: Path, *arguments: str | Path) -> Outcome:
    """``cocadesk library`` on a folder."""
    return invoked("library", *arguments, "--library", folder)


def test_damage_is_reported_until_it_is_repaired(original: Original, tmp_path: Path) -> None:
    """Exit code 1 with one plain sentence each, then 0."""
    manifest = min(original.folder.glob("store/media.lance/_versions/*.manifest"))
    folder = original.damaged(
        tmp_path / "library", manifest.relative_to(original.folder), "emptied"
    )
    found = library(folder, "check")
    assert found.code == SOME_FAILED
    assert "The table of photos and videos was damaged; its state of" in found.out
    assert "cocadesk library repair" in found.out
    assert library(folder, "check", "--json").document["problems"]
    repaired = library(folder, "repair")
    assert repaired.code == OK, repaired.out
    assert "There was nothing to repair." in repaired.out
    checked = library(folder, "check", "--json")
    assert (checked.code, checked.document["problems"]) == (OK, [])
    assert words_of(folder) == original.words


def test_what_a_repair_cannot_mend_is_said_with_what_to_do(
    original: Original, tmp_path: Path
) -> None:
    """A lost thumbnail is drawn when its photo is read again."""
    thumbnail = next(original.folder.glob("thumbs/**/*.jpg"))
    folder = original.damaged(
        tmp_path / "library", thumbnail.relative_to(original.folder), "removed"
    )
    repaired = library(folder, "repair")
    assert repaired.code == SOME_FAILED
    assert "nothing to repair" not in repaired.out
    assert "Still wrong: Thumbnails lost or damaged: 1." in repaired.out
    assert "index --again all" in repaired.out


def test_a_backup_goes_into_a_new_library(original: Original, tmp_path: Path) -> None:
    """The words wait there for the index of their photos."""
    written = library(original.folder, "backup", tmp_path / "mine.zip", "--json")
    assert written.document == {"files": [{"path": str(tmp_path / "mine.zip")}]}
    restored = library(tmp_path / "new", "restore", tmp_path / "mine.zip")
    assert restored.code == OK
    assert "wait for the next index" in restored.out
    assert words_of(tmp_path / "new") == original.words


def test_a_damaged_backup_is_a_sentence(original: Original, tmp_path: Path) -> None:
    """Exit code 2, and the library is as it was."""
    library(original.folder, "backup", tmp_path / "mine.zip")
    DAMAGES["cut"](tmp_path / "mine.zip")
    refused = library(original.folder, "restore", tmp_path / "mine.zip")
    assert refused.code == USER_ERROR
    assert "can't be read" in refused.err
    assert words_of(original.folder) == original.words


def test_a_moved_library_is_found_by_its_old_place(original: Original, tmp_path: Path) -> None:
    """Whoever names the old folder gets the new one, also when the old copy is removed."""
    folder = tmp_path / "library"
    shutil.copytree(original.folder, folder)
    moved = library(folder, "move", tmp_path / "new")
    assert moved.code == OK, moved.err
    assert f"The library is in {tmp_path / 'new'} now." in moved.out
    assert "was moved to" not in moved.err
    assert words_of(tmp_path / "new") == original.words
    removed = library(folder, "remove-old")
    assert (removed.code, "are free again" in removed.out) == (OK, True)
    assert library(folder, "check").code == OK
    shutil.move(tmp_path / "new", tmp_path / "away")
    gone = library(folder, "check")
    assert gone.code == USER_ERROR
    assert "is not there now" in gone.err
    assert not (tmp_path / "new").exists()


def test_an_export_is_parquet(original: Original, tmp_path: Path) -> None:
    """The two files are named."""
    done = library(original.folder, "export", tmp_path / "out")
    assert done.code == OK
    assert [line.rpartition("/")[2] for line in done.out.splitlines()] == [
        "media.parquet",
        "edits.parquet",
    ]
