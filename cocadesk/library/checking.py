"""A library looked at as a whole: every file read, every table held against the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Protocol

from cocadesk.errors import UserError, kept
from cocadesk.library.backups import Backed, backups_of, read_backup
from cocadesk.library.layout import (
    MANIFEST_COPY,
    MANIFEST_NAME,
    STORE_FOLDER,
    Thumbnails,
    bases_in,
    is_manifest_right,
)
from cocadesk.library.mending import contents_of, damaged_tables
from cocadesk.library.notices import read_notices
from cocadesk.library.parts_file import is_damaged
from cocadesk.library.rows import Identity, MediaState, ViewShows
from cocadesk.library.store import Store, can_read
from cocadesk.library.views import ViewMark, ViewTables


class Checked(Backed, Protocol):
    """The parts of a library that a check looks at."""

    views: ViewTables
    thumbnails: Thumbnails

    @property
    def model(self) -> str | None:
        """The image id in use."""

    @property
    def is_writer(self) -> bool:
        """True where it may be written."""


def problems_of(library: Checked, store: Store, awaited: str = "") -> list[str]:
    """Sentences on all that is wrong; none where all is well. Only looks."""
    folder = library.folder
    found = list(read_notices(folder))
    if not is_manifest_right(folder):
        found.append(
            kept("{file} or its copy {copy} is damaged.", file=MANIFEST_NAME, copy=MANIFEST_COPY)
        )
    if any(map(is_damaged, bases_in(folder))):
        found.append(
            kept("The search index is damaged; the library's repair lets it be made again.")
        )
    damaged = set(damaged_tables(folder / STORE_FOLDER, thorough=True))
    damaged |= {n for n in store.names() if not can_read(folder / STORE_FOLDER, n)}
    found += [
        kept("The table of {contents} is damaged.", contents=contents_of(table))
        for table in sorted(damaged)
    ]
    if not damaged:
        # Not between two writes of a job that runs.
        with store.writing() if library.is_writer else nullcontext():
            found += _between_tables(library, awaited)
    return [*found, *_about_backups(library)]


def _between_tables(library: Checked, awaited: str) -> list[str]:
    """Sentences on rows of one table that do not fit those of another.

    Media that come while vectors are awaited have those of the ``awaited`` model alone.
    """
    media = library.media.identities()
    keys = Counter(one.key for one in media)
    twice = sum(count > 1 for count in keys.values())
    differing = library.edits.differing()
    model = library.model
    moments = library.views.part_marks(model, ViewShows.SPAN) if model is not None else []
    undrawn = _without_thumbnail(media, moments, library.thumbnails)
    unknown = len(library.edits.annotated_keys() - set(keys))
    counted = _of_rows(twice, differing, unknown, undrawn)
    if model is not None and library.views.has(model):
        wholes = library.views.whole_marks(model)
        orphans, _ = _views_and_media(wholes, media)
        coming = library.views.whole_marks(awaited) if awaited else []
        _, lacking = _views_and_media([*wholes, *coming], media)
        counted += [
            (
                len(orphans),
                kept(
                    "Photos and videos that have vectors but no row: {number}.",
                    number=f"{len(orphans):,}",
                ),
            ),
            (
                lacking,
                kept(
                    "Photos and videos without vectors: {number}. Index their folders again.",
                    number=f"{lacking:,}",
                ),
            ),
        ]
    return [text for number, text in counted if number]


def _of_rows(twice: int, differing: int, unknown: int, undrawn: int) -> list[tuple[int, str]]:
    """How many rows are wrong in each way, and the sentence that says so."""
    return [
        (
            twice,
            kept(
                "Photos and videos that stand in the library twice: {number}.", number=f"{twice:,}"
            ),
        ),
        (
            differing,
            kept(
                "Captions, tags and ratings that differ from the log of people's edits: {number}.",
                number=f"{differing:,}",
            ),
        ),
        (
            unknown,
            kept(
                "Annotated photos and videos that are missing from their table: {number}.",
                number=f"{unknown:,}",
            ),
        ),
        (
            undrawn,
            kept(
                "Thumbnails lost or damaged: {number}. To draw them, read all files of"
                " their folders again (index --again all).",
                number=f"{undrawn:,}",
            ),
        ),
    ]


def _views_and_media(wholes: Iterable[ViewMark], media: Iterable[Identity]) -> tuple[set[str], int]:
    """Keys with vectors but no row, and the number of present media without vectors."""
    embedded = {mark.key for mark in wholes}
    here = list(media)
    present = {one.key for one in here if one.state == MediaState.PRESENT}
    return embedded - {one.key for one in here}, len(present - embedded)


def _without_thumbnail(
    media: Iterable[Identity], spans: Iterable[ViewMark], thumbnails: Thumbnails
) -> int:
    """The number of pictures, and of videos' moments, that can't be drawn."""
    hashes = {one.picture_hash for one in media if one.state == MediaState.PRESENT}
    moments = {(mark.picture_hash, mark.view) for mark in spans}
    paths = [thumbnails.path(picture_hash) for picture_hash in hashes]
    paths += [thumbnails.moment_path(*moment) for moment in moments if moment[0] in hashes]
    sizes = thumbnails.sizes_bytes(paths)
    return sum(not sizes.get(path) for path in paths)


def _about_backups(library: Backed) -> list[str]:
    backups = backups_of(library.folder)
    if not backups:
        if library.edits.next_seq() == 1:
            return []
        return [kept("There is no backup of people's captions and tags yet.")]
    found = []
    for path in backups:
        try:
            read_backup(path)
        except UserError as error:
            found.append(f"{error.what} {error.why}".strip())
    return found


def drop_orphans(library: Checked) -> list[str]:
    """Remove vectors without a row, damaged search indexes and empty thumbnails; what went."""
    media = library.media.identities()
    said = []
    if library.model is not None and library.views.has(library.model):
        orphans, _ = _views_and_media(library.views.whole_marks(library.model), media)
        if orphans:
            library.views.remove_from(library.model, dict.fromkeys(sorted(orphans), 0))
            said.append(
                kept("Vectors without a row were removed: {number}.", number=f"{len(orphans):,}")
            )
    damaged = [path for path in bases_in(library.folder) if is_damaged(path)]
    for path in damaged:
        path.unlink(missing_ok=True)
    if damaged:
        said.append(
            kept("The damaged search index was removed; it is made again in the background.")
        )
    emptied = _drop_empty(library.thumbnails, {one.picture_hash for one in media})
    if emptied:
        said.append(
            kept(
                "Empty thumbnails were removed: {number}. To draw them, read all files of"
                " their folders again (index --again all).",
                number=f"{emptied:,}",
            )
        )
    return said


def _drop_empty(thumbnails: Thumbnails, picture_hashes: Iterable[str]) -> int:
    sizes = thumbnails.sizes_bytes([thumbnails.path(one) for one in picture_hashes])
    empty = [path for path, size_bytes in sizes.items() if not size_bytes]
    thumbnails.remove_files(empty)
    return len(empty)
