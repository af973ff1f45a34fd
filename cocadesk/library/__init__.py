"""The library on disk: the rows, vectors and annotations of its media.

Importing this package is cheap: LanceDB is imported when ``Library`` is first
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cocadesk.library.moments import (
    moments_of,
    representative_moment,
    tagging_vectors,
    tags_of_moments,
)
from cocadesk.library.nearest import unit_vectors
from cocadesk.library.rows import (
    Chosen,
    Counts,
    Edit,
    FailureRow,
    Identity,
    JobRow,
    MediaChange,
    MediaKind,
    MediaRow,
    MediaState,
    Nearest,
    ResultRow,
    RootRow,
    StoredVector,
    Tag,
    ViewRow,
    ViewShows,
    new_key,
)

if TYPE_CHECKING:
    from cocadesk.library.library import Library

__all__ = [
    "Chosen",
    "Counts",
    "Edit",
    "FailureRow",
    "Identity",
    "JobRow",
    "Library",
    "MediaChange",
    "MediaKind",
    "MediaRow",
    "MediaState",
    "Nearest",
    "ResultRow",
    "RootRow",
    "StoredVector",
    "Tag",
    "ViewRow",
    "ViewShows",
    "moments_of",
    "new_key",
    "representative_moment",
    "tagging_vectors",
    "tags_of_moments",
    "unit_vectors",
]


def __getattr__(name: str) -> Any:
    """Import the heavy half of the room on first use (PEP 562)."""
    if name == "Library":
        from cocadesk.library.library import Library

        return Library
    raise AttributeError(name)
