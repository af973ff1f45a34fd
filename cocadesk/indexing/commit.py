"""Writes a batch: views first, then media, so that the media row is the commit."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from cocadesk.errors import UserError
from cocadesk.indexing.identity import MatchKind
from cocadesk.indexing.known_files import MatchedFile, Unreadable
from cocadesk.indexing.pictures import Embedded, Facts
from cocadesk.indexing.pipeline import Batch
from cocadesk.indexing.refresh import metadata_columns
from cocadesk.library.edits import NO_WORDS
from cocadesk.library.library import Library
from cocadesk.library.paths import folder_of
from cocadesk.library.rows import (
    DECODE,
    FailureRow,
    MediaChange,
    MediaKind,
    MediaRow,
    MediaState,
    ViewRow,
    place_of,
)
from cocadesk.media.types import READER_VERSION, ScanProblem

log = logging.getLogger(__name__)

SCAN = "scan"
"""The stage of a failure: a place that could not be looked into."""
_MOST_KILLS = 3
"""A file that had decoders killed in so many indexes is not tried again: it takes all memory."""


class Committer:
    """Commits batches to one library under one image id.

    ``failures`` are those known before; the decoders that files in ``killed`` had killed are
    counted in them, and those that come to it are counted once.
    """

    def __init__(
        self,
        library: Library,
        image_id: str,
        failures: Iterable[FailureRow],
        killed: set[bytes] | None = None,
    ) -> None:
        self._library = library
        self._image_id = image_id
        self._failed_before = {failure.path: failure for failure in failures}
        self._counted = set() if killed is None else killed
        self._counted_before = frozenset(self._counted)
        self._shown: set[str] = set()
        with contextlib.suppress(UserError):  # that of a job before this one, which has said so
            library.thumbnails.settle()

    def commit(self, batch: Batch) -> list[MatchedFile]:
        """Write ``batch``; gives what was committed (not a file whose source row was lost).

        In one go: whoever holds the tables against each other sees no view without its row.
        """
        self._library.thumbnails.settle()
        with self._library.writing():
            return self._commit(batch)

    def show(self, files: Sequence[MatchedFile]) -> None:
        """Write the rows of new media that were decoded; a later ``commit`` adds their vectors.

        Without the mark of the model: an index that finds them so reads them again.
        """
        now = datetime.now(UTC)
        rows = [
            dataclasses.replace(decoded_row(item, item.facts, now), embedded=())
            for item in files
            if item.facts is not None
        ]
        self._library.thumbnails.settle()
        with self._library.writing():
            self._library.media.commit([MediaChange(row=row, is_new=True) for row in rows])
        self._shown.update(row.key for row in rows)

    def _commit(self, batch: Batch) -> list[MatchedFile]:
        rows = self._rows(batch.matched)
        placed = [item for item in batch.matched if item.match.key in rows]
        views = self._views(placed, rows, batch.embedded)
        done = [item for item in placed if item.match.key in views]
        if len(done) < len(batch.matched):
            log.warning("%d files wait for the next index", len(batch.matched) - len(done))
        self._write_views(done, rows, views)
        self._library.media.commit(
            [
                MediaChange(
                    row=rows[item.match.key],
                    is_new=item.match.is_new_row and item.match.key not in self._shown,
                    drops_machine_words=item.shows_another_picture,
                )
                for item in done
            ]
        )
        self._write_failures(batch.unreadable, done)
        return done

    def _rows(self, matched: Sequence[MatchedFile]) -> dict[str, MediaRow]:
        """The new row of each file by key; known bytes follow the row that has them."""
        known = {i.match.same_bytes for i in matched if i.facts is None and i.match.same_bytes}
        stored = {row.key: row for row in self._library.media.rows(sorted(known))}
        rows: dict[str, MediaRow] = {}
        now = datetime.now(UTC)
        for item in matched:
            if item.facts is not None:
                rows[item.match.key] = decoded_row(item, item.facts, now)
                continue
            key = item.match.same_bytes or ""
            same = rows.get(key) or stored.get(key)
            if same is not None:
                rows[item.match.key] = following_row(item, same, now)
        return rows

    def _views(
        self,
        matched: Sequence[MatchedFile],
        rows: Mapping[str, MediaRow],
        embedded: Mapping[str, Embedded],
    ) -> dict[str, list[ViewRow]]:
        """The views to write of each file by key; an empty list where they are stored."""
        sources = {item.vector_source for item in matched if item.vector_source is not None}
        stored = self._library.views.of_keys(self._image_id, sorted(sources))
        views: dict[str, list[ViewRow]] = {}
        for item in matched:
            key, picture_hash = item.match.key, item.match.picture_hash
            source = item.vector_source
            if picture_hash in embedded:
                views[key] = embedded[picture_hash].views(rows[key], picture_hash)
            elif item.match.vectors_of == key:
                views.setdefault(key, [])
            elif source is not None:
                # A source may itself be a copy of this batch; it stands before its copies.
                for found in (views.get(source, []), stored.get(source, [])):
                    copied = [view for view in found if view.picture_hash == picture_hash]
                    if copied:
                        views[key] = [placed_view(view, rows[key]) for view in copied]
                        break
        return views

    def _write_views(
        self,
        done: Sequence[MatchedFile],
        rows: Mapping[str, MediaRow],
        views: Mapping[str, Sequence[ViewRow]],
    ) -> None:
        written = [view for own in views.values() for view in own]
        self._library.views.commit(self._image_id, written)
        changed = {i.match.key for i in done if i.match.previous is not None}
        fewer = {key: len(own) for key, own in views.items() if own and key in changed}
        if fewer:
            self._library.views.remove_from(self._image_id, fewer)
        self._forget_pictures_of_before([row for row in rows.values() if row.key in changed])
        stayed = {
            item.match.key
            for item in done
            if not views[item.match.key] and item.match.kind is not MatchKind.TOUCHED
        }
        self._library.views.set_places([rows[key] for key in sorted(stayed)])

    def _forget_pictures_of_before(self, changed: Sequence[MediaRow]) -> None:
        """Drop what the model in use knows of other pictures than these rows', if it is another.

        A switch may have ended while this index was paused: nobody else would.
        """
        model = self._library.model
        if not changed or model is None or model == self._image_id:
            return
        stored = self._library.views.of_keys(model, [row.key for row in changed])
        stale = {
            row.key: 0
            for row in changed
            if any(view.picture_hash != row.picture_hash for view in stored.get(row.key, []))
        }
        self._library.views.remove_from(model, stale)

    def _write_failures(
        self, unreadable: Sequence[Unreadable], done: Sequence[MatchedFile]
    ) -> None:
        """Remember what failed (stage decode) and forget what reads well now."""
        healed = self._failed_before.keys() & {item.found.path for item in done}
        if healed:
            self._library.media.forget_failures(sorted(healed))
            for path in healed:
                del self._failed_before[path]
        self._library.media.record_failures([self._failure(item) for item in unreadable])
        self._counted.update(item.found.path for item in unreadable if item.is_killed)

    def _failure(self, item: Unreadable) -> FailureRow:
        """The row to store; a passing failure fits no file, so that the file is read again."""
        is_passing = self.is_passing(item)
        return FailureRow(
            path=item.found.path,
            root=item.found.root,
            reason=item.reason,
            stage=DECODE,
            when=datetime.now(UTC),
            size_bytes=-1 if is_passing else item.found.size_bytes,
            mtime_ns=-1 if is_passing else item.found.mtime_ns,
            kills=self._kills(item),
            reader=READER_VERSION,
        )

    def is_passing(self, item: Unreadable) -> bool:
        """True where the next index is to try again, though the file has not changed."""
        return item.is_passing and not (item.is_killed and self._kills(item) >= _MOST_KILLS)

    def _kills(self, item: Unreadable) -> int:
        before = self._failed_before.get(item.found.path)
        is_new = item.is_killed and item.found.path not in self._counted_before
        return (0 if before is None else before.kills) + is_new

    def record_problems(self, problems: Sequence[ScanProblem]) -> None:
        """Remember the places that could not be looked into."""
        now = datetime.now(UTC)
        rows = [
            FailureRow(path=p.path, root=folder_of(p.path), reason=p.reason, stage=SCAN, when=now)
            for p in problems
        ]
        self._library.media.record_failures(rows)


def decoded_row(item: MatchedFile, facts: Facts, now: datetime) -> MediaRow:
    """The media row of a file that was read."""
    return MediaRow(
        **_identity(item, facts.kind),
        **metadata_columns(facts.metadata),
        format=facts.format,
        width=facts.width,
        height=facts.height,
        duration_s=facts.duration_s,
        added_utc=now,
        indexed_utc=now,
    )


def _identity(item: MatchedFile, kind: MediaKind) -> dict[str, Any]:
    """The fields of a row that tell whether a file is known; the file is there now."""
    return item.identity._asdict() | {"kind": kind, "state": MediaState.PRESENT}


def following_row(item: MatchedFile, same: MediaRow, now: datetime) -> MediaRow:
    """The row of a file with the same bytes as ``same``: only its place is its own.

    A copy is a medium of its own and has no human annotations yet; what a machine
    wrote of the same picture holds for it too.
    """
    placed = dataclasses.replace(same, **_identity(item, same.kind), reason=None, indexed_utc=now)
    if not item.match.is_new_row:
        return placed
    return dataclasses.replace(placed, added_utc=now, **NO_WORDS)


def placed_view(view: ViewRow, row: MediaRow) -> ViewRow:
    """``view`` of another medium with the same picture, as ``row``'s own."""
    return dataclasses.replace(view, **place_of(row))
