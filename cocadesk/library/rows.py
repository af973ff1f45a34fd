"""The values that cross the library's border."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.marks import Flag, flag_of, stars_of
from cocadesk.library.parts import Part
from cocadesk.library.paths import beside, fold_path, folder_text_of

LocalTime = Annotated[datetime, "naive, as a camera's clock showed it"]
"""A time without a zone; the tables keep every other one in UTC."""
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_key() -> str:
    """A ULID: 48 bits of milliseconds and 80 random bits in 26 letters that sort by time."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    return "".join(_CROCKFORD[(value >> shift) & 31] for shift in range(125, -1, -5))


class MediaKind(StrEnum):
    """The two kinds of media."""

    PHOTO = "photo"
    VIDEO = "video"


class MediaState(StrEnum):
    """The state of a medium's file."""

    PRESENT = "present"
    MISSING = "missing"
    OFFLINE = "offline"


class ViewShows(StrEnum):
    """The part of a medium that a view shows."""

    WHOLE = "whole"
    SPAN = "span"
    BOX = "box"
    LIVE = "live"
    """A span of the video that belongs to a photo."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A word and how sure its author was (a machine's score, or 1 by a person)."""

    tag: str
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRow:
    """One medium, by the file that shows it. Paths are the file system's own bytes, absolute.

    ``width`` and ``height`` are pixels after orientation. ``taken_local`` is naive, as the
    camera's clock showed it. ``parts`` are its other files. ``embedded`` names the image ids
    whose views of it are committed. ``volume`` names the file system of the file (see
    ``paths.volume_of``). ``metadata_mark`` says with what its metadata were read: another one
    than the file's is now has them read again. ``human_albums`` are the ids of albums,
    ``human_places`` the medium's place in each of them (see ``places``).
    """

    key: str
    root: bytes
    path: bytes
    kind: MediaKind = MediaKind.PHOTO
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    volume: str = ""
    file_hash: str
    picture_hash: str
    format: str = ""
    width: int = 0
    height: int = 0
    duration_s: float | None = None
    taken_utc: datetime | None = None
    taken_local: LocalTime | None = None
    utc_offset_min: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    place: str | None = None
    region: str | None = None
    country: str | None = None
    camera: str | None = None
    lens: str | None = None
    exposure_s: float | None = None
    aperture: float | None = None
    iso: int | None = None
    focal_mm: float | None = None
    rating: int | None = None
    label: str | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    keyword_paths: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    creator: str | None = None
    copyright: str | None = None
    metadata_mark: str = ""
    parts: tuple[Part, ...] = ()
    state: MediaState = MediaState.PRESENT
    reason: str | None = None
    embedded: tuple[str, ...] = ()
    added_utc: datetime | None = None
    indexed_utc: datetime | None = None
    machine_caption: str | None = None
    machine_caption_model: str | None = None
    machine_caption_score: float | None = None
    machine_tags: tuple[Tag, ...] = ()
    machine_tags_model: str | None = None
    human_caption: str | None = None
    human_tags_added: tuple[str, ...] = ()
    human_tags_removed: tuple[str, ...] = ()
    human_rating: int | None = None
    human_flag: str | None = None
    human_favourite: bool | None = None
    human_hidden: bool | None = None
    human_albums: tuple[str, ...] = ()
    human_places: tuple[str, ...] = ()

    @property
    def folder_text(self) -> str:
        """The folder as filters compare it, with "/" at its end."""
        return folder_text_of(self.path)

    @property
    def name_text(self) -> str:
        """The names of its files as filters compare them, "/" between them."""
        name = fold_path(os.fsdecode(self.path)).rpartition("/")[2]
        others = (fold_path(os.fsdecode(part.name)) for part in self.parts if part.name)
        return "/".join([name, *others])

    @property
    def part_formats(self) -> tuple[str, ...]:
        """The formats of its other files."""
        return tuple(part.format for part in self.parts)

    @property
    def machine_tag_names(self) -> tuple[str, ...]:
        """The machine's tags without their scores."""
        return tuple(tag.tag for tag in self.machine_tags)

    @property
    def taken(self) -> LocalTime | None:
        """The local time at which it was taken, naive (UTC where only that is known)."""
        if self.taken_local is not None:
            return self.taken_local
        return None if self.taken_utc is None else self.taken_utc.replace(tzinfo=None)

    @property
    def caption(self) -> str | None:
        """The person's caption, else the machine's, else None."""
        return self.human_caption if self.human_caption is not None else self.machine_caption

    @property
    def stars(self) -> int:
        """The person's stars, else the file's; 0 where there are none."""
        return stars_of(self.human_rating, self.rating) or 0

    @property
    def flag(self) -> Flag:
        """The person's flag, else the file's."""
        return Flag(flag_of(self.human_flag, self.rating))

    @property
    def favourite(self) -> bool:
        """True for a person's favourite."""
        return bool(self.human_favourite)

    @property
    def hidden(self) -> bool:
        """True where a person wants it in no list."""
        return bool(self.human_hidden)

    @property
    def tags(self) -> tuple[Tag, ...]:
        """The person's tags, then the machine's that the person has not removed.

        Case does not count: who removes "Dog" does not get "dog" back.
        """
        said = (*self.human_tags_added, *self.human_tags_removed)
        hidden = {tag.casefold() for tag in said}
        own = tuple(Tag(tag=tag, score=1.0) for tag in self.human_tags_added)
        return own + tuple(t for t in self.machine_tags if t.tag.casefold() not in hidden)


DERIVED_COLUMNS = ("folder_text", "name_text", "part_formats", "taken", "machine_tag_names")
"""The properties of ``MediaRow`` that the table holds too, for filters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaChange:
    """A row to commit. ``is_new`` inserts; else only what the file says is replaced.

    Words are kept, except that ``drops_machine_words`` clears the machine's
    (the picture itself has changed). Human annotations are never touched here.
    """

    row: MediaRow
    is_new: bool
    drops_machine_words: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRow:
    """One vector of a medium: the whole, a span of a video's time, or a box of a long photo.

    View n shows box n - 1 of ``InputSpec.boxes``, which follows from the photo's size.
    ``vector`` is (D,) float32 of unit norm. ``time_s`` is the frame that was
    embedded. ``root`` to ``longitude`` are those of the medium's row, kept here
    to filter by.
    """

    key: str
    view: int
    picture_hash: str
    vector: NDArray[np.float32]
    shows: ViewShows = ViewShows.WHOLE
    start_s: float | None = None
    end_s: float | None = None
    time_s: float | None = None
    root: bytes
    folder_text: str
    kind: MediaKind = MediaKind.PHOTO
    taken: LocalTime | None = None
    latitude: float | None = None
    longitude: float | None = None


VIEW_FILTER_COLUMNS = ("root", "folder_text", "kind", "taken", "latitude", "longitude")
"""The columns of a view that follow its medium's row."""


def place_of(row: MediaRow) -> dict[str, Any]:
    """The values of a medium's row that its views hold too, the key among them."""
    return {name: getattr(row, name) for name in ("key", *VIEW_FILTER_COLUMNS)}


class ResultRow(NamedTuple):
    """The part of a media row that a search result shows."""

    key: str
    path: bytes
    kind: MediaKind
    state: MediaState
    picture_hash: str
    caption: str | None
    parts: tuple[tuple[bytes, str], ...] = ()
    """The names of its other files, and what each is."""


class Chosen(NamedTuple):
    """The media that a search may find.

    ``where_views`` is the part of their filter that the views' own columns can
    answer, as SQL; None where there is none.
    """

    keys: Set[str]
    where_views: str | None = None


class Nearest(NamedTuple):
    """A view that a vector search found."""

    key: str
    view: int
    cosine: float


class StoredVector(NamedTuple):
    """A view's vector, (D,) float32 of unit norm, and its moment in a video."""

    view: int
    vector: NDArray[np.float32]
    time_s: float | None


class Identity(NamedTuple):
    """The part of a media row that tells whether files are known."""

    key: str
    root: bytes
    path: bytes
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    volume: str
    file_hash: str
    picture_hash: str
    kind: str
    state: str
    embedded: tuple[str, ...]
    metadata_mark: str = ""
    parts: tuple[Part, ...] = ()


class Placed(NamedTuple):
    """The part of a media row that tells where its file is and which picture it shows."""

    key: str
    path: bytes
    picture_hash: str
    state: str
    parts: tuple[Part, ...] = ()


class TaggedMedium(NamedTuple):
    """The tags of a media row by who gave them; the fields are columns of its table."""

    key: str
    human_tags_added: tuple[str, ...]
    human_tags_removed: tuple[str, ...]
    machine_tag_names: tuple[str, ...]


def paths_of(medium: MediaRow | Identity | Placed) -> list[bytes]:
    """The paths of all files of a medium, the one that is shown first."""
    return [medium.path, *(beside(medium.path, part.name) for part in medium.parts if part.name)]


NO_TIME_NS = 86_400 * 10**9
"""A file's time so near 1970-01-01 says that nobody knew it; no photo was filed then."""
DECODE = "decode"
"""Stage of the failures of files that decoders could not read."""
EMBED = "embed"
DESCRIBE = "describe"
"""Stages of failures: files that ended the engine, while a job read or described them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRow:
    """A file that could not be read, as it was then.

    ``stage`` is scan, decode, embed (an index or a switch ended with it) or describe
    (captioning did). Without a size and a time it fits no file, so that the file is read again.
    ``kills`` counts the indexes in which decoders were killed over the file; ``reader`` is the
    ``READER_VERSION`` that failed: a later one tries once more.
    """

    path: bytes
    root: bytes
    reason: str
    stage: str
    when: datetime
    size_bytes: int = -1
    mtime_ns: int = -1
    kills: int = 0
    reader: int = 0

    @property
    def is_passing(self) -> bool:
        """True where the next index tries again though the file has not changed."""
        return self.size_bytes < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RootRow:
    """A folder (or single file) that the person added.

    ``device`` and ``inode`` are those of its last good scan: an empty folder
    in its place on another device is an unmounted disk, not a deletion.
    ``excludes`` are patterns of what is passed over in it (``media.excludes``).
    """

    path: bytes
    added_utc: datetime
    is_folder: bool = True
    device: int | None = None
    inode: int | None = None
    scanned_utc: datetime | None = None
    excludes: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One human word: who changed which field of which medium from what to what.

    ``old`` and ``new`` are JSON. ``batch`` groups the edits of one command;
    ``undoes`` names the batch that this one takes back. ``path`` and ``file_hash``
    are the medium's at that time (None where it had no row): by them the words
    find their photo again where its row was lost.
    """

    seq: int = 0
    batch: str
    key: str
    who: str
    when: datetime
    field: str
    old: str
    new: str
    undoes: str | None = None
    path: bytes | None = None
    file_hash: str | None = None


ALBUM = "album"
SAVED_SEARCH = "saved search"
"""Fields of edits: an album's name, a saved search's name and query; None: there is none.

The ``key`` of such an edit is an id of its own, and it has no column in the media table.
"""


class BatchMark(NamedTuple):
    """A batch of the log, and the batch that it takes back (None for a new command)."""

    batch: str
    undoes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """A job as the library remembers it; ``spec`` and ``report`` are JSON."""

    id: str
    kind: str
    spec: str
    state: str
    created_utc: datetime
    updated_utc: datetime
    stage: str = ""
    done: int = 0
    total: int | None = None
    failed: int = 0
    message: str | None = None
    report: str | None = None
