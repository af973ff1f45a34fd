"""The fields of a medium: where each is stored, how filters read it, how people see it.

One row a field. Storage has its columns in ``MediaRow``; the filters' grammar,
``Filter.where`` and ``Filter.mask`` and what a detail shows follow from here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from enum import Enum, auto
from operator import attrgetter
from typing import Any, NamedTuple

from cocadesk.errors import retold, tr
from cocadesk.library.marks import Flag, flag_of, stars_of
from cocadesk.library.parts import name_of, parts_text
from cocadesk.library.paths import fold, folder_of
from cocadesk.library.rows import MediaKind, MediaRow, MediaState
from cocadesk.library.shown import (
    ABOVE,
    BETWEEN_NAMES,
    exposure_text,
    keywords_text,
    place_text,
    said_by_file,
    zone_text,
)

_SEPARATOR = "\x1f"  # no tag or keyword holds it


class Form(Enum):
    """The form of a field's value."""

    TEXT = auto()
    LIST = auto()
    NUMBER = auto()
    TIME = auto()


class Match(Enum):
    """The way a field's value is compared with that of a filter."""

    EQUAL = auto()
    CONTAINS = auto()
    FOLDER = auto()
    RANGE = auto()
    PRESENT = auto()  # only whether there is a value
    ALBUM = auto()  # one of the albums that it is in, by id


def _first(human: Any, other: Any) -> Any:
    """A person's value, else the machine's or the file's."""
    return other if human is None else human


def _tags(added: Sequence[str], removed: Sequence[str], machine: Sequence[str]) -> list[str]:
    """The tags that count, folded: a person's, and the machine's that nobody has removed."""
    gone = set(map(fold, removed))
    return list(
        dict.fromkeys([*map(fold, added), *(t for t in map(fold, machine) if t not in gone)])
    )


def _folded(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(map(fold, texts)))


def _keywords(keywords: Sequence[str], paths: Sequence[str]) -> list[str]:
    """The keywords, and all that stand above them."""
    return _folded([*keywords, *(part for path in paths for part in path.split(ABOVE))])


def _in_albums(albums: Sequence[str], places: Sequence[str]) -> list[str]:
    """Each album with the place in it: by both a list in memory is brought in order."""
    return [f"{album} {place}" for album, place in zip(albums, places, strict=True)]


def _yes_or_no(value: bool | None) -> str:
    return "yes" if value else "no"


def _both(latitude: float | None, longitude: float | None) -> float | None:
    """A number where a position is whole; the store's sum is null else."""
    return None if latitude is None or longitude is None else latitude + longitude


def _captioned(human: str | None, machine: str | None) -> str:
    """The author of the caption that counts."""
    if human is not None:
        return "person" if human else "nobody"
    return "machine" if machine else "nobody"


def _in_utc(when: datetime | None) -> datetime | None:
    return None if when is None else when.replace(tzinfo=None)


def _folded_list(column: str) -> str:
    """SQL for a list of texts in lower case; an empty list may give one empty text."""
    return f"string_to_array(lower(array_to_string({column}, '{_SEPARATOR}')), '{_SEPARATOR}')"


_KEYWORDS_SQL = (
    f"array_concat({_folded_list('keywords')}, string_to_array(lower(replace(array_to_string("
    f"keyword_paths, '{_SEPARATOR}'), '{ABOVE}', '{_SEPARATOR}')), '{_SEPARATOR}'))"
)
_TAGS_SQL = (
    f"array_concat({_folded_list('human_tags_added')}, array_except("
    f"{_folded_list('machine_tag_names')}, {_folded_list('human_tags_removed')}))"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a medium.

    ``columns`` are those of the media table (default: the one of its name); ``value``
    makes the field's value of theirs (None: it is the only column's), and ``sql`` says
    the same to the store, texts in lower case (default: the first column).
    ``match`` is None where a field is only shown, ``shown`` None where it only
    filters; ``is_optional`` fields can be asked for with ``has:``.
    """

    name: str
    label: str
    form: Form = Form.TEXT
    _: KW_ONLY
    columns: tuple[str, ...] = ()
    value: Callable[..., Any] | None = None
    sql: str = ""
    match: Match | None = None
    choices: tuple[str, ...] = ()
    is_optional: bool = True
    shown: Callable[[MediaRow], str | None] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "columns", self.columns or (self.name,))
        object.__setattr__(self, "sql", self.sql or self.columns[0])


class Fact(NamedTuple):
    """A field of one medium as people see it."""

    name: str
    label: str
    text: str


def _text_field(name: str, label: str) -> Field:
    """A field with one column of text, searched by a part of it."""
    return Field(name, label, sql=f"lower({name})", match=Match.CONTAINS, shown=attrgetter(name))


def _list_field(name: str, label: str, column: str) -> Field:
    """A field with one column of texts, searched by a whole one."""
    return Field(
        name,
        label,
        Form.LIST,
        columns=(column,),
        value=_folded,
        sql=_folded_list(column),
        match=Match.EQUAL,
        shown=lambda row: ", ".join(getattr(row, column)),
    )


def _number_field(name: str, label: str, column: str) -> Field:
    """A field with one number, which another field shows."""
    return Field(name, label, Form.NUMBER, columns=(column,), match=Match.RANGE)


def _name_field(name: str, label: str, column: str) -> Field:
    """A field with one name, searched by the whole of it, which another field shows."""
    return Field(name, label, columns=(column,), sql=f"lower({column})", match=Match.EQUAL)


def _rating(row: MediaRow) -> str | None:
    stars = stars_of(row.human_rating, row.rating)
    return None if stars is None else tr("{stars} of 5", stars=stars)


def _flag(row: MediaRow) -> str | None:
    return {Flag.PICK: tr("picked"), Flag.REJECT: tr("rejected")}.get(row.flag)


def _position(row: MediaRow) -> str | None:
    if row.latitude is None or row.longitude is None:
        return None
    north, east = "S" if row.latitude < 0 else "N", "W" if row.longitude < 0 else "E"
    return f"{abs(row.latitude):.5f}° {north}, {abs(row.longitude):.5f}° {east}"


def _duration(row: MediaRow) -> str | None:
    if row.duration_s is None:
        return None
    minutes, seconds = divmod(round(row.duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def _size(row: MediaRow) -> str:
    size = float(row.size_bytes)
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"


def _state(row: MediaRow) -> str | None:
    names = {MediaState.MISSING: tr("missing"), MediaState.OFFLINE: tr("offline")}
    return names.get(row.state) and (retold(row.reason or "") or names[row.state])


def _files(row: MediaRow) -> str | None:
    parts = ((os.fsdecode(part.name), part.role) for part in row.parts)
    return parts_text(name_of(row.path), list(parts))


FIELDS = (
    _text_field("title", tr("Title")),
    _text_field("description", tr("Description")),
    Field(
        "caption",
        tr("Caption"),
        columns=("human_caption", "machine_caption"),
        value=_first,
        sql="lower(coalesce(human_caption, machine_caption))",
        match=Match.CONTAINS,
    ),
    Field(
        "captioned",
        tr("Captioned by"),
        columns=("human_caption", "machine_caption"),
        value=_captioned,
        sql="CASE WHEN human_caption <> '' THEN 'person' "
        "WHEN human_caption IS NULL AND machine_caption <> '' THEN 'machine' ELSE 'nobody' END",
        match=Match.EQUAL,
        choices=("person", "machine", "nobody"),
        is_optional=False,
    ),
    Field(
        "tag",
        tr("Tags"),
        Form.LIST,
        columns=("human_tags_added", "human_tags_removed", "machine_tag_names"),
        value=_tags,
        sql=_TAGS_SQL,
        match=Match.EQUAL,
    ),
    Field(
        "keyword",
        tr("Keywords"),
        Form.LIST,
        columns=("keywords", "keyword_paths"),
        value=_keywords,
        sql=_KEYWORDS_SQL,
        match=Match.EQUAL,
        shown=keywords_text,
    ),
    _list_field("person", tr("People"), "persons"),
    Field(
        "taken",
        tr("Taken"),
        Form.TIME,
        match=Match.RANGE,
        shown=lambda row: None if row.taken is None else f"{row.taken:%Y-%m-%d %H:%M:%S}",
    ),
    Field("zone", tr("Time zone"), columns=("utc_offset_min",), shown=zone_text),
    Field(
        "rating",
        tr("Rating"),
        Form.NUMBER,
        columns=("human_rating", "rating"),
        value=stars_of,
        sql="CASE WHEN human_rating > 0 THEN human_rating "
        "WHEN human_rating IS NULL AND rating >= 0 THEN rating END",
        match=Match.RANGE,
        shown=_rating,
    ),
    Field("said_by_file", tr("File says"), columns=("rating",), shown=said_by_file),
    Field(
        "flag",
        tr("Flag"),
        columns=("human_flag", "rating"),
        value=flag_of,
        sql=f"coalesce(human_flag, CASE WHEN rating < 0 THEN '{Flag.REJECT.value}' "
        f"ELSE '{Flag.NONE.value}' END)",
        match=Match.EQUAL,
        choices=tuple(Flag),
        is_optional=False,
        shown=_flag,
    ),
    Field(
        "favourite",
        tr("Favourite"),
        columns=("human_favourite",),
        value=_yes_or_no,
        sql="CASE WHEN human_favourite THEN 'yes' ELSE 'no' END",
        match=Match.EQUAL,
        choices=("yes", "no"),
        is_optional=False,
        shown=lambda row: tr("yes") if row.favourite else None,
    ),
    Field(
        "hidden",
        tr("Hidden"),
        columns=("human_hidden",),
        value=lambda hidden: "yes" if hidden else None,
        sql="CASE WHEN human_hidden THEN 'yes' END",
        match=Match.EQUAL,
        choices=("yes",),
        shown=lambda row: tr("yes") if row.hidden else None,
    ),
    Field(
        "album",
        tr("Albums"),
        Form.LIST,
        columns=("human_albums", "human_places"),
        value=_in_albums,
        match=Match.ALBUM,
    ),
    Field(
        "label",
        tr("Label"),
        sql="lower(label)",
        match=Match.EQUAL,
        shown=attrgetter("label"),
    ),
    _text_field("camera", tr("Camera")),
    _text_field("lens", tr("Lens")),
    Field(
        "exposure",
        tr("Exposure"),
        Form.NUMBER,
        columns=("exposure_s",),
        match=Match.RANGE,
        shown=exposure_text,
    ),
    _number_field("aperture", tr("Aperture"), "aperture"),
    _number_field("iso", tr("Sensitivity"), "iso"),
    _number_field("focal", tr("Focal length"), "focal_mm"),
    Field(
        "place",
        tr("Place"),
        columns=("place", "region", "country"),
        value=place_text,
        sql=f"lower(concat_ws('{BETWEEN_NAMES}', place, region, country))",
        match=Match.CONTAINS,
        shown=lambda row: place_text(row.place, row.region, row.country),
    ),
    _name_field("country", tr("Country"), "country"),
    _name_field("region", tr("Region"), "region"),
    _name_field("town", tr("Town"), "place"),
    Field(
        "position",
        tr("Position"),
        Form.NUMBER,
        columns=("latitude", "longitude"),
        value=_both,
        sql="latitude + longitude",
        match=Match.PRESENT,
        shown=_position,
    ),
    _number_field("latitude", tr("Latitude"), "latitude"),
    _number_field("longitude", tr("Longitude"), "longitude"),
    _text_field("creator", tr("Creator")),
    _text_field("copyright", tr("Copyright")),
    Field(
        "dimensions",
        tr("Dimensions"),
        columns=("width", "height"),
        shown=lambda row: f"{row.width} × {row.height}" if row.width else None,
    ),
    Field("width", tr("Width"), Form.NUMBER, match=Match.RANGE, is_optional=False),
    Field("height", tr("Height"), Form.NUMBER, match=Match.RANGE, is_optional=False),
    Field(
        "duration",
        tr("Duration"),
        Form.NUMBER,
        columns=("duration_s",),
        match=Match.RANGE,
        shown=_duration,
    ),
    Field("kind", tr("Kind"), match=Match.EQUAL, choices=tuple(MediaKind), is_optional=False),
    Field(
        "format",
        tr("Format"),
        Form.LIST,
        columns=("format", "part_formats"),
        value=lambda shown, others: _folded([shown, *others]),
        sql=f"array_concat(make_array(lower(format)), {_folded_list('part_formats')})",
        match=Match.EQUAL,
        is_optional=False,
        shown=lambda row: row.format.upper(),
    ),
    Field("files", tr("Files"), columns=("parts",), shown=_files),
    Field(
        "size",
        tr("File size"),
        Form.NUMBER,
        columns=("size_bytes",),
        match=Match.RANGE,
        is_optional=False,
        shown=_size,
    ),
    Field(
        "name",
        tr("Name"),
        columns=("name_text",),
        match=Match.CONTAINS,
        is_optional=False,
        shown=lambda row: name_of(row.path),
    ),
    Field(
        "folder",
        tr("Folder"),
        columns=("folder_text",),
        match=Match.FOLDER,
        is_optional=False,
        shown=lambda row: os.fsdecode(folder_of(row.path)),
    ),
    Field(
        "state",
        tr("State"),
        match=Match.EQUAL,
        choices=tuple(MediaState),
        is_optional=False,
        shown=_state,
    ),
    Field(
        "added", tr("Added"), Form.TIME, columns=("added_utc",), value=_in_utc, match=Match.RANGE
    ),
)
"""In the order in which a detail shows them."""

FIELD_OF = {field.name: field for field in FIELDS}


def facts_of(row: MediaRow) -> list[Fact]:
    """The fields that are shown of a medium and that it has."""
    return [
        Fact(field.name, field.label, text)
        for field in FIELDS
        if field.shown is not None and (text := field.shown(row))
    ]
