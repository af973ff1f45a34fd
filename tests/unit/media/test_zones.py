"""The zone of a photo without one, from the time that came with its position."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from PIL import Image

from cocadesk.media.metadata.exif import Exif
from cocadesk.media.metadata.merge import read_metadata
from cocadesk.media.source import RawMetadata
from cocadesk.media.types import PhotoMetadata
from tests.support.xmp_packets import xmp

TOKYO, BERLIN, URUMQI, KATHMANDU, NEW_YORK = 139.7, 13.4, 87.6, 85.3, -74.0


def photo(
    local: str,
    fixed: str | None,
    longitude: float,
    *,
    offset: str | None = None,
    day: str | None = "2022:12:31",
) -> PhotoMetadata:
    """A photo taken at this hour of the last day of 2022, with a position fixed at ``fixed``."""
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = local if " " in local else f"2022:12:31 {local}"
    if offset is not None:
        exif.get_ifd(0x8769)[0x9011] = offset
    gps = exif.get_ifd(0x8825)
    gps.update({1: "N", 2: (35.0, 0.0, 0.0), 3: "E" if longitude >= 0 else "W"})
    gps[4] = (abs(longitude), 0.0, 0.0)
    if fixed is not None:
        gps[7] = tuple(map(float, fixed.split(":")))
    if day is not None:
        gps[29] = day
    return read_metadata(RawMetadata(exif=Exif(exif.tobytes())))


@pytest.mark.parametrize(
    ("local", "fixed", "longitude", "minutes"),
    [
        ("23:30:00", "14:30:00", TOKYO, 540),
        ("12:00:00", "11:59:20", BERLIN, 0),  # a camera that was left in London's time
        ("12:00:00", "10:57:00", BERLIN, 60),
        ("12:00:00", "11:00:40", BERLIN, 60),
        ("12:00:00", "04:00:00", URUMQI, 480),
        ("12:00:00", "06:15:00", KATHMANDU, 345),
        ("2022:12:30 23:30:00", "04:30:00", NEW_YORK, -300),
    ],
)
def test_the_zone_follows_from_the_time_of_the_position(
    local: str, fixed: str, longitude: float, minutes: int
) -> None:
    """The last fix may be minutes old; the wall clock stays as the camera had it."""
    bare = photo(local, None, longitude)
    found = photo(local, fixed, longitude)
    assert found.utc_offset_min == minutes
    assert found.taken_local == bare.taken_local
    assert bare.utc_offset_min is None


def test_the_moment_in_utc_is_known_then() -> None:
    """So photos of two zones are in the order in which they were taken."""
    found = photo("23:30:00", "14:30:00", TOKYO)
    assert found.taken_utc == datetime(2022, 12, 31, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("local", "fixed", "longitude", "day"),
    [
        ("12:00:00", "11:50:00", BERLIN, "2022:12:31"),  # the fix is old, or a clock is wrong
        ("12:00:00", "04:00:00", BERLIN, "2022:12:31"),  # nobody in Berlin has Peking's time
        ("12:00:00", "11:00:00", BERLIN, "2022:12:30"),
        ("12:00:00", "11:00:00", BERLIN, None),
        ("12:00:00", "25:00:00", BERLIN, "2022:12:31"),
        ("12:00:00", "11:61:00", BERLIN, "2022:12:31"),
        ("12:00:00", "11:00:00", BERLIN, "yesterday"),
        ("2022:12:31 ", "11:00:00", BERLIN, "2022:12:31"),
    ],
)
def test_a_time_that_tells_no_zone_gives_none(
    local: str, fixed: str, longitude: float, day: str | None
) -> None:
    """No zone is better than a wrong one."""
    assert photo(local, fixed, longitude, day=day).utc_offset_min is None


def test_a_zone_that_the_camera_wrote_stays() -> None:
    """Whatever the position says: it may have been added later."""
    assert photo("12:00:00", "11:00:00", BERLIN, offset="+02:00").utc_offset_min == 120


@pytest.mark.parametrize(
    ("stamp", "minutes"),
    [("2022-12-31T14:30:00Z", 540), ("2022-12-31T15:30:00+01:00", 540), ("2022-12-31", None)],
)
def test_xmp_has_the_time_of_its_position_too(stamp: str, minutes: int | None) -> None:
    """A sidecar's, or that of a file without EXIF."""
    packet = xmp(
        exif_DateTimeOriginal="2022-12-31T23:30:00",
        exif_GPSLatitude="35,39.516N",
        exif_GPSLongitude="139,44.724E",
        exif_GPSTimeStamp=stamp,
    )
    assert read_metadata(RawMetadata(exif=Exif(None), xmp=packet)).utc_offset_min == minutes
