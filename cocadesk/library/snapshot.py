"""All that a search needs, in files that are read without LanceDB (its import takes a second).

The snapshot names the state of the two tables that it was made from: the manifests in
their ``_versions`` folders, of which each commit adds one. If these are not exactly the
same, or the file's checksum does not fit, it is not used; so it is never wrong, only absent.

A large library has a base as well, made in the background (``search_base``): most media and
their vectors, grouped by cells. Its snapshot then names the base and holds what has changed
since, so that it is small. The engine begins with both, and goes on from there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.albums import Albums
from cocadesk.library.atomic import written_atomically
from cocadesk.library.catalogue import COLUMN_FIELDS, Catalogue
from cocadesk.library.columns import Column, ListColumn, MediaColumns, OrderedColumn, TextColumn
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.layout import SNAPSHOT_NAME, base_name
from cocadesk.library.parts_file import Parts, PartsWriter, RowsInFile, changed_in_place
from cocadesk.library.rows import Chosen, MediaKind, MediaState, Nearest, ResultRow, StoredVector
from cocadesk.library.storage import storage_of
from cocadesk.library.texts import Texts
from cocadesk.library.vector_memory import (
    CellRows,
    KeyedVectors,
    VectorMemory,
    ViewRows,
    no_views,
)
from cocadesk.vectors import unit_vectors

_COLUMNS = [(f.name, f.form.name, f.columns, f.sql) for f in COLUMN_FIELDS.values()]


def fingerprint(store: Path, tables: Sequence[str]) -> str | None:
    """The state of ``tables`` as text that no later commit shares; None where one is absent.

    Nor is it shared by a program whose fields are others.
    """
    state = blake2b(repr(_COLUMNS).encode(), digest_size=16)
    for table in tables:
        try:
            files = storage_of(store.parent).files(store / f"{table}.lance" / "_versions")
        except OSError:
            return None
        marks = [
            (name, state.size_bytes, state.mark)
            for name, state in files.items()
            if name.endswith(".manifest")
        ]
        if not marks:
            return None
        state.update(repr((table, sorted(marks))).encode())
    return state.hexdigest()


def _record(row: ResultRow) -> bytes:
    key, path, *rest, parts = row
    # Latin-1 gives each byte of a path a letter, so JSON can hold any path.
    others = [((name.decode("latin-1"), role) for name, role in parts)] if parts else []
    return json.dumps((key, path.decode("latin-1"), *rest, *map(list, others))).encode()


def write_media(
    writer: PartsWriter, records: Iterable[bytes], columns: Mapping[str, Column]
) -> None:
    """Write media, row for row: what results show of them, and the columns for filters."""
    writer.add_texts("records", Texts.of_bytes(records))
    for name, column in columns.items():
        if isinstance(column, OrderedColumn):
            writer.add(f"{name} values", column.values)
            continue
        writer.add(f"{name} codes", column.codes)
        writer.add_texts(f"{name} texts", column.texts)
        if isinstance(column, ListColumn):
            writer.add(f"{name} owners", column.owners)


def records_of(results: Iterable[ResultRow]) -> list[bytes]:
    """Results as ``write_media`` takes them."""
    return list(map(_record, results))


def write_keys(writer: PartsWriter, keys: Sequence[str]) -> None:
    """Write the keys that rows speak of by their places."""
    encoded = np.array([key.encode() for key in keys], "S")
    writer.add("keys", encoded)
    writer.add("keys order", np.argsort(encoded, kind="stable").astype(np.int32))


# Asking the enumerations themselves takes longer, and a search reads hundreds.
_KINDS = {kind.value: kind for kind in MediaKind}
_STATES = {state.value: state for state in MediaState}


class MediaInFile:
    """The media of a file, by their places in it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._records = parts.texts("records")

    def __len__(self) -> int:
        return len(self._records)

    def column(self, field: str) -> Column:
        """The column of one of ``COLUMN_FIELDS``."""
        parts = self._parts
        if f"{field} values" in parts:
            return OrderedColumn(parts.array(f"{field} values"))
        texts, codes = parts.texts(f"{field} texts"), parts.array(f"{field} codes")
        if f"{field} owners" in parts:
            return ListColumn(len(self), texts, parts.array(f"{field} owners"), codes)
        return TextColumn(texts, codes)

    def result(self, place: int) -> ResultRow:
        """A medium as a search shows it."""
        key, path, kind, state, picture_hash, caption, *parts = json.loads(self._records[place])
        return ResultRow(
            key=key,
            path=path.encode("latin-1"),
            kind=_KINDS[kind],
            state=_STATES[state],
            picture_hash=picture_hash,
            caption=caption,
            parts=tuple((name.encode("latin-1"), role) for part in parts for name, role in part),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A library's media and the vectors of one image id, in memory.

    Answers searches as a ``Library`` with its ``views`` and ``results`` would. ``base`` names
    the file that most of it lies in ("": there is none).
    """

    model: str
    media: Catalogue
    vectors: VectorMemory
    base: str = ""

    def later(self) -> int:
        """The number of media, or of vectors, that are not those of the base."""
        media = self.media.later()[0] if self.base else np.flatnonzero(self.media.is_there)
        return max(len(media), self.vectors.count_later())

    @property
    def keyed(self) -> KeyedVectors:
        """The vectors by the keys of their media."""
        return KeyedVectors(self.media.keys, self.vectors)

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
        return image_id == self.model and self.vectors.count() > 0

    def nearest(
        self, image_id: str, vector: NDArray[np.float32], limit: int, chosen: Chosen | None = None
    ) -> list[Nearest]:
        """The ``limit`` views with the highest cosine, best first; only of ``chosen`` media."""
        return self.keyed.nearest(vector, limit, chosen)

    def count(self, image_id: str) -> int:
        """The number of vectors of ``image_id``."""
        return self.vectors.count() if image_id == self.model else 0

    def has_whole(self, image_id: str, count: int) -> NDArray[np.bool_]:
        """True for each of the first ``count`` numbers of media that has a vector."""
        return self.vectors.has_whole(count)

    def sample(self, image_id: str, count: int) -> NDArray[np.float32]:
        """Some of the vectors, (N, D); see ``VectorMemory.sample``."""
        return self.vectors.sample(count)

    def vectors_of(self, image_id: str, keys: Sequence[str]) -> dict[str, list[StoredVector]]:
        """The vectors of each of ``keys``, by number."""
        return self.keyed.of_keys(keys)

    def nearest_of(
        self, image_id: str, keys: Sequence[str], vector: NDArray[np.float32]
    ) -> tuple[list[str], NDArray[np.float32]]:
        """Those of ``keys`` that have views, and of each the one (N, D) nearest to ``vector``."""
        return self.keyed.nearest_of(keys, vector)

    def of_keys(self, keys: Sequence[str]) -> list[ResultRow]:
        """The rows of ``keys`` in that order, without unknown keys."""
        return self.media.results(keys)

    def columns(self, fields: Collection[str]) -> MediaColumns:
        """The columns of these fields, for filters."""
        return self.media.columns(fields)

    def keys_where(self, where: str) -> set[str]:
        """Never asked: ``columns`` always answers.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"a snapshot knows no SQL: {where}")

    def columns_where(
        self, where: str, fields: Collection[str]
    ) -> tuple[list[str], dict[str, Column]]:
        """Never asked: ``columns`` always answers.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"a snapshot knows no SQL: {where} for {fields}")

    def columns_of(
        self, keys: Sequence[str], fields: Collection[str]
    ) -> tuple[list[str], dict[str, Column]]:
        """Never asked: ``columns`` always answers.

        Raises:
            ValueError: always.
        """
        raise ValueError(f"a snapshot reads no table for the {fields} of {len(keys)} media")

    @property
    def albums(self) -> Albums:
        """Never asked: a search that names an album goes to the library.

        Raises:
            ValueError: always.
        """
        raise ValueError("a snapshot knows no names of albums")


def write_snapshot(folder: Path, snapshot: Snapshot, state: str) -> None:
    """Write ``snapshot``, which is that of the tables in ``state``.

    Raises:
        UserError: the disk is full or refuses.
    """
    media, vectors = snapshot.media, snapshot.vectors
    later, gone = media.later()
    if not snapshot.base:
        later = np.flatnonzero(media.is_there).astype(np.int32)
    views = ViewRows.joined(vectors.later)
    # The media first, then those that have views alone.
    others = np.setdiff1d(views.numbers, later)
    mentioned = np.concatenate([later, others])
    place_of = np.zeros(len(media.keys), np.int32)
    place_of[mentioned] = np.arange(len(mentioned), dtype=np.int32)
    keys = [media.keys.key(number) for number in mentioned.tolist()]
    columns = media.columns(COLUMN_FIELDS).columns
    with written_atomically(folder / SNAPSHOT_NAME, durable=False) as file:
        writer = PartsWriter(file)
        write_keys(writer, keys)
        write_media(
            writer,
            records_of(media.results(keys[: len(later)])),
            {name: column.of(later) for name, column in columns.items()},
        )
        writer.add("owners", place_of[views.numbers])
        writer.add("views", views.views)
        writer.add("times", views.times)
        writer.add("vectors", views.whole_ND)
        writer.add("cells", views.cells)
        if snapshot.base:
            writer.add("gone", gone)
            writer.add("lost", np.flatnonzero(~vectors.is_kept))
        writer.finish([state, snapshot.model, snapshot.base])


def open_snapshot(folder: Path, state: str, image_id: str) -> Snapshot | None:
    """The snapshot of the library in ``folder``, or None unless it is that of ``state``."""
    try:
        parts = Parts.of_file(folder / SNAPSHOT_NAME)
        found, model, base = parts.about
        if (found, model) != (state, image_id):
            return None
        return _on_base(parts, folder, model, base) if base else _alone(parts, model)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _view_rows(parts: Parts, numbers: NDArray[np.int32]) -> ViewRows:
    return ViewRows(
        numbers=numbers,
        views=parts.array("views"),
        times=parts.array("times"),
        whole_ND=parts.array("vectors"),
        cells=parts.array("cells"),
    )


def _alone(parts: Parts, model: str) -> Snapshot:
    vectors = VectorMemory(later=(_view_rows(parts, parts.array("owners")),))
    # A copy: who remembers keys must not hold a file that a forgetting removes.
    keys = KeyNumbers(np.array(parts.array("keys")), np.array(parts.array("keys order")))
    media = Catalogue(keys, MediaInFile(parts))
    return Snapshot(model=model, media=media, vectors=vectors)


def _on_base(parts: Parts, folder: Path, model: str, base: str) -> Snapshot:
    snapshot = open_base(folder, model, base)
    media = snapshot.media
    keys = [bytes(key).decode() for key in parts.array("keys")]
    part = MediaInFile(parts)
    numbers = media.keys.add(keys)
    media.put(keys[: len(part)], part, parts.array("gone"))
    is_kept = snapshot.vectors.is_kept.copy()
    is_kept[parts.array("lost")] = False
    later = _view_rows(parts, numbers[parts.array("owners")])
    vectors = VectorMemory(later=(later,), cells=snapshot.vectors.cells, is_kept=is_kept)
    return Snapshot(model=model, media=media, vectors=vectors, base=base)


def open_base(folder: Path, model: str, base: str) -> Snapshot:
    """The base of that name alone.

    Raises:
        OSError: it can't be read.
        ValueError: it is damaged, or another one.
    """
    parts = Parts.of_file(folder / base_name(base))
    if parts.about != [model, base]:
        raise ValueError("another base")
    cells = CellRows(
        numbers=parts.array("owners"),
        views=parts.array("views"),
        times=parts.array("times"),
        short_Nd=parts.array("short"),
        whole_ND=RowsInFile(folder / base_name(base), parts, "whole"),
        axes_dD=parts.array("axes"),
        centers_CD=parts.array("centers"),
        starts=parts.array("starts"),
        by_number=parts.array("by number"),
        number_starts=parts.array("number starts"),
    )
    vectors = VectorMemory(
        later=(no_views(cells.centers_CD.shape[1]),),
        cells=cells,
        is_kept=np.ones(len(cells.numbers), np.bool_),
    )
    keys = KeyNumbers(parts.array("keys"), parts.array("keys order"))
    media = Catalogue(keys, MediaInFile(parts))
    return Snapshot(model=model, media=media, vectors=vectors, base=base)


def erase_from_base(folder: Path, base: str, keys: Collection[str]) -> None:
    """Overwrite all that a base says of these media, where it lies.

    Its numbers stay, so that what is in memory of the others goes on being right.

    Raises:
        OSError: the disk refuses.
        ValueError: it is damaged.
    """
    with changed_in_place(folder / base_name(base)) as parts:
        known = KeyNumbers(parts.array("keys"), parts.array("keys order"))
        numbers = known.numbers(list(keys))
        numbers = numbers[numbers >= 0]
        rows = np.flatnonzero(np.isin(parts.array("owners"), numbers))
        for name in ("short", "whole", "times"):
            parts.array(name)[rows] = 0
        _draw_centers(parts, rows)
        media = numbers[numbers < len(parts.array("records offsets")) - 1]
        _blank(parts.texts("records"), media)
        erased = _erased(parts.texts("records"))
        for name in COLUMN_FIELDS:
            if f"{name} values" in parts:
                values = parts.array(f"{name} values")
                values[media] = np.zeros(1, values.dtype)
            else:
                _blank(parts.texts(f"{name} texts"), _only_of(parts, name, erased))
        _blank_keys(parts.array("keys"), parts.array("keys order"), keys)


def _draw_centers(parts: Parts, rows: NDArray[np.intp]) -> None:
    """Center the cells of these rows on what is left: a center may have been one of them."""
    starts, centers_CD = parts.array("starts"), parts.array("centers")
    for cell in np.unique(np.searchsorted(starts, rows, side="right") - 1).tolist():
        inside = slice(starts[cell], starts[cell + 1])
        centers_CD[cell] = unit_vectors(parts.array("whole")[inside].sum(0, np.float32))


def _blank(texts: Texts, indexes: NDArray[np.integer]) -> None:
    for index in indexes.tolist():
        texts.data[texts.offsets[index] : texts.offsets[index + 1]] = ord(" ")


def _erased(records: Texts) -> NDArray[np.intp]:
    """The media that were erased, now or before: a text that only they share goes as well."""
    return np.flatnonzero(records.data[records.offsets[:-1]] == ord(" "))


def _only_of(parts: Parts, name: str, media: NDArray[np.intp]) -> NDArray[np.integer]:
    """The texts of a column that no other medium has."""
    codes = parts.array(f"{name} codes")
    is_theirs = np.zeros(len(codes), np.bool_)
    if f"{name} owners" in parts:
        is_theirs = np.isin(parts.array(f"{name} owners"), media)
    else:
        is_theirs[media] = True
    only = np.setdiff1d(codes[is_theirs], codes[~is_theirs])
    return only[only >= 0]


def _blank_keys(known: NDArray[np.bytes_], order: NDArray[np.int32], keys: Collection[str]) -> None:
    """Let each of ``keys`` be the one before it in order: it is found no more, others are.

    Also where it stands for one that was blanked before.
    """
    for wanted in sorted(key.encode() for key in keys):
        first, last = (
            int(np.searchsorted(known, np.array(wanted), side, sorter=order))
            for side in ("left", "right")
        )
        known[order[first:last]] = known[order[first - 1]] if first else b""
