"""Rows to Arrow tables and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar, get_type_hints

import numpy as np
import pyarrow as pa

from cocadesk.library.paths import storable
from cocadesk.library.rows import (
    VIEW_FILTER_COLUMNS,
    Edit,
    FailureRow,
    Identity,
    JobRow,
    MediaRow,
    RootRow,
    Tag,
    ViewRow,
)
from cocadesk.library.schema import TABLES, views_schema

Row = TypeVar("Row", MediaRow, FailureRow, RootRow, JobRow, Edit)

IDENTITY_COLUMNS = Identity._fields


def _plain(value: Any) -> Any:
    """A field's value as Arrow takes it."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Tag):
        return {"tag": storable(value.tag), "score": value.score}
    return value


def rows_to_arrow(
    table: str, rows: Iterable[object], columns: Sequence[str] | None = None
) -> pa.Table:
    """Dataclass rows as an Arrow table of ``table``'s schema (or some of its columns)."""
    schema = TABLES[table]
    if columns is not None:
        schema = pa.schema([schema.field(name) for name in columns])
    return _to_arrow(schema, list(rows))


def _to_arrow(schema: pa.Schema, rows: Sequence[object]) -> pa.Table:
    arrays = [
        pa.array([_plain(getattr(row, field.name)) for row in rows], type=field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


@cache
def _readers(row_type: type) -> dict[str, Callable[[Any], Any] | None]:
    """For each field of a row, what makes its value from Arrow's (None: it is the same)."""
    readers: dict[str, Callable[[Any], Any] | None] = {}
    for name, hint in get_type_hints(row_type).items():
        if isinstance(hint, type) and issubclass(hint, StrEnum):
            readers[name] = hint
        elif hint == tuple[Tag, ...]:
            readers[name] = _tags
        else:
            readers[name] = tuple if hint == tuple[str, ...] else None
    return readers


def _tags(records: Iterable[dict[str, Any]]) -> tuple[Tag, ...]:
    return tuple(Tag(**record) for record in records)


def _records(row_type: type, table: pa.Table) -> list[dict[str, Any]]:
    readers = _readers(row_type)
    kept = table.select([name for name in table.column_names if name in readers])
    changed = [(name, reader) for name, reader in readers.items() if reader is not None]
    records: list[dict[str, Any]] = kept.to_pylist()
    for record in records:
        for name, reader in changed:
            record[name] = reader(record[name])
    return records


def arrow_to_rows(row_type: type[Row], table: pa.Table) -> list[Row]:
    """Rows of any table but those of views, from an Arrow table of all its columns."""
    return [row_type(**record) for record in _records(row_type, table)]


def arrow_to_identities(table: pa.Table) -> list[Identity]:
    """What tells whether files are known, from the columns ``IDENTITY_COLUMNS``."""
    columns = [table.column(name).to_pylist() for name in IDENTITY_COLUMNS]
    columns[-1] = [tuple(ids or ()) for ids in columns[-1]]
    return [Identity(*values) for values in zip(*columns, strict=True)]


def views_to_arrow(views: Sequence[ViewRow]) -> pa.Table:
    """Views as an Arrow table; all vectors have the same length."""
    vectors = vectors_to_arrow(np.stack([view.vector for view in views]))
    schema = views_schema(vectors.type.list_size)
    plain = _to_arrow(pa.schema([field for field in schema if field.name != "vector"]), views)
    return plain.append_column(schema.field("vector"), vectors)


def placed_to_arrow(rows: Sequence[MediaRow]) -> pa.Table:
    """The columns of media rows that their views hold too, by key."""
    schema = views_schema(1)
    return _to_arrow(pa.schema([schema.field(n) for n in ("key", *VIEW_FILTER_COLUMNS)]), rows)


def vectors_to_arrow(vectors: np.ndarray[Any, Any]) -> pa.FixedSizeListArray:
    """(N, D) numbers as an Arrow column of float16 vectors."""
    flat = pa.array(np.ascontiguousarray(vectors, np.float16).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def arrow_to_vectors(table: pa.Table, dimension: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """The column ``vector`` as (N, D) float32."""
    chunks = [
        np.asarray(chunk.flatten().to_numpy(zero_copy_only=False), np.float32)
        for chunk in table.column("vector").chunks
    ]
    flat = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    return flat.reshape(-1, dimension)


def arrow_to_views(table: pa.Table, dimension: int) -> list[ViewRow]:
    """View rows, vectors included, from an Arrow table of a views schema."""
    vectors = arrow_to_vectors(table, dimension)
    records = _records(ViewRow, table.drop_columns(["vector"]))
    return [ViewRow(**record, vector=vectors[i]) for i, record in enumerate(records)]
