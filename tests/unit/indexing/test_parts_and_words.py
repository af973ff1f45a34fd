"""No words on another picture, whatever becomes of the files that are, or seem, of one shot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cocadesk.annotations.history import UndoStacks
from cocadesk.indexing.types import IndexOptions, IndexProgress, IndexStage
from cocadesk.library.library import Library
from tests.support.index_tools import (
    InProcessDecoder,
    photo_bytes,
    row_at,
    run_index,
    set_human_caption,
    write_photo,
)
from tests.support.live_photos import video
from tests.support.shots import jpeg_bytes, media, raw_bytes
from tests.support.xmp_packets import xmp


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one shot in two files, and a photo that stays."""
    folder = tmp_path / "photos"
    write_photo(folder / "other.jpg", 7)
    (folder / "I.jpg").write_bytes(jpeg_bytes(1))
    (folder / "I.dng").write_bytes(raw_bytes(1))
    return folder


def caption(library: Library, path: Path) -> str | None:
    """A person's caption of the medium that a file is of."""
    return row_at(library, path).human_caption


def joined(library: Library, photos: Path, *, said: str) -> str:
    """JPEG and RAW as media of their own, the RAW captioned, joined then; gives the key."""
    (photos / "I.jpg").rename(photos / "y.jpg")
    run_index(library, [photos])
    jpeg, raw = (row_at(library, photos / name).key for name in ("y.jpg", "I.dng"))
    set_human_caption(library, raw, said)
    (photos / "y.jpg").rename(photos / "I.jpg")
    run_index(library, [photos])
    assert media(library) == {"I.jpg": ["I.dng"], "other.jpg": []}
    return jpeg


def test_a_copy_of_a_raw_is_its_own_picture_though_a_jpeg_takes_its_row(
    library: Library, photos: Path
) -> None:
    """One scan finds a JPEG that is known already beside the RAW, and a copy of the RAW."""
    (photos / "I.jpg").rename(photos / "y.jpg")
    run_index(library, [photos])
    raw = row_at(library, photos / "I.dng")
    set_human_caption(library, row_at(library, photos / "y.jpg").key, "words of y")
    shutil.copyfile(photos / "y.jpg", photos / "I.jpg")
    (photos / "zz").mkdir()
    shutil.copyfile(photos / "I.dng", photos / "zz" / "B.dng")
    run_index(library, [photos])
    copy = row_at(library, photos / "zz" / "B.dng")
    assert (copy.format, copy.file_hash) == (raw.format, raw.file_hash)
    (photos / "y.jpg").unlink()
    (photos / "I.jpg").unlink()
    run_index(library, [photos])
    assert caption(library, photos / "zz" / "B.dng") is None


@pytest.mark.parametrize("without", ["JPEG", "RAW", "readable metadata"])
def test_raw_and_jpeg_are_not_one_shot_where_nothing_says_when_they_were_taken(
    library: Library, photos: Path, without: str
) -> None:
    """Names alone give one photo the words of another."""
    if without == "JPEG":
        (photos / "I.jpg").write_bytes(photo_bytes(1))
    elif without == "RAW":
        (photos / "I.dng").write_bytes(raw_bytes(1, ""))
    else:
        (photos / "I.dng").write_bytes(b"no RAW file")
    run_index(library, [photos])
    assert row_at(library, photos / "I.jpg").parts == ()
    set_human_caption(library, row_at(library, photos / "I.jpg").key, "words of the JPEG")
    (photos / "I.jpg").unlink()
    run_index(library, [photos])
    row = library.media.row_by_path(os.fsencode(photos / "I.dng"))
    assert row is None or row.human_caption is None


def test_a_short_video_without_a_time_is_no_part_of_a_photo_of_its_name(
    library: Library, photos: Path
) -> None:
    """Both are searched."""
    write_photo(photos / "1.jpg", 3)
    video(photos / "1.mp4", taken="")
    run_index(library, [photos])
    assert media(library) == {"I.jpg": ["I.dng"], "other.jpg": [], "1.jpg": [], "1.mp4": []}


def test_a_jpeg_that_loses_its_time_in_place_stays_what_its_raw_belongs_to(
    library: Library, photos: Path
) -> None:
    """Programs that edit photos leave it out."""
    run_index(library, [photos])
    key = row_at(library, photos / "I.jpg").key
    (photos / "I.jpg").write_bytes(photo_bytes(9))
    run_index(library, [photos])
    assert media(library) == {"I.jpg": ["I.dng"], "other.jpg": []}
    assert row_at(library, photos / "I.jpg").key == key


def test_an_index_of_one_file_leaves_the_others_of_its_shot_as_they_were(
    library: Library, photos: Path
) -> None:
    """With their sidecars; when the shown file goes later, key and words are the RAW's."""
    (photos / "I.dng.xmp").write_bytes(xmp(xmp_Rating="4"))
    run_index(library, [photos])
    run_index(library, [photos])
    before = row_at(library, photos / "I.jpg")
    set_human_caption(library, before.key, "mine")
    report = run_index(library, [photos / "I.jpg"])
    after = row_at(library, photos / "I.jpg")
    assert (after.parts, after.rating, report.refreshed) == (before.parts, 4, 0)
    (photos / "I.jpg").write_bytes(jpeg_bytes(5))
    run_index(library, [photos / "I.jpg"])
    assert row_at(library, photos / "I.jpg").parts == before.parts
    (photos / "I.jpg").unlink()
    run_index(library, [photos])
    assert caption(library, photos / "I.dng") == "mine"


def test_a_part_that_somebody_writes_stays_a_part(library: Library, photos: Path) -> None:
    """The next index looks at it."""
    old = 1_600_000_000
    os.utime(photos / "I.jpg", (old, old))
    run_index(library, [photos])
    (photos / "I.dng").write_bytes(raw_bytes(2))
    run_index(library, [photos], options=IndexOptions(settle_s=600))
    assert media(library)["I.jpg"] == ["I.dng"]


def test_the_raw_of_an_excluded_jpeg_is_shown(library: Library, photos: Path) -> None:
    """Key and words are those of the shot."""
    run_index(library, [photos])
    key = row_at(library, photos / "I.jpg").key
    set_human_caption(library, key, "mine")
    library.roots.exclude(os.fsencode(photos), [b"*.jpg"])
    for _ in range(2):
        run_index(library, [photos])
        assert media(library) == {"I.dng": []}
    row = row_at(library, photos / "I.dng")
    assert (row.key, row.human_caption) == (key, "mine")


def test_a_caption_that_is_corrected_after_a_join_never_comes_back(
    library: Library, photos: Path
) -> None:
    """Wherever the RAW goes then, its old caption is not said of it."""
    jpeg = joined(library, photos, said="the see")
    assert caption(library, photos / "I.dng") == "the see"
    set_human_caption(library, jpeg, "the sea")
    (photos / "raw").mkdir()
    (photos / "I.dng").rename(photos / "raw" / "I.dng")
    run_index(library, [photos])
    assert caption(library, photos / "raw" / "I.dng") is None
    (photos / "raw" / "I.dng").rename(photos / "I.dng")
    run_index(library, [photos])
    assert media(library) == {"I.jpg": ["I.dng"], "other.jpg": []}
    assert caption(library, photos / "I.dng") == "the sea"


def test_a_join_is_not_what_undo_takes_back(library: Library, photos: Path) -> None:
    """The person's own command is, and the words are not lost from sight."""
    joined(library, photos, said="mine")
    undo = UndoStacks(library.edits.marks()).state().undo
    assert [step.origin for step in undo] == ["b"]
    assert caption(library, photos / "I.jpg") == "mine"


def test_a_joined_raw_is_not_read_at_each_index(library: Library, photos: Path) -> None:
    """Nothing is to be compared, though two rows know its place."""
    joined(library, photos, said="mine")
    steps: list[IndexProgress] = []
    run_index(library, [photos], progress=steps)
    assert [one for one in steps if one.stage is IndexStage.COMPARE and one.total] == []


def test_a_copy_of_a_raw_in_the_scan_that_joins_it_is_a_medium(
    library: Library, photos: Path
) -> None:
    """Without the words of the shot, which is there."""
    (photos / "I.dng").rename(photos / "raw.dng")
    run_index(library, [photos])
    set_human_caption(library, row_at(library, photos / "raw.dng").key, "mine")
    (photos / "raw.dng").rename(photos / "I.dng")
    shutil.copyfile(photos / "I.dng", photos / "copy.dng")
    decoder = InProcessDecoder()
    for _ in range(2):
        assert run_index(library, [photos], decoder=decoder).failed == ()
        assert media(library) == {"I.jpg": ["I.dng"], "copy.dng": [], "other.jpg": []}
        assert caption(library, photos / "copy.dng") is None
        assert caption(library, photos / "I.jpg") == "mine"
