"""The tables and their columns, derived from the rows' annotations; rows to Arrow and back.

A new attribute of a row, with a default, is a new column: tables of an older library are
given it, filled with that default (``Store.create_missing``). Raise ``SCHEMA_VERSION`` in
``layout`` with it, so that an older program leaves the library alone; a test pins the
columns to that version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import MISSING, asdict, fields
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import numpy as np
import pyarrow as pa

from cocadesk.library.layout import EDITS, FAILURES, MEDIA
from cocadesk.library.literals import literal
from cocadesk.library.parts import Part, PartRole
from cocadesk.library.paths import storable
from cocadesk.library.rows import (
    DERIVED_COLUMNS,
    VIEW_FILTER_COLUMNS,
    Edit,
    FailureRow,
    Identity,
    JobRow,
    LocalTime,
    MediaRow,
    RootRow,
    Tag,
    ViewRow,
)

ROOTS = "roots"
JOBS = "jobs"

Row = TypeVar("Row", MediaRow, FailureRow, RootRow, JobRow, Edit)

IDENTITY_COLUMNS = Identity._fields

_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    bytes: pa.binary(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
    LocalTime: pa.timestamp("us"),
    tuple[str, ...]: pa.list_(pa.string()),
    tuple[bytes, ...]: pa.list_(pa.binary()),
    tuple[Tag, ...]: pa.list_(pa.struct([("tag", pa.string()), ("score", pa.float32())])),
    tuple[Part, ...]: pa.list_(
        pa.struct(
            [
                ("name", pa.binary()),
                ("role", pa.string()),
                ("format", pa.string()),
                ("size_bytes", pa.int64()),
                ("mtime_ns", pa.int64()),
                ("ctime_ns", pa.int64()),
                ("file_hash", pa.string()),
            ]
        )
    ),
}
_PLAIN_TUPLES = (tuple[str, ...], tuple[bytes, ...])


def _field(name: str, hint: Any) -> pa.Field:
    """The column of an attribute: ``X | None`` may be null, an enum is text."""
    kinds = [kind for kind in get_args(hint) if kind is not NoneType]
    is_optional = NoneType in get_args(hint)
    kind = kinds[0] if is_optional else hint
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        kind = str
    return pa.field(name, _TYPES[kind], nullable=is_optional)


def _columns(row_type: type) -> list[pa.Field]:
    hints = get_type_hints(row_type, include_extras=True)
    return [_field(name, hint) for name, hint in hints.items() if name != "vector"]


def _derived(name: str) -> pa.Field:
    getter = vars(MediaRow)[name].fget
    return _field(name, get_type_hints(getter, include_extras=True)["return"])


_ROWS: dict[str, type] = {
    MEDIA: MediaRow,
    EDITS: Edit,
    ROOTS: RootRow,
    JOBS: JobRow,
    FAILURES: FailureRow,
}
TABLES = {name: pa.schema(_columns(row_type)) for name, row_type in _ROWS.items()}
for _name in DERIVED_COLUMNS:
    TABLES[MEDIA] = TABLES[MEDIA].append(_derived(_name))


def default_sql(table: str, column: pa.Field) -> str | None:
    """The value that a new column has in the rows of an older table; None for a null.

    Raises:
        ValueError: it has none; a library without that column can't be brought up to date.
    """
    defaults = {each.name: each.default for each in fields(_ROWS.get(table, ViewRow))}
    default = defaults.get(column.name, MISSING)
    if default is MISSING and pa.types.is_list(column.type):
        default = ()  # derived of another list, which is empty
    if default is None or (default is MISSING and column.nullable):
        return None
    if isinstance(default, str):
        return literal(default)
    if isinstance(default, int | float):
        return f"arrow_cast({str(default).lower()}, '{_SQL_TYPES[column.type]}')"
    if default == ():
        return f"arrow_cast(make_array(), '{_SQL_TYPES[column.type]}')"
    raise ValueError(f"the column {column.name} of {table} needs a default")


_SQL_TYPES = {
    pa.int64(): "Int64",
    pa.float64(): "Float64",
    pa.bool_(): "Boolean",
    pa.list_(pa.string()): "List(Utf8)",
    pa.list_(pa.binary()): "List(Binary)",
    _TYPES[tuple[Tag, ...]]: 'List(Struct("tag": Utf8, "score": Float32))',
    _TYPES[tuple[Part, ...]]: (
        'List(Struct("name": Binary, "role": Utf8, "format": Utf8, "size_bytes": Int64, '
        '"mtime_ns": Int64, "ctime_ns": Int64, "file_hash": Utf8))'
    ),
}


def _beginning(prefix: str) -> tuple[str, ...]:
    return tuple(name for name in TABLES[MEDIA].names if name.startswith(prefix))


# What a machine said: cleared when the picture changes.
MACHINE_COLUMNS = _beginning("machine_")
# What people said: a projection of ``edits``, written only by it.
HUMAN_COLUMNS = _beginning("human_")
# What the file itself says, and where it is: replaced when the file changes.
FILE_COLUMNS = tuple(
    name
    for name in TABLES[MEDIA].names
    if name not in (*MACHINE_COLUMNS, *HUMAN_COLUMNS, "added_utc")
)


def views_schema(dimension: int) -> pa.Schema:
    """The columns of a views table whose vectors have ``dimension`` numbers."""
    vector = pa.field("vector", pa.list_(pa.float16(), dimension), nullable=False)
    return pa.schema([*_columns(ViewRow), vector])


def _plain(value: Any) -> Any:
    """A field's value as Arrow takes it."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Tag):
        return {"tag": storable(value.tag), "score": value.score}
    if isinstance(value, Part):
        return asdict(value)
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
        elif hint == tuple[Part, ...]:
            readers[name] = parts_of
        else:
            readers[name] = tuple if hint in _PLAIN_TUPLES else None
    return readers


def _tags(records: Iterable[dict[str, Any]]) -> tuple[Tag, ...]:
    return tuple(Tag(**record) for record in records)


def parts_of(records: Iterable[dict[str, Any]] | None) -> tuple[Part, ...]:
    """The parts of a medium as they come out of a table."""
    return tuple(Part(**record | {"role": PartRole(record["role"])}) for record in records or ())


def _records(row_type: type, table: pa.Table) -> list[dict[str, Any]]:
    readers = _readers(row_type)
    kept = table.select([name for name in table.column_names if name in readers])
    # A table of an older program lacks columns: its rows have their defaults.
    changed = [(n, r) for n, r in readers.items() if r is not None and n in kept.column_names]
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
    columns = {name: table.column(name).to_pylist() for name in IDENTITY_COLUMNS}
    columns["embedded"] = [tuple(ids or ()) for ids in columns["embedded"]]
    columns["parts"] = [parts_of(parts) if parts else () for parts in columns["parts"]]
    return [Identity(*values) for values in zip(*columns.values(), strict=True)]


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
