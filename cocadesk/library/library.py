"""A library: its folder, its lock, its tables."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.library.convert import arrow_to_rows, rows_to_arrow
from cocadesk.library.edits import EditLog
from cocadesk.library.folder import make_folder, open_store
from cocadesk.library.keeping import keep_snapshot
from cocadesk.library.literals import text_literal
from cocadesk.library.lock import WriterLock
from cocadesk.library.manifest import (
    Manifest,
    read_manifest,
    write_manifest,
)
from cocadesk.library.media_table import MediaTable
from cocadesk.library.paths import device_and_inode
from cocadesk.library.result_rows import ResultRows
from cocadesk.library.rows import (
    Counts,
    FailureRow,
    JobRow,
    MediaKind,
    MediaRow,
    MediaState,
    Nearest,
    ResultRow,
    RootRow,
    StoredVector,
    Tag,
    ViewRow,
    new_key,
)
from cocadesk.library.schema import FAILURES, JOBS, ROOTS
from cocadesk.library.store import Store
from cocadesk.library.tables import MEDIA
from cocadesk.library.thumbnails import Thumbnails
from cocadesk.library.views import ViewTables


class Library:
    """An open library. ``Library.open`` makes one; closing gives the lock back.

    ``media``, ``views`` and ``edits`` are for the rooms that write; the rest
    of the program uses the methods here. Safe to use from several threads.
    """

    def __init__(
        self, folder: Path, store: Store, manifest: Manifest, lock: WriterLock | None
    ) -> None:
        self.folder = folder
        self._store = store
        self._manifest = manifest
        self._lock = lock
        self.media = MediaTable(store)
        self.views = ViewTables(store)
        self._shown = ResultRows(store)
        self._thumbnails = Thumbnails(folder / "thumbs")
        self.edits = EditLog(store)

    @classmethod
    def open(cls, folder: Path, *, create: bool = True, writer: bool = True) -> Library:
        """Open the library in ``folder``, making it first where allowed.

        A writer takes the lock and repairs what a crash left between two
        tables; a reader works beside a running writer and sees its commits.

        Raises:
            UserError: another writer has it (named by pid), it is damaged or
                of a newer program, there is none, or the folder is not ours.
        """
        manifest = read_manifest(folder)
        if manifest is None:
            if not (create and writer):
                raise UserError(
                    f"There is no library in {folder}.",
                    "",
                    "Add a folder of photos first: cocadesk index FOLDER.",
                )
            make_folder(folder)
        elif not writer:
            return cls(folder, open_store(folder, read_only=True), manifest, None)
        lock = WriterLock(folder)
        lock.acquire()
        try:
            return cls._open_writer(folder, lock)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open_writer(cls, folder: Path, lock: WriterLock) -> Library:
        manifest = read_manifest(folder)
        store = open_store(folder, read_only=False)
        store.create_missing()
        if manifest is None:
            # Last, so that an interrupted creation is simply created again.
            manifest = Manifest(id=new_key())
            write_manifest(folder, manifest)
        library = cls(folder, store, manifest, lock)
        library.edits.replay()
        return library

    @property
    def id(self) -> str:
        """The library's own ULID."""
        return self._manifest.id

    @property
    def schema_version(self) -> int:
        """The version of the tables' layout."""
        return self._manifest.schema

    @property
    def model(self) -> str | None:
        """The image id whose views answer searches, or None before anything is indexed."""
        return self._manifest.image_id

    @property
    def is_writer(self) -> bool:
        """Whether this handle may write."""
        return self._lock is not None

    @property
    def model_source(self) -> str | None:
        """Where the model in use comes from (see ``Manifest``); None for the starter."""
        return self._manifest.model_source

    @property
    def runs_folder(self) -> Path:
        """Where teaching runs lie, one folder each."""
        return self.folder / "runs"

    def set_model(
        self, image_id: str, *, model_id: str | None = None, source: str | None = None
    ) -> None:
        """Let the views of ``image_id`` answer from now on: one write of ``library.json``.

        ``source`` None keeps the one that is written there.
        """
        with self._store.writing():
            changed = dataclasses.replace(
                self._manifest,
                image_id=image_id,
                model_id=model_id,
                model_source=source or self._manifest.model_source,
            )
            if changed != self._manifest:
                write_manifest(self.folder, changed)
                self._manifest = changed

    def refresh(self) -> None:
        """For a reader: look again at ``library.json``, which the writer may have replaced."""
        self._manifest = read_manifest(self.folder) or self._manifest

    def counts(self, image_id: str | None = None) -> Counts:
        """How much there is; ``views`` of ``image_id`` (default: the model in use)."""
        image_id = image_id or self.model
        count = self._store.count
        return Counts(
            media=count(MEDIA),
            photos=count(MEDIA, f"kind = '{MediaKind.PHOTO.value}'"),
            videos=count(MEDIA, f"kind = '{MediaKind.VIDEO.value}'"),
            views=self.views.count(image_id) if image_id else 0,
            missing=count(MEDIA, f"state = '{MediaState.MISSING.value}'"),
            offline=count(MEDIA, f"state = '{MediaState.OFFLINE.value}'"),
            failed=count(FAILURES),
        )

    def rows(self, keys: Sequence[str]) -> list[MediaRow]:
        """The rows of ``keys`` in that order; unknown keys are left out."""
        return self.media.rows(keys)

    def shown_rows(self, keys: Sequence[str]) -> list[ResultRow]:
        """What a result shows of ``keys``, in that order; quicker than ``rows``."""
        return self._shown.of_keys(keys)

    def row_by_path(self, path: bytes) -> MediaRow | None:
        """The row of the file at ``path``, or None."""
        return next(iter(self.media.rows_by_path([path])), None)

    def all_keys(self) -> list[str]:
        """All keys, the newest medium first."""
        return self.media.all_keys()

    def iter_rows(self) -> Iterator[MediaRow]:
        """All rows, the newest medium first, fetched in pieces."""
        return self.media.iter_rows()

    def vectors(self, image_id: str) -> tuple[list[str], NDArray[np.float32]]:
        """Key of each view and their (N, D) float32 unit vectors; not to be written to."""
        return self.views.vectors(image_id)

    def nearest(
        self, image_id: str, vector: NDArray[np.float32], limit: int, where: str | None = None
    ) -> list[Nearest]:
        """The ``limit`` views nearest to ``vector`` (D,) by cosine, best first.

        ``where`` is a filter over the views' columns (root, folder, kind,
        taken, place…); literals in it come from ``store.text_literal``.
        """
        return self.views.nearest(image_id, vector, limit, where)

    def thumbnail_path(self, picture_hash: str) -> Path:
        """Where the thumbnail of a picture lies (whether or not it is there yet)."""
        return self._thumbnails.path(picture_hash)

    def moment_thumbnail_path(self, picture_hash: str, view: int) -> Path:
        """Where the thumbnail of a video's moment (by its view number) lies."""
        return self._thumbnails.moment_path(picture_hash, view)

    def write_thumbnail(self, picture_hash: str, jpeg: bytes, view: int | None = None) -> None:
        """Store a thumbnail, of a video's moment with its ``view``, unless it is there."""
        self._thumbnails.write(picture_hash, jpeg, view)

    def writing(self) -> AbstractContextManager[None]:
        """Hold the writer's lane, for reads that the next write depends on."""
        return self._store.writing()

    def failures(self) -> list[FailureRow]:
        """The files that could not be read, by path."""
        return self.media.failures()

    def set_machine_caption(
        self,
        captions: Mapping[str, str],
        model_id: str,
        score: float | Mapping[str, float] | None = None,
    ) -> None:
        """Replace the machine's captions by key; a person's words are never touched.

        ``score`` is one for all, or by key.
        """
        self.media.set_captions(captions, model_id, score)

    def set_machine_tags(self, tags: Mapping[str, Sequence[Tag]], model_id: str) -> None:
        """Replace the machine's tags by key; a person's words are never touched."""
        self.media.set_tags(tags, model_id)

    def roots(self) -> list[RootRow]:
        """The folders that the person added, by path."""
        return sorted(arrow_to_rows(RootRow, self._store.read(ROOTS)), key=lambda row: row.path)

    def add_root(self, path: bytes, *, scanned_utc: datetime | None = None) -> RootRow:
        """Remember a folder, with the device and inode that it has now."""
        known = next((root for root in self.roots() if root.path == path), None)
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

    def jobs(self) -> list[JobRow]:
        """All jobs, the oldest first."""
        return sorted(arrow_to_rows(JobRow, self._store.read(JOBS)), key=lambda job: job.id)

    def save_job(self, job: JobRow) -> None:
        """Write a job's row, replacing its earlier state."""
        self._store.merge(JOBS, ["id"], rows_to_arrow(JOBS, [job]))

    def forget_job(self, job_id: str) -> None:
        """Remove a job's row."""
        self._store.delete(JOBS, f"id = {text_literal(job_id)}")

    def tidy(self) -> None:
        """Compact and index the tables that need it; for the idle and the end of jobs."""
        for name in self._store.names():
            self._store.tidy(name)

    def has_views(self, image_id: str) -> bool:
        """Whether anything was embedded under ``image_id``."""
        return self.views.has(image_id)

    def views_of(self, image_id: str, keys: Sequence[str]) -> dict[str, list[ViewRow]]:
        """The stored views of each of ``keys``, by number."""
        return self.views.of_keys(image_id, keys)

    def vectors_of(self, image_id: str, keys: Sequence[str]) -> dict[str, list[StoredVector]]:
        """The vectors of each of ``keys``, by view number; quicker than ``views_of``."""
        return self.views.vectors_of(image_id, keys)

    def keep_snapshot(self) -> None:
        """Bring the file up to date that lets the next command search without LanceDB."""
        if self.model is not None:
            keep_snapshot(self.folder, self._store, self.model)

    def close(self) -> None:
        """Close the tables and give the lock back; twice is once."""
        if self._lock is not None:
            self.keep_snapshot()
        self._store.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
