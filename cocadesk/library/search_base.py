"""The base of a large library's searches, made from its tables.

``python -P -m cocadesk.library.search_base FOLDER IMAGE_ID NAME`` makes it in a process of
its own: the engine goes on answering meanwhile, and its memory stays what it is. It ends as
soon as nobody holds the other end of its input any more, so it outlives no engine.

It makes a draft: only the engine, which knows what was forgotten meanwhile, gives it its name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.atomic import written_atomically
from cocadesk.library.catalogue import COLUMN_FIELDS
from cocadesk.library.cells import (
    count_of_cells,
    grouped,
    main_axes,
    nearest_cells,
    sample_size,
    short_of,
    train_centers,
)
from cocadesk.library.columns import Column, Numbers, column_of
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.layout import MEDIA, STORE_FOLDER, draft_of, drafts_in, views_table
from cocadesk.library.parts_file import PartsWriter
from cocadesk.library.result_rows import MEDIA_COLUMNS, MediaInTable
from cocadesk.library.snapshot import records_of, write_keys, write_media
from cocadesk.library.store import Store
from cocadesk.library.vector_memory import WHOLE, ViewRows
from cocadesk.library.views import VIEW_COLUMNS, views_in_table

_AT_ONCE = 8192
# Nice before numpy comes, whose threads take it from their parent.
_PROGRAM = f"""
import os, runpy
if hasattr(os, "nice"):
    os.nice(10)
runpy.run_module("{__name__}", run_name="__main__", alter_sys=True)
"""
_ROWS_APART = 20_000
"""Fewer are done before a process has started."""


class BaseMaker:
    """Makes one base at a time, of many rows in a process of its own. Any thread may stop it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False

    def make(
        self, folder: Path, image_id: str, name: str, *, rows: int, apart: int = _ROWS_APART
    ) -> None:
        """Make a draft of the base ``name``; ``apart`` from so many rows on.

        Raises:
            OSError: it failed or was stopped; nothing of it is left.
            UserError: as with ``write_base``.
        """
        if rows < apart:
            write_base(folder, image_id, name)
            return
        command = [sys.executable, "-P", "-c", _PROGRAM, str(folder), image_id, name]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        ) as process:
            self._process = process
            if self._is_stopped:
                process.kill()
            assert process.stderr is not None
            said = process.stderr.read()
        if process.returncode:
            for draft in drafts_in(folder, name):
                draft.unlink(missing_ok=True)
            raise OSError(f"the process ended with {process.returncode}: {said[-300:]}")

    def stop(self) -> None:
        """End the one that is being made, and any later one."""
        self._is_stopped = True
        self.stop_this()

    def stop_this(self) -> None:
        """End the one that is being made, if any; afterwards it writes nothing."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()
            process.wait()


def write_base(folder: Path, image_id: str, name: str) -> None:
    """Write a draft of the base ``name``, of the tables as they are now.

    Raises:
        UserError: a table can't be read, or the disk refuses.
    """
    store = Store(folder / STORE_FOLDER, read_only=True)
    keys: list[str] = []
    records: list[bytes] = []
    pieces: dict[str, list[tuple[Numbers, Column]]] = {field: [] for field in COLUMN_FIELDS}
    for batch in store.batches(MEDIA, MEDIA_COLUMNS):
        part = MediaInTable(batch)
        numbers = np.arange(len(keys), len(keys) + len(part), dtype=np.int32)
        keys += part.keys
        records += records_of(part.results())
        for field, own in pieces.items():
            own.append((numbers, part.column(field)))
    columns = {
        field: column_of(COLUMN_FIELDS[field], ()).put(own, len(keys))
        for field, own in pieces.items()
    }
    numbered = KeyNumbers(np.array([key.encode() for key in keys], "S"))
    views = ViewRows.joined(
        [
            views_in_table(batch, numbered)
            for batch in store.batches(views_table(image_id), VIEW_COLUMNS)
        ]
    )
    keys += [numbered.key(number) for number in range(len(keys), len(numbered))]
    with written_atomically(draft_of(folder, name), durable=True) as file:
        writer = PartsWriter(file)
        write_keys(writer, keys)
        write_media(writer, records, columns)
        _write_views(writer, views)
        writer.finish([image_id, name])


def _write_views(writer: PartsWriter, views: ViewRows) -> None:
    """Write the views, grouped by cells."""
    whole_ND, count = views.whole_ND, len(views.numbers)
    rng = np.random.default_rng(0)
    sample = np.sort(rng.choice(count, sample_size(count), replace=False))
    centers_CD = train_centers(_unit(whole_ND[sample]), count_of_cells(count), rng)
    pieces = [slice(start, start + _AT_ONCE) for start in range(0, count, _AT_ONCE)]
    cells = np.concatenate([nearest_cells(_unit(whole_ND[at]), centers_CD) for at in pieces])
    order, starts = grouped(cells, len(centers_CD))
    mean_D, axes_dD = main_axes(_unit(whole_ND[sample]))
    owners = views.numbers[order]
    by_number, number_starts = grouped(owners, int(owners.max()) + 1)
    writer.add("owners", owners)
    writer.add("by number", by_number.astype(np.int32))
    writer.add("number starts", number_starts)
    writer.add("views", views.views[order])
    writer.add("times", views.times[order])
    short = (short_of(_unit(whole_ND[order[at]]), mean_D, axes_dD) for at in pieces)
    writer.add_pieces("short", short, count)
    writer.add_pieces("whole", (whole_ND[order[at]] for at in pieces), count)
    writer.add("axes", axes_dD)
    writer.add("centers", centers_CD)
    writer.add("starts", starts)


def _unit(whole_ND: NDArray[np.int16]) -> NDArray[np.float32]:
    return whole_ND * np.float32(1 / WHOLE)


def _end_with_engine() -> None:
    os.read(0, 1)  # not sys.stdin, whose lock would hold up the end of the process
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_engine, daemon=True).start()
    write_base(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
