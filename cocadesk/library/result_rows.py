"""The media in memory: for search results, and as columns of filters.

They begin with the snapshot, and follow each commit by the keys that it touched.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from itertools import starmap
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cocadesk.library.albums import Albums
from cocadesk.library.catalogue import COLUMN_FIELDS, Catalogue
from cocadesk.library.columns import Column, MediaColumns, column_of
from cocadesk.library.layout import MEDIA
from cocadesk.library.paths import fold
from cocadesk.library.rows import MediaKind, MediaState, ResultRow
from cocadesk.library.search_memory import Beginning, SearchMemory
from cocadesk.library.store import Store
from cocadesk.library.tallies import LEVELS, Tally, tally_pairs

RESULT_COLUMNS = (
    "key", "path", "kind", "state", "picture_hash", "human_caption", "machine_caption",
    "parts",
)  # fmt: skip
MEDIA_COLUMNS = tuple(
    dict.fromkeys(
        [*RESULT_COLUMNS, *(name for field in COLUMN_FIELDS.values() for name in field.columns)]
    )
)
"""The columns of the table that a ``MediaInTable`` needs."""


def _columns_of(fields: Collection[str]) -> list[str]:
    """The key, and the columns of the table that these fields are made of."""
    columns = [name for field in fields for name in COLUMN_FIELDS[field].columns]
    return list(dict.fromkeys(["key", *columns]))


class MediaInTable:
    """The media of an Arrow table, by their places in it."""

    def __init__(self, table: pa.Table) -> None:
        self.keys: list[str] = table.column("key").to_pylist()
        whole = table.combine_chunks()
        self._columns = {name: whole.column(name) for name in whole.column_names}

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, field: str) -> Column:
        """The column of one of ``COLUMN_FIELDS``."""
        of_field = [self._columns[name].to_pylist() for name in COLUMN_FIELDS[field].columns]
        return column_of(COLUMN_FIELDS[field], zip(*of_field, strict=True))

    def result(self, place: int) -> ResultRow:
        """A medium as a search shows it."""
        return _result(*(self._columns[name][place].as_py() for name in RESULT_COLUMNS))

    def results(self) -> Iterator[ResultRow]:
        """All of them."""
        values = (self._columns[name].to_pylist() for name in RESULT_COLUMNS)
        return starmap(_result, zip(*values, strict=True))


def tally_of_table(table: pa.Table, columns: Sequence[str]) -> Tally:
    """The tally of the rows of a table; ``examples`` are places in its keys."""
    keys = table.column("key")
    away = np.array(pc.equal(table.column("state"), MediaState.OFFLINE.value))
    texts: dict[str, int] = {}
    if pa.types.is_list(table.column(columns[0]).type):
        lists = table.column(columns[0]).combine_chunks()
        owners = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
        codes = _folded_codes(pc.list_flatten(lists), texts)
        # Of names that differ in their case alone a medium has one.
        pairs = np.unique(owners * np.int64(len(texts) + 1) + codes)
        owners, codes = np.divmod(pairs, len(texts) + 1)
    else:
        joined = pc.binary_join_element_wise(
            *(table.column(name) for name in columns),
            LEVELS,
            null_handling="replace",
            null_replacement="",
        )
        owners, codes = np.arange(len(table)), _folded_codes(joined, texts)
    return tally_pairs(list(texts), owners, codes, away, lambda place: str(keys[place].as_py()))


def _folded_codes(values: pa.Array | pa.ChunkedArray, texts: dict[str, int]) -> NDArray[np.int64]:
    """For each text the number of its folded form, which ``texts`` learns."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    encoded = values.dictionary_encode()
    known = [texts.setdefault(fold(text), len(texts)) for text in encoded.dictionary.to_pylist()]
    found: NDArray[np.int64] = np.array(known, np.int64).take(encoded.indices.to_numpy())
    return found


def _result(
    key: str,
    path: bytes,
    kind: str,
    state: str,
    picture_hash: str,
    human: str | None,
    machine: str | None,
    parts: list[dict[str, Any]],
) -> ResultRow:
    """The values of ``RESULT_COLUMNS`` as a search shows them."""
    caption = machine if human is None else human
    others = tuple((part["name"], part["role"]) for part in parts)
    return ResultRow(key, path, MediaKind(kind), MediaState(state), picture_hash, caption, others)


class ResultRows:
    """The media of one library for searches, never older than the table. Any thread.

    At most ``limit_rows`` media are read at once. ``albums`` are those that filters name,
    ``groups`` those of same pictures.
    """

    def __init__(
        self, store: Store, memory: SearchMemory, albums: Albums, *, limit_rows: int
    ) -> None:
        self._store = store
        self.albums = albums
        self.groups = memory.groups
        self._memory = memory
        self._limit_rows = limit_rows
        self._lock = threading.Lock()
        self._begun: Beginning | None = None
        self._version = -1
        self._catalogue: Catalogue | None = None

    def of_keys(self, keys: Sequence[str]) -> list[ResultRow]:
        """The rows of ``keys`` in that order, without unknown keys."""
        with self._lock:
            catalogue = self._current()
            if catalogue is not None:
                return catalogue.results(keys)
        part = MediaInTable(self._store.read_in(MEDIA, "key", keys, RESULT_COLUMNS))
        place_of = {key: place for place, key in enumerate(part.keys)}
        return [part.result(place_of[key]) for key in keys if key in place_of]

    def columns(self, fields: Collection[str]) -> MediaColumns | None:
        """The columns of these fields; None where too many media would have to be read."""
        with self._lock:
            catalogue = self._current()
            return None if catalogue is None else catalogue.columns(fields)

    def keys_where(self, where: str) -> set[str]:
        """The keys of the media that fulfil an SQL condition."""
        return set(self._store.read(MEDIA, where=where, columns=["key"])["key"].to_pylist())

    def columns_where(
        self, where: str, fields: Collection[str]
    ) -> tuple[list[str], dict[str, Column]]:
        """Keys and the columns of these fields for the media that fulfil an SQL condition.

        Read from the table: for libraries that are too large for memory.
        """
        part = MediaInTable(self._store.read(MEDIA, where=where, columns=_columns_of(fields)))
        return part.keys, {field: part.column(field) for field in fields}

    def columns_of(
        self, keys: Sequence[str], fields: Collection[str]
    ) -> tuple[list[str], dict[str, Column]]:
        """Keys and the columns of these fields for those of ``keys`` that there are."""
        part = MediaInTable(self._store.read_in(MEDIA, "key", keys, _columns_of(fields)))
        return part.keys, {field: part.column(field) for field in fields}

    def count_where(self, where: str) -> int:
        """The number of media that fulfil an SQL condition."""
        return self._store.count(MEDIA, where)

    def version(self) -> int:
        """The version of the table of media."""
        return self._store.version(MEDIA)

    def tally_where(self, columns: Sequence[str], where: str) -> Tally:
        """Combinations of the values of some columns, as ``tallies`` gives them from memory.

        Of one column of lists each of its values counts by itself.
        """
        table = self._store.read(MEDIA, where=where, columns=[*columns, "state", "key"])
        return tally_of_table(table, columns)

    def catalogue(self) -> Catalogue | None:
        """All media as they are now; see ``columns``. Only while nothing is written."""
        with self._lock:
            return self._current()

    def let_go(self) -> None:
        """Forget all; the next question begins anew."""
        with self._lock:
            self._begun, self._catalogue = None, None

    def _current(self) -> Catalogue | None:
        begun = self._memory.begun()
        if begun is not self._begun:
            self._begun = begun
            self._version = begun.versions.get(MEDIA, -1)
            self._catalogue = None if begun.snapshot is None else begun.snapshot.media
        # The version first: rows of a later commit may come along, and then the next call
        # reads them again. Older rows than the version never do.
        version = self._store.version(MEDIA)
        if version != self._version:
            self._catalogue = self._followed(begun, self._catalogue, self._version)
            self._version = version
        return self._catalogue

    def _followed(
        self, begun: Beginning, catalogue: Catalogue | None, since: int
    ) -> Catalogue | None:
        """The catalogue with all that was written since that version."""
        touched = None if catalogue is None else self._store.writes.touched(MEDIA, since)
        if catalogue is not None and touched is not None and len(touched) <= 2 * self._limit_rows:
            is_scattered = catalogue.is_scattered
            if is_scattered:
                touched.update(map(begun.keys.key, catalogue.later()[0].tolist()))
            rows = None if is_scattered else self._store.writes.rows(MEDIA, since, MEDIA_COLUMNS)
            part = MediaInTable(rows or self._store.read_in(MEDIA, "key", touched, MEDIA_COLUMNS))
            gone = begun.keys.numbers(list(touched.difference(part.keys)))
            put = catalogue.put_anew if is_scattered else catalogue.put
            put(part.keys, part, gone)
            return catalogue
        if self._store.count(MEDIA) > self._limit_rows:
            return None
        catalogue = Catalogue(begun.keys)
        part = MediaInTable(self._store.read(MEDIA, columns=MEDIA_COLUMNS).sort_by("key"))
        catalogue.put(part.keys, part)
        return catalogue
