"""Photos with a short video: Live Photos in two files, and motion photos in one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cocadesk.indexing.types import IndexReport
from cocadesk.library.library import Library
from cocadesk.library.parts import PartRole
from cocadesk.library.rows import MediaKind, ViewShows
from cocadesk.search.searcher import Searcher
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import (
    CountingBackend,
    InProcessDecoder,
    photo_bytes,
    row_at,
    run_index,
    views_at,
    write_photo,
)
from tests.support.live_photos import motion_photo, still, video
from tests.support.shared import shared_path

IMAGE_ID = FakeInfo().image_id


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder that is never empty."""
    write_photo(tmp_path / "photos" / "other.jpg", 7)
    return tmp_path / "photos"


def index(library: Library, photos: Path) -> IndexReport:
    """Index the folder; nothing may fail."""
    report = run_index(library, [photos])
    assert report.failed == ()
    return report


def parts(library: Library, path: Path) -> list[tuple[str, PartRole]]:
    """The parts of the medium at a path."""
    return [(os.fsdecode(part.name), part.role) for part in row_at(library, path).parts]


def test_a_live_photo_is_one_photo_with_the_moments_of_its_video(
    library: Library, photos: Path
) -> None:
    """A search that fits the video finds the photo, at that time."""
    still(photos / "IMG_2.jpg")
    video(photos / "IMG_2.MOV")
    assert index(library, photos).videos == 0
    assert parts(library, photos / "IMG_2.jpg") == [("IMG_2.MOV", PartRole.VIDEO)]
    row = row_at(library, photos / "IMG_2.MOV")
    assert (row.kind, row.format) == (MediaKind.PHOTO, "JPEG")
    shows = [view.shows for view in views_at(library, photos / "IMG_2.jpg")]
    assert shows == [ViewShows.WHOLE, ViewShows.LIVE]
    assert library.thumbnails.moment_path(row.picture_hash, 1).exists()
    searcher = Searcher(library, FakeBackend())
    hit = searcher.search("red", 5)[0]
    assert (hit.key, hit.time_s is not None, hit.kind) == (row.key, True, MediaKind.PHOTO)


def test_a_second_index_reads_no_video_again(library: Library, photos: Path) -> None:
    """Nothing is decoded."""
    still(photos / "IMG_2.jpg")
    video(photos / "IMG_2.MOV")
    index(library, photos)
    decoder = InProcessDecoder()
    report = run_index(library, [photos], decoder=decoder)
    assert (decoder.decoded, report.unchanged) == ([], 2)


@pytest.mark.parametrize(
    ("still_id", "video_id", "seconds", "taken", "is_one"),
    [
        ("A-1-to-be-longer", "A-1-to-be-longer", 6, "2020-01-01T00:00:00", True),
        ("A-1-to-be-longer", "B-2-to-be-longer", 1, "2021-06-01T10:20:30", False),
        ("", "B-2-to-be-longer", 1, "2021-06-01T10:20:31", True),
        ("", "", 1, "2021-06-01T10:21:30", False),
        ("", "", 6, "2021-06-01T10:20:30", False),
        ("", "", 1, "", False),
    ],
)
def test_apples_identifier_counts_before_length_and_time(
    library: Library,
    photos: Path,
    still_id: str,
    video_id: str,
    seconds: float,
    taken: str,
    is_one: bool,
) -> None:
    """Without it in both a video is of the photo where it is short and of the same moment."""
    still(photos / "IMG_2.jpg", content_id=still_id)
    video(photos / "IMG_2.mov", seconds=seconds, taken=taken, content_id=video_id)
    index(library, photos)
    assert bool(parts(library, photos / "IMG_2.jpg")) is is_one


def test_the_moments_go_with_the_video(library: Library, photos: Path) -> None:
    """The photo stays; a new video brings its own."""
    still(photos / "IMG_2.jpg")
    path = video(photos / "IMG_2.MOV")
    index(library, photos)
    key = row_at(library, photos / "IMG_2.jpg").key
    data = path.read_bytes()
    path.unlink()
    index(library, photos)
    assert len(views_at(library, photos / "IMG_2.jpg")) == 1
    path.write_bytes(data)
    backend = CountingBackend()
    run_index(library, [photos], backend=backend)
    assert len(views_at(library, photos / "IMG_2.jpg")) == 2
    assert row_at(library, photos / "IMG_2.MOV").key == key


def test_a_broken_video_leaves_the_photo_and_is_tried_once(library: Library, photos: Path) -> None:
    """Until it changes."""
    still(photos / "IMG_2.jpg", content_id="A-1-to-be-longer")
    path = video(photos / "IMG_2.MOV", content_id="A-1-to-be-longer")
    index(library, photos)
    data = path.read_bytes()
    media, end = data.find(b"mdat") + 4, data.find(b"moov") - 4
    path.write_bytes(data[:media] + bytes(end - media) + data[end:])
    decoder = InProcessDecoder()
    for _ in range(2):
        run_index(library, [photos], decoder=decoder)
    assert decoder.decoded.count(os.fsencode(path)) == 1


@pytest.mark.parametrize("mark", ["MotionPhoto", "MicroVideo", "samsung"])
def test_the_video_inside_a_motion_photo_belongs_to_the_photo(
    library: Library, photos: Path, tmp_path: Path, mark: str
) -> None:
    """Its moments are the photo's, and go with it where it is moved or copied."""
    path = photos / "PXL.MP.jpg"
    path.write_bytes(motion_photo(tmp_path, mark))
    index(library, photos)
    assert parts(library, path) == [("", PartRole.INSIDE)]
    assert [view.shows for view in views_at(library, path)] == [ViewShows.WHOLE, ViewShows.LIVE]
    moved = path.rename(photos / "moved.jpg")
    decoder = InProcessDecoder()
    report = run_index(library, [photos], decoder=decoder)
    assert (report.moved, decoder.decoded) == (1, [])
    assert parts(library, moved) == [("", PartRole.INSIDE)]
    assert len(views_at(library, moved)) == 2


def test_a_plain_photo_has_no_video_inside(library: Library, photos: Path) -> None:
    """Though it may speak of one."""
    (photos / "said.jpg").write_bytes(photo_bytes(4, comment="a MotionPhoto of ftyp mp42"))
    index(library, photos)
    assert parts(library, photos / "said.jpg") == []


def test_what_only_says_that_it_is_a_motion_photo_is_a_plain_one(
    library: Library, photos: Path
) -> None:
    """Phones write the mark without a whole video, too."""
    path = photos / "stub.jpg"
    path.write_bytes(
        photo_bytes(3) + b"MotionPhoto_Data\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"?" * 99
    )
    index(library, photos)
    assert parts(library, path) == []
    assert len(views_at(library, path)) == 1


def test_a_pixels_motion_photo_is_found_by_its_video(library: Library, photos: Path) -> None:
    """A file as the phone names it: still and video in one."""
    path = photos / "PXL_20210715.MP.jpg"
    shutil.copy(shared_path("faults/videos/PXL_20210715.MP.jpg"), path)
    index(library, photos)
    assert parts(library, path) == [("", PartRole.INSIDE)]
    shows = [view.shows for view in views_at(library, path)]
    assert shows[0] is ViewShows.WHOLE
    assert set(shows[1:]) == {ViewShows.LIVE}
