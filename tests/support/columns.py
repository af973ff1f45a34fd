"""Columns for filters, of rows in memory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from cocadesk.library.catalogue import COLUMN_FIELDS
from cocadesk.library.columns import MediaColumns, column_of
from cocadesk.library.key_numbers import KeyNumbers


def columns_of(rows: Sequence[Any], fields: Iterable[str]) -> MediaColumns:
    """The columns of media rows in memory."""
    columns = {}
    for name in fields:
        field = COLUMN_FIELDS[name]
        values = ([getattr(row, column) for column in field.columns] for row in rows)
        columns[name] = column_of(field, values)
    keys = KeyNumbers()
    keys.add([row.key for row in rows])
    return MediaColumns(keys, np.ones(len(rows), np.bool_), columns)
