"""The sample photos: small enough to ship, and each with its source and licence."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from PIL import Image

FREE_LICENCES = {"CC0-1.0", "CC-BY-2.0", "CC-BY-SA-3.0", "Public domain"}


@pytest.fixture(scope="module")
def table(samples: Path) -> list[dict[str, str]]:
    """The rows of photos.toml."""
    rows: list[dict[str, str]] = tomllib.loads((samples.parent / "photos.toml").read_text("utf-8"))[
        "photo"
    ]
    return rows


def test_there_are_enough_photos_and_each_is_small(samples: Path) -> None:
    """At least 24, none above 130 kB or 1,200 px."""
    photos = sorted(samples.iterdir())
    assert len(photos) >= 24
    for photo in photos:
        assert photo.stat().st_size <= 130_000, photo.name
        with Image.open(photo) as picture:
            assert max(picture.size) <= 1200, photo.name
            assert picture.format == "JPEG", photo.name


def test_every_photo_has_a_row_and_every_row_a_photo(
    samples: Path, table: list[dict[str, str]]
) -> None:
    """No photo without a source, no source without its photo."""
    assert {f"{row['name']}.jpg" for row in table} == {path.name for path in samples.iterdir()}


def test_every_row_names_author_licence_and_where_it_says_so(table: list[dict[str, str]]) -> None:
    """A photo may only ship under a licence that lets it."""
    for row in table:
        assert row["licence"] in FREE_LICENCES, row["name"]
        for field in ("package", "member", "author", "stated_in", "caption"):
            assert row[field].strip(), (row["name"], field)


def test_the_credits_name_every_photo_with_its_author(
    samples: Path, table: list[dict[str, str]]
) -> None:
    """CREDITS.md is what people read."""
    lines = (samples.parent / "CREDITS.md").read_text("utf-8").splitlines()
    for row in table:
        (line,) = [line for line in lines if line.startswith(f"| {row['name']}.jpg |")]
        assert row["author"] in line
        assert row["licence"] in line
