"""Videos through a real engine: hits with moments, their pictures, previews of a time, words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from cocadesk.errors import UserError
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    Describe,
    Description,
    Detail,
    GetDetail,
    GetInfo,
    GetMoments,
    GetPreview,
    GetRows,
    Hits,
    Info,
    JobReply,
    Keys,
    ListNewest,
    Moments,
    Preview,
    Rows,
    Search,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import IndexReport, MediaKind, Row
from tests.support.engines import index, real_client
from tests.support.videos import make_clip_of_colours

WAIT_S = 60.0
SECONDS_EACH = 1.0


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films and a photo."""
    folder = tmp_path_factory.mktemp("films")
    make_clip_of_colours(folder / "rgb.mp4", ("red", "green", "blue", "red"), SECONDS_EACH)
    make_clip_of_colours(folder / "gw.mp4", ("green", "white"), SECONDS_EACH)
    Image.new("RGB", (60, 40), "white").save(folder / "photo.png")
    return folder


@pytest.fixture(scope="module")
def job(client: EngineClient, films: Path) -> JobReply:
    """The films, indexed."""
    return index(client, films)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineClient]:
    """A client of an engine with an empty library."""
    with real_client(tmp_path_factory.mktemp("engine")) as opened:
        yield opened


@pytest.fixture
def rows(client: EngineClient, job: JobReply) -> dict[str, Row]:
    """The rows by name."""
    keys = client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys
    found = client.ask(GetRows(keys=keys), Rows, timeout_s=WAIT_S).rows
    return {row.name: row for row in found}


def mean_colour(path: WirePath) -> list[int]:
    """The mean of a picture, each channel to the nearest quarter of the scale."""
    with Image.open(path.to_str()) as picture:
        mean = np.asarray(picture.convert("RGB"), np.float64).mean((0, 1))
    return [round(float(value) / 64) for value in mean]


def test_the_job_and_the_counts_name_photos_and_videos(client: EngineClient, job: JobReply) -> None:
    """Each kind where there is one."""
    assert job.job.message == "1 photo and 2 videos added."
    assert isinstance(job.report, IndexReport)
    assert (job.report.indexed, job.report.videos) == (3, 2)
    counts = client.ask(GetInfo(), Info, timeout_s=WAIT_S).counts
    assert (counts.media, counts.photos, counts.videos, counts.views) == (3, 1, 2, 1 + 5 + 3)


def test_a_row_says_that_it_is_a_video_and_how_long(rows: dict[str, Row]) -> None:
    """And has a thumbnail as a photo has."""
    row = rows["rgb.mp4"]
    assert (row.kind, row.duration_s, row.width, row.height) == (MediaKind.VIDEO, 4.0, 160, 120)
    assert row.thumbnail is not None
    assert Path(row.thumbnail.to_str()).exists()


def test_a_hit_names_the_moment_that_fits_with_its_picture(
    client: EngineClient, rows: dict[str, Row]
) -> None:
    """Every medium once; the other moments behind the best one."""
    hits = client.ask(Search(text="blue"), Hits, timeout_s=WAIT_S).hits
    assert sorted(hit.key for hit in hits) == sorted(row.key for row in rows.values())
    hit = next(hit for hit in hits if hit.key == rows["rgb.mp4"].key)
    assert hit.time_s is not None
    assert 2 <= hit.time_s < 3
    assert hit.moments[0].time_s == hit.time_s
    assert len(hit.moments) == 4
    scores = [moment.score for moment in hit.moments]
    assert scores == sorted(scores, reverse=True)
    assert hit.thumbnail is not None
    assert mean_colour(hit.thumbnail) == mean_colour_of("blue")
    photo = next(hit for hit in hits if hit.key == rows["photo.png"].key)
    assert (photo.time_s, photo.moments, photo.thumbnail) == (None, (), None)
    limited = client.ask(Search(text="blue", limit=2), Hits, timeout_s=WAIT_S)
    assert ([hit.key for hit in limited.hits], limited.complete) == (
        [hit.key for hit in hits[:2]],
        False,
    )


def mean_colour_of(name: str) -> list[int]:
    """As ``mean_colour``, of a plain colour."""
    return [round(value / 64) for value in ImageColor.getrgb(name)]


def test_the_moments_of_a_video_come_in_order_of_time(
    client: EngineClient, rows: dict[str, Row]
) -> None:
    """With their pictures; of a photo there are none."""
    moments = client.ask(GetMoments(key=rows["rgb.mp4"].key), Moments, timeout_s=WAIT_S).moments
    assert [(m.start_s, m.end_s) for m in moments] == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert all(m.start_s <= m.time_s < m.end_s for m in moments)
    colours = [mean_colour(moment.thumbnail) for moment in moments if moment.thumbnail]
    assert colours == [mean_colour_of(name) for name in ("red", "green", "blue", "red")]
    photo = client.ask(GetMoments(key=rows["photo.png"].key), Moments, timeout_s=WAIT_S)
    assert photo.moments == ()
    with pytest.raises(UserError, match="no longer in the library"):
        client.ask(GetMoments(key="gone"), Moments, timeout_s=WAIT_S)


def test_a_preview_shows_the_frame_at_its_time(client: EngineClient, rows: dict[str, Row]) -> None:
    """One file a time, made once; without a time the frame that stands for the video."""
    key = rows["rgb.mp4"].key
    paths = set()
    for time_s, colour in ((0.2, "red"), (1.5, "green"), (2.5, "blue"), (99.0, "red")):
        preview = client.ask(GetPreview(key=key, time_s=time_s), Preview, timeout_s=WAIT_S)
        assert mean_colour(preview.path) == mean_colour_of(colour)
        assert (preview.width, preview.height) == (160, 120)
        paths.add(preview.path.to_str())
        again = client.ask(GetPreview(key=key, time_s=time_s), Preview, timeout_s=WAIT_S)
        assert again.path == preview.path
    assert len(paths) == 4
    # Without a time it begins as the strip of moments does.
    preview = client.ask(GetPreview(key=key), Preview, timeout_s=WAIT_S)
    moments = client.ask(GetMoments(key=key), Moments, timeout_s=WAIT_S).moments
    first = client.ask(GetPreview(key=key, time_s=moments[0].time_s), Preview, timeout_s=WAIT_S)
    assert preview.path == first.path


def test_a_video_is_described_through_its_moments(
    client: EngineClient, rows: dict[str, Row]
) -> None:
    """The caption is that of the moment nearest to the whole; both are kept."""
    key = rows["rgb.mp4"].key
    words = client.ask(Describe(key=key), Description, timeout_s=WAIT_S)
    assert (words.caption, words.reason) == ("a red picture", "")
    detail = client.ask(GetDetail(key=key), Detail, timeout_s=WAIT_S).row
    assert detail.caption == words.caption


def test_what_is_like_a_video_is_found(client: EngineClient, rows: dict[str, Row]) -> None:
    """By its whole; the video itself is left out."""
    hits = client.ask(Search(text="", like=(rows["gw.mp4"].key,)), Hits, timeout_s=WAIT_S).hits
    assert {hit.key for hit in hits} == {rows["rgb.mp4"].key, rows["photo.png"].key}


def test_a_video_that_is_gone_shows_the_picture_of_the_moment(
    client: EngineClient, rows: dict[str, Row], films: Path
) -> None:
    """The thumbnail of that very moment stands in for the frame."""
    key = rows["gw.mp4"].key
    moments = client.ask(GetMoments(key=key), Moments, timeout_s=WAIT_S).moments
    (films / "gw.mp4").rename(films / "away")
    try:
        preview = client.ask(
            GetPreview(key=key, time_s=moments[1].time_s), Preview, timeout_s=WAIT_S
        )
        assert preview.path == moments[1].thumbnail
        other = client.ask(GetPreview(key=key, time_s=0.01), Preview, timeout_s=WAIT_S)
        assert other.path == rows["gw.mp4"].thumbnail
    finally:
        (films / "away").rename(films / "gw.mp4")
