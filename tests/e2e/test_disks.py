"""Disks that are full, read-only, closed or of a poor kind: one true sentence, nothing half made.

The short form; ``tests/bench/faults.py`` has the long one.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cocadesk.engine.__main__ import EXIT_USER_ERROR
from cocadesk.engine.__main__ import main as run_engine
from tests.support.disks import full, mounted, read_only
from tests.support.no_links import CAN_REFUSE
from tests.support.program import invoked
from tests.support.refused_disks import (
    closed_photos,
    full_disk,
    library_with_words,
    no_hard_links,
    read_only_library,
    read_only_photos,
    sentence_of,
)


@pytest.mark.skipif(not CAN_REFUSE, reason="hard links can't be refused here")
def test_a_disk_without_hard_links_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    """exFAT and FAT32: Lance commits by links. A library that was copied there can be read."""
    assert no_hard_links(tmp_path) == 3


def test_a_full_disk_is_said_and_nothing_is_lost(tmp_path: Path) -> None:
    """Words, captions, an index, a lesson: one sentence each; all goes on afterwards."""
    assert full_disk(tmp_path, rooms=(0, 16 << 10)) == 7


def test_a_command_on_a_full_disk_ends_as_the_user_s_error(tmp_path: Path) -> None:
    """With a sentence and exit code 2, though not even the lock can be written."""
    with mounted(tmp_path / "disk") as disk:
        library_with_words(disk / "library", tmp_path / "photos")
        red = tmp_path / "photos" / "red-0.jpg"
        with full(disk):
            where = ("--library", disk / "library")
            done = invoked("words", "set", red, "--caption", "no room", *where)
        assert "full" in sentence_of(done)


def test_a_library_on_a_read_only_disk_is_read_and_never_written(tmp_path: Path) -> None:
    """``info`` and searches answer, all that writes says why not, with exit code 2."""
    assert read_only_library(tmp_path) >= 10


def test_an_engine_on_a_read_only_disk_says_so_and_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The window shows the last line that it leaves."""
    with mounted(tmp_path / "disk") as disk:
        library_with_words(disk / "library", tmp_path / "photos")
        with read_only(disk):
            assert run_engine(["--library", os.fspath(disk / "library")]) == EXIT_USER_ERROR
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"The library in {disk / 'library'} can't be written.")
    assert "Read-only" in last


def test_photos_on_a_read_only_disk_lack_only_the_files_beside_them(tmp_path: Path) -> None:
    """Index, search, captions and words are whole; ``words write`` gives the reason once."""
    assert read_only_photos(tmp_path) > 0


def test_photos_in_a_closed_folder_lack_only_the_files_beside_them(tmp_path: Path) -> None:
    """As on a read-only disk, with another reason."""
    assert closed_photos(tmp_path) > 0
