"""Rows for tests of the library and of search."""

from __future__ import annotations

import numpy as np

from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange, MediaRow, ViewRow, new_key

IMAGE_ID = "model-0123456789ab"


def media_row(name: bytes, **values: object) -> MediaRow:
    """A photo's row at /photos/NAME."""
    fields: dict[str, object] = {
        "key": new_key(),
        "root": b"/photos",
        "path": b"/photos/" + name,
        "size_bytes": 10,
        "mtime_ns": 20,
        "file_hash": "f" + name.hex(),
        "picture_hash": "p" + name.hex(),
        "embedded": (IMAGE_ID,),
    }
    return MediaRow(**{**fields, **values})  # type: ignore[arg-type]


def view_row(row: MediaRow, vector: object, view: int = 0, **values: object) -> ViewRow:
    """A view of ``row``."""
    return ViewRow(
        key=row.key,
        view=view,
        picture_hash=row.picture_hash,
        vector=np.asarray(vector, np.float32),
        root=row.root,
        folder_text="/photos/",
        **values,  # type: ignore[arg-type]
    )


def insert(library: Library, *rows: MediaRow) -> None:
    """Commit new rows."""
    library.media.commit([MediaChange(row=row, is_new=True) for row in rows])
