"""Backups: what people said is written by itself, and comes back without wiping what is newer."""

from __future__ import annotations

import shutil
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.errors import UserError
from cocadesk.library.backups import BACKUPS_KEPT, backups_of, read_backup
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from tests.support.library_rows import insert, media_row


def said(library: Library) -> dict[bytes, tuple[str | None, tuple[str, ...]]]:
    """Caption and tags of people by path."""
    return {
        row.path: (row.human_caption, row.human_tags_added) for row in library.media.iter_rows()
    }


def annotate(library: Library, name: bytes, caption: str, *tags: str) -> None:
    """Let a person caption and tag the photo of this name."""
    row = library.media.row_by_path(b"/photos/" + name)
    assert row is not None
    edit = AnnotationEdit(caption=caption, add_tags=tags)
    HumanAnnotations(library).set([row.key], edit)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A library of three photos, two of them annotated."""
    with Library.open(tmp_path / "library") as library:
        library.roots.add(b"/photos")
        insert(library, *(media_row(name) for name in (b"a", b"b", b"c")))
        annotate(library, b"a", "first", "sea")
        annotate(library, b"b", "second")
        (library.folder / "vocabulary.txt").write_text("sea\nsand\n")
    return tmp_path / "library"


def test_a_backup_a_day_is_kept_for_a_week(folder: Path) -> None:
    """The second of a day is not written; of old ones the oldest go, a person's own stay."""
    with Library.open(folder) as library:
        own = library.care.back_up()
        for day in range(1, 12):
            (folder / "backups" / f"2001-01-{day:02d}.zip").touch()
        library.care.back_up_daily()
        first = backups_of(folder)
        library.care.back_up_daily()
    assert backups_of(folder) == first
    assert own in first
    assert len(first) == BACKUPS_KEPT + 1
    assert folder / "backups" / "2001-01-11.zip" in first


def test_an_empty_library_needs_no_backup(tmp_path: Path) -> None:
    """Nothing was added and nothing said: no folder is made."""
    with Library.open(tmp_path) as library:
        library.care.back_up_daily()
    assert not (tmp_path / "backups").exists()


def test_what_was_said_comes_back_into_a_new_library(folder: Path, tmp_path: Path) -> None:
    """Photos are found by path and hash, moved ones by their hash; others wait."""
    with Library.open(folder) as library:
        before = said(library)
        backup = library.care.back_up(tmp_path / "mine.zip")
    with Library.open(tmp_path / "new") as library:
        moved = media_row(b"moved", file_hash="f" + b"b".hex())
        insert(library, media_row(b"a"), moved)
        done = library.care.restore(backup)
        assert said(library) == {
            b"/photos/a": before[b"/photos/a"],
            b"/photos/moved": before[b"/photos/b"],
        }
        assert (done.waiting, done.folders, done.newer) == (0, 1, 0)
        assert (library.folder / "vocabulary.txt").read_text() == "sea\nsand\n"
    with Library.open(tmp_path / "empty") as library:
        assert library.care.restore(backup).waiting == 2
        assert said(library) == {path: before[path] for path in (b"/photos/a", b"/photos/b")}
        states = {row.state for row in library.media.iter_rows()}
        assert states == {MediaState.MISSING}


def test_what_is_newer_than_the_backup_stays_and_is_counted(folder: Path) -> None:
    """A restore merges by time: it gives back what is lost and takes nothing away."""
    with Library.open(folder) as library:
        library.care.back_up()
        annotate(library, b"a", "better", "sun")
        annotate(library, b"c", "third")
        now, log = said(library), library.edits.all()
        done = library.care.restore()
        assert said(library) == now
        assert (done.edits, done.newer) == (0, 2)
        library.edits.replace_all([edit for edit in log if json_new(edit.new) != "second"])
        library.edits.replay()
        assert library.care.restore().edits == 1
        assert said(library) == now
        assert library.edits.all() == log


def json_new(text: str) -> str:
    """The text that an edit set."""
    return text.strip('"')


def test_a_damaged_or_missing_backup_is_a_sentence(folder: Path, tmp_path: Path) -> None:
    """Named, with what to do; nothing of the library is changed."""
    with Library.open(folder) as library:
        with pytest.raises(UserError, match="There is no backup"):
            library.care.restore()
        path = library.care.back_up()
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(UserError, match=r"can't be read.*older one"):
            library.care.restore()
        assert any("can't be read" in text for text in library.care.problems())
        with pytest.raises(UserError, match="There is no backup"):
            read_backup(tmp_path / "none.zip")


def test_a_backup_with_any_byte_flipped_is_whole_or_a_sentence(folder: Path) -> None:
    """Within its tables and within its names: never an error of the program."""
    with Library.open(folder) as library:
        path = library.care.back_up()
    data, random = path.read_bytes(), Random(7)
    whole, told = read_backup(path), 0
    for place in random.sample(range(len(data)), 150):
        damaged = bytearray(data)
        damaged[place] ^= 1 << random.randrange(8)
        path.write_bytes(damaged)
        try:
            assert len(read_backup(path).edits) == len(whole.edits)
        except UserError as error:
            told += "can't be read" in error.what
    assert told > 100


def test_a_library_opens_though_its_newest_backup_is_flipped(folder: Path) -> None:
    """The log is lost, too: the backup before is taken, and no word is missing."""
    with Library.open(folder) as library:
        library.care.back_up_daily()
        newest, before = library.care.back_up(), said(library)
    data = bytearray(newest.read_bytes())
    data[len(data) // 2 - 9 : len(data) // 2] = b"\xff" * 9
    newest.write_bytes(data)
    for table in ("edits", "media"):
        shutil.rmtree(folder / "store" / f"{table}.lance")
    with Library.open(folder) as library:
        words = said(library)
    assert {path: words[path] for path in (b"/photos/a", b"/photos/b")} == {
        path: before[path] for path in (b"/photos/a", b"/photos/b")
    }


def test_a_backup_that_a_person_asked_for_is_newer_than_that_of_the_day(folder: Path) -> None:
    """The day's is written when the library is first used; a restore takes the newest."""
    with Library.open(folder) as library:
        library.care.back_up_daily()
        own = library.care.back_up()
        daily = next(path for path in backups_of(folder) if path != own)
        assert backups_of(folder) == [own, daily]
        assert own.name.startswith(daily.stem)


def test_an_export_holds_what_counts_and_the_log(folder: Path, tmp_path: Path) -> None:
    """Parquet files that other programs read: media with captions and tags, and the edits."""
    with Library.open(folder) as library:
        key = library.media.all_keys()[0]
        library.media.set_captions({key: "a machine's"}, "m")
        files = library.care.export(tmp_path / "out")
        media, edits = (pq.read_table(file) for file in files)
        rows = {row.key: row for row in library.media.iter_rows()}
    assert {row["key"]: (row["caption"], tuple(row["tags"])) for row in media.to_pylist()} == {
        row.key: (row.caption, tuple(tag.tag for tag in row.tags)) for row in rows.values()
    }
    assert edits.num_rows == 3
    assert {row["path"] for row in edits.to_pylist()} == {b"/photos/a", b"/photos/b"}


def test_a_check_finds_what_does_not_fit_together(folder: Path) -> None:
    """A healthy library has but its lost thumbnails; a wiped column is named."""
    with Library.open(folder) as library:
        library.care.back_up()
        healthy = library.care.problems()
        assert healthy == [
            "Thumbnails lost or damaged: 3. To draw them, read all files of their folders again"
            " (index --again all)."
        ]
        log = library.edits.all()
        library.edits.replace_all(log[1:])
        assert any("differ from the log" in text for text in library.care.problems())
        library.care.repair()
        assert library.care.problems() == healthy
