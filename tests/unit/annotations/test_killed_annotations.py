"""Killed between two steps of a command on annotations: log, library and files agree again.

Every fifth write is the last one here; ``tests/bench/faults.py`` tries each.
"""

from __future__ import annotations

from pathlib import Path

from cocadesk.annotations.sidecar_journal import JOURNAL
from tests.support.annotated_library import reopened
from tests.support.killed_annotations import (
    album_cut_between_writes,
    edit_cut_between_writes,
    prepare,
    undo_cut_between_writes,
    write_cut_between_writes,
)


def test_a_write_killed_anywhere_is_undone_whole(tmp_path: Path) -> None:
    """The log is written first; the next writer finishes or the undo finds nothing to do."""
    assert write_cut_between_writes(tmp_path, every=5) > 8


def test_an_undo_of_files_killed_anywhere_is_whole_or_did_not_happen(tmp_path: Path) -> None:
    """Half an undo is finished at the next start."""
    assert undo_cut_between_writes(tmp_path, every=5) > 8


def test_an_edit_killed_anywhere_is_said_of_all_or_of_none(tmp_path: Path) -> None:
    """One command on many photos; its projection is made good at the next start."""
    assert edit_cut_between_writes(tmp_path) == 2


def test_commands_on_albums_killed_anywhere_are_whole_or_did_not_happen(tmp_path: Path) -> None:
    """Made, put in another order, deleted: name and photos always fit each other."""
    assert album_cut_between_writes(tmp_path) >= 6


def test_a_damaged_journal_is_left_out(tmp_path: Path) -> None:
    """Nothing depends on it but the last few files."""
    prepare(tmp_path)
    (tmp_path / "library" / JOURNAL).write_text("{")
    with reopened(tmp_path) as case:
        assert not (tmp_path / "library" / JOURNAL).exists()
        assert case.write().written == 2
