"""The tables and their columns. A change needs a new ``manifest.SCHEMA_VERSION``
and a migration."""

from __future__ import annotations

import pyarrow as pa

from cocadesk.library.tables import MEDIA

EDITS = "edits"
ROOTS = "roots"
JOBS = "jobs"
FAILURES = "failures"
CALIBRATION = "calibration"

_UTC = pa.timestamp("us", tz="UTC")
_WORDS = pa.list_(pa.string())
_TAGS = pa.list_(pa.struct([("tag", pa.string()), ("score", pa.float32())]))


def _schema(required: dict[str, pa.DataType], optional: dict[str, pa.DataType]) -> pa.Schema:
    fields = [pa.field(name, kind, nullable=False) for name, kind in required.items()]
    return pa.schema(fields + [pa.field(name, kind) for name, kind in optional.items()])


# What the file itself says, and where it is: replaced when the file changes.
_FILE_REQUIRED = {
    "key": pa.string(),
    "root": pa.binary(),
    "path": pa.binary(),
    "kind": pa.string(),
    "size_bytes": pa.int64(),
    "mtime_ns": pa.int64(),
    "file_hash": pa.string(),
    "picture_hash": pa.string(),
    "format": pa.string(),
    "width": pa.int32(),
    "height": pa.int32(),
    "state": pa.string(),
    "embedded": _WORDS,
}
_FILE_OPTIONAL = {
    "duration_s": pa.float64(),
    "taken_utc": _UTC,
    "taken_local": pa.timestamp("us"),
    "utc_offset_min": pa.int32(),
    "latitude": pa.float64(),
    "longitude": pa.float64(),
    "place": pa.string(),
    "camera": pa.string(),
    "lens": pa.string(),
    "rating": pa.int32(),
    "title": pa.string(),
    "description": pa.string(),
    "keywords": _WORDS,
    "reason": pa.string(),
    "added_utc": _UTC,
    "indexed_utc": _UTC,
}
# What a machine said: cleared when the picture changes.
_MACHINE = {
    "machine_caption": pa.string(),
    "machine_caption_model": pa.string(),
    "machine_caption_score": pa.float32(),
    "machine_tags": _TAGS,
    "machine_tags_model": pa.string(),
}
# What people said: a projection of ``edits``, written only by it.
_HUMAN = {
    "human_caption": pa.string(),
    "human_verdict": pa.string(),
    "human_tags_added": _WORDS,
    "human_tags_removed": _WORDS,
    "human_rating": pa.int32(),
}

FILE_COLUMNS = (*_FILE_REQUIRED, *(name for name in _FILE_OPTIONAL if name != "added_utc"))
MACHINE_COLUMNS = tuple(_MACHINE)
HUMAN_COLUMNS = tuple(_HUMAN)

TABLES: dict[str, pa.Schema] = {
    MEDIA: _schema(_FILE_REQUIRED, _FILE_OPTIONAL | _MACHINE | _HUMAN),
    EDITS: _schema(
        {
            "seq": pa.int64(),
            "batch": pa.string(),
            "key": pa.string(),
            "who": pa.string(),
            "when": _UTC,
            "field": pa.string(),
            "old": pa.string(),
            "new": pa.string(),
        },
        {"undoes": pa.string()},
    ),
    ROOTS: _schema(
        {"path": pa.binary(), "added_utc": _UTC, "is_folder": pa.bool_()},
        {"device": pa.int64(), "inode": pa.int64(), "scanned_utc": _UTC},
    ),
    JOBS: _schema(
        {
            "id": pa.string(),
            "kind": pa.string(),
            "spec": pa.string(),
            "state": pa.string(),
            "created_utc": _UTC,
            "updated_utc": _UTC,
            "stage": pa.string(),
            "done": pa.int64(),
            "failed": pa.int64(),
        },
        {"total": pa.int64(), "message": pa.string(), "report": pa.string()},
    ),
    FAILURES: _schema(
        {
            "path": pa.binary(),
            "root": pa.binary(),
            "reason": pa.string(),
            "stage": pa.string(),
            "when": _UTC,
            "size_bytes": pa.int64(),
            "mtime_ns": pa.int64(),
        },
        {},
    ),
    CALIBRATION: _schema(
        {
            "image_id": pa.string(),
            "text": pa.string(),
            "mean": pa.float64(),
            "deviation": pa.float64(),
            "samples": pa.int64(),
        },
        {},
    ),
}


def views_schema(dimension: int) -> pa.Schema:
    """The columns of a views table whose vectors have ``dimension`` numbers."""
    return _schema(
        {
            "key": pa.string(),
            "view": pa.int32(),
            "picture_hash": pa.string(),
            "vector": pa.list_(pa.float16(), dimension),
            "root": pa.binary(),
            "folder": pa.binary(),
            "shows": pa.string(),
            "kind": pa.string(),
        },
        {
            "box": pa.list_(pa.float32()),
            "start_s": pa.float64(),
            "end_s": pa.float64(),
            "time_s": pa.float64(),
            "taken": pa.timestamp("us"),
            "latitude": pa.float64(),
            "longitude": pa.float64(),
            "place": pa.string(),
        },
    )
