"""The tables and their columns, derived from the rows' annotations.

A change needs a new ``manifest.SCHEMA_VERSION``.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from types import NoneType
from typing import Any, get_args, get_type_hints

import pyarrow as pa

from cocadesk.library.layout import MEDIA
from cocadesk.library.rows import (
    DERIVED_COLUMNS,
    Edit,
    FailureRow,
    JobRow,
    LocalTime,
    MediaRow,
    RootRow,
    Tag,
    ViewRow,
)

EDITS = "edits"
ROOTS = "roots"
JOBS = "jobs"
FAILURES = "failures"

_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    bytes: pa.binary(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
    LocalTime: pa.timestamp("us"),
    tuple[str, ...]: pa.list_(pa.string()),
    tuple[Tag, ...]: pa.list_(pa.struct([("tag", pa.string()), ("score", pa.float32())])),
}


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


TABLES: dict[str, pa.Schema] = {
    MEDIA: pa.schema([*_columns(MediaRow), *map(_derived, DERIVED_COLUMNS)]),
    EDITS: pa.schema(_columns(Edit)),
    ROOTS: pa.schema(_columns(RootRow)),
    JOBS: pa.schema(_columns(JobRow)),
    FAILURES: pa.schema(_columns(FailureRow)),
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
