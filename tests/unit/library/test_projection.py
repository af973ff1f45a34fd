"""Whether the log has to be read when a library is opened: only where a crash may lie between."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.library.edits import EditLog
from cocadesk.library.layout import EDITS, MEDIA, STORE_FOLDER
from cocadesk.library.library import Library
from cocadesk.library.projection import NOTE_NAME, Projection
from cocadesk.library.rows import Edit, MediaRow
from cocadesk.library.schema import rows_to_arrow
from cocadesk.library.store import Store
from cocadesk.library.tables import MediaTable
from cocadesk.library.write_log import WriteLog
from tests.support.library_rows import insert, media_row


def caption(row: MediaRow, text: str, batch: str = "b", undoes: str | None = None) -> Edit:
    """A person's caption."""
    return Edit(
        batch=batch, undoes=undoes, key=row.key, who="person", when=datetime.now(UTC),
        field="human_caption", old="null", new=json.dumps(text),
    )  # fmt: skip


@pytest.fixture
def row() -> MediaRow:
    """A photo."""
    return media_row(b"a")


@pytest.fixture
def folder(tmp_path: Path, row: MediaRow) -> Path:
    """A library with its caption, closed in good order."""
    with Library.open(tmp_path / "library") as library:
        insert(library, row)
        library.edits.record([caption(row, "mine")])
    with Library.open(tmp_path / "library"):
        pass  # its row had a key from before the library, so that the words were looked at again
    return tmp_path / "library"


class CountingLog(EditLog):
    """A log that counts how often it is replayed."""

    replays = 0

    def replay(self) -> None:
        """As the log."""
        self.replays += 1
        super().replay()


def replays(folder: Path) -> int:
    """The number of times that a writer reads the log when it opens this library."""
    store = Store(folder / STORE_FOLDER, read_only=False)
    log = CountingLog(store)
    Projection(folder, log, MediaTable(store)).bring_up_to_date()
    store.close()
    assert log.is_projected
    return log.replays


def caption_of(folder: Path, row: MediaRow) -> str | None:
    """The caption that the row of the photo holds."""
    with Library.open(folder) as library:
        return library.media.rows([row.key])[0].human_caption


def test_a_library_that_was_closed_in_good_order_is_not_projected_again(folder: Path) -> None:
    """Nothing is read of a long log, however often it is opened and closed."""
    assert replays(folder) == 0
    with Library.open(folder):
        pass
    assert replays(folder) == 0


def test_an_engine_that_is_killed_in_the_idle_has_noted_what_it_wrote(
    folder: Path, row: MediaRow
) -> None:
    """It is ended with the computer, hours after the last edit; what comes later is projected."""
    with Library.open(folder) as library:
        library.edits.record([caption(row, "newer")])
        library.keep_snapshot()
        library.keep_snapshot()
        assert replays(folder) == 0
        library.edits.record([caption(row, "newest")])
        assert replays(folder) == 1


@pytest.mark.parametrize("table", [EDITS, MEDIA])
def test_what_was_written_since_a_good_end_is_projected(
    folder: Path, row: MediaRow, table: str
) -> None:
    """As after a crash: the log stands before the columns, whichever was written last."""
    store = Store(folder / STORE_FOLDER, read_only=False)
    if table == EDITS:
        store.append(EDITS, rows_to_arrow(EDITS, [caption(row, "mine")]))
    else:
        store.merge(MEDIA, ["key"], rows_to_arrow(MEDIA, [row]))
    store.close()
    assert replays(folder) == 1
    assert caption_of(folder, row) == "mine"


@pytest.mark.parametrize("note", [None, b"", b"\xff\x00", b"0" * 32])
def test_a_note_that_is_lost_or_says_nothing_is_as_none(folder: Path, note: bytes | None) -> None:
    """Then the log is read; the next good end notes it again."""
    (folder / NOTE_NAME).unlink()
    if note is not None:
        (folder / NOTE_NAME).write_bytes(note)
    assert replays(folder) == 1
    with Library.open(folder):
        pass
    assert replays(folder) == 0


def test_columns_that_could_not_be_written_are_not_noted_as_in_order(
    folder: Path, row: MediaRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has the words; they come into the columns with the next writer."""

    def refuse(*_: object, **__: object) -> None:
        raise UserError("The disk is full.")

    with Library.open(folder) as library:
        with monkeypatch.context() as disk:
            disk.setattr(Store, "merge", refuse)
            with pytest.raises(UserError, match="full"):
                library.edits.record([caption(row, "newer")])
        assert not library.edits.is_projected
    assert caption_of(folder, row) == "newer"


def test_a_row_that_comes_back_under_its_key_gets_its_words_again(
    folder: Path, row: MediaRow
) -> None:
    """A row that was lost is made anew from its file, without the words that the log has."""
    with Library.open(folder) as library:
        insert(library, row)
        assert library.media.rows([row.key])[0].human_caption is None
    assert replays(folder) == 1
    assert caption_of(folder, row) == "mine"


def test_marks_of_the_log_grow_with_what_is_recorded(folder: Path, row: MediaRow) -> None:
    """The list is the same one; what the log says when it is read whole is equal to it."""
    with Library.open(folder) as library:
        marks = library.edits.marks()
        library.edits.record([caption(row, "1", "c"), caption(row, "2", "c")])
        library.edits.record([caption(row, "mine", "d", undoes="c")])
        assert library.edits.marks() is marks
        assert [(mark.batch, mark.undoes) for mark in marks] == [
            ("b", None),
            ("c", None),
            ("d", "c"),
        ]
        library.edits.replace_all([caption(row, "only", "e")])
        assert [mark.batch for mark in library.edits.marks()] == ["e"]
        library.edits.replay()
    with Library.open(folder, writer=False) as reader:
        assert [mark.batch for mark in reader.edits.marks()] == ["e"]


def test_the_keys_of_writes_are_kept_only_for_who_follows_them() -> None:
    """A memory of media asks for what came since it last asked; nobody follows the log."""
    writes = WriteLog()
    writes.add(EDITS, ["k"])
    assert (writes.count(EDITS), writes.touched(EDITS, 0)) == (1, None)
    for key in "abc":
        writes.add(MEDIA, [key])
    assert writes.touched(MEDIA, 1) == {"b", "c"}
    assert writes.touched(MEDIA, 1) == {"b", "c"}
    assert writes.touched(MEDIA, 0) is None
    assert writes.touched(MEDIA, 3) is None
    writes.add(MEDIA, ["d"])
    assert writes.touched(MEDIA, 3) == {"d"}
    assert writes.count(MEDIA) == 4
