"""Media as searches need them: what a result shows, and the columns of filters.

Both are kept in memory while the library is not huge.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from cocadesk.library.columns import Column, MediaColumns, column_of
from cocadesk.library.fields import FIELD_OF
from cocadesk.library.layout import MEDIA
from cocadesk.library.rows import MediaKind, MediaState, ResultRow
from cocadesk.library.store import Store

_COLUMNS = ("key", "path", "kind", "state", "picture_hash", "human_caption", "machine_caption")


@dataclass(slots=True)
class _Kept:
    """One version of the table in memory; ``columns`` are those that a filter has asked for."""

    version: int
    is_small: bool
    rows: dict[str, ResultRow] | None = None
    keys: list[str] = field(default_factory=list)
    columns: dict[str, Column] = field(default_factory=dict)


class ResultRows:
    """The media of one library for searches, never older than the table. Any thread."""

    def __init__(self, store: Store, *, limit_rows: int) -> None:
        self._store = store
        self._limit_rows = limit_rows
        self._lock = threading.Lock()
        self._kept = _Kept(-1, is_small=False)

    def of_keys(self, keys: Sequence[str]) -> list[ResultRow]:
        """The rows of ``keys`` in that order, without unknown keys."""
        with self._lock:
            kept = self._current()
            if kept.is_small and kept.rows is None:
                kept.rows = {row.key: row for row in self.all()}
            rows = kept.rows
        if rows is None:
            table = self._store.read_in(MEDIA, "key", keys, _COLUMNS)
            rows = {row.key: row for row in _result_rows(table)}
        return [rows[key] for key in keys if key in rows]

    def all(self) -> list[ResultRow]:
        """Those of all media."""
        return _result_rows(self._store.read(MEDIA, columns=_COLUMNS))

    def columns(self, fields: Collection[str]) -> MediaColumns | None:
        """The columns of these fields; None where the media are too many to keep them.

        The same ``keys`` object comes back as long as nothing has changed.
        """
        with self._lock:
            kept = self._current()
            if not kept.is_small:
                return None
            lacking = [name for name in fields if name not in kept.columns]
            if lacking or not kept.keys:
                read = self.read_columns(lacking)
                if read.keys != kept.keys:
                    # The first, or a commit came between two reads: all of one read then.
                    read = self.read_columns([*kept.columns, *lacking])
                    kept.keys, kept.columns = list(read.keys), {}
                kept.columns.update(read.columns)
            return MediaColumns(kept.keys, {name: kept.columns[name] for name in fields})

    def read_columns(self, fields: Collection[str]) -> MediaColumns:
        """The columns of these fields of all media, read now."""
        names = sorted({name for each in fields for name in FIELD_OF[each].columns})
        table = self._store.read(MEDIA, columns=["key", *names])
        values = {name: table.column(name).to_pylist() for name in ("key", *names)}
        columns = {}
        for each in fields:
            of_field = [values[name] for name in FIELD_OF[each].columns]
            columns[each] = column_of(FIELD_OF[each], zip(*of_field, strict=True))
        return MediaColumns(values["key"], columns)

    def keys_where(self, where: str) -> set[str]:
        """The keys of the media that fulfil an SQL condition."""
        return set(self._store.read(MEDIA, where=where, columns=["key"])["key"].to_pylist())

    def _current(self) -> _Kept:
        """The memory of the table's version; under the lock."""
        version = self._store.version(MEDIA)
        if self._kept.version != version:
            # Read after the version: rows of a later commit may come along, and then the
            # next call reads again. Older rows than the version never do.
            is_small = self._store.count(MEDIA) <= self._limit_rows
            self._kept = _Kept(version, is_small)
        return self._kept


def _result_rows(table: pa.Table) -> list[ResultRow]:
    columns = [table.column(name).to_pylist() for name in _COLUMNS]
    return [
        ResultRow(
            key=key,
            path=path,
            kind=MediaKind(kind),
            state=MediaState(state),
            picture_hash=picture_hash,
            caption=machine if human is None else human,
        )
        for key, path, kind, state, picture_hash, human, machine in zip(*columns, strict=True)
    ]
