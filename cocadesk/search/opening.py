"""The quickest way to search a library that no engine has open."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.library.layout import MEDIA, views_table
from cocadesk.library.snapshot import open_snapshot
from cocadesk.search.searcher import Searcher

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend


@contextlib.contextmanager
def open_searcher(folder: Path, backend: Backend) -> Iterator[Searcher]:
    """A searcher for one command: over the snapshot where it is exact, else the library.

    The snapshot spares the import of LanceDB, most of a short command's time.

    Raises:
        UserError: there is no library, or it can't be read.
    """
    image_id = backend.info().image_id
    snapshot = open_snapshot(folder, (MEDIA, views_table(image_id)), image_id)
    if snapshot is not None:
        yield Searcher(snapshot, backend)
        return
    from cocadesk.library.library import Library  # here, because this imports LanceDB

    with Library.open(folder, writer=False) as library:
        yield Searcher(library, backend)
