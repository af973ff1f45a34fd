"""A library with a damaged file: the engine starts, people's words are there, loss is said."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cocadesk.engine.local import Access
from cocadesk.errors import UserError
from cocadesk.library.lance_files import parse_manifest
from cocadesk.library.library import Library, Sizes
from tests.support.damaged_library import (
    DAMAGES,
    Original,
    annotated_original,
    ask,
    helpless_outcome_of,
    outcome_of,
    words_of,
)
from tests.support.disks import as_ordinary_user
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row

WORDS_BEARING = ("media.lance", "edits.lance")
TABLES = (*WORDS_BEARING, "roots.lance", "jobs.lance", "failures.lance", "views_*.lance")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Original:
    """A small library with captions, tags and a backup."""
    return annotated_original(tmp_path_factory.mktemp("original"))


Damaged = Callable[[Path, str], Path]


@pytest.fixture
def damaged(original: Original, tmp_path: Path) -> Damaged:
    """Gives a copy of the library with one file damaged."""

    def made(file: Path, damage: str) -> Path:
        return original.damaged(tmp_path / "library", file, damage)

    return made


def _newest_manifest(original: Original, table: str) -> Path:
    folder = next((original.folder / "store").glob(table)) / "_versions"
    return min(folder.glob("*.manifest")).relative_to(original.folder)


def _newest_data(original: Original, table: str) -> Path:
    """A file of rows that the newest version of a table is made of."""
    manifest = original.folder / _newest_manifest(original, table)
    fragments = parse_manifest(manifest.read_bytes()).fragments
    folder = manifest.parents[1].relative_to(original.folder)
    return folder / fragments[-1].files[0][0]


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_manifest_falls_back_by_itself(
    original: Original, damaged: Damaged, table: str, damage: str
) -> None:
    """The engine starts, says which table it was, and no word of a person is lost."""
    folder = damaged(_newest_manifest(original, table), damage)
    outcome = outcome_of(original, folder)
    assert outcome.losses == []
    assert any("was damaged" in notice for notice in outcome.notices)
    assert list((folder / "damaged").rglob("*.manifest")) or damage == "removed"


@pytest.mark.parametrize("table", [*WORDS_BEARING, "views_*.lance"])
@pytest.mark.parametrize("damage", ["flipped", "removed"])
def test_damaged_data_loses_no_word_and_is_said(
    original: Original, damaged: Damaged, table: str, damage: str
) -> None:
    """Log and columns are made again from each other; lost vectors are counted."""
    outcome = outcome_of(original, damaged(_newest_data(original, table), damage))
    assert outcome.losses == []
    assert outcome.is_said


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["library.json", "library.json.copy", "search.snapshot"])
def test_damage_beside_the_tables_changes_nothing(
    original: Original, damaged: Damaged, name: str, damage: str
) -> None:
    """Description and snapshot are made again; what is found is what was found."""
    outcome = outcome_of(original, damaged(Path(name), damage))
    assert outcome.losses == []
    assert outcome.ranks_right


def test_a_lost_lock_file_changes_nothing(original: Original, damaged: Damaged) -> None:
    outcome = outcome_of(original, damaged(Path("lock"), "removed"))
    assert outcome.losses == []
    assert outcome.ranks_right


def test_a_whole_library_is_opened_without_a_word(original: Original, tmp_path: Path) -> None:
    """Also a copy whose files all have new times: their checksums are looked at."""
    for copy in (shutil.copy2, shutil.copyfile):
        folder = tmp_path / copy.__name__
        shutil.copytree(original.folder, folder, copy_function=copy)
        outcome = outcome_of(original, folder)
        assert outcome.losses == []
        assert (outcome.notices, outcome.ranks_right) == ((), True)
        assert not (folder / "damaged").exists()


def test_a_reader_mends_a_library_that_nobody_writes(original: Original, damaged: Damaged) -> None:
    """A search does not fail where an engine would have mended the table first."""
    folder = damaged(_newest_manifest(original, "media.lance"), "emptied")
    assert outcome_of(original, folder, Access.READ).losses == []


@pytest.mark.parametrize("table", [*WORDS_BEARING, "views_*.lance"])
def test_a_reader_that_can_mend_nothing_says_so(
    original: Original, damaged: Damaged, table: str
) -> None:
    """On a read-only disk: a sentence, no wrong order, no older words as if they were all."""
    for number, (file, damage) in enumerate(
        ((_newest_manifest(original, table), "removed"), (_newest_data(original, table), "flipped"))
    ):
        folder = damaged(file, damage)
        (folder / "search.snapshot").unlink()
        outcome = helpless_outcome_of(original, folder)
        assert outcome.losses == []
        assert "damaged and can't be mended now" in outcome.error
        folder.rename(folder.with_name(f"tried {number}"))


@pytest.mark.parametrize("table", ["roots.lance", "jobs.lance"])
def test_a_reader_does_without_a_damaged_table_that_it_does_not_need(
    original: Original, damaged: Damaged, table: str
) -> None:
    """Searches go on where nothing can be mended."""
    outcome = helpless_outcome_of(original, damaged(_newest_manifest(original, table), "emptied"))
    assert (outcome.losses, outcome.error) == ([], "")
    assert outcome.ranks_right


@pytest.mark.parametrize("table", ["media.lance", "edits.lance"])
def test_files_of_another_user_are_no_damage(
    original: Original, tmp_path: Path, table: str
) -> None:
    """Once run as the superuser: it is said, and nothing is set back or moved aside."""
    folder = tmp_path / "library"
    shutil.copytree(original.folder, folder)
    manifest = folder / _newest_manifest(original, table)
    for closed in (manifest, folder / "store"):
        closed.chmod(0)
        for is_writer in (True, False):
            with pytest.raises(UserError, match="closed to you"):
                as_ordinary_user(lambda writes=is_writer: _open(folder, writer=writes))
        closed.chmod(0o700)
    outcome = outcome_of(original, folder)
    assert (outcome.losses, outcome.notices) == ([], ())


def _open(folder: Path, *, writer: bool) -> None:
    Library.open(folder, create=False, writer=writer).close()


def test_a_lost_log_is_rebuilt_from_the_columns(original: Original, damaged: Damaged) -> None:
    """Whole table gone: what people said is in the log again, and a new caption wipes no tag."""
    folder = damaged(_newest_manifest(original, "edits.lance"), "removed")
    shutil.rmtree(folder / "store" / "edits.lance")
    shutil.rmtree(folder / "backups")
    ask(folder, Access.WRITE)
    with Library.open(folder) as library:
        assert library.edits.differing() == 0
        assert {edit.who for edit in library.edits.all()} == {"recovered"}
        assert any("taken into the log again" in notice for notice in library.notices)
    assert words_of(folder) == original.words


def test_rows_of_annotated_media_come_back_from_the_log(
    original: Original, damaged: Damaged
) -> None:
    """With all media lost, those with annotations stand in the library under their old keys."""
    folder = damaged(_newest_manifest(original, "media.lance"), "removed")
    shutil.rmtree(folder / "store" / "media.lance")
    outcome = outcome_of(original, folder)
    assert outcome.losses == []
    assert any("wait for the next index" in notice for notice in outcome.notices)


def test_words_are_kept_where_all_tables_are_gone(original: Original, tmp_path: Path) -> None:
    """The backup gives the words up to its time; the person is told to index again."""
    folder = tmp_path / "library"
    shutil.copytree(original.folder, folder)
    shutil.rmtree(folder / "store")
    outcome = outcome_of(original, folder)
    assert outcome.error == ""
    assert any("tables were gone" in notice for notice in outcome.notices)
    found = words_of(folder)
    assert {name for name in found if found[name] == original.words[name]} | {
        name for name, words in original.words.items() if "late" in str(words)
    } == set(original.words)


def test_a_repair_reads_everything_and_ends_the_notices(
    original: Original, damaged: Damaged
) -> None:
    """Damage without a trace in the file's time is found by a check and mended by a repair."""
    file = _newest_data(original, "views_*.lance")
    whole = (original.folder / file).stat()
    folder = damaged(file, "flipped")
    os.utime(folder / file, ns=(whole.st_atime_ns, whole.st_mtime_ns))
    with Library.open(folder) as library:
        assert library.notices == ()
        assert any("search vectors is damaged" in text for text in library.care.problems())
        assert any("search vectors was damaged" in text for text in library.care.repair())
        assert library.notices == ()
        problems = library.care.problems()
    assert len(problems) == 1
    assert "without vectors: " in problems[0]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_index_is_made_again(tmp_path: Path, damage: str) -> None:
    """Searches are right without it, and the next tidying draws it anew."""
    vectors = np.random.default_rng(1).standard_normal((300, 8))
    sizes = Sizes(key_index_rows=100, memory_rows=0)
    with Library.open(tmp_path, sizes=sizes) as library:
        rows = [media_row(b"%d" % number) for number in range(len(vectors))]
        insert(library, *rows)
        library.views.create(IMAGE_ID, 8)
        library.views.commit(IMAGE_ID, list(map(view_row, rows, vectors)))
        library.set_model(IMAGE_ID)
        library.tidy()
    for file in list((tmp_path / "store").glob("views_*.lance/_indices/*/*")):
        DAMAGES[damage](file)
    with Library.open(tmp_path, sizes=sizes) as library:
        assert ["An index of the table" in notice for notice in library.notices] == [True]
        (best,) = library.views.nearest(IMAGE_ID, np.asarray(vectors[7], np.float32), 1)
        assert best.key == rows[7].key
        library.tidy()
        assert list((tmp_path / "store").glob("views_*.lance/_indices/*/*"))
    with Library.open(tmp_path, sizes=sizes) as library:
        assert len(library.notices) == 1
