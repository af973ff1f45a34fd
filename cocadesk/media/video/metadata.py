"""A video's metadata from its tags: date, place, camera, title and keywords.

QuickTime's own keys count first: ``com.apple.quicktime.creationdate`` has the
zone of the place, while ``creation_time`` is UTC.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from cocadesk.media.metadata.dates import TakenAt, parse_taken
from cocadesk.media.metadata.positions import valid_position
from cocadesk.media.metadata.text import camera_name, clean_keywords, first_text
from cocadesk.media.types import PhotoMetadata

# The names of dates in the order in which they count, and the zone where the format sets one.
_DATES = (
    ("com.apple.quicktime.creationdate", None),
    ("date_time_original", None),
    ("datetimeoriginal", None),
    ("creation_time", "Z"),
    ("date_recorded", None),
    ("date", None),
    ("icrd", None),
)
_PLACES = ("com.apple.quicktime.location.iso6709", "location", "location-eng", "xyz")
_MAKES = ("com.apple.quicktime.make", "com.android.manufacturer", "make", "manufacturer")
_MODELS = ("com.apple.quicktime.model", "com.android.model", "model")
_TITLES = ("com.apple.quicktime.title", "com.apple.quicktime.displayname", "title")
_DESCRIPTIONS = ("com.apple.quicktime.description", "description", "synopsis", "comment")
_KEYWORDS = ("com.apple.quicktime.keywords", "keywords")
_CREATORS = ("com.apple.quicktime.author", "author", "artist")
_COPYRIGHTS = ("com.apple.quicktime.copyright", "copyright")
_CONTENT_ID = "com.apple.quicktime.content.identifier"
# MP4 counts from 1904 and others from 1970: an unset clock gives one of these days.
_UNSET_YEARS = frozenset({1904, 1970})
_ISO_6709 = re.compile(r"([+-]\d{2}(?:\.\d+)?)([+-]\d{3}(?:\.\d+)?)", re.ASCII)


def read_video_metadata(container: Mapping[str, str], stream: Mapping[str, str]) -> PhotoMetadata:
    """The metadata of one video from its container's and its picture stream's tags.

    Never raises for what a file may hold.
    """
    tags = {name.lower(): value for name, value in {**stream, **container}.items()}
    taken = _taken(tags)
    latitude, longitude = _position(tags) or (None, None)
    return PhotoMetadata(
        taken_utc=taken.utc if taken else None,
        taken_local=taken.local if taken else None,
        utc_offset_min=taken.utc_offset_min if taken else None,
        latitude=latitude,
        longitude=longitude,
        camera=camera_name(_first(tags, _MAKES), _first(tags, _MODELS)),
        title=_first(tags, _TITLES),
        description=_first(tags, _DESCRIPTIONS),
        keywords=clean_keywords((_first(tags, _KEYWORDS) or "").split(",")),
        creator=_first(tags, _CREATORS),
        copyright=_first(tags, _COPYRIGHTS),
    )


def content_id_of(container: Mapping[str, str]) -> str:
    """Apple's name for what both files of a Live Photo show; empty where there is none."""
    return {name.lower(): value for name, value in container.items()}.get(_CONTENT_ID, "").strip()


def _first(tags: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return first_text(*(tags.get(name) for name in names))


def _taken(tags: Mapping[str, str]) -> TakenAt | None:
    for name, offset in _DATES:
        taken = parse_taken(tags.get(name), offset=offset)
        if taken is not None and _is_set(taken):
            return taken
    return None


def _is_set(taken: TakenAt) -> bool:
    in_utc = taken.utc or taken.local.replace(tzinfo=UTC)
    return not any(
        abs((in_utc - datetime(year, 1, 1, tzinfo=UTC)).total_seconds()) < 2 * 86_400
        for year in _UNSET_YEARS
    )


def _position(tags: Mapping[str, str]) -> tuple[float, float] | None:
    """Degrees from ISO 6709's "+35.6586+139.7454+025.000/"."""
    for name in _PLACES:
        match = _ISO_6709.match((tags.get(name) or "").strip())
        if match is not None:
            position = valid_position(float(match[1]), float(match[2]))
            if position is not None:
                return position
    return None
