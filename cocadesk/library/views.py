"""The vectors: one table an image id, and a copy in memory while it is small."""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.library.layout import VIEWS_PREFIX, views_table
from cocadesk.library.literals import is_in
from cocadesk.library.rows import Chosen, MediaRow, Nearest, StoredVector, ViewRow, ViewShows
from cocadesk.library.schema import (
    arrow_to_vectors,
    arrow_to_views,
    placed_to_arrow,
    views_to_arrow,
)
from cocadesk.library.store import Store
from cocadesk.library.vectors import indexes_of, nearest_in
from cocadesk.vectors import unit_vectors

_MATRIX_COLUMNS = ("key", "view", "time_s", "vector")


class ViewMark(NamedTuple):
    """The picture that a stored view was made from, and the root of its medium."""

    key: str
    view: int
    picture_hash: str
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    """All vectors of one table version; row i belongs to ``keys[i]``, ``views[i]``."""

    version: int
    keys: list[str]
    views: list[int]
    times: list[float | None]
    vectors_ND: NDArray[np.float32]
    places: dict[str, list[int]] = field(default_factory=dict)
    last_among: list[tuple[Set[str], NDArray[np.intp]]] = field(default_factory=list)

    def places_of(self, key: str) -> list[int]:
        """The rows that are views of ``key``; the first question sorts all."""
        if not self.places and self.keys:
            places: dict[str, list[int]] = {}
            for place, owner in enumerate(self.keys):
                places.setdefault(owner, []).append(place)
            # At once: another thread may be asking too.
            self.places.update(places)
        return self.places.get(key, [])

    def places_among(self, keys: Set[str]) -> NDArray[np.intp]:
        """The rows of the views of ``keys``, in rising order; the last answer is kept."""
        for known, places in self.last_among:
            if known is keys:
                return places
        places = self._places_among(keys)
        self.last_among[:] = [(keys, places)]
        return places

    def _places_among(self, keys: Set[str]) -> NDArray[np.intp]:
        if len(keys) < len(self.keys) // 100:
            return np.sort(np.array([i for key in keys for i in self.places_of(key)], np.intp))
        return indexes_of(self.keys, keys)


class ViewTables:
    """Reads and commits views. Vectors of two image ids never meet in one answer."""

    def __init__(self, store: Store, *, matrix_limit_bytes: int, keys_in_question: int) -> None:
        self._store = store
        self._matrix_limit_bytes = matrix_limit_bytes
        self._keys_in_question = keys_in_question
        self._matrices: dict[str, _Matrix] = {}
        self._lock = threading.Lock()

    def has(self, image_id: str) -> bool:
        """True where anything was ever embedded under ``image_id``."""
        return self._store.has(views_table(image_id))

    def count(self, image_id: str) -> int:
        """The number of views of ``image_id``."""
        return self._store.count(views_table(image_id)) if self.has(image_id) else 0

    def create(self, image_id: str, dimension: int) -> None:
        """Make the table of ``image_id``.

        Raises:
            UserError: it exists with vectors of another length.
        """
        self._store.create_views(views_table(image_id), dimension)
        there = self._store.dimension(views_table(image_id))
        if there != dimension:
            raise UserError(
                f"The library's vectors of {image_id} have {there} numbers, not {dimension}.",
                "The model's name does not fit its weights.",
                "Choose the model that this library was indexed with.",
            )

    def keep_only(self, image_ids: Collection[str | None]) -> None:
        """Drop the views of every other image id."""
        kept = {views_table(image_id) for image_id in image_ids if image_id is not None}
        for name in self._store.names():
            if name.startswith(VIEWS_PREFIX) and name not in kept:
                self._store.drop(name)
                with self._lock:
                    self._matrices.pop(name, None)

    def marks(self, image_id: str, where: str | None = None) -> list[ViewMark]:
        """Key, number, picture and root of each stored view (that matches ``where``)."""
        if not self.has(image_id):
            return []
        columns = list(ViewMark._fields)
        table = self._store.read(views_table(image_id), where=where, columns=columns)
        lists = [table.column(name).to_pylist() for name in columns]
        return [ViewMark(*values) for values in zip(*lists, strict=True)]

    def whole_marks(self, image_id: str) -> list[ViewMark]:
        """One mark a medium, that of its whole; a video has hundreds of others."""
        return self.marks(image_id, "view = 0")

    def part_marks(self, image_id: str, shows: ViewShows) -> list[ViewMark]:
        """The marks of all boxes of photos, or of all spans of videos."""
        return self.marks(image_id, f"shows = '{shows.value}'")

    def of_keys(self, image_id: str, keys: Sequence[str]) -> dict[str, list[ViewRow]]:
        """The stored views of each of ``keys``, by number; keys without any are not among them."""
        name = views_table(image_id)
        if not keys or not self.has(image_id):
            return {}
        table = self._store.read_in(name, "key", keys)
        found: dict[str, list[ViewRow]] = {}
        for view in arrow_to_views(table, self._store.dimension(name)):
            found.setdefault(view.key, []).append(view)
        for views in found.values():
            views.sort(key=lambda view: view.view)
        return found

    def commit(self, image_id: str, views: Sequence[ViewRow]) -> None:
        """Write views, keyed by key and number; running it twice equals once."""
        if views:
            self._store.merge(views_table(image_id), ["key", "view"], views_to_arrow(views))

    def remove_from(self, image_id: str, counts: dict[str, int]) -> None:
        """Drop the views of each key from number ``counts[key]`` on (0 drops all)."""
        by_count: dict[int, list[str]] = {}
        for key, count in counts.items():
            by_count.setdefault(count, []).append(key)
        for count, keys in by_count.items():
            self._store.delete_in(views_table(image_id), "key", keys, f"view >= {count:d}")

    def remove_stale(self, image_id: str) -> None:
        """Drop moments and boxes that a crash left of the picture that a medium showed before.

        A video that is cut anew may have fewer moments than it had; the views of
        its new picture are committed before the rest of the old ones goes.
        """
        parts = self.marks(image_id, "view > 0")
        shows = (
            {mark.key: mark.picture_hash for mark in self.whole_marks(image_id)} if parts else {}
        )
        first: dict[str, int] = {}
        for mark in parts:
            if shows.get(mark.key) != mark.picture_hash:
                first[mark.key] = min(mark.view, first.get(mark.key, mark.view))
        self.remove_from(image_id, first)

    def set_places(self, rows: Sequence[MediaRow]) -> None:
        """Bring the filter columns of all views of ``rows`` up to date, in every table."""
        if not rows:
            return
        table = placed_to_arrow(rows)
        for name in self._store.names():
            if name.startswith(VIEWS_PREFIX):
                self._store.merge(name, ["key"], table, insert=False)

    def stored(
        self, image_id: str
    ) -> tuple[list[tuple[str, int, float | None]], NDArray[np.float32]]:
        """Key, number and time of each view, and the (N, D) vectors as they are stored."""
        table = self._store.read(views_table(image_id), columns=_MATRIX_COLUMNS)
        lists = [table.column(name).to_pylist() for name in ("key", "view", "time_s")]
        dimension = table.schema.field("vector").type.list_size
        return list(zip(*lists, strict=True)), arrow_to_vectors(table, dimension)

    def nearest(
        self, image_id: str, vector: NDArray[np.float32], limit: int, chosen: Chosen | None = None
    ) -> list[Nearest]:
        """The ``limit`` views with the highest cosine to ``vector`` (D,), best first.

        Only those of ``chosen`` media; None means all.
        """
        if limit <= 0 or not self.has(image_id) or (chosen is not None and not chosen.keys):
            return []
        name = views_table(image_id)
        matrix = self._matrix(name, len(vector))
        if matrix is None:
            return self._nearest_in_store(name, vector, limit, chosen)
        among = None if chosen is None else matrix.places_among(chosen.keys)
        best, cosines = nearest_in(matrix.vectors_ND, vector, limit, among)
        return [
            Nearest(matrix.keys[i], matrix.views[i], cosine)
            for i, cosine in zip(best.tolist(), cosines.tolist(), strict=True)
        ]

    def _nearest_in_store(
        self, name: str, vector: NDArray[np.float32], limit: int, chosen: Chosen | None
    ) -> list[Nearest]:
        """The same of a table that is too large for memory.

        Few keys are part of the question; of many, more views are asked for than
        wanted until enough of them are chosen.
        """
        where = None if chosen is None else chosen.where_views
        if chosen is not None and len(chosen.keys) <= self._keys_in_question:
            where = is_in("key", chosen.keys)
        wanted = limit
        while True:
            table = self._store.nearest(name, vector, wanted, where)
            columns = [table.column(column).to_pylist() for column in ("key", "view", "_distance")]
            found = [
                Nearest(key, view, 1.0 - far)
                for key, view, far in zip(*columns, strict=True)
                if chosen is None or key in chosen.keys
            ]
            if len(found) >= limit or table.num_rows < wanted:
                return found[:limit]
            wanted *= 4

    def vectors_of(self, image_id: str, keys: Sequence[str]) -> dict[str, list[StoredVector]]:
        """The vectors of each of ``keys``, by view number; from memory while it is small."""
        if not keys or not self.has(image_id):
            return {}
        name = views_table(image_id)
        matrix = self._matrix(name, self._store.dimension(name))
        found: dict[str, list[StoredVector]] = {}
        if matrix is None:
            matrix = _matrix_of(self._store.read_in(name, "key", keys, _MATRIX_COLUMNS))
        for key in keys:
            own = [
                StoredVector(matrix.views[i], matrix.vectors_ND[i], matrix.times[i])
                for i in matrix.places_of(key)
            ]
            if own:
                found[key] = sorted(own, key=lambda stored: stored.view)
        return found

    def _matrix(self, name: str, dimension: int) -> _Matrix | None:
        """The table's vectors in memory as they are now; None where they are too many."""
        with self._lock:
            version = self._store.version(name)
            matrix = self._matrices.get(name)
            if matrix is None or matrix.version != version:
                self._matrices.pop(name, None)
                if self._store.count(name) * dimension * 4 > self._matrix_limit_bytes:
                    return None
                # Read after the version: rows of a later commit may come along, and
                # then the next call reads again. Older rows than the version never do.
                matrix = self._matrices[name] = _matrix_of(
                    self._store.read(name, columns=_MATRIX_COLUMNS), version
                )
            return matrix


def _matrix_of(table: pa.Table, version: int = -1) -> _Matrix:
    """The rows of a views table in memory, brought to unit norm."""
    vectors_ND = unit_vectors(arrow_to_vectors(table, table.schema.field("vector").type.list_size))
    keys, views, times = (table.column(name).to_pylist() for name in ("key", "view", "time_s"))
    return _Matrix(version=version, keys=keys, views=views, times=times, vectors_ND=vectors_ND)
