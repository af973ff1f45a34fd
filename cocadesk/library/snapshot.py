"""What a search needs, in one file that is read without LanceDB (whose import takes a second).

The file names the state of the two tables that it was made from: the manifests
in their ``_versions`` folders, of which each commit adds one. If these are not
exactly the same, the file is not used; so it is never wrong, only absent.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.atomic import write_atomically
from cocadesk.library.nearest import nearest_in
from cocadesk.library.rows import MediaKind, MediaState, Nearest, ResultRow, StoredVector
from cocadesk.library.tables import STORE_FOLDER

SNAPSHOT_NAME = "search.snapshot"
_MAGIC = b"cocadesk search 1\n"
_ALIGNMENT = 64


def fingerprint(store: Path, tables: Sequence[str]) -> str | None:
    """The state of ``tables`` in words that no later commit shares; None where one is absent."""
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
    marks: Sequence[tuple[str, int, float | None]],
    vectors_ND: NDArray[np.float32],
) -> None:
    """Write the snapshot of the tables in ``state``.

    ``marks`` holds key, number and time of each view, row for row with
    ``vectors_ND``; views without a media row are left out.

    Raises:
        UserError: the disk is full or refuses.
    """
    places = {row.key: place for place, row in enumerate(rows)}
    kept = [i for i, (key, _, _) in enumerate(marks) if key in places]
    records = [_record(row) for row in rows]
    times = [np.nan if marks[i][2] is None else marks[i][2] for i in kept]
    arrays: list[NDArray[Any]] = [
        vectors_ND[kept].astype(np.float16),
        np.asarray([places[marks[i][0]] for i in kept], np.int32),
        np.asarray([marks[i][1] for i in kept], np.int32),
        np.asarray(times, np.float64),
        np.cumsum([0, *map(len, records)], dtype=np.int64),
    ]
    header = json.dumps([state, image_id, *arrays[0].shape, len(rows)]).encode()
    head = _MAGIC + len(header).to_bytes(4, "little") + header
    parts = [head, *(array.tobytes() for array in arrays), b"".join(records)]
    data = b"".join(part + b"\0" * (-len(part) % _ALIGNMENT) for part in parts)
    write_atomically(folder / SNAPSHOT_NAME, data, durable=False)


def _record(row: ResultRow) -> bytes:
    # Latin-1 gives each byte of a path a letter, so JSON can hold any path.
    values = (
        row.key,
        row.path.decode("latin-1"),
        row.kind,
        row.state,
        row.picture_hash,
        row.caption,
    )
    return json.dumps(values).encode()


class Snapshot:
    """Answers searches from the file, as ``Library`` would."""

    def __init__(self, data: memoryview, state: str, image_id: str) -> None:
        """Read the arrays.

        Raises:
            ValueError: the file is damaged, or of other tables or another image id.
        """
        if bytes(data[: len(_MAGIC)]) != _MAGIC:
            raise ValueError("not a snapshot of this program")
        start = len(_MAGIC) + 4
        length = int.from_bytes(data[len(_MAGIC) : start], "little")
        found, self.model, views, dimension, rows = json.loads(bytes(data[start : start + length]))
        if (found, self.model) != (state, image_id):
            raise ValueError("the library has changed since")
        reader = _Reader(data, start + length)
        self._vectors_ND = reader.array(np.float16, views, dimension).astype(np.float32)
        self._places = reader.array(np.int32, views)
        self._numbers = reader.array(np.int32, views)
        self._times = reader.array(np.float64, views)
        self._offsets = reader.array(np.int64, rows + 1)
        self._records = reader.rest(int(self._offsets[-1]))
        norms = np.linalg.norm(self._vectors_ND, axis=1, keepdims=True)
        self._vectors_ND /= np.where(norms > 0, norms, 1)
        self._place_of: dict[str, int] = {}

    def has_views(self, image_id: str) -> bool:
        """Whether anything can be found with vectors of ``image_id``."""
        return image_id == self.model and len(self._places) > 0

    def nearest(self, image_id: str, vector: NDArray[np.float32], limit: int) -> list[Nearest]:
        """The ``limit`` views with the highest cosine, best first."""
        best, cosines = nearest_in(self._vectors_ND, vector, limit)
        found = []
        for i, cosine in zip(best.tolist(), cosines.tolist(), strict=True):
            place = int(self._places[i])
            key = self._row(place).key
            self._place_of[key] = place
            found.append(Nearest(key, int(self._numbers[i]), cosine))
        return found

    def shown_rows(self, keys: Sequence[str]) -> list[ResultRow]:
        """The rows of ``keys`` in that order; unknown keys are left out."""
        places = (self._find(key) for key in keys)
        return [self._row(place) for place in places if place is not None]

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

    def _find(self, key: str) -> int | None:
        if key not in self._place_of:
            rows = (self._row(place) for place in range(len(self._offsets) - 1))
            self._place_of.update((row.key, place) for place, row in enumerate(rows))
        return self._place_of.get(key)

    def _row(self, place: int) -> ResultRow:
        record = self._records[self._offsets[place] : self._offsets[place + 1]]
        key, path, kind, state, picture_hash, caption = json.loads(bytes(record))
        return ResultRow(
            key, path.encode("latin-1"), MediaKind(kind), MediaState(state), picture_hash, caption
        )


class _Reader:
    """Takes aligned parts from the file, one after the other."""

    def __init__(self, data: memoryview, position: int) -> None:
        self._data = data
        self._position = position

    def array(self, kind: type[np.generic], *shape: int) -> NDArray[Any]:
        """The next array of that shape."""
        count = int(np.prod(shape))
        part = self.rest(count * np.dtype(kind).itemsize)
        return np.frombuffer(part, kind, count).reshape(shape)

    def rest(self, size: int) -> memoryview:
        """The next ``size`` bytes."""
        self._position += -self._position % _ALIGNMENT
        part = self._data[self._position : self._position + size]
        if size < 0 or len(part) != size:
            raise ValueError("the snapshot is cut off")
        self._position += size
        return part


def open_snapshot(folder: Path, tables: Sequence[str], image_id: str) -> Snapshot | None:
    """The snapshot of the library in ``folder``, or None unless it is exactly up to date."""
    state = fingerprint(folder / STORE_FOLDER, tables)
    if state is None:
        return None
    try:
        with (folder / SNAPSHOT_NAME).open("rb") as file:
            data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return Snapshot(data, state, image_id)
    except (OSError, ValueError, TypeError):
        return None
