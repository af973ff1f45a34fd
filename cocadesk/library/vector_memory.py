"""The vectors of one table in memory, and the nearest of them.

A vector is stored in whole numbers: their product with a query takes NumPy a tenth of the
time of float16 (measured: 20,000 × 256 in 1.7 ms against 27 ms). Up to some
100,000 vectors lie in one array of 16-bit numbers, and each search goes through all. Of
more, most come from a file where they are grouped by cells (see ``cells``) and cut in
halves: a search goes through the upper halves in the likeliest cells, and reads the lower
ones of the best alone. So the order is that of the true cosines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.columns import Mask, Numbers
from cocadesk.library.key_numbers import KeyNumbers, KeySet
from cocadesk.library.rows import Chosen, Nearest, StoredVector
from cocadesk.vectors import unit_vectors

WHOLE = 32767
"""One, as a 16-bit number."""
HALF = 256
UPPER_MOST = 127 * HALF
"""The largest number whose upper half is one of 8 bits."""
_SCANNED_SHARE = 0.07
_SCANNED_LEAST = 20_000
_SCANNED_A_RESULT = 20
_REFINED_A_RESULT = 3
_REFINED_LEAST = 64
_MANY = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRows:
    """Views in memory, row by row: number of the medium, number of the view, time (NaN: none)."""

    numbers: Numbers
    views: NDArray[np.int32]
    times: NDArray[np.float64]
    whole_ND: NDArray[np.int16]

    @classmethod
    def of(
        cls,
        numbers: Numbers,
        views: NDArray[np.int32],
        times: NDArray[np.float64],
        vectors_ND: NDArray[np.float32],
    ) -> ViewRows:
        """Those of vectors, which are brought to unit norm."""
        whole_ND = np.round(unit_vectors(vectors_ND) * WHOLE).astype(np.int16)
        return cls(numbers=numbers, views=views, times=times, whole_ND=whole_ND)

    @classmethod
    def joined(cls, parts: Sequence[ViewRows]) -> ViewRows:
        """The rows of all parts, one after the other."""
        return cls(
            numbers=np.concatenate([part.numbers for part in parts]),
            views=np.concatenate([part.views for part in parts]),
            times=np.concatenate([part.times for part in parts]),
            whole_ND=np.concatenate([part.whole_ND for part in parts]),
        )

    def where(self, is_kept: Mask) -> ViewRows:
        """The rows for which the mask is True."""
        return ViewRows(
            numbers=self.numbers[is_kept],
            views=self.views[is_kept],
            times=self.times[is_kept],
            whole_ND=self.whole_ND[is_kept],
        )

    def vectors(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """The vectors of these rows."""
        return self.whole_ND[rows] * np.float32(1 / WHOLE)


def no_views(dimension: int) -> ViewRows:
    """None at all."""
    return ViewRows(
        numbers=np.zeros(0, np.int32),
        views=np.zeros(0, np.int32),
        times=np.zeros(0, np.float64),
        whole_ND=np.zeros((0, dimension), np.int16),
    )


class Rows(Protocol):
    """Rows of bytes: an array, or what reads them from a file."""

    def __getitem__(self, rows: NDArray[np.intp], /) -> NDArray[np.int8]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRows:
    """Views of a file, grouped by cells: cell c has the rows ``starts[c]`` to ``starts[c + 1]``.

    A vector's numbers are ``(HALF * upper + lower) * scale / UPPER_MOST``.
    """

    numbers: Numbers
    views: NDArray[np.int32]
    times: NDArray[np.float64]
    upper_ND: NDArray[np.int8]
    lower_ND: Rows
    scale_D: NDArray[np.float32]
    centers_CD: NDArray[np.float32]
    starts: NDArray[np.int64]

    def vectors(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """The vectors of these rows."""
        whole = self.upper_ND[rows] * np.float32(HALF) + self.lower_ND[rows]
        return np.asarray(whole * (self.scale_D / UPPER_MOST), np.float32)

    def rough_query(self, unit: NDArray[np.float32]) -> NDArray[np.float32]:
        """The vector whose product with upper halves comes near the cosine."""
        return unit * self.scale_D * np.float32(HALF / UPPER_MOST)


def halves_of(
    vectors_ND: NDArray[np.float32], scale_D: NDArray[np.float32]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Upper and lower halves of vectors whose numbers are at most ``scale_D``."""
    whole = np.round(vectors_ND * (UPPER_MOST / scale_D)).astype(np.int32)
    upper = (whole + HALF // 2) // HALF
    return upper.astype(np.int8), (whole - upper * HALF).astype(np.int8)


@dataclass(frozen=True, slots=True)
class Found:
    """Views that a search found, best first."""

    numbers: Numbers
    views: NDArray[np.int32]
    cosines: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorMemory:
    """All views of one table. ``later`` came after those in ``cells``, of which some are gone.

    A value that never changes: a search goes on with the one that it has begun with.
    """

    later: ViewRows
    cells: CellRows | None = None
    is_kept: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    """True for the rows of ``cells`` that are still as they were."""
    scanned_share: float = _SCANNED_SHARE
    """At least this share of the rows of ``cells`` is gone through, and so many:"""
    scanned_least: int = _SCANNED_LEAST

    def count(self) -> int:
        """The number of views."""
        return len(self.later.numbers) + int(np.count_nonzero(self.is_kept))

    def has_whole(self, count: int) -> Mask:
        """True for each of the first ``count`` media that has view 0, that of its whole."""
        has = np.zeros(count, np.bool_)
        numbers = [self.later.numbers[self.later.views == 0]]
        if self.cells is not None:
            numbers.append(self.cells.numbers[(self.cells.views == 0) & self.is_kept])
        for some in numbers:
            has[some[some < count]] = True
        return has

    def changed(self, touched: Numbers, rows: ViewRows) -> VectorMemory:
        """The memory in which ``rows`` are all views of the media ``touched``."""
        most = max(int(numbers.max(initial=-1)) for numbers in self._numbers(touched))
        is_touched = np.zeros(most + 1, np.bool_)
        is_touched[touched] = True
        is_kept = self.is_kept
        if self.cells is not None:
            is_kept = is_kept & ~is_touched[self.cells.numbers]
        later = ViewRows.joined([self.later.where(~is_touched[self.later.numbers]), rows])
        return replace(self, later=later, is_kept=is_kept)

    def _numbers(self, more: Numbers) -> list[Numbers]:
        of_cells = [] if self.cells is None else [self.cells.numbers]
        return [*of_cells, self.later.numbers, more]

    def of_media(self, numbers: Numbers) -> dict[int, list[StoredVector]]:
        """The views of each of these media, by number."""
        most = max(int(some.max(initial=-1)) for some in self._numbers(numbers))
        is_wanted = np.zeros(most + 1, np.bool_)
        is_wanted[numbers] = True
        found: dict[int, list[StoredVector]] = {}
        for rows in (self.later, self.cells):
            if rows is None:
                continue
            is_theirs = is_wanted[rows.numbers]
            if rows is self.cells:
                is_theirs &= self.is_kept
            places = np.flatnonzero(is_theirs)
            for place, vector in zip(places.tolist(), rows.vectors(places), strict=True):
                time_s = float(rows.times[place])
                stored = StoredVector(
                    int(rows.views[place]), vector, None if np.isnan(time_s) else time_s
                )
                found.setdefault(int(rows.numbers[place]), []).append(stored)
        for own in found.values():
            own.sort(key=lambda stored: stored.view)
        return found

    def nearest(self, vector: NDArray[np.float32], limit: int, chosen: Mask | None = None) -> Found:
        """The ``limit`` views with the highest cosine to ``vector``, of the ``chosen`` numbers."""
        unit = unit_vectors(vector)
        is_open = None if chosen is None else _of_chosen(self.later.numbers, chosen)
        places, cosines = _scanned(self.later.whole_ND, unit / np.float32(WHOLE), is_open)
        found = [_best_rows(self.later, places, cosines, limit)]
        if self.cells is not None:
            is_open = None if self.is_kept.all() else self.is_kept
            if chosen is not None:
                is_chosen = _of_chosen(self.cells.numbers, chosen)
                is_open = is_chosen if is_open is None else is_chosen & is_open
            places, cosines = self._in_cells(self.cells, unit, limit, is_open)
            found.append(_best_rows(self.cells, places, cosines, limit))
        return _best(found, limit)

    def _in_cells(
        self, cells: CellRows, unit: NDArray[np.float32], limit: int, is_open: Mask | None
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Rows and their true cosines, among them most of the nearest that are open."""
        likely = self._likely(cells, unit, limit, is_open)
        places, rough = _scanned(cells.upper_ND, cells.rough_query(unit), is_open, likely)
        best = best_of(rough, limit * _REFINED_A_RESULT + _REFINED_LEAST)
        rows = places[best]
        return rows, np.einsum("nd,d->n", cells.vectors(rows), unit)

    def _likely(
        self, cells: CellRows, unit: NDArray[np.float32], limit: int, is_open: Mask | None
    ) -> list[tuple[int, int]] | None:
        """The rows of the nearest cells, until enough of them are open; None means all rows."""
        ends = cells.starts
        if is_open is not None:
            ends = np.concatenate([[0], np.cumsum(is_open, dtype=np.int32)])[ends]
        share = int(len(cells.numbers) * self.scanned_share)
        enough = max(self.scanned_least, _SCANNED_A_RESULT * limit, share)
        if ends[-1] <= 2 * enough:
            return None
        order = np.argsort(-np.einsum("nd,d->n", cells.centers_CD, unit))
        count = int(np.searchsorted(np.cumsum(np.diff(ends)[order]), enough)) + 1
        likely = np.sort(order[:count])
        starts = cells.starts
        return list(zip(starts[likely].tolist(), starts[likely + 1].tolist(), strict=True))


def _of_chosen(numbers: Numbers, chosen: Mask) -> Mask:
    """True for each of ``numbers`` that is chosen; ones beyond the mask are not."""
    if len(numbers) and int(numbers.max()) >= len(chosen):
        chosen = np.concatenate([chosen, np.zeros(int(numbers.max()) + 1 - len(chosen), np.bool_)])
    return chosen[numbers]


def _scanned(
    stored_ND: NDArray[np.integer],
    query: NDArray[np.float32],
    is_open: Mask | None,
    runs: Sequence[tuple[int, int]] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The open rows in some runs of rows (default: all), and their products with ``query``."""
    runs = runs or [(0, len(stored_ND))]
    everything = np.concatenate([np.arange(start, end) for start, end in runs])
    places = everything if is_open is None else everything[is_open[everything]]
    if len(places) < _MANY * len(everything):
        return places, _products(stored_ND[places], query)
    # Copying most rows would take longer than going through all.
    products = np.concatenate([_products(stored_ND[start:end], query) for start, end in runs])
    return places, products if is_open is None else products[is_open[everything]]


def _products(rows_ND: NDArray[np.integer], query: NDArray[np.float32]) -> NDArray[np.float32]:
    # Not "@": BLAS would start threads that wait for each other on a busy machine
    # (measured beside a training run: 40 ms against 0.5 ms for 10,000 × 256).
    products: NDArray[np.float32] = np.einsum("nd,d->n", rows_ND, query)
    return products


def _best_rows(
    rows: ViewRows | CellRows,
    places: NDArray[np.intp],
    cosines: NDArray[np.float32],
    limit: int,
) -> Found:
    best = best_of(cosines, limit)
    return Found(rows.numbers[places[best]], rows.views[places[best]], cosines[best])


def best_of(scores: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """The places of the ``limit`` highest scores, the highest first."""
    if limit < len(scores):
        best = np.argpartition(-scores, limit - 1)[:limit]
    else:
        best = np.arange(len(scores))
    return best[np.argsort(-scores[best], kind="stable")]


def _best(found: Sequence[Found], limit: int) -> Found:
    """The best of several."""
    if len(found) == 1:
        return found[0]
    cosines = np.concatenate([one.cosines for one in found])
    best = best_of(cosines, limit)
    numbers = np.concatenate([one.numbers for one in found])
    views = np.concatenate([one.views for one in found])
    return Found(numbers[best], views[best], cosines[best])


@dataclass(frozen=True, slots=True)
class KeyedVectors:
    """Vectors in memory, asked by the keys of their media."""

    keys: KeyNumbers
    memory: VectorMemory

    def nearest(
        self, vector: NDArray[np.float32], limit: int, chosen: Chosen | None = None
    ) -> list[Nearest]:
        """The ``limit`` views with the highest cosine, best first; only of ``chosen`` media."""
        found = self.memory.nearest(vector, limit, None if chosen is None else self._mask(chosen))
        return [
            Nearest(self.keys.key(number), view, cosine)
            for number, view, cosine in zip(
                found.numbers.tolist(), found.views.tolist(), found.cosines.tolist(), strict=True
            )
        ]

    def _mask(self, chosen: Chosen) -> Mask:
        if isinstance(chosen.keys, KeySet) and chosen.keys.keys is self.keys:
            return chosen.keys.mask
        mask = np.zeros(len(self.keys), np.bool_)
        numbers = self.keys.numbers(list(chosen.keys))
        mask[numbers[numbers >= 0]] = True
        return mask

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[StoredVector]]:
        """The vectors of each of ``keys``, by number of the view."""
        numbers = self.keys.numbers(keys)
        found = self.memory.of_media(numbers[numbers >= 0])
        return {
            key: found[number]
            for key, number in zip(keys, numbers.tolist(), strict=True)
            if number in found
        }
