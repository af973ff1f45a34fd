"""The table of fields, the schema that follows from the rows, and what a detail shows."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from cocadesk.library.fields import FIELD_OF, FIELDS, Form, Match, facts_of
from cocadesk.library.layout import MEDIA
from cocadesk.library.rows import (
    DERIVED_COLUMNS,
    VIEW_FILTER_COLUMNS,
    MediaKind,
    MediaRow,
    MediaState,
    RootRow,
    Tag,
)
from cocadesk.library.schema import (
    FILE_COLUMNS,
    HUMAN_COLUMNS,
    MACHINE_COLUMNS,
    ROOTS,
    TABLES,
    views_schema,
)
from tests.support.library_rows import media_row

FULL = {
    "width": 4000,
    "height": 3000,
    "format": "jpeg",
    "size_bytes": 3_210_000,
    "duration_s": 65.4,
    "taken_local": datetime(2014, 5, 3, 12, 30),
    "latitude": 48.137154,
    "longitude": -11.576124,
    "camera": "NIKON D90",
    "lens": "35 mm",
    "rating": 2,
    "human_rating": 4,
    "title": "Cake",
    "description": "Five candles",
    "keywords": ("party", "cake"),
    "keyword_paths": ("Food|Sweet|cake", "People|Ida"),
    "persons": ("Ida", "Tom"),
    "label": "Red",
    "utc_offset_min": 330,
    "exposure_s": 1 / 200,
    "aperture": 2.8,
    "iso": 400,
    "focal_mm": 50.0,
    "place": "Munich",
    "region": "Bavaria",
    "country": "Germany",
    "creator": "Ida N.",
    "copyright": "CC-BY Ida N.",
}


def facts(row: MediaRow) -> dict[str, str]:
    """The shown fields by name."""
    return {fact.name: fact.text for fact in facts_of(row)}


def test_every_known_field_is_shown_as_text() -> None:
    """In words and units for people."""
    assert facts(media_row(b"2014/a b.jpg", **FULL)) == {
        "title": "Cake",
        "description": "Five candles",
        "keyword": "party, Food › Sweet › cake, People › Ida",
        "person": "Ida, Tom",
        "taken": "2014-05-03 12:30:00",
        "zone": "UTC+5:30",
        "rating": "4 of 5",
        "said_by_file": "2 of 5",
        "label": "Red",
        "camera": "NIKON D90",
        "lens": "35 mm",
        "exposure": "1/200 s, f/2.8, ISO 400, 50 mm",
        "place": "Munich, Bavaria, Germany",
        "creator": "Ida N.",
        "copyright": "CC-BY Ida N.",
        "position": "48.13715° N, 11.57612° W",
        "dimensions": "4000 × 3000",
        "duration": "1:05",
        "format": "JPEG",
        "size": "3.2 MB",
        "name": "a b.jpg",
        "folder": "/photos/2014",
    }


def test_what_is_not_known_is_not_shown() -> None:
    """Neither as a word nor as an empty line."""
    assert set(facts(media_row(b"a"))) == {"size", "name", "folder"}


@pytest.mark.parametrize(
    ("values", "name", "text"),
    [
        ({"size_bytes": 12}, "size", "12 bytes"),
        ({"size_bytes": 999_950_000_000}, "size", "1000.0 GB"),
        ({"duration_s": 3725.0}, "duration", "1:02:05"),
        ({"duration_s": 0.2}, "duration", "0:00"),
        ({"rating": 0}, "rating", "0 of 5"),
        ({"latitude": -1.0, "longitude": 2.0}, "position", "1.00000° S, 2.00000° E"),
        ({"taken_utc": datetime(2001, 2, 3, tzinfo=UTC)}, "taken", "2001-02-03 00:00:00"),
        ({"taken_local": datetime(2001, 2, 3), "utc_offset_min": 0}, "zone", "UTC"),
        ({"taken_local": datetime(2001, 2, 3), "utc_offset_min": -480}, "zone", "UTC−8"),
        ({"exposure_s": 2.5}, "exposure", "2.5 s"),
        ({"exposure_s": 0.3, "iso": 51_200}, "exposure", "1/3 s, ISO 51200"),
        ({"focal_mm": 4.25}, "exposure", "4.25 mm"),
        ({"country": "Chile"}, "place", "Chile"),
        ({"keyword_paths": ("A|B",)}, "keyword", "A › B"),
        ({"rating": -1, "human_rating": 3}, "said_by_file", "rejected"),
        ({"state": MediaState.MISSING, "reason": "deleted"}, "state", "deleted"),
        ({"state": MediaState.OFFLINE}, "state", "offline"),
    ],
)  # fmt: skip
def test_a_field_is_written_as_people_write_it(
    values: dict[str, object], name: str, text: str
) -> None:
    """Sizes, lengths, places and times."""
    assert facts(media_row(b"a", **values))[name] == text


def test_a_path_that_is_no_unicode_is_shown_nevertheless() -> None:
    """Its odd byte survives the way to the edge, which prints it."""
    shown = facts(media_row(b"\xff/x\xfe.jpg"))
    assert (shown["name"], shown["folder"]) == ("x\udcfe.jpg", "/photos/\udcff")


def test_each_field_is_named_once_and_stands_on_columns_that_exist() -> None:
    """Fields that filter have SQL; ranges are of numbers and times alone."""
    assert len(FIELD_OF) == len(FIELDS)
    for field in FIELDS:
        if field.match is not None:
            assert field.sql
            assert set(field.columns) <= set(TABLES[MEDIA].names)
        if field.value is None and field.match is not None:
            assert len(field.columns) == 1
        is_ordered = field.form in (Form.NUMBER, Form.TIME)
        assert is_ordered == (field.match in (Match.RANGE, Match.PRESENT))
    assert {field.label for field in FIELDS if not field.label} == set()


def test_the_table_of_media_follows_from_the_row() -> None:
    """Every attribute and each derived property is one column; optional ones may be null."""
    schema = TABLES[MEDIA]
    attributes = [field.name for field in dataclasses.fields(MediaRow)]
    assert schema.names == [*attributes, *DERIVED_COLUMNS]
    assert [*FILE_COLUMNS, *MACHINE_COLUMNS, *HUMAN_COLUMNS, "added_utc"] != []
    parts = {*FILE_COLUMNS, *MACHINE_COLUMNS, *HUMAN_COLUMNS, "added_utc"}
    assert parts == set(schema.names)
    assert not set(FILE_COLUMNS) & set(MACHINE_COLUMNS)
    for name, kind, is_optional in (
        ("path", pa.binary(), False),
        ("kind", pa.string(), False),
        ("rating", pa.int64(), True),
        ("taken_utc", pa.timestamp("us", tz="UTC"), True),
        ("taken", pa.timestamp("us"), True),
        ("keywords", pa.list_(pa.string()), False),
        ("machine_tag_names", pa.list_(pa.string()), False),
    ):
        assert (schema.field(name).type, schema.field(name).nullable) == (kind, is_optional)


def test_the_other_tables_follow_from_their_rows() -> None:
    """Roots as an example; vectors have the length that is asked for."""
    assert TABLES[ROOTS].names == [field.name for field in dataclasses.fields(RootRow)]
    views = views_schema(320)
    assert views.field("vector").type == pa.list_(pa.float16(), 320)
    assert set(VIEW_FILTER_COLUMNS) < set(views.names)


def test_derived_columns_say_what_filters_compare() -> None:
    """Folded folder and name, the best known time, the machine's tags by name."""
    row = media_row(
        "Ü/Ärger.JPG".encode(),
        kind=MediaKind.VIDEO,
        taken_utc=datetime(2001, 2, 3, tzinfo=UTC),
        machine_tags=(Tag(tag="Dog", score=0.5),),
    )
    assert (row.folder_text, row.name_text) == ("/photos/ü/", "ärger.jpg")
    assert (row.taken, row.machine_tag_names) == (datetime(2001, 2, 3), ("Dog",))
    decomposed = media_row("A\u0308rger.JPG".encode())
    assert decomposed.name_text == "ärger.jpg"
    assert media_row(b"", path=b"/a.jpg").folder_text == "/"
