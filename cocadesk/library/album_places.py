"""The places of media in albums, from the lists in their rows: by Arrow, not row for row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from cocadesk.library.layout import MEDIA
from cocadesk.library.literals import literal
from cocadesk.library.rows import MediaState

if TYPE_CHECKING:
    from cocadesk.library.store import Store

_SHOWN = "NOT coalesce(human_hidden, false)"
_ORDER = [("album", "ascending"), ("place", "ascending"), ("key", "ascending")]


def places_in(store: Store, album: str) -> dict[str, str]:
    """The place of each medium in an album, by key, in their order."""
    table = _places(store, f"array_has(human_albums, {literal(album)})", ["key"])
    inside = table.filter(pc.equal(table["album"], album)).sort_by(_ORDER)
    return dict(zip(inside["key"].to_pylist(), inside["place"].to_pylist(), strict=True))


def counts_and_covers(store: Store) -> Iterator[tuple[str, int, str]]:
    """Each album with the number of its media that are shown, and the first one's picture.

    What is missing or hidden is not.
    """
    missing = literal(MediaState.MISSING.value)
    where = f"array_length(human_albums) > 0 AND state <> {missing} AND {_SHOWN}"
    table = _places(store, where, ["key", "picture_hash"]).sort_by(_ORDER)
    grouped = table.group_by("album", use_threads=False)  # which keeps the order
    for row in grouped.aggregate([("key", "count"), ("picture_hash", "first")]).to_pylist():
        yield row["album"], row["key_count"], row["picture_hash_first"]


def _places(store: Store, where: str, columns: Sequence[str]) -> pa.Table:
    """A row for each album that a medium which fulfils ``where`` is in, and its place there."""
    lists = ("human_albums", "human_places")
    table = store.read(MEDIA, where=where, columns=[*columns, *lists]).combine_chunks()
    owners = pc.list_parent_indices(table[lists[0]])
    flat = {"album": pc.list_flatten(table[lists[0]]), "place": pc.list_flatten(table[lists[1]])}
    return pa.table(flat | {name: table[name].take(owners) for name in columns})
