"""A library moved to another folder: whole, or as it was."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from cocadesk.errors import UserError
from cocadesk.library import moving
from cocadesk.library.layout import MOVED_FROM_NAME
from cocadesk.library.library import Library
from cocadesk.library.moving import LibraryMove, MoveState, old_copy, remove_old_copy
from cocadesk.library_uri import MOVED_NAME, followed, moved_to
from cocadesk.locations import library_folder
from tests.support.library_rows import insert, media_row

ROWS = 3


class Disk(NamedTuple):
    """The answer of ``shutil.disk_usage``."""

    total: int
    used: int
    free: int


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    """A library with a few rows and a thumbnail."""
    with Library.open(tmp_path / "old") as made:
        insert(made, *(media_row(b"%d.jpg" % n) for n in range(ROWS)))
        made.thumbnails.write("ab" * 16, b"a picture")
        made.thumbnails.settle()
        yield made


def _move(library: Library, to: Path) -> LibraryMove:
    move = LibraryMove(library.folder, to)
    move.copy()
    with library.writing():
        move.copy()
        move.switch()
    return move


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("lock", MOVED_NAME, MOVED_FROM_NAME)
    }


def test_a_moved_library_is_whole_and_the_old_folder_leads_to_it(
    library: Library, tmp_path: Path
) -> None:
    """Each file is the same, and all who ask for the old folder get the new one."""
    before, problems = _content(library.folder), library.care.problems()
    move = _move(library, tmp_path / "new")
    assert _content(tmp_path / "new") == before == _content(library.folder)
    assert move.size_bytes == sum(map(len, before.values()))
    assert moved_to(library.folder) == tmp_path / "new"
    assert library_folder(str(library.folder)) == tmp_path / "new"
    assert old_copy(tmp_path / "new") == library.folder
    with Library.open(tmp_path / "new") as moved:
        assert moved.manifest == library.manifest
        assert moved.counts().media == ROWS
        assert moved.care.problems() == problems


def test_nothing_is_written_into_the_old_copy(library: Library, tmp_path: Path) -> None:
    """A word that came late is refused with the new place, not lost without one."""
    _move(library, tmp_path / "new")
    with pytest.raises(UserError, match=r"was moved to .*new"):
        insert(library, media_row(b"new.jpg"))
    library.close()
    for writer in (True, False):
        with pytest.raises(UserError, match=r"was moved to .*new"):
            Library.open(tmp_path / "old", writer=writer)


def test_what_is_written_during_the_copy_is_in_it(library: Library, tmp_path: Path) -> None:
    """The library is in use meanwhile; the second look takes what is new alone."""
    move = LibraryMove(library.folder, tmp_path / "new")
    move.copy()
    insert(library, media_row(b"new.jpg"))
    library.tidy()
    with library.writing():
        move.copy()
        move.switch()
    assert _content(tmp_path / "new") == _content(library.folder)
    with Library.open(tmp_path / "new") as moved:
        assert moved.counts().media == ROWS + 1


def test_a_move_that_nobody_wants_any_more_leaves_nothing(library: Library, tmp_path: Path) -> None:
    """Cancelled at any file, the folders are as they were."""
    before = _content(library.folder)
    seen: list[MoveState] = []

    def stop(state: MoveState) -> None:
        seen.append(state)
        if state.files == state.all_files // 2:
            raise KeyboardInterrupt

    move = LibraryMove(library.folder, tmp_path / "new", stop)
    with pytest.raises(KeyboardInterrupt):
        move.copy()
    move.abandon()
    assert seen[-1].done_bytes > 0
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert _content(library.folder) == before
    insert(library, media_row(b"new.jpg"))


def test_a_killed_move_is_gone_on_with(library: Library, tmp_path: Path) -> None:
    """What lies there is compared, not believed; a damaged file is copied anew."""

    def kill(state: MoveState) -> None:
        if state.files == state.all_files - 1:
            raise KeyboardInterrupt

    move = LibraryMove(library.folder, tmp_path / "new", kill)
    with pytest.raises(KeyboardInterrupt):
        move.copy()
    assert not (tmp_path / "new").exists()
    assert _content(library.folder).keys() - _content(tmp_path / ".new.moving").keys()
    draft = tmp_path / ".new.moving"
    (draft / "left over").write_bytes(b"of a file that is gone")
    copied = next(path for path in draft.rglob("*") if path.is_file() and path.stat().st_size)
    times = copied.stat()
    copied.write_bytes(copied.read_bytes()[:-1] + b"?")
    os.utime(copied, ns=(times.st_atime_ns, times.st_mtime_ns))
    _move(library, tmp_path / "new")
    assert _content(tmp_path / "new") == _content(library.folder)


def test_a_kill_before_the_old_folder_knows_leaves_both_and_is_mended(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one counts; moving again takes the copy that is there."""
    real = Path.replace

    def die(self: Path, target: Path) -> Path:
        if Path(target).name == MOVED_NAME:
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        _move(library, tmp_path / "new")
    monkeypatch.undo()
    insert(library, media_row(b"new.jpg"))
    _move(library, tmp_path / "new")
    with Library.open(tmp_path / "new") as moved:
        assert moved.counts().media == ROWS + 1


def test_the_old_copy_goes_when_a_person_says_so(library: Library, tmp_path: Path) -> None:
    """Not while its engine has it; the note stays, and the place can be used again."""
    _move(library, tmp_path / "new")
    with pytest.raises(UserError, match="already open for writing"):
        remove_old_copy(tmp_path / "new")
    library.close()
    assert "was removed" in remove_old_copy(tmp_path / "new")[0]
    assert sorted(path.name for path in (tmp_path / "old").iterdir()) == ["lock", MOVED_NAME]
    assert followed(tmp_path / "old") == tmp_path / "new"
    assert remove_old_copy(tmp_path / "new") == ["There is no old copy of this library."]
    with Library.open(tmp_path / "new") as moved:
        _move(moved, tmp_path / "old")
    assert moved_to(tmp_path / "old") is None
    with Library.open(tmp_path / "old") as back:
        assert back.counts().media == ROWS


def test_a_copy_that_has_become_something_else_stays(library: Library, tmp_path: Path) -> None:
    """Somebody has taken the note away and uses it."""
    _move(library, tmp_path / "new")
    library.close()
    (tmp_path / "old" / MOVED_NAME).unlink()
    assert "no old copy of this library any more" in remove_old_copy(tmp_path / "new")[0]
    with Library.open(tmp_path / "old") as kept:
        assert kept.counts().media == ROWS


def test_a_library_that_was_moved_and_is_away_is_said_so(library: Library, tmp_path: Path) -> None:
    """No new one is made in the place of its disk."""
    _move(library, tmp_path / "new")
    library.close()
    shutil.move(tmp_path / "new", tmp_path / "on another disk")
    with pytest.raises(UserError, match=r"not there now\. Perhaps its disk is not connected"):
        library_folder(str(tmp_path / "old"))


def test_no_space_is_said_before_anything_is_copied(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what is needed and what is free."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(10**9, 10**9, 1_000_000))
    with pytest.raises(UserError, match=r"not enough space .* needs 67.* MB, and 1.0 MB are free"):
        LibraryMove(library.folder, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]


def test_a_disk_that_is_full_in_the_middle_is_a_sentence(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write there too."""

    def full(*_: object) -> bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    move = LibraryMove(library.folder, tmp_path / "new")
    monkeypatch.setattr(LibraryMove, "_write", full)
    with pytest.raises(UserError, match=r"No space left on device\. It is where it was"):
        move.copy()


def test_places_that_are_no_places_are_refused(library: Library, tmp_path: Path) -> None:
    """Taken, in the library itself, on a disk that is away, closed to us."""
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "letter.txt").touch()
    for to, why in (
        (taken, "There is something in that folder"),
        (library.folder, "own folder"),
        (library.folder / "thumbs" / "in", "own folder"),
        (tmp_path / "away" / "library", "There is no folder"),
    ):
        with pytest.raises(UserError, match=why):
            LibraryMove(library.folder, to)


def test_a_library_is_moved_once_until_its_old_copy_is_gone(
    library: Library, tmp_path: Path
) -> None:
    """Else nobody would know of the first copy any more."""
    _move(library, tmp_path / "new")
    library.close()
    with (
        Library.open(tmp_path / "new") as moved,
        pytest.raises(UserError, match="moved before, and its old copy is still in"),
    ):
        LibraryMove(moved.folder, tmp_path / "third")


def test_damage_on_the_other_disk_is_met(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is read again; the copy never counts."""
    real = LibraryMove._write

    def flipped(self: LibraryMove, *files: object) -> bytes:
        wanted = real(self, *files)  # type: ignore[arg-type]
        target = files[1]
        assert isinstance(target, Path)
        if target.suffix == ".jpg":
            target.write_bytes(b"b picture")
        return wanted

    monkeypatch.setattr(moving.LibraryMove, "_write", flipped)
    with pytest.raises(UserError, match="gives back something else"):
        _move(library, tmp_path / "new")
    assert moved_to(library.folder) is None
