"""The door to LanceDB: tables, keyed merges, filtered reads, errors as sentences.

Nothing else in the program uses lancedb. Writes are serialised; reads may
run on any thread beside them.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.library.commits import CommittedFiles, CommittedObjects, table_folder
from cocadesk.library.erasing import erase_deleted
from cocadesk.library.lance import BTree, lancedb
from cocadesk.library.layout import VIEWS_PREFIX
from cocadesk.library.literals import is_in
from cocadesk.library.schema import TABLES, default_sql, views_schema
from cocadesk.library.storage import Storage, storage_of
from cocadesk.library.store_errors import refusal_of, store_in_words
from cocadesk.library.write_log import WriteLog

log = logging.getLogger(__name__)

# A list in a filter is fast to about 10,000 entries; smaller pieces keep the text short.
IN_LIST_LIMIT = 1000
_ROWS_AT_ONCE = 4096
_VALUES_TO_SCAN = 10_000
"""From so many on, reading all rows is quicker than asking for those of some values."""
_FRAGMENTS_TO_COMPACT = 16
_ROWS_A_FRAGMENT = 8192
"""Compacting writes the whole table anew, so a large one waits for more fragments."""
_KEEP_VERSIONS = timedelta(days=1)
_READERS_LAG = timedelta(seconds=1)
_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES = 64 << 20, 16 << 20
"""Lance keeps what it has read of each version: up to 7 GB, and 1.5 kB for each indexed photo."""


class Store:
    """The tables of one library.

    A ``read_only`` store looks for the writer's newest commit at each call, in an object store
    each second.
    """

    def __init__(self, folder: Path, *, read_only: bool, key_index_rows: int = 5_000) -> None:
        self.folder = folder
        self._read_only = read_only
        self._key_index_rows = key_index_rows
        self._lock = threading.RLock()
        self._tables: dict[str, Any] = {}
        self.writes = WriteLog()
        self._committed: dict[str, CommittedFiles | CommittedObjects] = {}
        self._storage = storage_of(folder.parent)
        with store_in_words(self.folder, "open"):
            # Each look at a table in an object store takes some 30 ms.
            age = timedelta(0) if self._storage.uri is None else _READERS_LAG
            interval = age if read_only else None
            self.session = lancedb.Session(_INDEX_CACHE_BYTES, _METADATA_CACHE_BYTES)
            self._connection = _connect(
                self._storage, folder, read_consistency_interval=interval, session=self.session
            )

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the writer's lane, for a read that the next write depends on."""
        if self._read_only:
            raise UserError(
                tr("This library is open for reading only."),
                "",
                tr("Close the other CocaDesk that writes it, or work through that one."),
            )
        with self._lock:
            self._storage.check_held()
            yield

    def names(self) -> list[str]:
        """The names of all tables, by their folders as LanceDB itself lists them."""
        with store_in_words(self.folder, "list its tables"):
            folders = self._storage.folders(self.folder)
            return sorted(path.stem for path in folders if path.suffix == ".lance")

    def create_missing(self, *, columns: bool = True) -> None:
        """Create each table of the schema that is not there, and what ``columns`` tables lack.

        A table of an older program lacks columns, and one that was set back after damage; they
        are filled with their defaults. Interrupted, it is done again.
        """
        there = self.names()
        with self.writing(), store_in_words(self.folder, "create a table"):
            for name, schema in TABLES.items():
                if name not in there:
                    self._tables[name] = self._connection.create_table(name, schema=schema)
                    self._files(name).seal()
        for name in there if columns else ():
            with store_in_words(self.folder, "read"):
                lacking = list(_lacking(name, self._table(name).schema))
            for added in lacking:
                with self._changing(name) as table:
                    table.add_columns(added)

    def create_views(self, name: str, dimension: int) -> None:
        """Create the views table ``name`` unless it is there."""
        if self.has(name):
            return
        with self.writing(), store_in_words(self.folder, "create a table"):
            schema = views_schema(dimension)
            self._tables[name] = self._connection.create_table(name, schema=schema, exist_ok=True)
            self._files(name).seal()

    def has(self, name: str) -> bool:
        """True where the table exists."""
        return name in self._tables or name in self.names()

    def drop(self, name: str) -> None:
        """Remove a table with its files."""
        with self.writing(), store_in_words(self.folder, "drop a table"):
            self._tables.pop(name, None)
            # First: a table without checksums is whole, checksums without a table are a loss.
            self._files(name).drop()
            self._connection.drop_table(name, ignore_missing=True)
            self.writes.add(name, None)

    def _files(self, name: str) -> CommittedFiles | CommittedObjects:
        """The files of a table; each write ends by sealing them, only then it counts."""
        files = self._committed.get(name)
        if files is None:
            made = CommittedFiles if self._storage.uri is None else CommittedObjects
            files = self._committed[name] = made(self.folder, name)
        return files

    def _table(self, name: str) -> Any:
        table = self._tables.get(name)
        if table is None:
            table = self._tables[name] = self._connection.open_table(name)
        return table

    def version(self, name: str) -> int:
        """A number that changes with each write of the table, for what is kept in memory.

        A writer is the only one, so it counts; asking LanceDB takes a change of
        threads, which on a busy machine is most of a search.
        """
        if not self._read_only:
            return self.writes.count(name)
        with store_in_words(self.folder, "read"):
            return int(self._table(name).version)

    @contextlib.contextmanager
    def _changing(
        self, name: str, keys: Collection[str] | None = None, rows: pa.Table | None = None
    ) -> Iterator[Any]:
        """Hold the writer's lane for one write of a table, which touches rows of these keys.

        ``rows`` are all of them, where they are known.
        """
        with self.writing(), store_in_words(self.folder, "write"):
            written = None
            try:
                yield self._table(name)
                self._files(name).seal()
                written = rows
            finally:
                # After it, also when it failed: whoever read meanwhile reads again.
                self.writes.add(name, keys, written)

    def dimension(self, name: str) -> int:
        """The length of a views table's vectors."""
        with store_in_words(self.folder, "read"):
            return _dimension(self._table(name).schema)

    def count(self, name: str, where: str | None = None) -> int:
        """The number of matching rows."""
        with store_in_words(self.folder, "read"):
            return int(self._table(name).count_rows(where))

    def read(
        self, name: str, *, where: str | None = None, columns: Sequence[str] | None = None
    ) -> pa.Table:
        """All matching rows."""
        with store_in_words(self.folder, "read"):
            query = _asked(self._table(name))
            if where is not None:
                query = query.where(where)
            if columns is not None:
                query = query.select(list(columns))
            return query.to_arrow()

    def read_in(
        self,
        name: str,
        column: str,
        values: Iterable[str | bytes],
        columns: Sequence[str] | None = None,
    ) -> pa.Table:
        """The rows whose ``column`` is one of ``values``, asked in pieces."""
        values = list(values)
        if len(values) > _VALUES_TO_SCAN:
            return _scanned(self, name, column, values, columns)
        conditions = _conditions(column, values) or [is_in(column, ())]
        return pa.concat_tables([self.read(name, where=w, columns=columns) for w in conditions])

    def batches(
        self, name: str, columns: Sequence[str], *, where: str | None = None
    ) -> Iterator[pa.Table]:
        """All matching rows as they are now, some thousands at a time.

        What is made of so many does not keep a search on another thread waiting.
        """
        with store_in_words(self.folder, "read"):
            query = _asked(self._table(name)).select(list(columns))
            if where is not None:
                query = query.where(where)
            for batch in query.to_batches(batch_size=_ROWS_AT_ONCE):
                yield pa.Table.from_batches([batch])

    def append(self, name: str, rows: pa.Table) -> None:
        """Add rows without looking for their keys."""
        with self._changing(name, _keys_of(rows)) as table:
            table.add(rows)

    def merge(self, name: str, on: Sequence[str], rows: pa.Table, *, insert: bool = True) -> None:
        """Update the rows with the same key columns and insert the rest (unless told not to).

        Without ``insert`` the table may hold only some of the columns; the
        others keep their values.
        """
        if rows.num_rows == 0:
            return
        keys = _keys_of(rows)
        # The look and the write under one hold: else another writer may add the same keys.
        with self.writing():
            with store_in_words(self.folder, "write"):
                is_new = len(on) > 1 and keys is not None and not _has_any(self._table(name), keys)
            is_whole = insert and (is_new or list(on) == ["key"])
            with self._changing(name, keys, rows if is_whole else None) as table:
                if insert and is_new:
                    # A merge on two columns goes through the whole table (measured: 256 rows
                    # at 300,000 take 47 ms of processor time, and 16 ms this way at any size).
                    table.add(rows)
                    return
                merge = table.merge_insert(list(on)).when_matched_update_all()
                if insert:
                    merge = merge.when_not_matched_insert_all()
                merge.execute(rows)

    def replace(self, name: str, rows: pa.Table) -> None:
        """Let ``rows`` be all that the table holds, in one commit."""
        with self._changing(name) as table:
            table.add(rows, mode="overwrite")

    def delete(self, name: str, where: str, keys: Collection[str] | None = None) -> None:
        """Delete matching rows, which have these ``keys`` where they are known."""
        with self._changing(name, keys) as table:
            table.delete(where)

    def delete_in(
        self, name: str, column: str, values: Iterable[str | bytes], also: str = "true"
    ) -> None:
        """Delete the rows whose ``column`` is one of ``values`` and that fulfil ``also``."""
        values = list(values)
        keys = [value for value in values if isinstance(value, str)] if column == "key" else None
        for condition in _conditions(column, values):
            self.delete(name, f"{condition} AND {also}", keys)

    def nearest(
        self, name: str, vector: NDArray[np.float32], limit: int, where: str | None
    ) -> pa.Table:
        """The ``limit`` nearest rows by cosine: columns key, view and _distance (1 - cosine)."""
        with store_in_words(self.folder, "search"):
            query = _asked(
                self._table(name), vector.astype(np.float16), vector_column_name="vector"
            )
            query = query.distance_type("cosine").select(["key", "view", "_distance"]).limit(limit)
            if where is not None:
                query = query.where(where, prefilter=True)
            return query.to_arrow()

    def tidy(self, name: str) -> bool:
        """Compact and bring the indexes up to date where enough has changed; True if it did.

        Old versions stay for a day: a reader may be on one.
        """
        with self.writing(), store_in_words(self.folder, "tidy up"):
            table = self._table(name)
            fragments = table.stats()["fragment_stats"]["num_small_fragments"]
            created = _create_indexes(table, self._key_index_rows)
            many = max(_FRAGMENTS_TO_COMPACT, table.count_rows() // _ROWS_A_FRAGMENT)
            if fragments < many and not created:
                return False
            table.optimize(cleanup_older_than=_KEEP_VERSIONS)
            self._files(name).seal()
            self._files(name).forget_vanished()
            return True

    def erase_deleted(self, name: str, keys: Sequence[str] = ()) -> None:
        """Leave nothing of deleted rows and old versions in a table's files.

        ``keys`` are the columns that tell its rows apart. See ``erasing``.
        """
        folder = table_folder(self.folder, name)
        with self._changing(name, ()) as table:  # no row is another afterwards
            erase_deleted(table, folder, keys, lambda: _create_indexes(table, self._key_index_rows))
            self._files(name).seal()
            self._files(name).forget_vanished()

    def close(self) -> None:
        """Let go of the tables; the next use opens them as they are then."""
        for name in self._tables:
            self.writes.add(name, None)
        self._tables.clear()
        self._committed.clear()


def _connect(storage: Storage, folder: Path, **options: Any) -> Any:
    place, of_place = storage.tables(folder)
    return lancedb.connect(place, storage_options=of_place, **options)


def _asked(table: Any, *query: Any, **options: Any) -> Any:
    """A query of a table, without row ids.

    Said outright: else LanceDB walks the whole schema, twice a query, for columns that would
    need them, which was 1 of the 1.8 ms that a small read took.
    """
    return table.search(*query, **options).with_row_id(False)


def _dimension(views: pa.Schema) -> int:
    return int(views.field("vector").type.list_size)


def _lacking(name: str, there: pa.Schema) -> Iterator[dict[str, str] | list[pa.Field]]:
    """The columns that a table lacks: those that are filled, by SQL, and those that are null."""
    is_views = name.startswith(VIEWS_PREFIX)
    wanted = views_schema(_dimension(there)) if is_views else TABLES.get(name, there)
    lacking = [column for column in wanted if column.name not in there.names]
    filled = {c.name: sql for c in lacking if (sql := default_sql(name, c)) is not None}
    empty = [column for column in lacking if column.name not in filled]
    yield from (part for part in (filled, empty) if part)


def _create_indexes(table: Any, key_index_rows: int) -> bool:
    """Create the indexes that the table has grown into; vectors have one of ours."""
    is_indexed = any("key" in index.columns for index in table.list_indices())
    is_large = table.count_rows() >= key_index_rows and "key" in table.schema.names
    if is_large and not is_indexed:
        table.create_index("key", config=BTree())
    return is_large and not is_indexed


def _has_any(table: Any, keys: Sequence[str]) -> bool:
    return any(table.count_rows(condition) for condition in _conditions("key", keys))


def _keys_of(rows: pa.Table) -> list[str] | None:
    """The keys of rows about to be written, where their table has any."""
    return rows.column("key").to_pylist() if "key" in rows.column_names else None


def _scanned(
    store: Store,
    name: str,
    column: str,
    values: Sequence[str | bytes],
    columns: Sequence[str] | None,
) -> pa.Table:
    """As ``Store.read_in``, by looking at every row once."""
    schema = store.read(name, where="false").schema
    wanted = pa.array(values, schema.field(column).type)
    read = list(dict.fromkeys([column, *(columns or schema.names)]))
    found = [
        rows.filter(pc.is_in(rows.column(column), value_set=wanted))
        for rows in store.batches(name, read)
    ]
    return pa.concat_tables(found or [store.read(name, where="false", columns=read)])


def can_read(folder: Path, name: str) -> bool:
    """True where a table of the store in ``folder`` can be read whole."""
    try:
        _connect(storage_of(folder.parent), folder).open_table(name).to_arrow()
    except BaseException as error:
        # A panic within Lance comes as an exception of this name, which is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        if (said := refusal_of(folder, error)) is not None:
            raise said from error  # that tells nothing of the table
        log.debug("the table %s can't be read: %s", name, error)
        return False
    return True


def _conditions(column: str, values: Iterable[str | bytes]) -> list[str]:
    """Conditions that ``column`` is one of ``values``, each with a list of a fair length."""
    unique = list(dict.fromkeys(values))
    pieces = range(0, len(unique), IN_LIST_LIMIT)
    return [is_in(column, unique[start : start + IN_LIST_LIMIT]) for start in pieces]
