"""Rows to Arrow tables and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from cocadesk.library.rows import (
    Edit,
    FailureRow,
    Identity,
    JobRow,
    MediaKind,
    MediaRow,
    MediaState,
    RootRow,
    Tag,
    ViewRow,
    ViewShows,
)
from cocadesk.library.schema import TABLES, views_schema

Row = TypeVar("Row", MediaRow, FailureRow, RootRow, JobRow, Edit)

_MEDIA_NAMES = tuple(field.name for field in dataclasses.fields(MediaRow))
IDENTITY_COLUMNS = Identity._fields


def storable(text: str) -> str:
    """``text`` with lone surrogates replaced, which Arrow's UTF-8 can't hold."""
    return text.encode("utf-8", "replace").decode()


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
    rows = list(rows)
    arrays = [
        pa.array([_plain(getattr(row, field.name)) for row in rows], type=field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def arrow_to_rows(row_type: type[Row], table: pa.Table) -> list[Row]:
    """Plain rows (failures, roots, jobs, edits) from an Arrow table."""
    names = {field.name for field in dataclasses.fields(row_type)}
    kept = table.select([name for name in table.column_names if name in names])
    return [row_type(**record) for record in kept.to_pylist()]


def arrow_to_media(table: pa.Table) -> list[MediaRow]:
    """Media rows from an Arrow table of the whole ``media`` schema."""
    kept = table.select([name for name in table.column_names if name in _MEDIA_NAMES])
    return [_media(record) for record in kept.to_pylist()]


def _media(record: dict[str, Any]) -> MediaRow:
    record["kind"] = MediaKind(record["kind"])
    record["state"] = MediaState(record["state"])
    for name in ("keywords", "embedded", "human_tags_added", "human_tags_removed"):
        record[name] = tuple(record.get(name) or ())
    record["machine_tags"] = tuple(
        Tag(tag=tag["tag"], score=tag["score"]) for tag in record.get("machine_tags") or ()
    )
    return MediaRow(**record)


def arrow_to_identities(table: pa.Table) -> list[Identity]:
    """What tells whether files are known, from the columns ``IDENTITY_COLUMNS``."""
    columns = [table.column(name).to_pylist() for name in IDENTITY_COLUMNS]
    columns[-1] = [tuple(ids or ()) for ids in columns[-1]]
    return [Identity(*values) for values in zip(*columns, strict=True)]


def views_to_arrow(views: Sequence[ViewRow]) -> pa.Table:
    """Views as an Arrow table; all vectors have the same length."""
    vectors = np.stack([view.vector for view in views]).astype(np.float16)
    schema = views_schema(vectors.shape[1])
    arrays = [
        vectors_to_arrow(vectors)
        if field.name == "vector"
        else pa.array([_plain(getattr(view, field.name)) for view in views], type=field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


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
    records = table.drop_columns(["vector"]).to_pylist()
    return [_view(record, vectors[i]) for i, record in enumerate(records)]


def _view(record: Mapping[str, Any], vector: np.ndarray[Any, np.dtype[np.float32]]) -> ViewRow:
    box = record["box"]
    return ViewRow(
        **{
            **record,
            "shows": ViewShows(record["shows"]),
            "kind": MediaKind(record["kind"]),
            "box": None if box is None else tuple(box),
            "vector": vector,
        }
    )
