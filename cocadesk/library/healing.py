"""A library after damage: what was lost of one part is taken from the others.

People's annotations stand twice, in the log and in the columns of ``media``, and a third
time in the backups: each is made again from what is left. Vectors, failures and jobs are
made again by the next index.
"""

from __future__ import annotations

from collections.abc import Set
from functools import partial
from pathlib import Path

from cocadesk.errors import UserError, kept
from cocadesk.library.backups import Backed, add_waiting, backups_of, merge_backup, read_backup
from cocadesk.library.commits import tables_in
from cocadesk.library.layout import (
    DAMAGED_FOLDER,
    EDITS,
    MANIFEST_NAME,
    MEDIA,
    STORE_FOLDER,
    mend_manifest,
    read_manifest,
)
from cocadesk.library.mending import damaged_tables, mend_tables
from cocadesk.library.notices import add_notices, pending_tables, set_pending
from cocadesk.library.schema import ROOTS, TABLES
from cocadesk.library.store import can_read

_RECOVERED = "recovered"
"""The author of annotations that were taken from the columns of ``media``."""


def damaged_in(folder: Path) -> set[str]:
    """The tables that a writer would find damaged, or not healed since; only looks."""
    store = folder / STORE_FOLDER
    return pending_tables(folder) | set(damaged_tables(store) if tables_in(store) else TABLES)


def is_without_tables(folder: Path) -> bool:
    """True where all tables are gone."""
    return not tables_in(folder / STORE_FOLDER)


def mend_folder(folder: Path, *, thorough: bool = False) -> set[str]:
    """Make all tables readable before they are opened; the ones that ``heal`` must see to.

    ``thorough`` reads every file against its checksum.
    """
    store = folder / STORE_FOLDER
    damaged, notices = pending_tables(folder), []

    def before(table: str) -> None:
        damaged.add(table)
        set_pending(folder, damaged)

    if mend_manifest(folder):
        notices.append(kept("The file {file} was damaged; its copy is used.", file=MANIFEST_NAME))
    is_made = read_manifest(folder) is not None
    if is_made and not tables_in(store):
        damaged.update(TABLES)
        set_pending(folder, damaged)
        notices.append(kept("The library's tables were gone; index its folders again."))
    found = mend_tables(
        store,
        folder / DAMAGED_FOLDER,
        can_read=partial(can_read, store),
        before=before,
        thorough=thorough,
    )
    for damage in found:
        damaged.add(damage.table)
        notices.append(damage.notice)
    if is_made:  # Else a crash came while the library was being made: there is nothing to lose.
        add_notices(folder, notices)
    return damaged


def heal(library: Backed, damaged: Set[str]) -> None:
    """Bring annotations and folders back into tables that were set back."""
    folder = library.folder
    notices = []
    waiting = 0
    if damaged & {EDITS, MEDIA}:
        found, waiting = _from_backup(library)
        notices += found
    if EDITS in damaged:
        count = library.edits.rebuild(_RECOVERED, only_unknown=MEDIA in damaged)
        if count:
            notices.append(
                kept(
                    "{number} captions, tags and ratings of people were taken into the log again "
                    "from the table of photos and videos.",
                    number=f"{count:,}",
                )
            )
    if damaged & {EDITS, MEDIA}:
        waiting += add_waiting(library, library.edits.all())
        if waiting:
            notices.append(
                kept(
                    "{number} annotated photos and videos wait for the next index.",
                    number=f"{waiting:,}",
                )
            )
    if ROOTS in damaged:
        _add_roots(library)
    library.edits.replay()
    add_notices(folder, notices)
    set_pending(folder, ())


def _from_backup(library: Backed) -> tuple[list[str], int]:
    """Merge the newest backup that can be read; sentences, and the media that wait for an index."""
    for path in backups_of(library.folder):
        try:
            done = merge_backup(library, read_backup(path))
        except UserError:
            continue
        said = kept(
            "{number} entries of the log were taken from the backup {name}.",
            number=f"{done.edits:,}",
            name=path.name,
        )
        return ([said] if done.edits else []), done.waiting
    return [], 0


def _add_roots(library: Backed) -> None:
    """The folders that media lie in, where the table of folders has lost them."""
    known = {root.path for root in library.roots.all()}
    for path in sorted({one.root for one in library.media.identities()} - known):
        library.roots.add(path)
