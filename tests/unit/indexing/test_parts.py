"""RAW and JPEG of one shot are one medium, whatever becomes of its files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cocadesk.indexing.types import IndexReport
from cocadesk.library.library import Library
from cocadesk.library.parts import PartRole
from cocadesk.library.rows import MediaRow
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    row_at,
    run_index,
    set_human_caption,
    views_at,
    write_photo,
)
from tests.support.shots import jpeg_bytes, media, raw_bytes
from tests.support.xmp_packets import xmp


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with one shot in two files, and a photo that stays."""
    folder = tmp_path / "photos"
    write_photo(folder / "other.jpg", 7)
    (folder / "IMG_1.jpg").write_bytes(jpeg_bytes(1))
    (folder / "img_1.DNG").write_bytes(raw_bytes(1))
    return folder


def index(library: Library, photos: Path) -> IndexReport:
    """Index the folder; nothing may fail."""
    report = run_index(library, [photos])
    assert report.failed == ()
    return report


def test_raw_and_jpeg_of_one_shot_are_one_medium_shown_by_the_jpeg(
    library: Library, photos: Path
) -> None:
    """Case does not count; one row, one vector; the report counts media."""
    decoder = InProcessDecoder()
    report = run_index(library, [photos], decoder=decoder)
    assert (report.indexed, report.failed) == (2, ())
    assert media(library) == {"IMG_1.jpg": ["img_1.DNG"], "other.jpg": []}
    (part,) = row_at(library, photos / "IMG_1.jpg").parts
    raw = photos / "img_1.DNG"
    assert (part.role, part.format) == (PartRole.RAW, "camera raw")
    assert (part.size_bytes, part.mtime_ns) == (raw.stat().st_size, raw.stat().st_mtime_ns)
    assert os.fsencode(raw) not in decoder.decoded
    assert library.counts().views == 2


def test_the_medium_is_found_by_any_of_its_files(library: Library, photos: Path) -> None:
    """By path, where a command names a file."""
    index(library, photos)
    by_raw = row_at(library, photos / "img_1.DNG")
    assert by_raw.key == row_at(library, photos / "IMG_1.jpg").key


def test_a_second_index_reads_nothing_of_a_pair(library: Library, photos: Path) -> None:
    """Neither pixels nor metadata, and the report says that nothing has changed."""

    class Deaf(InProcessDecoder):
        def metadata(self, requests: object) -> object:  # type: ignore[override]
            raise AssertionError("metadata were read")

    index(library, photos)
    decoder = Deaf()
    report = run_index(library, [photos], decoder=decoder)
    assert (report.indexed, report.unchanged, decoder.decoded) == (0, 2, [])


@pytest.mark.parametrize("first", ["IMG_1.jpg", "img_1.DNG"])
def test_a_part_that_comes_later_joins_the_medium(
    library: Library, photos: Path, tmp_path: Path, first: str
) -> None:
    """Key and caption stay, also where the JPEG comes after the RAW and is shown from then on."""
    (other,) = {"IMG_1.jpg", "img_1.DNG"} - {first}
    shutil.move(photos / other, tmp_path / other)
    index(library, photos)
    key = row_at(library, photos / first).key
    set_human_caption(library, key, "mine")
    shutil.move(tmp_path / other, photos / other)
    index(library, photos)
    assert media(library) == {"IMG_1.jpg": ["img_1.DNG"], "other.jpg": []}
    row = row_at(library, photos / "IMG_1.jpg")
    assert (row.key, row.human_caption, row.format) == (key, "mine", "JPEG")
    assert [view.picture_hash for view in views_at(library, photos / "IMG_1.jpg")] == [
        row.picture_hash
    ]


@pytest.mark.parametrize("gone", ["IMG_1.jpg", "img_1.DNG"])
def test_a_medium_lives_on_when_one_of_its_files_is_deleted(
    library: Library, photos: Path, gone: str
) -> None:
    """The loss of the shown file makes the other one the shown; the caption stays."""
    index(library, photos)
    key = row_at(library, photos / "IMG_1.jpg").key
    set_human_caption(library, key, "mine")
    (photos / gone).unlink()
    index(library, photos)
    (left,) = {"IMG_1.jpg", "img_1.DNG"} - {gone}
    assert media(library) == {left: [], "other.jpg": []}
    row = row_at(library, photos / left)
    assert (row.key, row.human_caption) == (key, "mine")
    assert library.counts().missing == 0


def test_files_of_other_times_are_not_one_shot(library: Library, photos: Path) -> None:
    """A camera that counts anew gives the same names again."""
    (photos / "img_1.DNG").write_bytes(raw_bytes(1, "2021:06:01 10:25:30"))
    index(library, photos)
    assert media(library) == {"IMG_1.jpg": [], "img_1.DNG": [], "other.jpg": []}


def test_an_edited_copy_beside_a_pair_is_a_photo_of_its_own(library: Library, photos: Path) -> None:
    """Its name has another stem."""
    (photos / "IMG_1-edited.jpg").write_bytes(jpeg_bytes(3))
    index(library, photos)
    assert media(library) == {"IMG_1.jpg": ["img_1.DNG"], "IMG_1-edited.jpg": [], "other.jpg": []}


def test_files_in_two_folders_are_not_one_shot(library: Library, photos: Path) -> None:
    """Nor are those in two roots."""
    (photos / "raw").mkdir()
    shutil.move(photos / "img_1.DNG", photos / "raw" / "img_1.DNG")
    index(library, photos)
    assert media(library) == {"IMG_1.jpg": [], "img_1.DNG": [], "other.jpg": []}


def test_a_pair_that_is_renamed_together_is_the_same_medium(library: Library, photos: Path) -> None:
    """Nothing is decoded or embedded."""
    index(library, photos)
    key = row_at(library, photos / "IMG_1.jpg").key
    (photos / "IMG_1.jpg").rename(photos / "beach.jpg")
    (photos / "img_1.DNG").rename(photos / "beach.dng")
    decoder, backend = InProcessDecoder(), CountingBackend()
    report = run_index(library, [photos], decoder=decoder, backend=backend)
    assert (report.moved, decoder.decoded, backend.embedded) == (1, [], 0)
    assert media(library) == {"beach.jpg": ["beach.dng"], "other.jpg": []}
    assert row_at(library, photos / "beach.jpg").key == key


def test_a_pair_that_is_renamed_apart_is_two_media(library: Library, photos: Path) -> None:
    """The annotations stay with the file that was shown; together again, they are one again."""
    index(library, photos)
    key = row_at(library, photos / "IMG_1.jpg").key
    set_human_caption(library, key, "mine")
    (photos / "IMG_1.jpg").rename(photos / "beach.jpg")
    index(library, photos)
    assert media(library) == {"beach.jpg": [], "img_1.DNG": [], "other.jpg": []}
    assert row_at(library, photos / "beach.jpg").key == key
    assert row_at(library, photos / "img_1.DNG").human_caption is None
    (photos / "img_1.DNG").rename(photos / "beach.dng")
    index(library, photos)
    assert media(library) == {"beach.jpg": ["beach.dng"], "other.jpg": []}
    assert row_at(library, photos / "beach.dng").human_caption == "mine"
    assert len(list(library.media.iter_rows())) == 2


def test_a_changed_raw_is_noticed(library: Library, photos: Path) -> None:
    """The medium's row has its new size and hash; the shown file is not read again."""
    index(library, photos)
    before = row_at(library, photos / "IMG_1.jpg")
    (photos / "img_1.DNG").write_bytes(raw_bytes(2))
    decoder = InProcessDecoder()
    run_index(library, [photos], decoder=decoder)
    after = row_at(library, photos / "IMG_1.jpg")
    assert (after.key, after.picture_hash) == (before.key, before.picture_hash)
    assert after.parts[0].file_hash != before.parts[0].file_hash
    assert decoder.decoded == []


def two_media(library: Library, photos: Path, tmp_path: Path) -> tuple[str, str]:
    """The shot as an older library knows it: both files are media; the keys of JPEG and RAW."""
    (photos / "img_1.DNG").rename(photos / "raw.DNG")
    index(library, photos)
    (photos / "raw.DNG").rename(photos / "img_1.DNG")
    return row_at(library, photos / "IMG_1.jpg").key, row_at(library, photos / "raw.DNG").key


@pytest.mark.parametrize("captioned", ["", "jpeg", "raw", "both alike"])
def test_media_that_are_one_shot_are_joined_with_all_that_people_said(
    library: Library, photos: Path, tmp_path: Path, captioned: str
) -> None:
    """One row is left that is there, under the key of the JPEG."""
    jpeg, raw = two_media(library, photos, tmp_path)
    for key, name in ((jpeg, "jpeg"), (raw, "raw")):
        if captioned in (name, "both alike"):
            set_human_caption(library, key, "mine")
    index(library, photos)
    assert media(library) == {"IMG_1.jpg": ["img_1.DNG"], "other.jpg": []}
    row = row_at(library, photos / "img_1.DNG")
    assert (row.key, row.human_caption) == (jpeg, "mine" if captioned else None)
    assert {mark.key for mark in library.views.marks(library.model or "")} >= {jpeg}
    states = {one.key: one.state for one in library.media.iter_rows()}
    assert (raw in states) == (captioned in ("raw", "both alike"))


def test_media_of_which_people_said_different_things_stay_apart(
    library: Library, photos: Path, tmp_path: Path
) -> None:
    """No caption is lost or hidden; index after index, until they agree."""
    jpeg, raw = two_media(library, photos, tmp_path)
    set_human_caption(library, jpeg, "the beach")
    set_human_caption(library, raw, "the sea")
    for _ in range(2):
        index(library, photos)
        assert media(library) == {"IMG_1.jpg": [], "img_1.DNG": [], "other.jpg": []}
        captions = {row.key: row.human_caption for row in library.media.iter_rows()}
        assert (captions[jpeg], captions[raw]) == ("the beach", "the sea")
    set_human_caption(library, raw, "the beach")
    index(library, photos)
    assert media(library) == {"IMG_1.jpg": ["img_1.DNG"], "other.jpg": []}


def test_a_broken_jpeg_is_shown_by_its_raw_from_the_next_index_on(
    library: Library, photos: Path
) -> None:
    """The failure is still named. One whose time can't be read is not of the shot at all."""
    (photos / "IMG_1.jpg").write_bytes(jpeg_bytes(1)[:200])
    run_index(library, [photos])
    assert media(library) == {"img_1.DNG": [], "other.jpg": []}
    (photos / "IMG_1.jpg").write_bytes(jpeg_bytes(1)[:-200])
    run_index(library, [photos])
    run_index(library, [photos])
    assert media(library) == {"img_1.DNG": ["IMG_1.jpg"], "other.jpg": []}


def test_a_copy_of_a_pair_is_a_medium_of_its_own_with_both_files(
    library: Library, photos: Path
) -> None:
    """Nothing is decoded for it."""
    index(library, photos)
    shutil.copytree(photos, photos / "copy", ignore=shutil.ignore_patterns("other.jpg"))
    decoder = InProcessDecoder()
    report = run_index(library, [photos], decoder=decoder)
    assert (report.copied, decoder.decoded) == (1, [])
    copy = row_at(library, photos / "copy" / "IMG_1.jpg")
    assert [part.name for part in copy.parts] == [b"img_1.DNG"]
    assert copy.key != row_at(library, photos / "IMG_1.jpg").key


def test_a_whole_shot_that_is_deleted_is_one_missing_medium(library: Library, photos: Path) -> None:
    """And it comes back as it was."""
    index(library, photos)
    rows: list[MediaRow] = list(library.media.iter_rows())
    kept = {path: path.read_bytes() for path in photos.iterdir() if "1" in path.name}
    for path in kept:
        path.unlink()
    index(library, photos)
    assert media(library) == {"other.jpg": []}
    assert library.counts().missing == 1
    for path, data in kept.items():
        path.write_bytes(data)
    index(library, photos)
    assert {row.key for row in rows} == {row.key for row in library.media.iter_rows()}
    assert media(library) == {"IMG_1.jpg": ["img_1.DNG"], "other.jpg": []}


def test_one_raw_beside_two_jpegs_of_its_stem_belongs_to_one_of_them(
    library: Library, photos: Path
) -> None:
    """The other JPEG is a photo of its own."""
    (photos / "IMG_1.jpeg").write_bytes(jpeg_bytes(4))
    index(library, photos)
    found = media(library)
    assert sorted(found) == ["IMG_1.jpeg", "IMG_1.jpg", "other.jpg"]
    assert sorted(map(len, found.values())) == [0, 0, 1]


def test_the_sidecar_of_any_file_is_the_mediums(library: Library, photos: Path) -> None:
    """One of the RAW's own name, too; what it says later is noticed, and nothing is decoded."""
    index(library, photos)
    (photos / "img_1.DNG.xmp").write_bytes(xmp(xmp_Rating="4", dc_subject=["sea"]))
    (photos / "IMG_1.xmp").write_bytes(xmp(xmp_Rating="2", dc_subject=["sand"]))
    decoder = InProcessDecoder()
    report = run_index(library, [photos], decoder=decoder)
    row = row_at(library, photos / "IMG_1.jpg")
    assert (row.rating, set(row.keywords), report.refreshed) == (2, {"sea", "sand"}, 1)
    (photos / "IMG_1.xmp").unlink()
    run_index(library, [photos], decoder=decoder)
    row = row_at(library, photos / "IMG_1.jpg")
    assert (row.rating, row.keywords, decoder.decoded) == (4, ("sea",), [])
