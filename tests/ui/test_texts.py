"""Numbers, times and jobs as the window writes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cocadesk.media.formats import PHOTO_FORMATS
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobState, JobValue, MediaKind, PartValue, Row
from cocadesk.resources import use_language
from ui.kit.texts import (
    clock,
    day,
    file_size,
    has_moments,
    job_line,
    moment,
    picture_size,
    playable,
    time_left,
)
from ui.kit.translation import tr_count
from ui.library.tiles import _ROUGH, kind_badges

JOB = JobValue(id="j", kind=JobKind.INDEX, title="t", state=JobState.RUNNING)


@pytest.fixture
def german() -> Iterator[None]:
    """The window speaks German."""
    use_language("de")
    yield
    use_language("en")


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 photos"), (1, "1 photo"), (2, "2 photos"), (1204, "1,204 photos")]
)
def test_a_number_has_its_noun(number: int, text: str) -> None:
    """One is singular, thousands have their comma."""
    assert tr_count(number, "{n} photo", "{n} photos") == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (4.9, "0:04"), (61, "1:01"), (3723.5, "1:02:03"), (-3, "0:00")],
)  # fmt: skip
def test_a_place_in_a_video_is_told_as_on_a_player(seconds: float, text: str) -> None:
    """Minutes and seconds, hours where there are some; never before the beginning."""
    assert clock(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (3, "a few seconds left"),
        (12, "about 10 seconds left"),
        (54, "about 55 seconds left"),
        (56, "about 1 minute left"),
        (130, "about 2 minutes left"),
        (3500, "about 58 minutes left"),
        (3600, "about 1 hour left"),
        (10_000, "about 3 hours left"),
    ],
)
def test_the_time_left_is_coarse(seconds: float | None, text: str) -> None:
    """It jumps less, and promises less."""
    assert time_left(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 KB"),
        (412_345, "412 KB"),
        (3_400_000, "3.4 MB"),
        (12_000_000, "12 MB"),
        (4_200_000_000, "4.2 GB"),
    ],
)
def test_sizes_are_told_as_file_managers_do(size: int, text: str) -> None:
    """Powers of a thousand, one figure after the point where it is small."""
    assert file_size(size) == text


@given(st.integers(0, 10**13))
def test_any_size_is_short(size: int) -> None:
    """It fits into a line of the detail."""
    assert len(file_size(size)) <= 12


def test_a_date_is_told_in_words_and_nonsense_as_it_is() -> None:
    """The camera's wall time, without a zone."""
    assert day("2025-05-03T14:30:00") == "3 May 2025, 14:30"
    assert day(None) == day("") == ""
    assert day("the 3rd") == "the 3rd"


def test_an_event_of_today_is_told_by_its_time_alone() -> None:
    """The year is named where it is another."""
    now = datetime.now().astimezone().replace(microsecond=0)
    assert moment(now.isoformat()) == f"{now:%H:%M}"
    assert moment("1999-05-03T14:30:00+00:00").startswith("3 May 1999, ")


def test_a_pictures_size_has_what_is_known_of_it() -> None:
    """Dimensions, bytes, both or neither."""
    row = Row(key="k", path=WirePath("/a.jpg"), name="a.jpg", folder="/")
    assert picture_size(row) == ""
    assert picture_size(replace(row, width=40, height=30)) == "40 × 30"
    assert picture_size(replace(row, size_bytes=5)) == "5 bytes"
    assert picture_size(replace(row, width=40, height=30, size_bytes=5)) == "40 × 30 · 5 bytes"


@pytest.mark.parametrize(
    ("job", "line"),
    [
        (replace(JOB, state=JobState.QUEUED), "waiting for its turn"),
        (replace(JOB, state=JobState.PAUSED, done=3), "Paused after 3 files."),
        (replace(JOB, state=JobState.DONE, done=1), "Done: 1 file."),
        (replace(JOB, state=JobState.DONE, message="22 photos added."), "22 photos added."),
        (replace(JOB, state=JobState.FAILED), "This job failed."),
        (replace(JOB, state=JobState.FAILED, message="The disk is full."), "The disk is full."),
        (replace(JOB, state=JobState.CANCELLED, message="You stopped it."), "You stopped it."),
        (replace(JOB, kind=JobKind.WRITE, done=2, total=4, failed=1),
         "2 of 4 · 1 could not be written"),
        (replace(JOB, done=7), "7 files"),
        (JOB, "beginning…"),
    ],
)  # fmt: skip
def test_every_state_of_a_job_has_its_line(job: JobValue, line: str) -> None:
    """The engine's own message comes first where a job has ended."""
    assert job_line(job) == line


@pytest.mark.parametrize(
    ("roles", "texts"),
    [
        ((), []),
        (("raw",), ["RAW"]),
        (("video",), ["LIVE"]),
        (("raw", "video"), ["RAW", "LIVE"]),
        (("video", "inside"), ["LIVE"]),
    ],
)
def test_badges_name_the_other_files_of_a_photo(roles: tuple[str, ...], texts: list[str]) -> None:
    """A photo of one file has none."""
    path = WirePath.of(b"/a.jpg")
    parts = tuple(PartValue(path=path, role=role) for role in roles)
    row = Row(key="k", path=path, name="a.jpg", folder="/", parts=parts)
    assert [badge.text for badge in kind_badges(row, None, is_roomy=True)] == texts


def test_all_raw_files_that_are_read_have_their_badge() -> None:
    """The window does not know the formats; it has the endings."""
    (rough,) = (one for one in PHOTO_FORMATS if one.name == "camera raw")
    assert rough.extensions == _ROUGH
    row = Row(key="k", path=WirePath.of(b"/a.NRW"), name="a.NRW", folder="/")
    assert [badge.text for badge in kind_badges(row, None, is_roomy=True)] == ["RAW"]


@pytest.mark.usefixtures("german")
@pytest.mark.parametrize(
    ("state", "duration_s", "texts"),
    [
        ("missing", None, ["fehlt", "Video"]),
        ("offline", 0.5, ["nicht erreichbar", "0,5 s"]),
        ("present", 65.0, ["1:05"]),
    ],
)
def test_badges_speak_the_windows_language(
    state: str, duration_s: float | None, texts: list[str]
) -> None:
    """Also of a file that is not there."""
    path = WirePath.of(b"/a.mp4")
    row = Row(key="k", path=path, name="a.mp4", folder="/", kind=MediaKind.VIDEO, state=state)
    row = replace(row, duration_s=duration_s)
    assert [badge.text for badge in kind_badges(row, None, is_roomy=True)] == texts


def test_a_player_gets_the_video_of_a_medium() -> None:
    """Its own, or that of a Live Photo; none of a photo, and none that Qt can not play."""
    path, video = WirePath.of(b"/a.jpg"), WirePath.of(b"/a.mov")
    photo = Row(key="k", path=path, name="a.jpg", folder="/")
    assert playable(photo) is None
    assert not has_moments(photo)
    live = replace(photo, parts=(PartValue(path=video, role="video"),))
    assert (playable(live), has_moments(live)) == (video, True)
    motion = replace(photo, parts=(PartValue(path=path, role="inside"),))
    assert (playable(motion), has_moments(motion)) == (None, True)
    assert playable(replace(photo, kind=MediaKind.VIDEO)) == path
    assert playable(replace(photo, kind=MediaKind.VIDEO, name="a.WEBP")) is None
