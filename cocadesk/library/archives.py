"""Parquet and zip files of backups in memory, and all that reading a damaged one may raise."""

from __future__ import annotations

import io
import zipfile
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    RuntimeError,  # a flag says that it is encrypted; NotImplementedError: an unknown compression
    zipfile.BadZipFile,
    zlib.error,
)


def to_parquet(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def from_parquet(data: bytes) -> pa.Table:
    """The table in the bytes of a Parquet file."""
    return pq.read_table(io.BytesIO(data))
