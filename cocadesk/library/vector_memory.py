"""The vectors of one table in memory, and the nearest of them.

A vector is stored in whole numbers: their product with a query takes NumPy a tenth of the
time of float16 (measured: 20,000 × 256 in 1.7 ms against 27 ms). Up to some
50,000 vectors lie in arrays of 16-bit numbers, and each search goes through all. Of
more, most come from a file where they are grouped by cells and have a short form (see
``cells``): a search goes through the short ones in the likeliest cells, and reads the whole
ones of the best alone. So the order is that of the true cosines. What comes later belongs to
a cell as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.cells import nearest_cells
from cocadesk.library.columns import Mask, Numbers
from cocadesk.library.key_numbers import KeyNumbers, KeySet
from cocadesk.library.rows import Chosen, Nearest, StoredVector
from cocadesk.vectors import unit_vectors

WHOLE = 32767
"""One, as a 16-bit number."""
_ROWS_A_PART = 8192
"""What comes later is added to the last part, which is copied for it."""
_SCANNED_SHARE = 0.07
_SCANNED_LEAST = 20_000
_SCANNED_A_RESULT = 20
_REFINED_A_RESULT = 3
_REFINED_LEAST = 64
_MANY = 0.5
_LOOKED_FURTHER = 4
NO_CELL = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRows:
    """Views in memory, row by row: number of the medium, number of the view, time (NaN: none).

    ``cells`` are those of the base that they would be in, or ``NO_CELL``.
    """

    numbers: Numbers
    views: NDArray[np.int32]
    times: NDArray[np.float64]
    whole_ND: NDArray[np.int16]
    cells: NDArray[np.int32]

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
        cells = np.full(len(numbers), NO_CELL, np.int32)
        return cls(numbers=numbers, views=views, times=times, whole_ND=whole_ND, cells=cells)

    @classmethod
    def joined(cls, parts: Sequence[ViewRows]) -> ViewRows:
        """The rows of all parts, one after the other."""
        return cls(
            numbers=np.concatenate([part.numbers for part in parts]),
            views=np.concatenate([part.views for part in parts]),
            times=np.concatenate([part.times for part in parts]),
            whole_ND=np.concatenate([part.whole_ND for part in parts]),
            cells=np.concatenate([part.cells for part in parts]),
        )

    def without(self, touched: Numbers) -> ViewRows:
        """The rows of all media but these."""
        is_kept = ~np.isin(self.numbers, touched)
        if is_kept.all():
            return self
        return ViewRows(
            numbers=self.numbers[is_kept],
            views=self.views[is_kept],
            times=self.times[is_kept],
            whole_ND=self.whole_ND[is_kept],
            cells=self.cells[is_kept],
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
        cells=np.zeros(0, np.int32),
    )


class Rows(Protocol):
    """Rows of numbers: an array, or what reads them from a file."""

    def __getitem__(self, rows: NDArray[np.intp], /) -> NDArray[np.int16]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRows:
    """Views of a file, grouped by cells: cell c has the rows ``starts[c]`` to ``starts[c + 1]``.

    ``short_Nd`` times ``axes_dD`` are the vectors, but for little and for a part that they share.
    Medium m has the rows ``by_number[number_starts[m]]`` to that of m + 1.
    """

    numbers: Numbers
    views: NDArray[np.int32]
    times: NDArray[np.float64]
    short_Nd: NDArray[np.int8]
    whole_ND: Rows
    axes_dD: NDArray[np.float32]
    centers_CD: NDArray[np.float32]
    starts: NDArray[np.int64]
    by_number: NDArray[np.int32]
    number_starts: NDArray[np.int64]

    def count_media(self) -> int:
        """The number after the largest one of a medium."""
        return len(self.number_starts) - 1

    def vectors(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """The vectors of these rows."""
        return self.whole_ND[rows] * np.float32(1 / WHOLE)

    def rows_in(self, cells: NDArray[np.intp]) -> NDArray[np.intp]:
        """The rows of these cells."""
        runs = zip(self.starts[cells].tolist(), self.starts[cells + 1].tolist(), strict=True)
        return np.concatenate([np.arange(start, end) for start, end in runs])

    def rows_of(self, media: NDArray[np.integer]) -> NDArray[np.intp]:
        """The rows of these media, as they lie."""
        media = media[media < self.count_media()]
        starts = self.number_starts[media]
        counts = self.number_starts[media + 1] - starts
        before = np.cumsum(counts) - counts
        places = np.repeat(starts - before, counts) + np.arange(counts.sum())
        return np.sort(self.by_number[places]).astype(np.intp)


class Scans:
    """The products of the last query with whole arrays: one search asks for them several times.

    Any thread: what two of them ask for at once is multiplied twice.
    """

    def __init__(self) -> None:
        self._last: tuple[bytes, tuple[tuple[NDArray[np.int16], NDArray[np.float32]], ...]] = (
            b"",
            (),
        )

    def known(
        self, stored_ND: NDArray[np.int16], query: NDArray[np.float32]
    ) -> NDArray[np.float32] | None:
        """The products where they are known."""
        name, made = self._last
        if name != query.tobytes():
            return None
        return next((products for array, products in made if array is stored_ND), None)

    def products(
        self, stored_ND: NDArray[np.int16], query: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The products, which are kept until another query comes."""
        products = self.known(stored_ND, query)
        if products is None:
            products = _products(stored_ND, query)
            name, made = self._last
            asked = query.tobytes()
            kept = made if name == asked else ()
            self._last = (asked, (*kept, (stored_ND, products)))
        return products


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

    later: tuple[ViewRows, ...]
    """One part at least; a change copies the last one alone."""
    cells: CellRows | None = None
    is_kept: Mask = field(default_factory=lambda: np.zeros(0, np.bool_))
    """True for the rows of ``cells`` that are still as they were."""
    scanned_share: float = _SCANNED_SHARE
    """At least this share of the rows of ``cells`` is gone through, and so many:"""
    scanned_least: int = _SCANNED_LEAST
    scans: Scans = field(default_factory=Scans, compare=False, repr=False)

    def count(self) -> int:
        """The number of views."""
        return self.count_later() + int(np.count_nonzero(self.is_kept))

    def count_later(self) -> int:
        """The number of those that are not in cells."""
        return sum(len(part.numbers) for part in self.later)

    def has_whole(self, count: int) -> Mask:
        """True for each of the first ``count`` media that has view 0, that of its whole."""
        has = np.zeros(count, np.bool_)
        numbers = [part.numbers[part.views == 0] for part in self.later]
        if self.cells is not None:
            numbers.append(self.cells.numbers[(self.cells.views == 0) & self.is_kept])
        for some in numbers:
            has[some[some < count]] = True
        return has

    def sample(self, count: int) -> NDArray[np.float32]:
        """About ``count`` vectors from all over, at most all: the same ones each time."""
        found = []
        for rows in (*self.later, self.cells):
            if rows is None or not len(rows.numbers):
                continue
            share = -(-count * len(rows.numbers) // max(1, self.count()))
            places = np.unique(np.linspace(0, len(rows.numbers) - 1, share).astype(np.intp))
            found.append(rows.vectors(places))
        return np.concatenate(found or [np.zeros((0, 1), np.float32)])

    def changed(self, touched: Numbers, rows: ViewRows) -> VectorMemory:
        """The memory in which ``rows`` are all views of the media ``touched``."""
        is_kept, cells = self.is_kept, self.cells
        if cells is not None:
            is_kept = is_kept.copy()
            is_kept[cells.rows_of(touched)] = False
            vectors_ND = rows.whole_ND * np.float32(1 / WHOLE)
            rows = replace(rows, cells=nearest_cells(vectors_ND, cells.centers_CD))
        *parts, last = (part.without(touched) for part in self.later)
        if len(last.numbers) + len(rows.numbers) <= _ROWS_A_PART:
            later = (*parts, ViewRows.joined([last, rows]))
        else:
            later = (*parts, last, rows)
        return replace(self, later=later, is_kept=is_kept)

    def _rows_of(self, numbers: Numbers) -> Iterator[tuple[ViewRows | CellRows, NDArray[np.intp]]]:
        """The views of these media: some rows, and the places in them."""
        for part in self.later:
            yield part, np.flatnonzero(np.isin(part.numbers, numbers))
        if self.cells is not None:
            places = self.cells.rows_of(numbers)
            yield self.cells, places[self.is_kept[places]]

    def vectors_of(self, numbers: Numbers) -> tuple[Numbers, NDArray[np.float32]]:
        """The views of these media: the number of each one's medium, and their vectors (V, D)."""
        found = [(rows.numbers[at], rows.vectors(at)) for rows, at in self._rows_of(numbers)]
        return np.concatenate([own for own, _ in found]), np.concatenate([v for _, v in found])

    def of_media(self, numbers: Numbers) -> dict[int, list[StoredVector]]:
        """The views of each of these media, by number."""
        found: dict[int, list[StoredVector]] = {}
        for rows, places in self._rows_of(numbers):
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
        if chosen is not None:
            chosen = self._padded(chosen)
        found: list[Found] = []
        is_likely = None
        if self.cells is not None:
            rows, is_likely = self._likely(self.cells, unit, limit, chosen)
            rough = _products(self.cells.short_Nd[rows], _products(self.cells.axes_dD, unit))
            rows = rows[best_of(rough, limit * _REFINED_A_RESULT + _REFINED_LEAST)]
            cosines = _products(self.cells.vectors(rows), unit)
            found.append(_best_rows(self.cells, rows, cosines, limit))
        for part in self.later:
            is_open = None if chosen is None else chosen[part.numbers]
            if is_likely is not None:
                in_likely = is_likely[part.cells]
                is_open = in_likely if is_open is None else is_open & in_likely
            rows, cosines = self._scanned(part.whole_ND, unit / np.float32(WHOLE), is_open)
            found.append(_best_rows(part, rows, cosines, limit))
        return _best(found, limit)

    def _padded(self, chosen: Mask) -> Mask:
        """The mask, False for media that came after it."""
        count = max(int(part.numbers.max(initial=-1)) + 1 for part in self.later)
        if self.cells is not None:
            count = max(count, self.cells.count_media())
        more = np.zeros(max(0, count - len(chosen)), np.bool_)
        return np.concatenate([chosen, more]) if len(more) else chosen

    def _likely(
        self, cells: CellRows, unit: NDArray[np.float32], limit: int, chosen: Mask | None
    ) -> tuple[NDArray[np.intp], Mask | None]:
        """Open rows of the nearest cells until they are enough, and these cells (None: all)."""
        count = len(cells.numbers)
        share = 1.0 if chosen is None else np.count_nonzero(chosen) / max(1, len(chosen))
        enough = max(self.scanned_least, _SCANNED_A_RESULT * limit, int(count * self.scanned_share))
        if count * share <= 2 * enough:
            if chosen is None:
                return np.flatnonzero(self.is_kept), None
            rows = cells.rows_of(np.flatnonzero(chosen))
            return rows[self.is_kept[rows]], None
        order = np.argsort(-_products(cells.centers_CD, unit))
        ends = np.cumsum(np.diff(cells.starts)[order])
        found: list[NDArray[np.intp]] = []
        missing, taken, gone_through = enough, 0, 0
        while missing > 0 and taken < len(order):
            wanted = max(missing, enough // _LOOKED_FURTHER) / share
            last = int(np.searchsorted(ends, gone_through + wanted)) + 1
            rows = cells.rows_in(order[taken:last])
            gone_through += len(rows)
            rows = rows[self.is_kept[rows]]
            if chosen is not None:
                rows = rows[chosen[cells.numbers[rows]]]
            found.append(rows)
            missing, taken = missing - len(rows), last
        is_likely = np.zeros(len(order) + 1, np.bool_)  # the last one answers for NO_CELL
        is_likely[order[:taken]] = is_likely[NO_CELL] = True
        return np.concatenate(found), is_likely

    def _scanned(
        self, stored_ND: NDArray[np.int16], query: NDArray[np.float32], is_open: Mask | None
    ) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """The open rows, and their products with ``query``."""
        if is_open is None:
            return np.arange(len(stored_ND)), self.scans.products(stored_ND, query)
        places = np.flatnonzero(is_open)
        known = self.scans.known(stored_ND, query)
        if known is None and len(places) < _MANY * len(stored_ND):
            return places, _products(stored_ND[places], query)
        # Copying most rows would take longer than going through all.
        return places, self.scans.products(stored_ND, query)[places]


def _products(rows_ND: NDArray[Any], query: NDArray[np.float32]) -> NDArray[np.float32]:
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


def best_of_each(scores_V: NDArray[np.float32], owners_V: Numbers) -> NDArray[np.intp]:
    """The place of the highest score of each owner, in the order of owners."""
    order = np.lexsort((-scores_V, owners_V))
    _, firsts = np.unique(owners_V[order], return_index=True)
    return np.asarray(order[firsts], np.intp)


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
        keys = self.keys.keys_of(found.numbers)
        return list(map(Nearest, keys, found.views.tolist(), found.cosines.tolist()))

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

    def nearest_of(
        self, keys: Sequence[str], vector: NDArray[np.float32]
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Those of ``keys`` that have views, and of each the one (N, D) nearest to ``vector``."""
        numbers = self.keys.numbers(keys)
        owners, vectors_VD = self.memory.vectors_of(numbers[numbers >= 0])
        best = best_of_each(np.einsum("vd,d->v", vectors_VD, vector), owners)
        place_of = dict(zip(owners[best].tolist(), best.tolist(), strict=True))
        known = [key for key, one in zip(keys, numbers.tolist(), strict=True) if one in place_of]
        places = [place_of[one] for one in numbers.tolist() if one in place_of]
        return known, vectors_VD[places]
