"""The media that a filter lets pass: for searches, lists and the scopes of jobs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence, Set
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import NEWEST
from cocadesk.library.columns import ListColumn, Mask, MediaColumns, TextMatch, TextTest
from cocadesk.library.fields import FIELDS
from cocadesk.library.key_numbers import KeyList, KeySet
from cocadesk.library.paths import is_under
from cocadesk.library.rows import VIEW_FILTER_COLUMNS, Chosen, paths_of
from cocadesk.search.filters import EVERYTHING, Filter, unless_missing
from cocadesk.search.terms import ALBUM

if TYPE_CHECKING:
    from cocadesk.library.library import Library
    from cocadesk.library.result_rows import ResultRows
    from cocadesk.library.snapshot import Snapshot

_FIELDS_OF_VIEWS = frozenset(
    field.name for field in FIELDS if set(field.columns).issubset(VIEW_FILTER_COLUMNS)
)


def matching_keys(rows: ResultRows | Snapshot, among: Filter) -> Set[str]:
    """The keys of the media that pass: from memory where they are in it."""
    among = with_album_ids(rows, among)
    return _passing(rows, among, rows.columns(among.fields()))


def has_any(rows: ResultRows | Snapshot, among: Filter) -> bool:
    """True where a list of what passes shows a medium."""
    return bool(matching_keys(rows, unless_missing(among)))


def with_album_ids(rows: ResultRows | Snapshot, among: Filter) -> Filter:
    """The filter with albums by id; their names are read only where it has any."""
    return among.with_albums(rows.albums.names()) if among.names_albums else among


def _passing(rows: ResultRows | Snapshot, among: Filter, columns: MediaColumns | None) -> Set[str]:
    if columns is None:
        return rows.keys_where(among.where() or "true")
    return KeySet(columns.keys, among.mask(columns))


def matching_numbers(
    rows: ResultRows | Snapshot, among: Filter, fields: Collection[str]
) -> tuple[MediaColumns, NDArray[np.integer]] | None:
    """The numbers of the media that pass, in the order of their keys, with columns of ``fields``.

    None where there are too many media for memory.
    """
    among = with_album_ids(rows, among)
    columns = rows.columns(among.fields() | set(fields))
    if columns is None:
        return None
    return columns, passing_numbers(columns, among)


def passing_numbers(columns: MediaColumns, among: Filter) -> NDArray[np.integer]:
    """The numbers of the media that pass, in the order of their keys."""
    mask, ordered = among.mask(columns), columns.keys.in_key_order()
    known = ordered[ordered < len(mask)]  # a key may have come since
    passing: NDArray[np.integer] = known[mask[known]]
    return passing


class Chooser:
    """The media that pass a filter, for searches of their views. Any thread.

    The last answer is kept while nothing changes: searches come in series.
    """

    def __init__(self, rows: ResultRows | Snapshot) -> None:
        self._rows = rows
        self._last: tuple[Filter, Mask, Chosen] | None = None

    def chosen(self, among: Filter) -> Chosen:
        """The media that pass."""
        among = with_album_ids(self._rows, among)
        columns, last = self._rows.columns(among.fields()), self._last
        # The same array means that nothing has changed.
        is_known = columns is not None and last is not None and last[1] is columns.is_there
        if last is not None and is_known and last[0] == among:
            return last[2]
        where_views = among.only(_FIELDS_OF_VIEWS).where()
        chosen = Chosen(_passing(self._rows, among, columns), where_views)
        if columns is not None:
            self._last = among, columns.is_there, chosen
        return chosen


def newest_matching(rows: ResultRows | Snapshot, among: Filter) -> Sequence[str]:
    """The keys of the media that pass, by the time taken (else of the file), the newest first.

    Of equal times those that were added first come first; those of no known time come last.
    Those of one album in its order.
    Where there are too many for memory, by the time they were added.
    """
    among = with_album_ids(rows, among)
    columns = rows.columns(among.fields() | {NEWEST})
    if among.album is not None:
        return _in_order(rows, among, among.album, columns)
    if columns is None:
        return sorted(_passing(rows, among, columns), reverse=True)
    passing = passing_numbers(columns, among)
    times = columns.ordered(NEWEST).values[passing]
    has_time = times == times
    before = np.where(has_time, -times.astype(np.int64), np.iinfo(np.int64).max)
    return KeyList(columns.keys, passing[np.argsort(before, kind="stable")])


def _in_order(
    rows: ResultRows | Snapshot, among: Filter, album: str, columns: MediaColumns | None
) -> list[str]:
    """The keys of the media that pass, in the order of the album that they are in."""
    if columns is None:
        passing = _passing(rows, among, columns)
        return [key for key in rows.albums.places(album) if key in passing]
    column, mask = columns.columns[ALBUM], among.mask(columns)
    assert isinstance(column, ListColumn)
    is_inside = TextTest(TextMatch.STARTS, f"{album} ").mask(column.texts)[column.codes]
    found = np.flatnonzero(is_inside & mask[column.owners])
    places = zip(column.codes[found].tolist(), column.owners[found].tolist(), strict=True)
    keys = columns.keys
    return [key for _, key in sorted((column.texts[code], keys.key(n)) for code, n in places)]


def newest_keys(library: Library, among: Filter = EVERYTHING) -> Sequence[str]:
    """The keys of the media that pass, the newest first; those of one album in its order."""
    if among.album is not None or library.results.columns(()) is not None:
        return newest_matching(library.results, among)
    return _that_pass(library, library.media.all_keys(), among)


def _that_pass(library: Library, keys: Iterable[str], among: Filter) -> list[str]:
    passing = matching_keys(library.results, among) if among else None
    if isinstance(passing, KeySet):
        return passing.those_of(list(keys))
    return [key for key in keys if passing is None or key in passing]


def keys_in_scope(
    library: Library,
    keys: Sequence[str],
    folders: Sequence[bytes],
    among: Filter = EVERYTHING,
) -> list[str]:
    """``keys`` in their order, then the present media under ``folders`` by path.

    Neither means all present media. A folder may also be a single file. Of all
    these only those that pass ``among``.
    """
    chosen = dict.fromkeys(keys)
    if folders or not chosen:
        present = sorted(
            (one.path, one.key)
            for one in library.media.present()
            if not folders
            or any(is_under(path, folder) for path in paths_of(one) for folder in folders)
        )
        chosen.update((key, None) for _, key in present)
    return _that_pass(library, chosen, among)
