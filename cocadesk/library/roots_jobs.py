"""The tables of roots (the folders that a person added) and of jobs."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from cocadesk.library.convert import arrow_to_rows, rows_to_arrow
from cocadesk.library.literals import literal
from cocadesk.library.paths import device_and_inode
from cocadesk.library.rows import JobRow, RootRow
from cocadesk.library.schema import JOBS, ROOTS
from cocadesk.library.store import Store


class RootTable:
    """The folders (and single files) that the person added."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[RootRow]:
        """All roots, by path."""
        return sorted(arrow_to_rows(RootRow, self._store.read(ROOTS)), key=lambda row: row.path)

    def add(self, path: bytes, *, scanned_utc: datetime | None = None) -> RootRow:
        """Remember a folder, with the device and inode that it has now."""
        known = next((root for root in self.all() if root.path == path), None)
        there = device_and_inode(path)
        row = RootRow(
            path=path,
            added_utc=known.added_utc if known else datetime.now(UTC),
            is_folder=Path(os.fsdecode(path)).is_dir() if there or not known else known.is_folder,
            device=there[0] if there else None,
            inode=there[1] if there else None,
            scanned_utc=scanned_utc or (known.scanned_utc if known else None),
        )
        self._store.merge(ROOTS, ["path"], rows_to_arrow(ROOTS, [row]))
        return row


class JobTable:
    """The jobs, which survive the engine that runs them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def all(self) -> list[JobRow]:
        """All jobs, the oldest first."""
        return sorted(arrow_to_rows(JobRow, self._store.read(JOBS)), key=lambda job: job.id)

    def save(self, job: JobRow) -> None:
        """Write a job's row, replacing its earlier state."""
        self._store.merge(JOBS, ["id"], rows_to_arrow(JOBS, [job]))

    def forget(self, job_id: str) -> None:
        """Remove a job's row."""
        self._store.delete(JOBS, f"id = {literal(job_id)}")
