"""Dates in words become filters, and what may be something else stays a word."""

from __future__ import annotations

from datetime import date

import pytest

from cocadesk.search.dates import ReadAs, read_dates
from cocadesk.search.query import parse_query

TODAY = date(2026, 11, 30)  # a Monday


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dog 2014", "dog taken:2014"),
        ("a dog in 2014", "a dog taken:2014"),
        ("summer 2016", "taken:2016-06..2016-08"),
        ("Ida im Sommer 2016", "Ida taken:2016-06..2016-08"),
        ("winter 2016 snow", "taken:2016-12..2017-02 snow"),
        ("beach last month", "beach taken:2026-10"),
        ("letzten Monat", "taken:2026-10"),
        ("yesterday", "taken:2026-11-29"),
        ("Hund gestern", "Hund taken:2026-11-29"),
        ("last week", "taken:2026-11-23..2026-11-29"),
        ("this year dog", "taken:2026 dog"),
        ("last summer", "taken:2026-06..2026-08"),
        ("last may", "taken:2026-05"),
        ("letzten Dezember", "taken:2025-12"),
        ("May 2014 lake", "taken:2014-05 lake"),
        ("im März 2014", "taken:2014-03"),
        ("3 May 2014", "taken:2014-05-03"),
        ("May 3rd, 2014", "taken:2014-05-03"),
        ("3. Mai 2014", "taken:2014-05-03"),
        ("dog 2014-05-03", "dog taken:2014-05-03"),
        ("dog 3.5.2014", "dog taken:2014-05-03"),
        ("since 2019", "taken:2019.."),
        ("seit 2019 Hund", "taken:2019.. Hund"),
        ("before 2019 dog", "taken:..2018 dog"),
        ("vor 2019", "taken:..2018"),
        ("after summer 2016", "taken:2016-09.."),
        ("2014 to 2016 dog", "taken:2014..2016 dog"),
        ("2014-2016 dog", "taken:2014..2016 dog"),
        ("between 2014 and 2016", "taken:2014..2016"),
        ("zwischen 2014 und 2016", "taken:2014..2016"),
        ("1990s car", "taken:1990..1999 car"),
        ("christmas 2015", "taken:2015-12-24..2015-12-26"),
        ("photos from 2014", "taken:2014"),
        ("pictures of the summer 2016", "taken:2016-06..2016-08"),
    ],
)
def test_dates_are_read(text: str, expected: str) -> None:
    """English and German, from today where they say so."""
    query, found = read_dates(parse_query(text), TODAY, lambda _read: True)
    assert str(query) == expected
    assert len(found) == 1


@pytest.mark.parametrize(
    ("text", "expected", "readings"),
    [
        ("2014 2015", "taken:2014,2015", ["2014 2015"]),
        ("dog 2014 or 2015 snow", "dog taken:2014,2015 snow", ["2014 or 2015"]),
        ("dog in 2014, 2015 and 2017", "dog taken:2014,2015,2017", ["in 2014, 2015 and 2017"]),
        ("may 2014 or june 2014", "taken:2014-05,2014-06", ["may 2014 or june 2014"]),
        ("2014 dog 2015", "taken:2014,2015 dog", ["2014", "2015"]),
        ("2014 und 2016", "taken:2014,2016", ["2014 und 2016"]),
        ("between 2014 and 2016", "taken:2014..2016", ["between 2014 and 2016"]),
        ("not 2014", "-taken:2014", ["not 2014"]),
        ("dog not in 2014", "dog -taken:2014", ["not in 2014"]),
        ("Hund ohne 2014 oder 2015", "Hund -taken:2014,2015", ["ohne 2014 oder 2015"]),
        ("not 2014 not 2015", "-taken:2014 -taken:2015", ["not 2014", "not 2015"]),
        ("2014 not may 2014", "taken:2014 -taken:2014-05", ["2014", "not may 2014"]),
        ("after 2014 before 2016", "taken:2015.. taken:..2015", ["after 2014", "before 2016"]),
        ("since 2014 2016", "taken:2014.. taken:2016", ["since 2014", "2016"]),
        ("2014 or dog", "taken:2014 or dog", ["2014"]),
        ("2014 2014", "taken:2014", ["2014 2014"]),
    ],
)
def test_of_several_dates_one_is_enough(text: str, expected: str, readings: list[str]) -> None:
    """And "not" leaves them out; times that are open at an end narrow each other."""
    query, found = read_dates(parse_query(text), TODAY, lambda _read: True)
    assert str(query) == expected
    assert [read.text for read in found] == readings


@pytest.mark.parametrize(
    "text",
    [
        "spring", "a march in the rain", "may I", "img 0815", "5000 people", "2044 city",
        "-2014", '"summer 2016"', "2:summer 2:2016", "30.2.2014", "winter is near",

    ],
)  # fmt: skip
def test_what_may_be_something_else_stays(text: str) -> None:
    """Months and seasons without a year, numbers that are no years, what is in quotes."""
    query = parse_query(text)
    assert read_dates(query, TODAY, lambda _read: True) == (query, ())


def test_a_date_that_is_not_wanted_stays_words() -> None:
    """A person took it back, or nothing is of that time."""
    query = parse_query("dog summer 2016")
    assert read_dates(query, TODAY, lambda _read: False) == (query, ())


def test_of_several_dates_those_that_are_wanted_are_read() -> None:
    """Each is asked for alone, as it stands without "not"."""
    asked: list[str] = []

    def is_2014(read: ReadAs) -> bool:
        asked.append(str(read.filter))
        return "2014" in read.text

    query, found = read_dates(parse_query("not 2014 or 2015"), TODAY, is_2014)
    assert str(query) == "-taken:2014 or 2015"
    assert [read.text for read in found] == ["not 2014"]
    assert set(asked) == {"taken:2014", "taken:2015"}
