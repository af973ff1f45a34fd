"""The tables of media (one row a medium), of failures, of roots and of jobs."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cocadesk.library.layout import FAILURES, MEDIA
from cocadesk.library.literals import is_in, literal
from cocadesk.library.paths import device_and_inode, folder_text_of, is_under, storable
from cocadesk.library.rows import (
    NO_TIME_NS,
    FailureRow,
    Identity,
    JobRow,
    MediaChange,
    MediaRow,
    MediaState,
    Placed,
    RootRow,
    Tag,
    TaggedMedium,
    new_key,
    paths_of,
)
from cocadesk.library.schema import (
    FILE_COLUMNS,
    IDENTITY_COLUMNS,
    JOBS,
    MACHINE_COLUMNS,
    ROOTS,
    TABLES,
    arrow_to_identities,
    arrow_to_rows,
    parts_of,
    rows_to_arrow,
)
from cocadesk.library.store import Store

_ROWS_AT_ONCE = 1000
_FOLDERS_AT_ONCE = 500
_TIME_OF_KEY = 10
"""So many letters of a key are the millisecond in which it was given."""
_BEFORE_ALL = -(2**62)


class MediaTable:
    """Reads and commits media rows and failures."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._began = new_key()[:_TIME_OF_KEY]
        self.has_returned = False
        """True where a new row has a key from before: the log of edits may know it."""

    def rows(self, keys: Sequence[str]) -> list[MediaRow]:
        """The rows of ``keys`` in that order, without unknown keys."""
        if not keys:
            return []
        found = arrow_to_rows(MediaRow, self._store.read_in(MEDIA, "key", keys))
        by_key = {row.key: row for row in found}
        return [by_key[key] for key in keys if key in by_key]

    def rows_by_path(self, paths: Sequence[bytes]) -> list[MediaRow]:
        """The rows of the files at ``paths``, in no order; a path may be that of a part.

        It may have been another medium's, which is missing now, or another disk's.
        """
        return list({row.key: row for row in self.by_path(paths).values()}.values())

    def by_path(self, paths: Collection[bytes]) -> dict[bytes, MediaRow]:
        """The same by the paths that were asked for."""
        if not paths:
            return {}
        wanted = set(paths)
        rows = arrow_to_rows(MediaRow, self._store.read_in(MEDIA, "path", wanted))
        there = {row.path for row in rows if row.state is MediaState.PRESENT}
        # Those of parts by their folders, which hold few rows with parts.
        folders = sorted({folder_text_of(path) for path in wanted - there})
        rows += self._with_parts_in(folders)
        rows.sort(key=lambda row: (row.state is MediaState.PRESENT, row.key))
        found = {path: row for row in rows for path in paths_of(row)[1:] if path in wanted - there}
        shown = {row.path: row for row in rows if row.path in wanted}
        return found | {
            path: row for path, row in shown.items() if path in there or path not in found
        }

    def _with_parts_in(self, folders: Sequence[str]) -> list[MediaRow]:
        pieces = (
            folders[at : at + _FOLDERS_AT_ONCE] for at in range(0, len(folders), _FOLDERS_AT_ONCE)
        )
        tables = (
            self._store.read(
                MEDIA, where=f"{is_in('folder_text', piece)} AND array_length(part_formats) > 0"
            )
            for piece in pieces
        )
        return [row for table in tables for row in arrow_to_rows(MediaRow, table)]

    def remove(self, keys: Sequence[str]) -> None:
        """Delete rows, of media that are parts of others now."""
        self._store.delete_in(MEDIA, "key", keys)

    def row_by_path(self, path: bytes) -> MediaRow | None:
        """The row of the file at ``path``, or None."""
        return next(iter(self.rows_by_path([path])), None)

    def all_keys(self) -> list[str]:
        """The keys of all media by date taken, else by file time, the newest first; then others."""
        columns = ["key", "taken_local", "taken_utc", "mtime_ns"]
        table = self._store.read(MEDIA, columns=columns)
        local = table.column("taken_local").cast(pa.int64())
        taken = pc.coalesce(local, table.column("taken_utc").cast(pa.int64()))
        filed = table.column("mtime_ns")
        has_time = pc.greater_equal(pc.abs(filed), NO_TIME_NS)
        filed = pc.if_else(has_time, pc.divide(filed, 1000), _BEFORE_ALL)
        times = pc.coalesce(taken, filed).to_pylist()
        keys: list[str] = table.column("key").to_pylist()
        order = sorted(range(len(keys)), key=lambda i: (-times[i], keys[i]))
        return [keys[i] for i in order]

    def iter_rows(self, keys: Sequence[str] | None = None) -> Iterator[MediaRow]:
        """As ``rows`` (default: all, newest first), fetched in pieces so that memory stays flat."""
        keys = self.all_keys() if keys is None else keys
        for start in range(0, len(keys), _ROWS_AT_ONCE):
            yield from self.rows(keys[start : start + _ROWS_AT_ONCE])

    def identities(self) -> list[Identity]:
        """The identities of all media."""
        batches = self._store.batches(MEDIA, IDENTITY_COLUMNS)
        return [one for batch in batches for one in arrow_to_identities(batch)]

    def placed(self) -> list[Placed]:
        """The places of all media; a few columns are read in a third of the time of all."""
        table = self._store.read(MEDIA, columns=Placed._fields)
        columns = {name: table.column(name).to_pylist() for name in Placed._fields}
        columns["parts"] = [parts_of(parts) if parts else () for parts in columns["parts"]]
        return list(map(Placed._make, zip(*columns.values(), strict=True)))

    def columns(self, names: Sequence[str]) -> Iterator[pa.Table]:
        """These columns of all media whose files are not missing, some thousands at a time."""
        there = f"state <> {literal(MediaState.MISSING.value)}"
        return self._store.batches(MEDIA, names, where=there)

    def tagged(self, is_meant: Callable[[str], bool]) -> Iterator[TaggedMedium]:
        """The media, missing ones too, with a tag which ``is_meant``, given or suggested."""
        for part in self._store.batches(MEDIA, TaggedMedium._fields):
            lists = (part["human_tags_added"], part["machine_tag_names"])
            found = [_owners(each, is_meant) for each in lists]
            places = np.unique(np.concatenate(found))
            for row in part.take(places).select(TaggedMedium._fields).to_pylist():
                yield TaggedMedium(row.pop("key"), *map(tuple, row.values()))

    def present(self) -> list[Identity]:
        """The identities of the media whose files are there."""
        return [one for one in self.identities() if one.state == MediaState.PRESENT]

    def commit(self, changes: Sequence[MediaChange]) -> None:
        """Write rows, keyed: running it twice equals once.

        New rows are inserted whole; of known rows only what the file says is
        replaced, and the machine's words cleared where the picture changed.
        """
        new = [change.row for change in changes if change.is_new]
        kept = [c.row for c in changes if not c.is_new and not c.drops_machine_words]
        redrawn = [c.row for c in changes if not c.is_new and c.drops_machine_words]
        self.has_returned |= any(row.key < self._began for row in new)
        with self._store.writing():
            self._store.merge(MEDIA, ["key"], rows_to_arrow(MEDIA, new))
            self._merge_columns(kept, FILE_COLUMNS)
            self._merge_columns(redrawn, (*FILE_COLUMNS, *MACHINE_COLUMNS))

    def _merge_columns(self, rows: Sequence[MediaRow], columns: Sequence[str]) -> None:
        if rows:
            table = rows_to_arrow(MEDIA, rows, columns)
            self._store.merge(MEDIA, ["key"], table, insert=False)

    def set_state(self, keys: Sequence[str], state: MediaState, reason: str | None) -> None:
        """Say where the files of ``keys`` are."""
        count = len(keys)
        self._update(
            {"key": list(keys), "state": [state.value] * count, "reason": [reason] * count}
        )

    def add_embedded(self, picture_hash: Mapping[str, str], image_id: str) -> None:
        """Mark media as embedded under ``image_id``, where they still show that picture.

        ``picture_hash`` names by key the picture whose views are committed.
        """
        with self._store.writing():
            rows = [
                row
                for row in self.rows(list(picture_hash))
                if row.picture_hash == picture_hash[row.key] and image_id not in row.embedded
            ]
            marks = [[*row.embedded, image_id] for row in rows]
            self._update({"key": [row.key for row in rows], "embedded": marks})

    def set_captions(
        self,
        captions: Mapping[str, str],
        model_id: str,
        scores: Mapping[str, float] | None = None,
    ) -> None:
        """Replace the machine's captions, by key; human ones stay in front of them."""
        count = len(captions)
        self._update(
            {
                "key": list(captions),
                "machine_caption": [storable(text) for text in captions.values()],
                "machine_caption_model": [model_id] * count,
                "machine_caption_score": [(scores or {}).get(key) for key in captions],
            }
        )

    def set_tags(self, tags: Mapping[str, Sequence[Tag]], model_id: str) -> None:
        """Replace the machine's tags; a person's additions and removals stay."""
        tagged = [
            [{"tag": storable(tag.tag), "score": tag.score} for tag in own] for own in tags.values()
        ]
        self._update(
            {
                "key": list(tags),
                "machine_tags": tagged,
                "machine_tag_names": [[tag["tag"] for tag in own] for own in tagged],
                "machine_tags_model": [model_id] * len(tags),
            }
        )

    def _update(self, columns: Mapping[str, Sequence[object]]) -> None:
        """Set some columns of known rows; keys that are not there change nothing."""
        if not columns["key"]:
            return
        schema = pa.schema([TABLES[MEDIA].field(name) for name in columns])
        table = pa.Table.from_pydict(dict(columns), schema=schema)
        self._store.merge(MEDIA, ["key"], table, insert=False)

    def failures(self) -> list[FailureRow]:
        """The files that could not be read, by path."""
        rows = arrow_to_rows(FailureRow, self._store.read(FAILURES))
        return sorted(rows, key=lambda row: row.path)

    def deadly(self, stage: str) -> dict[bytes, str]:
        """The files that ended the engine at this stage and are still the same, with the reason."""
        found = arrow_to_rows(FailureRow, self._store.read_in(FAILURES, "stage", (stage,)))
        return {failure.path: failure.reason for failure in found if _fits(failure)}

    def record_failures(self, failures: Sequence[FailureRow]) -> None:
        """Remember failures, one a path (the last)."""
        by_path = {failure.path: failure for failure in failures}
        self._store.merge(FAILURES, ["path"], rows_to_arrow(FAILURES, list(by_path.values())))

    def forget_failures(self, paths: Sequence[bytes]) -> None:
        """Drop the failures of files that read well now, or are gone."""
        self._store.delete_in(FAILURES, "path", paths)


def _owners(lists: pa.ChunkedArray, is_meant: Callable[[str], bool]) -> NDArray[np.int64]:
    """The places of the lists that hold a text which ``is_meant``; asked about once each."""
    whole = lists.combine_chunks()
    texts = pc.list_flatten(whole).dictionary_encode()
    known = np.array([is_meant(text) for text in texts.dictionary.to_pylist()], np.bool_)
    owners: NDArray[np.int64] = np.asarray(pc.list_parent_indices(whole), np.int64)
    return owners[known[np.asarray(texts.indices)]] if len(known) else owners[:0]


def _fits(failure: FailureRow) -> bool:
    """True where the file that failed has not changed since."""
    try:
        status = os.stat(failure.path)  # noqa: PTH116 - bytes
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (failure.size_bytes, failure.mtime_ns)


class RootTable:
    """The folders (and single files) that the person added."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[RootRow]:
        """All roots, by path."""
        return sorted(arrow_to_rows(RootRow, self._store.read(ROOTS)), key=lambda row: row.path)

    def add(self, path: bytes, *, scanned_utc: datetime | None = None) -> RootRow:
        """Remember a folder, with the device and inode that it has now.

        Roots inside it are no roots of their own any more (but for their patterns).
        """
        roots = self.all()
        known = next((root for root in roots if root.path == path), None)
        there = device_and_inode(path)
        row = RootRow(
            path=path,
            added_utc=known.added_utc if known else datetime.now(UTC),
            is_folder=Path(os.fsdecode(path)).is_dir() if there or not known else known.is_folder,
            device=there[0] if there else None,
            inode=there[1] if there else None,
            scanned_utc=scanned_utc or (known.scanned_utc if known else None),
            excludes=known.excludes if known else (),
        )
        self._save(row)
        inside = (root for root in roots if root is not known and is_under(root.path, path))
        self._store.delete_in(ROOTS, "path", [root.path for root in inside if not root.excludes])
        return row

    def exclude(self, path: bytes, patterns: Sequence[bytes]) -> None:
        """Replace the patterns of what is passed over in the root at ``path``."""
        for row in self.all():
            if row.path == path:
                self._save(replace(row, excludes=tuple(dict.fromkeys(patterns))))

    def _save(self, row: RootRow) -> None:
        self._store.merge(ROOTS, ["path"], rows_to_arrow(ROOTS, [row]))


class JobTable:
    """The jobs, which survive the engine that runs them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[JobRow]:
        """All jobs, the oldest first."""
        return sorted(arrow_to_rows(JobRow, self._store.read(JOBS)), key=lambda job: job.id)

    def save(self, job: JobRow) -> None:
        """Write a job's row, replacing its earlier state."""
        self._store.merge(JOBS, ["id"], rows_to_arrow(JOBS, [job]))

    def forget(self, job_id: str) -> None:
        """Remove a job's row."""
        self._store.delete(JOBS, f"id = {literal(job_id)}")
