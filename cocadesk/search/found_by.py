"""The ways in which a search finds a medium."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class FoundBy(StrEnum):
    """What of a medium a search found, what people gave it first."""

    TAG = "tag"
    PERSON = "person"
    ALBUM = "album"
    CAPTION = "caption"
    TITLE = "title"
    KEYWORD = "keyword"
    NAME = "name"
    FOLDER = "folder"
    DESCRIPTION = "description"
    PLACE = "place"
    CAMERA = "camera"
    SUGGESTED_TAG = "suggested tag"
    SUGGESTED_CAPTION = "suggested caption"
    PICTURE = "picture"
    """The picture shows it."""


class Told(IntEnum):
    """How much of a query the own words of a medium tell."""

    NOTHING = 0
    NAMED = 1
    """All of its words that any own words hold: the others must be seen."""
    ALL = 2


OWN_WORDS = frozenset(
    {
        FoundBy.TAG,
        FoundBy.PERSON,
        FoundBy.ALBUM,
        FoundBy.CAPTION,
        FoundBy.TITLE,
        FoundBy.KEYWORD,
        FoundBy.NAME,
        FoundBy.DESCRIPTION,
        FoundBy.PLACE,
    }
)
"""What was said of this very medium. A folder or a camera is that of hundreds."""
