"""The messages about the lists that a library offers: its side bar asks for them."""

from __future__ import annotations

from enum import StrEnum

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.values import SortKey, Value


class ListName(StrEnum):
    """The lists that every library has."""

    ALL = "all"
    FAVOURITES = "favourites"
    PICKS = "picks"
    RECENT = "recent"
    VIDEOS = "videos"
    WITHOUT_CAPTION = "without-caption"
    TO_REVIEW = "to-review"
    MISSING = "missing"
    OFFLINE = "offline"


class BranchKind(StrEnum):
    """The kinds of things whose media make a list."""

    FOLDER = "folder"
    ALBUM = "album"
    SEARCH = "search"
    PLACE = "place"
    PERSON = "person"
    TAG = "tag"


class ListValue(Value, frozen=True):
    """One of the lists that every library has: the query that opens it, and its number of media.

    ``terms`` are the filters of that query, ``sort`` is the order in which it is meant to be seen.
    """

    name: ListName
    query: str = ""
    terms: tuple[str, ...] = ()
    sort: SortKey = SortKey.RELEVANCE
    count: int = 0


class BranchValue(Value, frozen=True):
    """A folder, album, saved search, place, person or own tag: what opens it, its media.

    ``id`` names it where its own branches are asked for, of which there are ``below``. An
    empty ``name`` is that of a thing that has none. ``terms`` are the filters of the query;
    none where it is a saved one, which may have words. ``count`` is None where it is not known.
    ``is_offline``: all its media are on a disk that is away. ``path`` is that of a folder.
    """

    id: str
    name: str
    query: str = ""
    terms: tuple[str, ...] = ()
    count: int | None = None
    below: int = 0
    is_offline: bool = False
    path: WirePath | None = None


class Overview(ReplyBody, frozen=True):
    """The lists that every library has, with what they hold now."""

    lists: tuple[ListValue, ...]


class Branches(ReplyBody, frozen=True):
    """A stretch of branches by name, from ``offset`` on; ``total`` counts all."""

    branches: tuple[BranchValue, ...]
    offset: int = 0
    total: int = 0


class GetOverview(RequestBody, frozen=True):
    """The lists that every library has; answered by ``Overview``.

    Their numbers are those of the lists that their queries open.
    """


class GetBranches(RequestBody, frozen=True):
    """The folders, places … in the one of the id ``under``, or the first ones; ``Branches``."""

    kind: BranchKind
    under: str = ""
    offset: int = 0
    limit: int = 1000
