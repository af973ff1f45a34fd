"""Deleted rows taken out of a table's files, old versions included; LanceDB only hides them.

Its compaction leaves a file alone of which less than a tenth is deleted, and there is no
option for it. So as many other rows of that file are written anew, by themselves, until it
is due: measured at 100,000 × 320 float16, with a vector index that tables have no more, 0.4 s
for one row, where writing the table anew and training that index again took 4 s.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from cocadesk.library.storage import storage_of

_SHARE_TO_REWRITE = 8
"""An eighth of a file's rows, with the deleted ones, is more than a tenth of all."""
FILES_TO_UNITE = 24
"""From so many files on they are written anew as one: each was indexed by itself."""


def erase_deleted(
    table: Any,
    folder: Path,
    keys: Sequence[str],
    create_indexes: Callable[[], object],
    *,
    files_to_unite: int = FILES_TO_UNITE,
) -> None:
    """Leave nothing of deleted or replaced rows in the files of ``table``, below ``folder``.

    ``keys`` are columns that tell its rows apart; without any it is written anew at once.
    No other process may write the table meanwhile; who reads an old version of it fails.
    """
    check_held = storage_of(folder.parent.parent).check_held
    # The newest version must not be the deletion: its manifest holds the keys, as a condition.
    table.add(table.schema.empty_table())
    _optimize(table, check_held)
    touched = _with_deleted_rows(folder)
    files = table.stats()["fragment_stats"]["num_fragments"]
    if keys and files < files_to_unite:
        for fragment in touched:
            _rewrite_some(table, fragment, keys)
        if touched:
            _optimize(table, check_held)
        touched = _with_deleted_rows(folder)
    if touched:
        table.add(table.search().to_batches(), mode="overwrite")
        create_indexes()
        _optimize(table, check_held)


def _optimize(table: Any, check_held: Callable[[], None]) -> None:
    """Compact, then drop all older versions; again, as bringing indexes up to date makes one.

    It deletes files of no version too, which another machine may be about to commit.
    """
    for _ in range(2):
        check_held()
        time.sleep(0.002)  # LanceDB keeps versions of the same millisecond, and warns of zero
        table.optimize(cleanup_older_than=timedelta(milliseconds=1), delete_unverified=True)


def _with_deleted_rows(folder: Path) -> list[int]:
    """The numbers of the fragments of which rows are deleted, by LanceDB's names of files."""
    try:
        names = storage_of(folder.parent.parent).files(folder / "_deletions")
    except FileNotFoundError:
        return []
    return sorted({int(name.split("-")[0]) for name in names if "-" in name})


def _rewrite_some(table: Any, fragment: int, keys: Sequence[str]) -> None:
    """Write some rows of a fragment anew, with the very same values."""
    inside = f"_rowid >= {fragment << 32} AND _rowid < {(fragment + 1) << 32}"
    count = table.count_rows(inside) // _SHARE_TO_REWRITE + 2
    rows = table.search().where(inside).limit(count).to_arrow()
    if rows.num_rows:
        table.merge_insert(list(keys)).when_matched_update_all().execute(rows)
