"""Numbers of what a library holds, from memory where it is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from cocadesk.library.columns import TextMatch, TextTest
from cocadesk.library.layout import FAILURES, MEDIA, views_table
from cocadesk.library.literals import literal
from cocadesk.library.result_rows import ResultRows
from cocadesk.library.rows import MediaKind, MediaState
from cocadesk.library.store import Store
from cocadesk.library.views import ViewTables


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Numbers of what the library holds; ``views`` are those of one image id.

    ``without_vectors`` are present media that no search finds until the next index.
    """

    media: int = 0
    photos: int = 0
    videos: int = 0
    views: int = 0
    missing: int = 0
    offline: int = 0
    failed: int = 0
    without_vectors: int = 0


class Counting:
    """Counts media and views of one library. Any thread."""

    def __init__(self, store: Store, results: ResultRows, views: ViewTables) -> None:
        self._store = store
        self._results = results
        self._views = views
        self._covered: dict[str, tuple[tuple[int, int], tuple[int, int]]] = {}

    def counts(self, image_id: str | None) -> Counts:
        """Numbers of what there is; ``views`` of ``image_id``."""
        columns = self._results.columns(("kind", "state"))

        def count(field: str, value: str) -> int:
            if columns is None:
                return self._store.count(MEDIA, f"{field} = {literal(value)}")
            has_value = columns.texts(field).where(TextTest(TextMatch.EQUAL, value))
            return int(np.count_nonzero(has_value & columns.is_there))

        covered, present = self.covered(image_id) if image_id else (0, 0)
        return Counts(
            media=self._store.count(MEDIA),
            photos=count("kind", MediaKind.PHOTO),
            videos=count("kind", MediaKind.VIDEO),
            views=self._views.count(image_id) if image_id else 0,
            missing=count("state", MediaState.MISSING),
            offline=count("state", MediaState.OFFLINE),
            failed=self._store.count(FAILURES),
            without_vectors=present - covered,
        )

    def covered(self, image_id: str) -> tuple[int, int]:
        """The number of present media that searches with ``image_id`` find, and of all of them."""
        columns = self._results.columns(("state",))
        vectors = self._views.in_memory(image_id)
        if columns is None or vectors is None:
            return self._covered_in_tables(image_id)
        is_present = TextTest(TextMatch.EQUAL, MediaState.PRESENT)
        here = columns.texts("state").where(is_present) & columns.is_there
        found = np.count_nonzero(here & vectors.has_whole(len(here)))
        return int(found), int(np.count_nonzero(here))

    def _covered_in_tables(self, image_id: str) -> tuple[int, int]:
        where = f"state = {literal(MediaState.PRESENT)}"
        if not self._views.has(image_id):
            return 0, self._store.count(MEDIA, where)
        name = views_table(image_id)
        versions = (self._store.version(MEDIA), self._store.version(name))
        known = self._covered.get(name)
        if known is None or known[0] != versions:
            keys = self._store.read(MEDIA, where=where, columns=["key"])["key"]
            views = self._store.read(name, where="view = 0", columns=["key"])["key"]
            counted = pc.sum(pc.is_in(keys, value_set=views.combine_chunks())).as_py() or 0
            known = self._covered[name] = (versions, (counted, len(keys)))
        return known[1]
