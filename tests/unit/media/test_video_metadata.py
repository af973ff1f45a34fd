"""A video's metadata: the tags of many cameras and phones brought to one form."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.media.types import PhotoMetadata
from cocadesk.media.video.metadata import read_video_metadata

APPLE = "com.apple.quicktime."


def read(**tags: str) -> PhotoMetadata:
    """The metadata of a container with these tags ("__" stands for a dash)."""
    return read_video_metadata({k.replace("__", "-"): v for k, v in tags.items()}, {})


def test_a_video_without_tags_has_nothing() -> None:
    """Not even an empty keyword."""
    assert read() == PhotoMetadata()


def test_apples_date_has_the_zone_of_the_place() -> None:
    """It counts before ``creation_time``, which is UTC."""
    metadata = read_video_metadata(
        {
            f"{APPLE}creationdate": "2021-06-01T10:20:30+0200",
            "creation_time": "2021-06-01T08:20:30.000000Z",
        },
        {},
    )
    assert metadata.taken_local == datetime(2021, 6, 1, 10, 20, 30)
    assert metadata.utc_offset_min == 120
    assert metadata.taken_utc == datetime(2021, 6, 1, 8, 20, 30, tzinfo=UTC)


def test_a_creation_time_is_utc_though_it_does_not_say_so() -> None:
    """MP4's clock knows no zones."""
    metadata = read(creation_time="2021-06-01 08:20:30")
    assert metadata.taken_utc == datetime(2021, 6, 1, 8, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "1904-01-01T00:00:00Z",
        "1970-01-01T00:00:00Z",
        "1970-01-02T01:00:00Z",
        "1903-12-31T22:00:00Z",
    ],
)
def test_an_unset_clock_is_no_date(text: str) -> None:
    """MP4 counts from 1904 and others from 1970; a zone may shift it by a day."""
    assert read(creation_time=text).taken_local is None
    assert read(creation_time=text, date="1999-09-09").taken_local == datetime(1999, 9, 9)


def test_a_real_day_of_those_years_is_kept() -> None:
    """Digitised cine reels carry them."""
    assert read(date_recorded="1970-06-15").taken_local == datetime(1970, 6, 15)


def test_the_containers_tag_counts_before_the_streams() -> None:
    """And where the container is silent, the stream's does."""
    both = read_video_metadata({"title": "container"}, {"title": "stream"})
    alone = read_video_metadata({}, {"TITLE": "stream"})
    assert (both.title, alone.title) == ("container", "stream")


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("+35.6586+139.7454+025.000/", (35.6586, 139.7454)),
        ("-22.9519-043.2105/", (-22.9519, -43.2105)),
        ("+48+009/", (48.0, 9.0)),
        ("+95.0000+010.0000/", None),
        ("+00.0000+000.0000/", None),
        ("somewhere", None),
    ],
)
def test_positions_are_iso_6709(text: str, position: tuple[float, float] | None) -> None:
    """Phones write them; a phone without a fix writes zeros."""
    metadata = read(location=text)
    assert (metadata.latitude, metadata.longitude) == (position or (None, None))


def test_an_impossible_position_is_passed_over_for_the_next() -> None:
    """Apple's own key may be empty where the common one is right."""
    metadata = read_video_metadata(
        {f"{APPLE}location.iso6709": "+00.0000+000.0000/", "location": "+48.1+009.2/"}, {}
    )
    assert (metadata.latitude, metadata.longitude) == (48.1, 9.2)


def test_a_camera_is_named_once() -> None:
    """By Apple's keys, Android's, or plain ones."""
    apple = read_video_metadata({f"{APPLE}make": "Apple", f"{APPLE}model": "iPhone 8"}, {})
    android = read_video_metadata({"com.android.manufacturer": "Google", "model": "Pixel 7"}, {})
    assert (apple.camera, android.camera) == ("Apple iPhone 8", "Google Pixel 7")
    assert read(make="Canon", model="Canon EOS R5").camera == "Canon EOS R5"
    assert read(make="GoPro").camera == "GoPro"


def test_words_are_cleaned() -> None:
    """Keywords are one text with commas."""
    metadata = read(title=" A\x07 day ", comment="waves", keywords="sea, dog ,,sea")
    assert (metadata.title, metadata.description) == ("A day", "waves")
    assert metadata.keywords == ("sea", "dog")


@given(
    st.dictionaries(
        st.sampled_from(
            ["creation_time", "date", "location", "make", "model", "title", "keywords"]
        ),
        st.text(max_size=40),
    )
)
def test_no_tag_raises(tags: dict[str, str]) -> None:
    """Whatever a file holds."""
    read_video_metadata(tags, tags)
