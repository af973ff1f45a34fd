"""The library on disk: the rows, vectors and annotations of its media.

Importing this package is cheap: LanceDB is imported when ``Library`` is first
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cocadesk.library.moments import moments_of as moments_of
from cocadesk.library.moments import representative_moment as representative_moment
from cocadesk.library.moments import tagging_vectors as tagging_vectors
from cocadesk.library.moments import tags_of_moments as tags_of_moments
from cocadesk.library.nearest import unit_vectors as unit_vectors
from cocadesk.library.rows import Chosen as Chosen
from cocadesk.library.rows import Counts as Counts
from cocadesk.library.rows import Edit as Edit
from cocadesk.library.rows import FailureRow as FailureRow
from cocadesk.library.rows import Identity as Identity
from cocadesk.library.rows import JobRow as JobRow
from cocadesk.library.rows import MediaChange as MediaChange
from cocadesk.library.rows import MediaKind as MediaKind
from cocadesk.library.rows import MediaRow as MediaRow
from cocadesk.library.rows import MediaState as MediaState
from cocadesk.library.rows import Nearest as Nearest
from cocadesk.library.rows import ResultRow as ResultRow
from cocadesk.library.rows import RootRow as RootRow
from cocadesk.library.rows import StoredVector as StoredVector
from cocadesk.library.rows import Tag as Tag
from cocadesk.library.rows import ViewRow as ViewRow
from cocadesk.library.rows import ViewShows as ViewShows
from cocadesk.library.rows import new_key as new_key

if TYPE_CHECKING:
    from cocadesk.library.library import Library as Library


def __getattr__(name: str) -> Any:
    """Import the heavy half of the room on first use (PEP 562)."""
    if name == "Library":
        from cocadesk.library.library import Library

        return Library
    raise AttributeError(name)
