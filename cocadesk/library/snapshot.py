"""All that a search needs, in one file that is read without LanceDB (its import takes a second).

The file names the state of the two tables that it was made from: the manifests
in their ``_versions`` folders, of which each commit adds one. If these are not
exactly the same, or the file's checksum does not fit, it is not used; so it is never
wrong, only absent.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import zlib
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.atomic import write_atomically
from cocadesk.library.columns import Column, ListColumn, MediaColumns, OrderedColumn, TextColumn
from cocadesk.library.layout import SNAPSHOT_NAME, STORE_FOLDER
from cocadesk.library.rows import Chosen, MediaKind, MediaState, Nearest, ResultRow, StoredVector
from cocadesk.library.vectors import indexes_of, nearest_in
from cocadesk.vectors import unit_vectors

_MAGIC = b"cocadesk search 3\n"
_CHECKSUM_BYTES = 16
_ALIGNMENT = 64


def fingerprint(store: Path, tables: Sequence[str]) -> str | None:
    """The state of ``tables`` as text that no later commit shares; None where one is absent."""
    state = blake2b(digest_size=16)
    for table in tables:
        try:
            with os.scandir(store / f"{table}.lance" / "_versions") as listing:
                names = [entry for entry in listing if entry.name.endswith(".manifest")]
                marks = [
                    (entry.name, (status := entry.stat()).st_size, status.st_mtime_ns)
                    for entry in names
                ]
        except OSError:
            return None
        if not marks:
            return None
        state.update(repr((table, sorted(marks))).encode())
    return state.hexdigest()


def write_snapshot(
    folder: Path,
    *,
    state: str,
    image_id: str,
    rows: Sequence[ResultRow],
    columns: MediaColumns,
    marks: Sequence[tuple[str, int, float | None]],
    vectors_ND: NDArray[np.float32],
) -> None:
    """Write the snapshot of the tables in ``state``.

    ``columns`` are for filters, row for row with ``rows``. ``marks`` holds key,
    number and time of each view, row for row with ``vectors_ND``; views without
    a media row are not written.

    Raises:
        UserError: the disk is full or refuses.
    """
    places = {row.key: place for place, row in enumerate(rows)}
    kept = [i for i, (key, _, _) in enumerate(marks) if key in places]
    records = [_record(row) for row in rows]
    times = [np.nan if marks[i][2] is None else marks[i][2] for i in kept]
    parts: dict[str, NDArray[Any]] = {
        "vectors": vectors_ND[kept].astype(np.float16),
        "places": np.asarray([places[marks[i][0]] for i in kept], np.int32),
        "numbers": np.asarray([marks[i][1] for i in kept], np.int32),
        "times": np.asarray(times, np.float64),
        "offsets": np.cumsum([0, *map(len, records)], dtype=np.int64),
        "records": np.frombuffer(b"".join(records), np.uint8),
        "keys": _texts_part([row.key for row in rows]),
    }
    for name, column in columns.columns.items():
        parts.update((f"{name} {part}", array) for part, array in _column_parts(column).items())
    write_atomically(folder / SNAPSHOT_NAME, _file_of(state, image_id, parts), durable=False)


def _file_of(state: str, image_id: str, parts: Mapping[str, NDArray[Any]]) -> bytes:
    """The file's bytes: magic, the header with the position of each part, and the parts."""
    position, places, body = 0, {}, []
    for name, array in parts.items():
        data = array.tobytes()
        places[name] = (array.dtype.str, array.shape, position)
        body.append(data + b"\0" * (-len(data) % _ALIGNMENT))
        position += len(body[-1])
    whole = b"".join(body)
    header = json.dumps([state, image_id, places, position, zlib.crc32(whole)]).encode()
    head = _MAGIC + len(header).to_bytes(4, "little") + _checksum(header) + header
    return b"".join([head, b"\0" * (-len(head) % _ALIGNMENT), whole])


def _checksum(header: bytes) -> bytes:
    return blake2b(header, digest_size=_CHECKSUM_BYTES).digest()


def _record(row: ResultRow) -> bytes:
    key, path, *rest = row
    # Latin-1 gives each byte of a path a letter, so JSON can hold any path.
    return json.dumps((key, path.decode("latin-1"), *rest)).encode()


def _texts_part(texts: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(list(texts)).encode(), np.uint8)


def _column_parts(column: Column) -> dict[str, NDArray[Any]]:
    if isinstance(column, TextColumn):
        return {"codes": column.codes, "texts": _texts_part(column.texts)}
    if isinstance(column, ListColumn):
        texts = _texts_part(column.texts)
        return {"codes": column.codes, "owners": column.owners, "texts": texts}
    return {"values": column.values}


class Snapshot:
    """Answers searches from the file, as a ``Library`` with its ``views`` and ``results`` would."""

    def __init__(self, data: memoryview, state: str, image_id: str) -> None:
        """Read the arrays.

        Raises:
            ValueError: the file is damaged, or of other tables or another image id.
        """
        self._data = data
        found, self.model, self._parts, self._body = _header_of(data)
        if (found, self.model) != (state, image_id):
            raise ValueError("the library has changed since")
        self._vectors_ND = unit_vectors(self._array("vectors").astype(np.float32))
        self._places = self._array("places")
        self._numbers = self._array("numbers")
        self._times = self._array("times")
        self._offsets = self._array("offsets")
        self._records = self._array("records")
        self._place_of: dict[str, int] = {}

    @property
    def views(self) -> Snapshot:
        """Itself: it answers for the vectors."""
        return self

    @property
    def results(self) -> Snapshot:
        """Itself: it answers for the media."""
        return self

    def has(self, image_id: str) -> bool:
        """True where anything can be found with vectors of ``image_id``."""
        return image_id == self.model and len(self._places) > 0

    def nearest(
        self, image_id: str, vector: NDArray[np.float32], limit: int, chosen: Chosen | None = None
    ) -> list[Nearest]:
        """The ``limit`` views with the highest cosine, best first; only of ``chosen`` media."""
        among = None
        if chosen is not None:
            is_chosen = np.zeros(len(self._offsets) - 1, np.bool_)
            is_chosen[indexes_of(self._keys, chosen.keys)] = True
            among = np.flatnonzero(is_chosen[self._places])
        best, cosines = nearest_in(self._vectors_ND, vector, limit, among)
        found = []
        for i, cosine in zip(best.tolist(), cosines.tolist(), strict=True):
            place = int(self._places[i])
            key = self._row(place).key
            self._place_of[key] = place
            found.append(Nearest(key, int(self._numbers[i]), cosine))
        return found

    def of_keys(self, keys: Sequence[str]) -> list[ResultRow]:
        """The rows of ``keys`` in that order, without unknown keys."""
        places = (self._find(key) for key in keys)
        return [self._row(place) for place in places if place is not None]

    def columns(self, fields: Collection[str]) -> MediaColumns:
        """The columns of these fields, for filters."""
        return MediaColumns(self._keys, {name: self._column(name) for name in fields})

    def keys_where(self, where: str) -> set[str]:
        """Never asked: ``columns`` always answers.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"a snapshot knows no SQL: {where}")

    def vectors_of(self, image_id: str, keys: Sequence[str]) -> dict[str, list[StoredVector]]:
        """The vectors of each of ``keys``, by number."""
        found: dict[str, list[StoredVector]] = {}
        for key in keys:
            place = self._find(key)
            for i in np.flatnonzero(self._places == place).tolist() if place is not None else ():
                time_s = float(self._times[i])
                stored = StoredVector(
                    int(self._numbers[i]),
                    self._vectors_ND[i],
                    None if np.isnan(time_s) else time_s,
                )
                found.setdefault(key, []).append(stored)
        return found

    @cached_property
    def _keys(self) -> list[str]:
        return self._texts("keys")

    def _find(self, key: str) -> int | None:
        if key not in self._place_of:
            self._place_of = {key: place for place, key in enumerate(self._keys)}
        return self._place_of.get(key)

    def _row(self, place: int) -> ResultRow:
        record = self._records[self._offsets[place] : self._offsets[place + 1]]
        key, path, kind, state, *rest = json.loads(record.tobytes())
        return ResultRow(key, path.encode("latin-1"), MediaKind(kind), MediaState(state), *rest)

    def _column(self, field: str) -> Column:
        if f"{field} values" in self._parts:
            return OrderedColumn(self._array(f"{field} values"))
        texts, codes = self._texts(f"{field} texts"), self._array(f"{field} codes")
        if f"{field} owners" in self._parts:
            return ListColumn(len(self._keys), texts, self._array(f"{field} owners"), codes)
        return TextColumn(texts, codes)

    def _texts(self, name: str) -> list[str]:
        texts: list[str] = json.loads(self._array(name).tobytes())
        return texts

    def _array(self, name: str) -> NDArray[Any]:
        kind, shape, position = self._parts[name]
        array = np.frombuffer(self._data, kind, math.prod(shape), self._body + position)
        return array.reshape(shape)


def _header_of(data: memoryview) -> tuple[str, str, dict[str, Any], int]:
    """State, image id, the parts and where these begin, checked against checksum and length.

    Raises:
        ValueError: the file is damaged.
    """
    start = len(_MAGIC) + 4 + _CHECKSUM_BYTES
    head = bytes(data[:start])
    end = start + int.from_bytes(head[len(_MAGIC) :][:4], "little")
    header = bytes(data[start:end])
    if head[: len(_MAGIC)] != _MAGIC or head[-_CHECKSUM_BYTES:] != _checksum(header):
        raise ValueError("not a snapshot of this program")
    state, image_id, parts, length, checksum = json.loads(header)
    body = end + -end % _ALIGNMENT
    if len(data) != body + length:
        raise ValueError("the snapshot is cut off")
    # All of it: 3 ms for 10,000 photos, and a flipped bit would be another ranking.
    if zlib.crc32(data[body:]) != checksum:
        raise ValueError("the snapshot is damaged")
    return state, image_id, parts, body


def open_snapshot(folder: Path, tables: Sequence[str], image_id: str) -> Snapshot | None:
    """The snapshot of the library in ``folder``, or None unless it is exactly up to date."""
    state = fingerprint(folder / STORE_FOLDER, tables)
    if state is None:
        return None
    try:
        with (folder / SNAPSHOT_NAME).open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return Snapshot(data, state, image_id)
    except (OSError, ValueError, TypeError, KeyError):
        return None
