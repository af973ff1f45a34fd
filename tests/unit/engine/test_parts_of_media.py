"""A medium of several files through an engine: found, shown and forgotten by each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from cocadesk.engine.local import LocalEngine
from cocadesk.library.library import Library
from cocadesk.protocol.messages import (
    Detail,
    Excluded,
    Forget,
    Forgotten,
    GetDetail,
    GetKeys,
    GetMoments,
    GetPreview,
    Hits,
    JobReply,
    Keys,
    ListNewest,
    Moments,
    Preview,
    Search,
    SetExcludes,
    StartIndex,
    WatchJob,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState, PartValue
from tests.support.engines import local_engine
from tests.support.index_tools import run_index, write_photo
from tests.support.live_photos import motion_photo, still, video
from tests.support.shots import write_shot


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A shot in two files, and a photo."""
    write_shot(tmp_path / "photos", "IMG_1", 1)
    write_photo(tmp_path / "photos" / "other.jpg", 7)
    return tmp_path / "photos"


@pytest.fixture
def engine(tmp_path: Path, photos: Path) -> Iterator[LocalEngine]:
    """An engine in this process with these photos indexed."""
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos])
    with local_engine(tmp_path / "library") as engine:
        yield engine


def index(engine: LocalEngine, photos: Path) -> None:
    """Index to the end."""
    job = engine.ask(StartIndex(folders=(WirePath.of(photos),)), JobReply).job
    done = engine.ask(WatchJob(job_id=job.id), JobReply).job
    assert done.state is JobState.DONE


@pytest.mark.parametrize(
    "text", ["name:img_1.dng", "name:IMG_1.jpg", 'format:"camera raw"', "format:jpeg name:img"]
)
def test_a_filter_finds_the_medium_by_any_of_its_files(
    engine: LocalEngine, photos: Path, text: str
) -> None:
    """In a search, where the answer names all files, and in a list."""
    (hit,) = engine.ask(Search(text=text, limit=10), Hits).hits
    assert hit.path == WirePath.of(photos / "IMG_1.jpg")
    assert hit.parts == (PartValue(path=WirePath.of(photos / "IMG_1.dng"), role="raw"),)
    assert engine.ask(ListNewest(filter=text), Keys).keys == (hit.key,)


def test_the_detail_of_a_medium_lists_its_files(engine: LocalEngine, photos: Path) -> None:
    """Asked for by the RAW's path."""
    (key,) = engine.ask(GetKeys(paths=(WirePath.of(photos / "IMG_1.dng"),)), Keys).keys
    detail = engine.ask(GetDetail(key=key), Detail)
    assert detail.row.path == WirePath.of(photos / "IMG_1.jpg")
    assert [part.path for part in detail.row.parts] == [WirePath.of(photos / "IMG_1.dng")]
    facts = {fact.name: fact.text for fact in detail.facts}
    assert facts["files"] == "IMG_1.jpg, IMG_1.dng (RAW)"


@pytest.mark.parametrize("named", ["IMG_1.jpg", "IMG_1.dng"])
def test_a_medium_is_forgotten_with_all_its_files(
    engine: LocalEngine, photos: Path, named: str
) -> None:
    """None of them comes back as a medium of its own with the next index."""
    done = engine.ask(Forget(paths=(WirePath.of(photos / named),)), Forgotten)
    assert (done.counts.media, len(done.excluded)) == (1, 2)
    index(engine, photos)
    assert engine.ask(ListNewest(), Keys).total == 1


def test_the_raw_alone_can_be_excluded(engine: LocalEngine, photos: Path) -> None:
    """The medium goes on with its JPEG."""
    engine.ask(SetExcludes(folder=WirePath.of(photos), add=(WirePath.of(b"*.dng"),)), Excluded)
    index(engine, photos)
    assert engine.ask(ListNewest(filter="name:img_1.jpg"), Keys).total == 1
    assert engine.ask(ListNewest(filter="name:dng"), Keys).total == 0


@pytest.mark.parametrize("is_inside", [True, False])
def test_the_moments_of_a_photos_video_can_be_looked_at(tmp_path: Path, is_inside: bool) -> None:
    """They are listed, and a preview of one shows the frame; without a time the photo is shown."""
    photos = tmp_path / "photos"
    path = still(photos / "a.jpg")
    if is_inside:
        path.write_bytes(motion_photo(tmp_path, "MotionPhoto"))
    else:
        video(photos / "a.mov")
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos])
    with local_engine(tmp_path / "library") as engine:
        (key,) = engine.ask(GetKeys(paths=(WirePath.of(path),)), Keys).keys
        (moment, *_) = engine.ask(GetMoments(key=key), Moments).moments
        assert moment.thumbnail is not None
        frame = engine.ask(GetPreview(key=key, time_s=moment.time_s), Preview)
        whole = engine.ask(GetPreview(key=key), Preview)
        assert frame.path != whole.path
        with Image.open(frame.path.to_str()) as picture:
            red, green, blue = picture.convert("RGB").resize((1, 1)).getpixel((0, 0))
        assert red > 200
        assert max(green, blue) < 60
