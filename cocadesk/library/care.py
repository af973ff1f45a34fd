"""Care of one library: checked, mended, backed up, restored and exported."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Set
from dataclasses import replace
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.library.backups import (
    Restored,
    back_up,
    back_up_before_update,
    back_up_daily,
    backups_of,
    exported,
    read_backup,
    restore,
)
from cocadesk.library.checking import Checked, drop_orphans, problems_of
from cocadesk.library.healing import heal, mend_folder
from cocadesk.library.layout import (
    BACKUPS_FOLDER,
    EDITS,
    MEDIA,
    SCHEMA_VERSION,
    Manifest,
    write_manifest,
)
from cocadesk.library.notices import clear_notices, read_notices
from cocadesk.library.projection import Projection
from cocadesk.library.schema import ROOTS
from cocadesk.library.store import Store

log = logging.getLogger(__name__)


class LibraryCare:
    """Looks after one open library; all but ``problems`` and ``export`` need its writer."""

    def __init__(self, library: Checked, store: Store) -> None:
        self._library = library
        self._store = store
        self._projection = Projection(library.folder, library.edits, library.media)

    def problems(self, *, awaited: str = "") -> list[str]:
        """Sentences on all that is wrong with it; every file is read, nothing is changed.

        ``awaited`` is the image id of a starter whose vectors are being made.
        """
        return problems_of(self._library, self._store, awaited)

    def repair(self) -> list[str]:
        """Mend what can be mended, reading every file; sentences on what was done.

        Nobody else may use the library meanwhile. Notices are done with then.
        """
        clear_notices(self._library.folder)
        with self._store.writing():
            self._store.close()
            damaged = mend_folder(self._library.folder, thorough=True)
            self._store.create_missing()
            heal(self._library, damaged)
            done = [*read_notices(self._library.folder), *drop_orphans(self._library)]
        clear_notices(self._library.folder)
        return done

    def bring_up_to_date(self, made: Manifest, damaged: Set[str]) -> None:
        """Make the tables and columns that the library lacks, as ``made`` describes it.

        That of an older program is backed up before, but not where tables are ``damaged``: the
        newest backup heals them, and this one would lack what they have lost.
        """
        if made.is_older:
            log.info("a library of an older program is brought up to date")
            self._store.create_missing(columns=False)
            if damaged.isdisjoint((EDITS, MEDIA, ROOTS)):
                self._back_up_before_update(is_begun=made.is_half_updated)
            # Before the first column: the older program would write rows without it.
            begun = replace(made, schema=SCHEMA_VERSION, is_half_updated=True)
            write_manifest(self._library.folder, begun)
        self._store.create_missing()

    def settle_annotations(self, damaged: Set[str]) -> None:
        """Bring what people said into ``damaged`` tables, and the columns up to the log."""
        if damaged:
            heal(self._library, damaged)
        else:
            self._projection.bring_up_to_date()

    def note_order(self) -> None:
        """Note that the columns are what the log says, if they are: the next writer need not look.

        An engine may be ended with the computer, long after the last write.
        """
        # Where another machine has taken over, or an object store is away, that one looks.
        with contextlib.suppress(UserError), self._store.writing():
            self._projection.note()

    def _back_up_before_update(self, *, is_begun: bool) -> None:
        try:
            back_up_before_update(self._library, is_begun=is_begun)
        except (UserError, OSError) as error:
            # Columns are only added, and old versions of the tables stay for a day.
            log.warning("no backup before the update: %s", error)

    def back_up_daily(self) -> None:
        """Write today's backup unless it is there; where the disk refuses, the work goes on."""
        try:
            back_up_daily(self._library)
        except (UserError, OSError) as error:
            log.warning("no backup of today: %s", error)

    def back_up(self, to: Path | None = None) -> Path:
        """Write a backup of annotations, folders and settings; see ``backups``."""
        return back_up(self._library, to=to)

    def restore(self, path: Path | None = None) -> Restored:
        """Bring annotations and folders of a backup (the newest) in, keeping what is newer.

        Raises:
            UserError: there is none, or it is damaged.
        """
        newest = next(iter(backups_of(self._library.folder)), None)
        if path is None and newest is None:
            raise UserError(
                tr("There is no backup in {folder}.", folder=self._library.folder / BACKUPS_FOLDER),
                "",
                tr("Choose a backup file that you keep elsewhere."),
            )
        with self._store.writing():
            return restore(self._library, read_backup(path or newest or self._library.folder))

    def export(self, folder: Path) -> list[Path]:
        """Write media with their captions and tags, and the log of edits, as Parquet files."""
        return exported(self._library, self._store.read(MEDIA), folder)
