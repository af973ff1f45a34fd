"""What is excluded after it was indexed: not shown, not lost, and back when it is wanted again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from tests.support.index_tools import (
    CountingBackend,
    row_at,
    run_index,
    set_human_caption,
    write_photo,
)


@pytest.fixture
def photos(tmp_path: Path, library: Library) -> Path:
    """A folder of three photos, one of them in a folder of its own, indexed and captioned."""
    for number, name in enumerate(("a.jpg", "b.jpg", "sub/c.jpg")):
        write_photo(tmp_path / "photos" / name, number)
    run_index(library, [tmp_path / "photos"])
    for name in ("b.jpg", "sub/c.jpg"):
        set_human_caption(library, row_at(library, tmp_path / "photos" / name).key, f"my {name}")
    return tmp_path / "photos"


def exclude(library: Library, folder: Path, *patterns: bytes) -> None:
    """The only patterns of a folder."""
    library.roots.exclude(os.fsencode(folder), patterns)


def states(library: Library, photos: Path, names: Sequence[str]) -> list[MediaState]:
    """Where the files of these names are, by their rows."""
    return [row_at(library, photos / name).state for name in names]


@pytest.mark.parametrize("pattern", [b"sub", b"/sub", b"/sub/c.jpg", b"C.*"])
def test_media_excluded_later_are_missing_with_their_words(
    library: Library, photos: Path, pattern: bytes
) -> None:
    """The reason says why; nothing of them is forgotten."""
    exclude(library, photos, pattern)
    report = run_index(library, [photos])
    row = row_at(library, photos / "sub" / "c.jpg")
    assert (row.state, row.reason) == (MediaState.MISSING, "It is excluded.")
    assert row.human_caption == "my sub/c.jpg"
    assert (report.missing, report.unchanged, report.failed) == (1, 2, ())
    assert states(library, photos, ("a.jpg", "b.jpg")) == [MediaState.PRESENT] * 2


def test_a_pattern_that_is_taken_away_brings_media_back_as_they_were(
    library: Library, photos: Path
) -> None:
    """Under the same key, with their words, and nothing is read again."""
    key = row_at(library, photos / "b.jpg").key
    exclude(library, photos, b"b.jpg")
    run_index(library, [photos])
    exclude(library, photos)
    backend = CountingBackend()
    run_index(library, [photos], backend=backend)
    row = row_at(library, photos / "b.jpg")
    assert (row.key, row.state, row.human_caption) == (key, MediaState.PRESENT, "my b.jpg")
    assert backend.embedded == 0


def test_a_nomedia_file_hides_what_was_indexed_before(library: Library, photos: Path) -> None:
    """And its removal shows it again."""
    (photos / "sub" / ".nomedia").touch()
    run_index(library, [photos])
    row = row_at(library, photos / "sub" / "c.jpg")
    assert row.state is MediaState.MISSING
    assert ".nomedia" in (row.reason or "")
    (photos / "sub" / ".nomedia").unlink()
    run_index(library, [photos])
    assert row_at(library, photos / "sub" / "c.jpg").state is MediaState.PRESENT


def test_patterns_hold_where_only_a_folder_of_the_root_is_indexed(
    library: Library, photos: Path
) -> None:
    """They belong to the root, whatever part of it is looked through."""
    write_photo(photos / "sub" / "raw" / "d.jpg", 9)
    exclude(library, photos, b"/sub/raw")
    report = run_index(library, [photos / "sub"])
    assert (report.indexed, report.unchanged) == (0, 1)
    assert library.media.row_by_path(os.fsencode(photos / "sub" / "raw" / "d.jpg")) is None


def test_a_file_that_leaves_an_excluded_folder_is_the_same_medium(
    library: Library, photos: Path
) -> None:
    """It has moved: its words come along."""
    key = row_at(library, photos / "sub" / "c.jpg").key
    exclude(library, photos, b"/sub")
    run_index(library, [photos])
    (photos / "sub" / "c.jpg").rename(photos / "c.jpg")
    report = run_index(library, [photos])
    row = row_at(library, photos / "c.jpg")
    assert report.moved == 1
    assert (row.key, row.state, row.human_caption) == (key, MediaState.PRESENT, "my sub/c.jpg")


def test_failures_of_excluded_files_are_not_kept(library: Library, photos: Path) -> None:
    """Who excludes what can't be read does not want to hear of it."""
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(64))
    assert len(run_index(library, [photos]).failed) == 1
    exclude(library, photos, b"broken.*")
    assert run_index(library, [photos]).failed == ()
    assert library.media.failures() == []


def test_an_index_keeps_the_patterns_of_a_root(library: Library, photos: Path) -> None:
    """It notes the folder's device and time anew."""
    exclude(library, photos, b"*.png", b"*.png", b"/x")
    run_index(library, [photos])
    (root,) = library.roots.all()
    assert root.excludes == (b"*.png", b"/x")
