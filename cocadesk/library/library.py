"""A library: its folder, its lock, its tables."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cocadesk.errors import UserError, tr
from cocadesk.library.albums import Albums
from cocadesk.library.care import LibraryCare
from cocadesk.library.counting import Counting, Counts
from cocadesk.library.edits import EditLog
from cocadesk.library.forgetting import Forgetting
from cocadesk.library.healing import damaged_in, is_without_tables, mend_folder
from cocadesk.library.layout import (
    EDITS,
    MANIFEST_NAME,
    MEDIA,
    SCHEMA_VERSION,
    STORE_FOLDER,
    Manifest,
    Thumbnails,
    begin,
    check_disk,
    follow_others,
    read_manifest,
    views_table,
    write_manifest,
)
from cocadesk.library.lock import WriterLock
from cocadesk.library.notices import read_notices
from cocadesk.library.result_rows import ResultRows
from cocadesk.library.rows import new_key
from cocadesk.library.search_files import SearchFiles
from cocadesk.library.search_memory import SearchMemory
from cocadesk.library.store import Store
from cocadesk.library.tables import JobTable, MediaTable, RootTable
from cocadesk.library.views import ViewTables
from cocadesk.library_uri import moved_to, shown_name

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes from which a library changes its ways; the defaults are measured."""

    memory_rows: int = 100_000
    """So many media, or vectors (0: none), are read into memory and can be gone through one by one.
    Of more, most must come from a base; see ``search_base``."""
    keys_in_question: int = 10_000
    """A list of keys in a search of the tables is fast to about this many."""
    key_index_rows: int = 5_000
    """Below, looking through all keys is as quick as their index."""


class Library:
    """An open library. ``Library.open`` makes one; closing gives the lock back.

    Its tables are ``media``, ``views``, ``edits``, ``roots`` and ``jobs``;
    ``results`` are the media in memory for searches, ``care`` checks, mends and backs
    up, ``manifest`` names the library and the model in use. Safe to use from several
    threads.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        manifest: Manifest,
        lock: WriterLock | None,
        sizes: Sizes,
    ) -> None:
        self.folder = folder
        self._store = store
        self.manifest = manifest
        self._lock = lock
        self._sizes = sizes
        self.media = MediaTable(store)
        self._memory = SearchMemory(
            folder,
            store,
            manifest.image_id if sizes.memory_rows else None,
            writes=lock is not None,
        )
        self.views = ViewTables(
            store,
            self._memory,
            limit_rows=sizes.memory_rows,
            keys_in_question=sizes.keys_in_question,
        )
        self.edits = EditLog(store)
        self.albums = Albums(store, self.edits)
        self.results = ResultRows(store, self._memory, self.albums, limit_rows=sizes.memory_rows)
        self._search_files = SearchFiles(
            folder, store, self._memory, self.results, self.views, memory_rows=sizes.memory_rows
        )
        self._counting = Counting(store, self.results, self.views)
        self.roots = RootTable(store)
        self.jobs = JobTable(store)
        self.thumbnails = Thumbnails(folder / "thumbs")
        self.forgetting = Forgetting(folder, store, self.thumbnails, self._search_files.erase)
        self.care = LibraryCare(self, store)

    @classmethod
    def open(
        cls, folder: Path, *, create: bool = True, writer: bool = True, sizes: Sizes = Sizes()
    ) -> Library:
        """Open the library in ``folder``, making it first where allowed.

        A writer takes the lock and repairs what a crash left between two
        tables; a reader works beside a running writer and sees its commits.
        A library of an older program is brought up to date first.

        Raises:
            UserError: another writer has it (named by pid), it is damaged or of a
                newer program, there is none, or the folder is not ours.
        """
        manifest = begin(folder, may_make=create and writer)
        if manifest is not None and not writer:
            if manifest.is_older:
                cls._update(folder, sizes)
                manifest = read_manifest(folder) or manifest
            if damaged_in(folder):
                views = {views_table(manifest.image_id)} if manifest.image_id else set[str]()
                cls._mend(folder, sizes, {MEDIA, EDITS} | views)
            return cls(folder, _open_store(folder, sizes, read_only=True), manifest, None, sizes)
        lock = WriterLock(folder)
        lock.acquire()
        try:
            follow_others(folder)  # once more: it may have been writing until now
            return cls._open_writer(folder, lock, sizes)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _update(cls, folder: Path, sizes: Sizes) -> None:
        """Bring the library of an older program up to date, for a reader.

        Raises:
            UserError: that can't be done now.
        """
        try:
            cls.open(folder, create=False, sizes=sizes).close()
        except UserError as error:
            raise UserError(
                tr(
                    "The library in {folder} was made by an older CocaDesk and can't be "
                    "brought up to date now.",
                    folder=shown_name(folder),
                ),
                f"{error.what} {error.why}".strip(),
                error.what_to_do,
            ) from error

    @classmethod
    def _mend(cls, folder: Path, sizes: Sizes, needed: Set[str]) -> None:
        """Mend for a reader, who can do without all but the ``needed`` tables.

        Raises:
            UserError: that can't be done.
        """
        try:
            cls.open(folder, create=False, sizes=sizes).close()
        except UserError as error:
            # Looked at again: a writer may have been about to remove what a table no longer needs.
            is_gone = is_without_tables(folder)  # which is said of the store itself
            if is_gone or not damaged_in(folder) & needed:
                log.debug("not mended: %s", error)
                return
            raise UserError(
                tr(
                    "The library in {folder} is damaged and can't be mended now.",
                    folder=shown_name(folder),
                ),
                f"{error.what} {error.why}".strip(),
                error.what_to_do,
            ) from error

    @classmethod
    def _open_writer(cls, folder: Path, lock: WriterLock, sizes: Sizes) -> Library:
        manifest = read_manifest(folder)
        if manifest is not None:
            check_disk(folder)
        damaged = mend_folder(folder)
        store = _open_store(folder, sizes, read_only=False)
        made = manifest or Manifest(id=new_key())
        current = dataclasses.replace(made, schema=SCHEMA_VERSION, is_half_updated=False)
        library = cls(folder, store, current, lock, sizes)
        library.care.bring_up_to_date(made, damaged)
        if current != manifest:
            # Last, so that what was interrupted, the creation too, is simply done again.
            write_manifest(folder, current)
        library.forgetting.resume()
        library._search_files.drop_unused()
        library.care.settle_annotations(damaged)
        return library

    @property
    def model(self) -> str | None:
        """The image id whose views answer searches, or None before anything is indexed."""
        return self.manifest.image_id

    @property
    def is_writer(self) -> bool:
        """True where this handle may write."""
        return self._lock is not None

    @property
    def notices(self) -> tuple[str, ...]:
        """Sentences about damage that was met and not looked into since."""
        return read_notices(self.folder)

    @property
    def runs_folder(self) -> Path:
        """The folder of teaching runs, each in one of its own."""
        return self.folder / "runs"

    def set_model(
        self, image_id: str, *, model_id: str | None = None, source: str | None = None
    ) -> None:
        """Let the views of ``image_id`` answer from now on: one write of ``library.json``.

        ``source`` None keeps the one that is written there.
        """
        with self._store.writing():
            changed = dataclasses.replace(
                self.manifest,
                image_id=image_id,
                model_id=model_id,
                model_source=source or self.manifest.model_source,
            )
            if changed != self.manifest:
                write_manifest(self.folder, changed)
                self.manifest = changed

    def set_caption_source(self, source: str | None) -> None:
        """Let the model of ``source`` write captions from now on; None: the one that searches."""
        with self._store.writing():
            changed = dataclasses.replace(self.manifest, caption_source=source)
            if changed != self.manifest:
                write_manifest(self.folder, changed)
                self.manifest = changed

    def set_watching(
        self, watches: bool | None = None, *, waits_on_battery: bool | None = None
    ) -> None:
        """Change these settings in ``library.json``; None leaves one as it is."""
        with self._store.writing():
            old = self.manifest
            changed = dataclasses.replace(
                old,
                watches=old.watches if watches is None else watches,
                waits_on_battery=(
                    old.waits_on_battery if waits_on_battery is None else waits_on_battery
                ),
            )
            if changed != old:
                write_manifest(self.folder, changed)
                self.manifest = changed

    def counts(self, image_id: str | None = None) -> Counts:
        """Numbers of what there is; ``views`` of ``image_id`` (default: the model in use)."""
        return self._counting.counts(image_id or self.model)

    def covered(self, image_id: str) -> tuple[int, int]:
        """The number of present media that searches with ``image_id`` find, and of all of them."""
        return self._counting.covered(image_id)

    def writing(self) -> AbstractContextManager[None]:
        """Hold the writer's lane, for reads that the next write depends on."""
        return self._store.writing()

    def written(self) -> dict[str, int]:
        """Numbers that change with each write of what searches read."""
        # The log too: filters name albums, which it alone knows.
        return {**self._memory.versions(self.model or ""), EDITS: self.edits.version()}

    def stop_tidying(self) -> None:
        """End the making of a base on another thread soon, and let no later one take long."""
        self._search_files.stop()

    def tidy(self) -> None:
        """Compact and index the tables that need it; for the idle and the end of jobs."""
        for name in self._store.names():
            self._store.tidy(name)

    def renew_base(self) -> None:
        """Make the base of searches of many photos where it pays, also while jobs write.

        It takes minutes: no job may wait for it, as one can't be paused meanwhile.
        """
        if self.model is not None:
            self._search_files.renew_base(self.model)

    @property
    def is_making_base(self) -> bool:
        """True while a base of searches is made."""
        return self._search_files.is_making

    def keep_snapshot(self) -> None:
        """Bring the files up to date with which the next search and the next writer begin soon.

        Nothing depends on them: where they can't be written, these are slower. The old copy of a
        library that was moved stays as it is.
        """
        if moved_to(self.folder) is not None:
            return
        self.care.note_order()
        if self.model is not None:
            self._search_files.keep(self.model)

    def close(self) -> None:
        """Close the tables and give the lock back; twice is once."""
        try:
            if self._lock is not None:
                with contextlib.suppress(UserError):  # rows that speak of them were not written
                    self.thumbnails.settle()
                self.keep_snapshot()
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Whatever failed before: a lock that is kept shuts out everybody."""
        try:
            self._store.close()
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _open_store(folder: Path, sizes: Sizes, *, read_only: bool) -> Store:
    """The store of a library; a reader's is checked to be there."""
    store = Store(folder / STORE_FOLDER, read_only=read_only, key_index_rows=sizes.key_index_rows)
    if read_only and MEDIA not in store.names():
        raise UserError(
            tr(
                "The library in {folder} is damaged: its tables are gone.",
                folder=shown_name(folder),
            ),
            tr(
                "{file} is there, but {folder} lacks what it describes.",
                file=MANIFEST_NAME,
                folder=folder / STORE_FOLDER,
            ),
            tr("Put the folder back from a backup, or start a new library."),
        )
    return store
