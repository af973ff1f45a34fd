"""What search results show of media, kept in memory while the library is not huge."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from cocadesk.library.literals import text_literal
from cocadesk.library.rows import MediaKind, MediaState, ResultRow
from cocadesk.library.store import Store
from cocadesk.library.tables import MEDIA

# Beyond this, reading all rows after each commit would cost more than asking for some.
KEPT_ROWS = 50_000
_COLUMNS = ("key", "path", "kind", "state", "picture_hash", "human_caption", "machine_caption")


class _Kept(NamedTuple):
    version: int
    rows: dict[str, ResultRow] | None


class ResultRows:
    """Gives the shown part of media rows, never older than the table."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._kept: _Kept | None = None

    def of_keys(self, keys: Sequence[str]) -> list[ResultRow]:
        """The rows of ``keys`` in that order; unknown keys are left out."""
        rows = self._rows()
        if rows is None:
            literals = [text_literal(key) for key in dict.fromkeys(keys)]
            table = self._store.read_in(MEDIA, "key", literals, _COLUMNS)
            rows = {row.key: row for row in _shown(table)}
        return [rows[key] for key in keys if key in rows]

    def all(self) -> list[ResultRow]:
        """Those of all media."""
        return _shown(self._store.read(MEDIA, columns=_COLUMNS))

    def _rows(self) -> dict[str, ResultRow] | None:
        """All rows by key, read again when the table has changed; None where they are too many."""
        with self._lock:
            version = self._store.version(MEDIA)
            if self._kept is None or self._kept.version != version:
                is_small = self._store.count(MEDIA) <= KEPT_ROWS
                rows = {row.key: row for row in self.all()} if is_small else None
                self._kept = _Kept(version, rows)
            return self._kept.rows


def _shown(table: pa.Table) -> list[ResultRow]:
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
