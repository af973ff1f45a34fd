"""The files beside the tables that searches begin with: the snapshot and the base."""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections.abc import Collection
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.library.atomic import sync_folder
from cocadesk.library.layout import (
    MAP_NAME,
    MEDIA,
    SNAPSHOT_NAME,
    base_name,
    bases_in,
    draft_of,
    drafts_in,
    views_table,
)
from cocadesk.library.result_rows import ResultRows
from cocadesk.library.rows import new_key
from cocadesk.library.search_base import BaseMaker
from cocadesk.library.search_memory import SearchMemory
from cocadesk.library.snapshot import (
    Snapshot,
    erase_from_base,
    open_base,
    open_snapshot,
    write_snapshot,
)
from cocadesk.library.store import Store
from cocadesk.library.views import ViewTables

log = logging.getLogger(__name__)

_BYTES_OF_A_MEDIUM = 600
"""Of a base, beside the vector."""
_FIRST_BASE = 2
"""A first base pays from this part of ``memory_rows`` on: a search of 100,000 photos takes .65
of the processor time of one that goes through all vectors."""


class SearchFiles:
    """Keeps the search files of one library. Its writer alone may.

    Nothing depends on them: where they can't be written, searches are slower. From
    ``memory_rows`` media or vectors on that are not those of a base, a new base pays; the
    first one from half as many on.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        memory: SearchMemory,
        results: ResultRows,
        views: ViewTables,
        *,
        memory_rows: int,
    ) -> None:
        self._folder = folder
        self._store = store
        self._memory = memory
        self._results = results
        self._views = views
        self._memory_rows = memory_rows
        self._maker = BaseMaker()
        self._making = threading.Lock()
        self._erased = 0

    def keep(self, image_id: str) -> None:
        """Bring the snapshot up to date, with the vectors of ``image_id``."""
        try:
            with self._store.writing():
                self._keep(image_id)
        except UserError as error:
            log.warning("no snapshot for quick searches: %s", error)

    def _keep(self, image_id: str) -> None:
        state = self._memory.state(image_id)
        known = open_snapshot(self._folder, state or "", image_id)
        if state is None or (known is not None and known.base == self._base()):
            return
        snapshot = self._in_memory(image_id)
        if snapshot is not None and snapshot.later() <= 2 * self._memory_rows:
            write_snapshot(self._folder, snapshot, state)

    def _in_memory(self, image_id: str) -> Snapshot | None:
        """The media and the vectors of an image id as they are now, where both are in memory."""
        media, vectors = self._results.catalogue(), self._views.in_memory(image_id)
        if media is None or vectors is None:
            return None
        begun, base = self._memory.begun().snapshot, ""
        if begun is not None and media is begun.media and vectors.cells is begun.vectors.cells:
            base = begun.base
        if vectors.cells is not None and not base:
            return None  # the media were read anew, and are not those that the cells speak of
        return Snapshot(model=image_id, media=media, vectors=vectors, base=base)

    def erase(self, keys: Collection[str]) -> None:
        """Leave nothing of these media in the files; their rows in the tables are gone.

        Raises:
            UserError: the disk keeps a file; it is to be done again.
        """
        self._erased += 1
        self._maker.stop_this()  # it may have read what is gone
        self._memory.groups.erase(keys)
        (self._folder / MAP_NAME).unlink(missing_ok=True)  # it is made anew when it is asked for
        begun = self._memory.begun().snapshot
        snapshot = self._in_memory(begun.model) if begun is not None else None
        try:
            if snapshot is not None and snapshot.base:
                erase_from_base(self._folder, snapshot.base, keys)
                self._keep(snapshot.model)
                self._begin_again(snapshot.model)
                self._drop_bases(but=snapshot.base)
                return
        except (OSError, UserError, ValueError) as error:
            log.warning("the search files are dropped: %s", error)
        self._memory.begin_with_nothing()
        self._let_go()
        try:
            (self._folder / SNAPSHOT_NAME).unlink(missing_ok=True)
            self._drop_bases()
        except OSError as error:  # Windows keeps a file that somebody reads
            raise UserError(
                tr("The files of searches could not be removed, so something is left in them."),
                tr("The reason: {reason}.", reason=error.strerror or error),
                tr("Close CocaDesk and open the library again: it then goes on."),
            ) from error

    def _begin_again(self, image_id: str) -> None:
        """Begin with the files as they are now, and let go of what they were."""
        versions, state = self._memory.versions(image_id), self._memory.state(image_id)
        snapshot = open_snapshot(self._folder, state or "", image_id)
        if snapshot is None:
            raise ValueError("the snapshot was not written")
        self._memory.adopt(snapshot, versions)
        self._let_go()

    def _let_go(self) -> None:
        """Let go of what was in memory: it holds files that are gone."""
        self._results.let_go()
        self._views.let_go()

    def _base(self) -> str:
        """The name of the base that is in use."""
        begun = self._memory.begun().snapshot
        return begun.base if begun is not None else ""

    def _drop_bases(self, but: str = "") -> None:
        for path in (*bases_in(self._folder), *drafts_in(self._folder)):
            if path.name != base_name(but):
                path.unlink(missing_ok=True)

    def drop_unused(self) -> None:
        """Remove the bases and the drafts that a killed engine, or its process, has left."""
        if bases_in(self._folder) or drafts_in(self._folder):
            self._drop_bases(but=self._base())
        for path in self._folder.glob(f"{SNAPSHOT_NAME}.*.tmp"):
            path.unlink(missing_ok=True)

    def renew_base(self, image_id: str) -> None:
        """Make the base anew where so much has come since the last one that it pays.

        Whatever is written meanwhile comes after it. Killed in between, the old one stays.
        Does nothing while another thread makes one.
        """
        if not self._making.acquire(blocking=False):
            return
        try:
            if self._is_due(image_id):
                self._make_base(image_id)
        except (OSError, UserError, ValueError) as error:
            log.warning("no base for searches of many photos: %s", error)
            self._drop_bases(but=self._base())
        finally:
            self._making.release()

    @property
    def is_making(self) -> bool:
        """True while a base is made."""
        return self._making.locked()

    def _is_due(self, image_id: str) -> bool:
        if not self._views.count(image_id):
            return False
        with self._store.writing():
            snapshot = self._in_memory(image_id)
        if snapshot is None:
            return True
        limit = self._memory_rows if snapshot.base else self._memory_rows // _FIRST_BASE
        return snapshot.later() > limit

    def stop(self) -> None:
        """Make no base any more."""
        self._maker.stop()

    def _make_base(self, image_id: str) -> None:
        with self._store.writing():
            versions, erased = self._memory.versions(image_id), self._erased
        name = new_key()
        rows = max(map(self._store.count, (MEDIA, views_table(image_id))))
        wanted = rows * (2 * self._store.dimension(views_table(image_id)) + _BYTES_OF_A_MEDIUM)
        if wanted > shutil.disk_usage(self._folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._maker.make(self._folder, image_id, name, rows=rows)
        with self._store.writing():
            if erased != self._erased:  # it may hold what was forgotten meanwhile
                self._drop_bases(but=self._base())
                return
            draft_of(self._folder, name).replace(self._folder / base_name(name))
            sync_folder(self._folder)
            self._memory.adopt(open_base(self._folder, image_id, name), versions)
            for table, version in versions.items():
                self._store.writes.forget(table, version)
            self._keep(image_id)
        self._drop_bases(but=name)
