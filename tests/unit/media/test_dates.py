"""Dates taken: every spelling that files have for them, with zones and without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.media.metadata.dates import (
    TakenAt,
    parse_free_taken,
    parse_iptc_taken,
    parse_offset,
    parse_taken,
)

NOON = datetime(2021, 6, 1, 12, 0, 0)
MORNING = datetime(2021, 6, 1, 10, 20, 30)
REAL_TIMES = st.datetimes(min_value=datetime(1826, 1, 1), max_value=datetime(2199, 12, 31))


@pytest.mark.parametrize(
    ("text", "local", "offset_min"),
    [
        ("2021:06:01 10:20:30", MORNING, None),
        ("2021-06-01T10:20:30", MORNING, None),
        ("2021/06/01 10:20:30", MORNING, None),
        ("  2021:06:01   10:20:30  ", MORNING, None),
        ("2021:6:1 10:20:30", MORNING, None),
        ("2021-06-01T12:00", NOON, None),
        ("2021-06-01T10:20:30Z", MORNING, 0),
        ("2021-06-01T10:20:30+02:00", MORNING, 120),
        ("2021-06-01T10:20:30-0930", MORNING, -570),
        ("2021-06-01T10:20:30.5+05:45", MORNING.replace(microsecond=500_000), 345),
        ("2021-06-01T10:20:30,123456789", MORNING.replace(microsecond=123_456), None),
    ],
)
def test_a_date_is_read_in_any_usual_spelling(
    text: str, local: datetime, offset_min: int | None
) -> None:
    """EXIF's colons, ISO 8601's dashes, slashes, blanks and fractions."""
    assert parse_taken(text) == TakenAt(local, offset_min)


def test_a_day_alone_is_its_midnight_and_says_so() -> None:
    """Another block that knows the time counts more."""
    taken = parse_taken("2021-06-01")
    assert taken == TakenAt(datetime(2021, 6, 1), is_day_only=True)


@pytest.mark.parametrize(
    "text",
    [
        "2021:13:01 10:00:00",
        "2021:00:01 10:00:00",
        "2021:02:29 10:00:00",
        "1825:12:31 10:00:00",
        "2200:01:01 00:00:00",
        "2021:06:01 10",
        "2021:06:01 10:20:30 and more",
        "2021:06:01 10:20:30 CEST",
        "21:06:01 10:20:30",
        "",
    ],
)
def test_what_is_no_real_date_is_none(text: str) -> None:
    """Hours, months and days that no calendar has, years before the first photograph."""
    assert parse_taken(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015:08:22 24:08:19", TakenAt(datetime(2015, 8, 22, 0, 8, 19))),
        ("2016:12:31 23:59:60", TakenAt(datetime(2016, 12, 31, 23, 59, 59))),
        ("2008: 1: 2  9: 5: 3", TakenAt(datetime(2008, 1, 2, 9, 5, 3))),
        ("1985:07:00 00:00:00", TakenAt(datetime(1985, 7, 1), is_day_only=True)),
        ("2021:01:01 25:61:61", TakenAt(datetime(2021, 1, 1), is_day_only=True)),
        ("2021:01:01 12:60:00", TakenAt(datetime(2021, 1, 1), is_day_only=True)),
        ("2021:00:00 00:00:00", None),
    ],
)
def test_of_a_date_that_is_partly_wrong_the_right_part_is_kept(
    text: str, expected: TakenAt | None
) -> None:
    """The hour 24 of some phones, a leap second, blanks for zeros, a month without its day."""
    assert parse_taken(text) == expected


def test_a_leap_day_is_real_in_its_year_only() -> None:
    """2000 had one, 1900 had none."""
    assert parse_taken("2000:02:29 00:00:00") is not None
    assert parse_taken("1900:02:29 00:00:00") is None


def test_the_texts_own_zone_counts_before_the_separate_one() -> None:
    """Some programs write both, and the separate tag is the older."""
    assert parse_taken("2021-06-01T10:20:30+02:00", offset="+09:00") == TakenAt(MORNING, 120)
    assert parse_taken("2021:06:01 10:20:30", offset="+09:00") == TakenAt(MORNING, 540)


@pytest.mark.parametrize(
    "offset", ["", "CET", "+2", "+15:00", "-14:01", "+01:60", "2:00", "++1:00"]
)
def test_a_zone_that_cannot_be_one_is_unknown(offset: str) -> None:
    """The local time stays: nothing is guessed."""
    assert parse_taken("2021:06:01 10:20:30", offset=offset) == TakenAt(MORNING)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("Z", 0), (" +00:00 ", 0), ("-00:30", -30), ("+14:00", 840), ("-1200", -720), (None, None)],
)
def test_a_zone_is_read_as_minutes_east(text: str | None, minutes: int | None) -> None:
    """West is negative, also where the hour is zero."""
    assert parse_offset(text) == minutes


@pytest.mark.parametrize(
    ("fraction", "microsecond"),
    [("5", 500_000), ("05", 50_000), ("123456789", 123_456), (" 25 ", 250_000), ("x", 0), ("²", 0)],
)
def test_digits_behind_the_second_are_a_fraction(fraction: str, microsecond: int) -> None:
    """EXIF stores them as text in a tag of their own."""
    taken = parse_taken("2021:06:01 10:20:30", fraction=fraction)
    assert taken == TakenAt(MORNING.replace(microsecond=microsecond))


@pytest.mark.parametrize(
    ("date", "time", "expected"),
    [
        ("20210601", "102030+0200", TakenAt(MORNING, 120)),
        ("20210601", "102030", TakenAt(MORNING)),
        ("20210601", None, None),
        (None, "102030", None),
        ("20210600", "102030", None),
        ("2021061", "102030", None),
        ("20210601", "1020", None),
    ],
)
def test_iptcs_date_needs_its_time(
    date: str | None, time: str | None, expected: TakenAt | None
) -> None:
    """Two records of digits; a day alone is left to the other blocks."""
    assert parse_iptc_taken(date, time) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tue, 01 Jun 2021 10:20:30 +0200", TakenAt(MORNING, 120)),
        ("1 Jun 2021 10:20:30 GMT", TakenAt(MORNING, 0)),
        ("2021-06-01T10:20:30Z", TakenAt(MORNING, 0)),
        ("Tue, 99 Jun 2021 10:20:30 +0200", None),
        ("last summer", None),
        (None, None),
    ],
)
def test_a_pngs_time_may_be_that_of_an_e_mail(text: str | None, expected: TakenAt | None) -> None:
    """PNG's own standard recommends that form; most programs write ISO 8601."""
    assert parse_free_taken(text) == expected


@given(REAL_TIMES, st.integers(-14 * 60, 14 * 60))
def test_utc_is_the_local_time_less_its_distance(local: datetime, offset_min: int) -> None:
    """For every zone, also across midnight and the turn of a year."""
    utc = TakenAt(local, offset_min).utc
    assert utc is not None
    assert utc.tzinfo is UTC
    assert utc.replace(tzinfo=None) + timedelta(minutes=offset_min) == local


@given(REAL_TIMES)
def test_exifs_spelling_survives_a_round_trip(local: datetime) -> None:
    """To the second; the fraction has its own tag."""
    taken = parse_taken(f"{local:%Y:%m:%d %H:%M:%S}", fraction=f"{local.microsecond:06}")
    assert taken == TakenAt(local)
