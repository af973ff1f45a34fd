"""Keeps the snapshot for quick searches up to date."""

from __future__ import annotations

import logging
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.convert import arrow_to_vectors
from cocadesk.library.result_rows import ResultRows
from cocadesk.library.snapshot import fingerprint, open_snapshot, write_snapshot
from cocadesk.library.store import Store
from cocadesk.library.tables import MEDIA, STORE_FOLDER, views_table

log = logging.getLogger(__name__)

# Beyond this a snapshot takes longer to write than it saves.
SNAPSHOT_LIMIT_VIEWS = 100_000


def keep_snapshot(folder: Path, store: Store, image_id: str) -> None:
    """Write the snapshot of ``image_id`` unless it is up to date.

    Nothing depends on it: where it can't be written, the next command is slower.
    """
    views = views_table(image_id)
    try:
        with store.writing():
            if not store.has(views) or store.count(views) > SNAPSHOT_LIMIT_VIEWS:
                return
            tables = (MEDIA, views)
            state = fingerprint(folder / STORE_FOLDER, tables)
            if state is not None and open_snapshot(folder, tables, image_id) is None:
                _write(folder, store, image_id, state)
    except UserError as error:
        log.warning("no snapshot for quick searches: %s", error)


def _write(folder: Path, store: Store, image_id: str, state: str) -> None:
    name = views_table(image_id)
    table = store.read(name, columns=["key", "view", "time_s", "vector"])
    columns = [table.column(column).to_pylist() for column in ("key", "view", "time_s")]
    write_snapshot(
        folder,
        state=state,
        image_id=image_id,
        rows=ResultRows(store).all(),
        marks=list(zip(*columns, strict=True)),
        vectors_ND=arrow_to_vectors(table, store.dimension(name)),
    )
