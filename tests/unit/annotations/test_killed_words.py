"""Killed between any two steps of a command on words: log, library and files agree again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cocadesk.annotations import AnnotationEdit
from cocadesk.annotations import sidecar_files as text_files
from cocadesk.annotations import sidecar_journal as writing
from cocadesk.library.store import Store
from tests.support.annotated_library import WordsCase, reopened, words_library

NAMES = ("a.jpg", "b.jpg", "c.jpg")


class _Power:
    """Ends the process (as a KeyboardInterrupt) before the n-th thing that reaches the disk."""

    def __init__(self, patch: pytest.MonkeyPatch, last: int) -> None:
        self.writes = 0
        self._last = last
        for owner, name in (
            (Store, "append"),
            (Store, "merge"),
            (writing, "write_atomically"),
            (text_files, "_write"),
            (text_files.os, "replace"),
            (text_files.os, "unlink"),
            (Path, "unlink"),
        ):
            patch.setattr(owner, name, self._counted(getattr(owner, name)))

    def _counted(self, write: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **named: object) -> object:
            self.writes += 1
            if self.writes > self._last:
                raise KeyboardInterrupt
            return write(*args, **named)

        return counted


@contextmanager
def _killed(case: WordsCase, last: int) -> Iterator[_Power]:
    with pytest.MonkeyPatch.context() as patch:
        power = _Power(patch, last)
        with suppress(KeyboardInterrupt):
            yield power


def _prepare(base: Path) -> None:
    with words_library(base, *NAMES) as case:
        case.machine_captions()
        (case.photos / "b.txt").write_text("notes")


def _entries(photos: Path) -> dict[str, str]:
    """All files but the photos, hidden ones too."""
    return {p.name: p.read_text() for p in photos.iterdir() if p.suffix != ".jpg"}


def test_a_write_killed_anywhere_is_undone_whole(tmp_path: Path) -> None:
    """The log is written first; the next writer finishes or the undo finds nothing to do."""
    last, whole = 0, {"a.txt": "a machine's a\n", "b.txt": "a machine's b\n"}
    while True:
        base = tmp_path / str(last)
        _prepare(base)
        with reopened(base) as case, _killed(case, last) as power:
            case.write(overwrite=True)
        with reopened(base) as case:
            found = _entries(case.photos)
            logged = {os.path.basename(w) for w in _logged(case)}  # noqa: PTH119
            changed = {name for name, text in found.items() if text != "notes"}
            assert changed == logged
            assert not changed or whole.items() <= found.items()
            change = case.words.undo()
            assert change.kept == ()
            assert _entries(case.photos) == {"b.txt": "notes"}
            case.words.redo()
            assert _entries(case.photos) == found
        if power.writes <= last:
            break
        last += 1
    assert last > 8


def _logged(case: WordsCase) -> list[str]:
    changes = writing.net_changes(case.library.edits.of_files())
    return [os.fsdecode(change.after.path) for change in changes]


def test_an_undo_of_files_killed_anywhere_is_whole_or_did_not_happen(tmp_path: Path) -> None:
    """Half an undo is finished at the next start."""
    last = 0
    while True:
        base = tmp_path / str(last)
        _prepare(base)
        with reopened(base) as case:
            case.write(overwrite=True)
            written = _entries(case.photos)
        with reopened(base) as case, _killed(case, last) as power:
            case.words.undo()
        with reopened(base) as case:
            is_undone = case.words.titles().undo == ""
            assert _entries(case.photos) == ({"b.txt": "notes"} if is_undone else written)
            case.words.redo()
            assert _entries(case.photos) == written
        if power.writes <= last:
            break
        last += 1
    assert last > 8


def test_words_killed_anywhere_are_all_said_or_none(tmp_path: Path) -> None:
    """One command on many photos; its projection is made good at the next start."""
    last = 0
    while True:
        base = tmp_path / str(last)
        _prepare(base)
        with reopened(base) as case, _killed(case, last) as power:
            case.words.set(case.keys(), AnnotationEdit(caption="mine", add_tags=("x",)))
        with reopened(base) as case:
            rows = case.library.media.rows(case.keys())
            expected = "mine" if case.words.titles().undo else None
            assert {row.human_caption for row in rows} == {expected}
            case.words.undo()
            assert {row.human_caption for row in case.library.media.rows(case.keys())} == {None}
        if power.writes <= last:
            break
        last += 1
    assert last == 2


def test_a_damaged_journal_is_left_out(tmp_path: Path) -> None:
    """Nothing depends on it but the last few files."""
    _prepare(tmp_path)
    (tmp_path / "library" / writing.JOURNAL).write_text("{")
    with reopened(tmp_path) as case:
        assert not (tmp_path / "library" / writing.JOURNAL).exists()
        assert case.write().written == 2
