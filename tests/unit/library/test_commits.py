"""Commits survive a power cut: what counted is there, what did not is not half there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.library.commits import CommittedFiles, mark_of, table_folder
from cocadesk.library.lance_files import manifest_name, parse_manifest, version_numbers, without
from cocadesk.library.library import Library
from cocadesk.library.rows import RootRow
from cocadesk.library.schema import FAILURES
from cocadesk.library.store import Store
from tests.support.library_rows import IMAGE_ID, insert, media_row, view_row
from tests.support.power_cut import UnsyncedDisk
from tests.unit.library.test_store import failures, paths

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of open files: /proc")


def _annotate(library: Library) -> None:
    HumanAnnotations(library).set(
        library.media.all_keys(), AnnotationEdit(caption="said", add_tags=("sea",))
    )


def _caption(library: Library) -> None:
    library.media.set_captions(dict.fromkeys(library.media.all_keys(), "a machine's"), "m")


def _embed(library: Library) -> None:
    library.views.create(IMAGE_ID, 4)
    rows = library.media.rows(library.media.all_keys())
    library.views.commit(IMAGE_ID, [view_row(row, np.eye(4)[0]) for row in rows])


def _use_model(library: Library) -> None:
    library.set_model(IMAGE_ID)


def _tidy(library: Library) -> None:
    for number in range(20):
        insert(library, media_row(b"more-%d" % number))
    library.tidy()


def _state(library: Library) -> tuple[object, ...]:
    """All that a library holds, in an order of its own."""
    rows: list[RootRow] = library.roots.all()
    media = sorted(library.media.iter_rows(), key=lambda row: row.key)
    return media, library.edits.all(), rows, library.views.marks(IMAGE_ID), library.model


@pytest.mark.parametrize("work", [_annotate, _caption, _embed, _use_model, _tidy])
def test_a_commit_that_returned_is_there_after_a_power_cut(
    tmp_path: Path, work: Callable[[Library], None]
) -> None:
    """Only what was synced is left of the disk; nothing is lost and no damage is met."""
    disk = UnsyncedDisk(tmp_path / "library")
    with disk.running(), Library.open(tmp_path / "library") as library:
        library.roots.add(b"/photos")
        insert(library, media_row(b"a"), media_row(b"b"))
        work(library)
        state = _state(library)
        found = disk.after_the_cut(tmp_path / "after")
    with Library.open(found) as library:
        assert _state(library) == state
        assert library.notices == ()


def test_a_commit_that_did_not_return_is_as_if_it_never_was(tmp_path: Path) -> None:
    """Lance's own commit without ours behind it: the version before it is used."""
    folder = tmp_path / "library"
    disk = UnsyncedDisk(folder)
    with disk.running(), Library.open(folder) as library:
        insert(library, media_row(b"a"))
        before = _state(library)
        found = disk.after_the_cut(tmp_path / "after")
        insert(library, media_row(b"b"))
    newest = version_numbers(table_folder(folder / "store", "media"))[0]
    (found / "store" / "media.lance" / manifest_name(newest)).touch()
    with Library.open(found) as library:
        assert _state(library) == before


def test_marks_are_read_again_but_for_damaged_lines(tmp_path: Path) -> None:
    """A line that was cut or flipped counts as none."""
    (tmp_path / "t.lance" / "data").mkdir(parents=True)
    files = [f"data/{name}.lance" for name in ("one", "two three", "four")]
    for file in files:
        (tmp_path / "t.lance" / file).write_bytes(file.encode())
    marks = {file: mark_of(tmp_path / "t.lance" / file) for file in files}
    CommittedFiles(tmp_path, "t").keep(marks)
    assert CommittedFiles(tmp_path, "t").marks == marks
    recorded = tmp_path / "t.checksums"
    lines = recorded.read_bytes().splitlines(keepends=True)
    recorded.write_bytes(lines[0] + lines[1].replace(b"two", b"tvo") + lines[2][:20])
    assert CommittedFiles(tmp_path, "t").marks == {files[0]: marks[files[0]]}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with two fragments of failures, a deletion and an index of keys."""
    opened = Store(tmp_path, read_only=False, key_index_rows=100)
    opened.create_missing()
    opened.append(FAILURES, failures(b"/a", b"/b"))
    opened.append(FAILURES, failures(b"/c"))
    opened.delete(FAILURES, "path = X'2F61'")
    return opened


def test_a_manifest_names_the_files_and_rows_of_its_version(store: Store, tmp_path: Path) -> None:
    """Read without LanceDB, for each version that there is."""
    folder = table_folder(tmp_path, FAILURES)
    numbers = version_numbers(folder)
    versions = [parse_manifest((folder / manifest_name(n)).read_bytes()) for n in numbers]
    assert [version.number for version in versions] == numbers == [4, 3, 2, 1]
    assert [version.rows for version in versions] == [2, 3, 2, 0]
    for path, size in (file for f in versions[0].fragments for file in f.files):
        assert size is None or (folder / path).stat().st_size == size
    assert any("_deletions" in path for f in versions[0].fragments for path, _ in f.files)


def test_a_fragment_is_left_out_of_a_manifest(store: Store, tmp_path: Path) -> None:
    """Lance reads what is left; the same manifest comes out where nothing is left out."""
    folder = table_folder(tmp_path, FAILURES)
    file = folder / manifest_name(version_numbers(folder)[0])
    data = file.read_bytes()
    _, second = parse_manifest(data).fragments
    assert without(data, frozenset(), indexes=True) == data
    file.write_bytes(without(data, {second.number}, indexes=True))
    reader = Store(tmp_path, read_only=True, key_index_rows=100)
    assert paths(reader) == [b"/b"]
    reader.close()


@pytest.mark.parametrize("cut", [0, 3, 15, 16, 40, -1])
def test_a_cut_manifest_is_no_manifest(store: Store, tmp_path: Path, cut: int) -> None:
    """Wherever it ends."""
    folder = table_folder(tmp_path, FAILURES)
    data = (folder / manifest_name(version_numbers(folder)[0])).read_bytes()
    with pytest.raises(ValueError, match="manifest"):
        parse_manifest(data[:cut])
