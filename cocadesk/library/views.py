"""The vectors: one table an image id, and a copy in memory for searches."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.library.columns import Mask
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.layout import VIEWS_PREFIX, views_table
from cocadesk.library.literals import is_in
from cocadesk.library.rows import Chosen, MediaRow, Nearest, StoredVector, ViewRow, ViewShows
from cocadesk.library.schema import (
    arrow_to_vectors,
    arrow_to_views,
    placed_to_arrow,
    views_to_arrow,
)
from cocadesk.library.search_memory import Beginning, SearchMemory
from cocadesk.library.store import Store
from cocadesk.library.vector_memory import KeyedVectors, VectorMemory, ViewRows
from cocadesk.vectors import unit_vectors

VIEW_COLUMNS = ("key", "view", "time_s", "vector")
"""The columns of a table that ``views_in_table`` needs."""


class ViewMark(NamedTuple):
    """The picture that a stored view was made from, and the root of its medium."""

    key: str
    view: int
    picture_hash: str
    root: bytes


def views_in_table(table: pa.Table, keys: KeyNumbers) -> ViewRows:
    """The views of an Arrow table with ``VIEW_COLUMNS``; their media get numbers."""
    times = table.column("time_s").to_pylist()
    return ViewRows.of(
        keys.add(table.column("key").to_pylist()),
        np.asarray(table.column("view"), np.int32),
        np.array([np.nan if time_s is None else time_s for time_s in times], np.float64),
        arrow_to_vectors(table, table.schema.field("vector").type.list_size),
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """The vectors of a table at one of its versions; None where they are too many to read."""

    begun: Beginning
    version: int
    vectors: VectorMemory | None


class ViewTables:
    """Reads and commits views. Vectors of two image ids never meet in one answer."""

    def __init__(
        self, store: Store, memory: SearchMemory, *, limit_rows: int, keys_in_question: int
    ) -> None:
        self._store = store
        self._memory = memory
        self._limit_rows = limit_rows
        self._keys_in_question = keys_in_question
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def has(self, image_id: str) -> bool:
        """True where anything was ever embedded under ``image_id``."""
        return self._store.has(views_table(image_id))

    def count(self, image_id: str) -> int:
        """The number of views of ``image_id``."""
        if not self.has(image_id):
            return 0
        name = views_table(image_id)
        with self._lock:
            known = self._known.get(name)
        vectors = None if known is None else known.vectors
        if known is not None and vectors is not None and known.version == self._store.version(name):
            return vectors.count()
        return self._store.count(name)

    def create(self, image_id: str, dimension: int) -> None:
        """Make the table of ``image_id``.

        Raises:
            UserError: it exists with vectors of another length.
        """
        self._store.create_views(views_table(image_id), dimension)
        there = self._store.dimension(views_table(image_id))
        if there != dimension:
            raise UserError(
                tr(
                    "The library's vectors of {image_id} have {there} numbers, not {dimension}.",
                    image_id=image_id,
                    there=there,
                    dimension=dimension,
                ),
                tr("The model's name does not fit its weights."),
                tr("Choose the model that this library was indexed with."),
            )

    def keep_only(self, image_ids: Collection[str | None]) -> None:
        """Drop the views of every other image id."""
        kept = {views_table(image_id) for image_id in image_ids if image_id is not None}
        for name in self._store.names():
            if name.startswith(VIEWS_PREFIX) and name not in kept:
                self._store.drop(name)
                with self._lock:
                    self._known.pop(name, None)

    def marks(self, image_id: str, where: str | None = None) -> list[ViewMark]:
        """Key, number, picture and root of each stored view (that matches ``where``)."""
        if not self.has(image_id):
            return []
        marks: list[ViewMark] = []
        for batch in self._store.batches(views_table(image_id), ViewMark._fields, where=where):
            lists = [batch.column(name).to_pylist() for name in ViewMark._fields]
            marks += map(ViewMark._make, zip(*lists, strict=True))
        return marks

    def whole_marks(self, image_id: str) -> list[ViewMark]:
        """One mark a medium, that of its whole; a video has hundreds of others."""
        return self.marks(image_id, "view = 0")

    def wholes(self, image_id: str) -> Iterator[tuple[list[str], NDArray[np.float32]]]:
        """Keys and (N, D) vectors of the wholes of all media, some thousands at a time."""
        if not self.has(image_id):
            return
        name = views_table(image_id)
        dimension = self._store.dimension(name)
        for batch in self._store.batches(name, ("key", "vector"), where="view = 0"):
            yield batch.column("key").to_pylist(), arrow_to_vectors(batch, dimension)

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

    def remove_media(self, keys: Sequence[str]) -> None:
        """Drop all views of media that are no more, in every table."""
        for name in self._store.names() if keys else ():
            if name.startswith(VIEWS_PREFIX):
                self._store.delete_in(name, "key", keys)

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

    def nearest(
        self, image_id: str, vector: NDArray[np.float32], limit: int, chosen: Chosen | None = None
    ) -> list[Nearest]:
        """The ``limit`` views with the highest cosine to ``vector`` (D,), best first.

        Only those of ``chosen`` media; None means all.
        """
        if limit <= 0 or not self.has(image_id) or (chosen is not None and not chosen.keys):
            return []
        name = views_table(image_id)
        keyed = self._keyed(name)
        if keyed is None:
            return self._nearest_in_store(name, vector, limit, chosen)
        return keyed.nearest(vector, limit, chosen)

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
        """The vectors of each of ``keys``, by view number; from memory where they are in it."""
        if not keys or not self.has(image_id):
            return {}
        keyed = self._keyed(views_table(image_id))
        if keyed is not None:
            return keyed.of_keys(keys)
        return {
            key: [StoredVector(v.view, unit_vectors(v.vector), v.time_s) for v in views]
            for key, views in self.of_keys(image_id, keys).items()
        }

    def nearest_of(
        self, image_id: str, keys: Sequence[str], vector: NDArray[np.float32]
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Those of ``keys`` that have views, and of each the one (N, D) nearest to ``vector``."""
        keyed = self._keyed(views_table(image_id)) if keys and self.has(image_id) else None
        if keyed is not None:
            return keyed.nearest_of(keys, vector)
        stored = self.vectors_of(image_id, keys)
        known = [key for key in keys if key in stored]
        best = [max((view.vector for view in stored[key]), key=vector.dot) for key in known]
        return known, np.stack(best) if best else np.zeros((0, len(vector)), np.float32)

    def in_memory(self, image_id: str) -> VectorMemory | None:
        """All vectors of ``image_id`` as they are now; None where they are too many to read."""
        keyed = self._keyed(views_table(image_id)) if self.has(image_id) else None
        return None if keyed is None else keyed.memory

    def sample(self, image_id: str, count: int) -> NDArray[np.float32]:
        """Some of the vectors, (N, D); none where they are too many to read."""
        memory = self.in_memory(image_id)
        return np.zeros((0, 1), np.float32) if memory is None else memory.sample(count)

    def has_whole(self, image_id: str, count: int) -> Mask:
        """True for each of the first ``count`` numbers of media that has a vector.

        For all where the vectors are too many to read.
        """
        memory = self.in_memory(image_id)
        return np.ones(count, np.bool_) if memory is None else memory.has_whole(count)

    def let_go(self) -> None:
        """Forget what is in memory; the next question begins anew."""
        with self._lock:
            self._known.clear()

    def _keyed(self, name: str) -> KeyedVectors | None:
        with self._lock:
            begun = self._memory.begun()
            known = self._known.get(name)
            if known is None or known.begun is not begun:
                snapshot = begun.snapshot
                is_of_table = snapshot is not None and views_table(snapshot.model) == name
                vectors = snapshot.vectors if snapshot is not None and is_of_table else None
                known = _Known(begun, begun.versions.get(name, -1), vectors)
            # The version first, as with the media.
            version = self._store.version(name)
            if version != known.version:
                known = _Known(begun, version, self._followed(name, known))
            self._known[name] = known
            return None if known.vectors is None else KeyedVectors(begun.keys, known.vectors)

    def _followed(self, name: str, known: _Known) -> VectorMemory | None:
        """The vectors with all that was written since."""
        keys = known.begun.keys
        touched = None if known.vectors is None else self._store.writes.touched(name, known.version)
        if (
            known.vectors is not None
            and touched is not None
            and len(touched) <= 2 * self._limit_rows
        ):
            written = self._store.writes.rows(name, known.version, VIEW_COLUMNS)
            rows = views_in_table(
                written or self._store.read_in(name, "key", touched, VIEW_COLUMNS), keys
            )
            numbers = keys.numbers(list(touched))
            return known.vectors.changed(numbers[numbers >= 0], rows)
        if self._store.count(name) > self._limit_rows:
            return None
        return VectorMemory(
            later=(views_in_table(self._store.read(name, columns=VIEW_COLUMNS), keys),)
        )
