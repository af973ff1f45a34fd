"""The ways in which a search finds a medium."""

from __future__ import annotations

from enum import StrEnum


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
