"""The messages about albums and saved searches; both are known by their names.

Upper and lower case do not count in a name. Each change is one undoable batch like
``SetAnnotations`` and answered by ``AnnotationsReply``.
"""

from __future__ import annotations

import re

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.values import Value

_ALBUM = re.compile(r'album:(?:"((?:[^"]|"")+)"|([^\s",]+))')


class AlbumValue(Value, frozen=True):
    """An album: how many media are in it, and the thumbnail of the first."""

    name: str
    count: int = 0
    cover: WirePath | None = None


class SavedSearchValue(Value, frozen=True):
    """A query under a name; ``count`` is of what it finds now, ``problem`` says why it can't."""

    name: str
    query: str
    count: int = 0
    problem: str = ""


class Albums(ReplyBody, frozen=True):
    """All albums, the oldest first."""

    albums: tuple[AlbumValue, ...]


class SavedSearches(ReplyBody, frozen=True):
    """All saved searches, the oldest first."""

    searches: tuple[SavedSearchValue, ...]


def album_filter(name: str) -> str:
    """The filter, in the grammar, that lets an album's media through."""
    doubled = name.replace('"', '""')
    return f'album:"{doubled}"'


def album_name(query: str) -> str:
    """The album that a query asks for and nothing else; empty where it asks for more."""
    found = _ALBUM.fullmatch(query.strip())
    return (found[1] or found[2]).replace('""', '"') if found else ""


class ListAlbums(RequestBody, frozen=True):
    """All albums with their counts; answered by ``Albums``.

    The media of one, in its order, are those of ``ListNewest`` with its ``album_filter``.
    """


class NewAlbum(RequestBody, frozen=True):
    """Makes an album with these media in it."""

    name: str
    keys: tuple[str, ...] = ()


class AddToAlbum(RequestBody, frozen=True):
    """Puts media at an album's end; those that are in it stay where they are."""

    album: str
    keys: tuple[str, ...]


class RemoveFromAlbum(RequestBody, frozen=True):
    """Takes media out of an album."""

    album: str
    keys: tuple[str, ...]


class MoveInAlbum(RequestBody, frozen=True):
    """Puts media of an album, in the order given, before another one; None: at its end."""

    album: str
    keys: tuple[str, ...]
    before: str | None = None


class RenameAlbum(RequestBody, frozen=True):
    """Gives an album another name."""

    album: str
    name: str


class DeleteAlbum(RequestBody, frozen=True):
    """Deletes an album; its media stay in the library."""

    album: str


class ListSavedSearches(RequestBody, frozen=True):
    """All saved searches, or the one of this name, with the number that each finds now.

    Answered by ``SavedSearches``.
    """

    name: str = ""


class SaveSearch(RequestBody, frozen=True):
    """Keeps a query under a name; refused where it can't be asked.

    ``replaces``: one of that name gets this query.
    """

    name: str
    query: str
    replaces: bool = False


class RenameSavedSearch(RequestBody, frozen=True):
    """Gives a saved search another name."""

    search: str
    name: str


class DeleteSavedSearch(RequestBody, frozen=True):
    """Deletes a saved search."""

    search: str
