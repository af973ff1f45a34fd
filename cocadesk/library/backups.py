"""Backups of what cannot be made again: the log of edits, folders, settings, annotated media.

One zip file each, small beside vectors and thumbnails. ``backups/YYYY-MM-DD.zip`` is made
by itself once a day, one before the tables are brought up to date; one that a person asks
for has the time in its name. These two stay.
"""

from __future__ import annotations

import heapq
import io
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from cocadesk.errors import UserError, tr
from cocadesk.library.archives import DAMAGED, from_parquet, to_parquet
from cocadesk.library.atomic import write_atomically
from cocadesk.library.edits import EditLog, projected
from cocadesk.library.layout import (
    BACKUPS_FOLDER,
    EDITS,
    MANIFEST_NAME,
    MEDIA,
    SCHEMA_VERSION,
    VOCABULARY_NAME,
)
from cocadesk.library.paths import is_under
from cocadesk.library.rows import Edit, Identity, MediaChange, MediaRow, MediaState, RootRow
from cocadesk.library.schema import HUMAN_COLUMNS, ROOTS, arrow_to_rows, rows_to_arrow
from cocadesk.library.storage import storage_of
from cocadesk.library.tables import MediaTable, RootTable

BACKUPS_KEPT = 7
_BY_ITSELF = re.compile(r"^\d{4}-\d\d-\d\d\.zip$")
_BEFORE_UPDATE = f" before schema {SCHEMA_VERSION}.zip"
_EDITS, _ROOTS, _ANNOTATED = "edits.parquet", "roots.parquet", "annotated.parquet"
_ANNOTATED_COLUMNS = ("key", "path", "file_hash", *HUMAN_COLUMNS)
_NO_PICTURE = "0" * 32


class Backed(Protocol):
    """The parts of a library that a backup is made of."""

    folder: Path
    media: MediaTable
    edits: EditLog
    roots: RootTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """The content of a backup; ``annotated`` has path and file hash by key."""

    edits: tuple[Edit, ...]
    roots: tuple[RootRow, ...]
    annotated: Mapping[str, tuple[bytes, str]]
    vocabulary: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The outcome of a restore: fields of media that people had filled.

    ``newer`` were changed after the backup and stay; ``waiting`` media are not indexed yet.
    """

    edits: int = 0
    newer: int = 0
    waiting: int = 0
    folders: int = 0
    vocabulary_differs: bool = False


def backups_of(folder: Path) -> list[Path]:
    """The backups of the library in ``folder``, newest first; a person's after that of the day."""
    storage_of(folder).pull_folder(folder / BACKUPS_FOLDER)
    found = (folder / BACKUPS_FOLDER).glob("*.zip")
    return sorted(found, key=lambda path: path.stem, reverse=True)


def back_up(library: Backed, *, to: Path | None = None) -> Path:
    """Write a backup; where, if not ``to``, the library's folder of backups.

    Raises:
        UserError: the disk is full or refuses.
    """
    name = datetime.now().astimezone().strftime("%Y-%m-%d %H%M%S.zip")
    path = to or library.folder / BACKUPS_FOLDER / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            tr("The backup can't be written to {path}.", path=path),
            tr("The reason: {reason}.", reason=error.strerror),
        ) from error
    if library.folder in path.parents:
        storage_of(library.folder).write(path, _content(library))
    else:
        write_atomically(path, _content(library), durable=True)
    return path


def back_up_daily(library: Backed) -> Path | None:
    """Write the backup of today unless it is there or there is nothing to keep; drop old ones."""
    name = datetime.now().astimezone().strftime("%Y-%m-%d.zip")
    path = library.folder / BACKUPS_FOLDER / name
    if path in backups_of(library.folder) or not _has_content(library):
        return None
    back_up(library, to=path)
    by_itself = [p for p in backups_of(library.folder) if _BY_ITSELF.match(p.name)]
    for old in by_itself[BACKUPS_KEPT:]:
        storage_of(library.folder).remove(old)
    return path


def back_up_before_update(library: Backed, *, is_begun: bool) -> None:
    """Write the one backup of before an update of the tables, unless there is nothing to keep.

    One that an update which has begun wrote stays if it is whole; others give way to it.
    """
    there = [p for p in backups_of(library.folder) if p.name.endswith(_BEFORE_UPDATE)]
    if not _has_content(library) or (is_begun and any(map(_is_whole, there))):
        return
    day = datetime.now().astimezone().strftime("%Y-%m-%d")
    written = back_up(library, to=library.folder / BACKUPS_FOLDER / f"{day}{_BEFORE_UPDATE}")
    for path in there:
        if path != written:
            storage_of(library.folder).remove(path)


def _has_content(library: Backed) -> bool:
    return bool(library.roots.all()) or library.edits.next_seq() > 1


def _is_whole(path: Path) -> bool:
    try:
        read_backup(path)
    except UserError:
        return False
    return True


def _content(library: Backed) -> bytes:
    edits = library.edits.all()
    keys = {edit.key for edit in edits}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (MANIFEST_NAME, VOCABULARY_NAME):
            path = library.folder / name
            if path.is_file():
                archive.writestr(name, path.read_bytes())
        archive.writestr(_EDITS, to_parquet(rows_to_arrow(EDITS, edits)))
        archive.writestr(_ROOTS, to_parquet(rows_to_arrow(ROOTS, library.roots.all())))
        rows = library.media.iter_rows(sorted(keys))
        archive.writestr(_ANNOTATED, to_parquet(rows_to_arrow(MEDIA, rows, _ANNOTATED_COLUMNS)))
    return buffer.getvalue()


def read_backup(path: Path) -> Backup:
    """The content of a backup.

    Raises:
        UserError: there is none, or it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            tables = {n: from_parquet(archive.read(n)) for n in (_EDITS, _ROOTS, _ANNOTATED)}
            vocabulary = archive.read(VOCABULARY_NAME) if VOCABULARY_NAME in names else None
        marks = tables[_ANNOTATED].select(["key", "path", "file_hash"]).to_pylist()
        return Backup(
            edits=tuple(arrow_to_rows(Edit, tables[_EDITS])),
            roots=tuple(arrow_to_rows(RootRow, tables[_ROOTS])),
            annotated={mark["key"]: (mark["path"], mark["file_hash"]) for mark in marks},
            vocabulary=vocabulary,
        )
    except FileNotFoundError as error:
        raise UserError(
            tr("There is no backup {path}.", path=path), "", tr("Check its name.")
        ) from error
    except DAMAGED as error:
        raise UserError(
            tr("The backup {path} can't be read.", path=path),
            tr("The reason: {reason}.", reason=error),
            tr("Take an older one from the library's folder of backups."),
        ) from error


def restore(library: Backed, backup: Backup) -> Restored:
    """Bring a backup's annotations and folders into a library, which keeps what it has."""
    done = merge_backup(library, backup)
    library.edits.replay()
    return done


def merge_backup(library: Backed, backup: Backup) -> Restored:
    """As ``restore``, before the log is projected into ``media``.

    Each edit takes the place of its time in the log, so newer annotations stay. A medium
    is found by its key, else by its file's path and hash, else by its hash alone; one
    that is not here waits for the index that finds its file.
    """
    known = library.media.identities()
    keys = _keys_here(backup, known)
    theirs = [replace(edit, key=keys.get(edit.key, edit.key)) for edit in backup.edits]
    mine = library.edits.all()
    have = {_mark(edit) for edit in mine}
    added = [edit for edit in theirs if _mark(edit) not in have]
    waiting = add_waiting(library, [*mine, *added])
    if added:
        library.edits.replace_all(list(heapq.merge(mine, added, key=lambda edit: edit.when)))
    final, wanted = projected(library.edits.all()), projected(theirs)
    newer = sum(
        final.get(key, {}).get(field) != value
        for key, fields in wanted.items()
        for field, value in fields.items()
    )
    roots = {root.path for root in library.roots.all()}
    missing = [root for root in backup.roots if root.path not in roots]
    for root in missing:
        library.roots.add(root.path)
    return Restored(
        edits=len(added),
        newer=newer,
        waiting=waiting,
        folders=len(missing),
        vocabulary_differs=_restore_vocabulary(library.folder, backup.vocabulary),
    )


def _mark(edit: Edit) -> tuple[object, ...]:
    return (edit.batch, edit.key, edit.field, edit.when, edit.new)


def _keys_here(backup: Backup, known: Iterable[Identity]) -> dict[str, str]:
    """The keys of this library by those of a backup, where they differ."""
    here = list(known)
    keys = {one.key for one in here}
    by_file = {(one.path, one.file_hash): one.key for one in here}
    by_hash = {one.file_hash: one.key for one in here}
    places = {edit.key: (edit.path or b"", edit.file_hash or "") for edit in backup.edits}
    places.update(backup.annotated)
    found: dict[str, str] = {}
    for key, (path, file_hash) in places.items():
        same = by_file.get((path, file_hash)) or by_hash.get(file_hash)
        if key not in keys and same is not None:
            found[key] = same
    return found


def add_waiting(library: Backed, edits: Iterable[Edit]) -> int:
    """Add rows for annotated media that the library lacks, for the next index to fill.

    Returns their number.
    """
    known = {one.key for one in library.media.identities()}
    roots = [root.path for root in library.roots.all()]
    lost = {
        edit.key: edit for edit in edits if edit.key not in known and edit.path and edit.file_hash
    }
    rows = [_waiting_row(edit, roots) for edit in lost.values()]
    library.media.commit([MediaChange(row=row, is_new=True) for row in rows])
    return len(rows)


def _waiting_row(edit: Edit, roots: Iterable[bytes]) -> MediaRow:
    """A medium of which only path and hash are known: it differs from any file, so it is read."""
    path = edit.path or b""
    is_there = Path(os.fsdecode(path)).exists()
    return MediaRow(
        key=edit.key,
        root=next((root for root in roots if is_under(path, root)), os.path.dirname(path)),  # noqa: PTH120
        path=path,
        size_bytes=-1,
        mtime_ns=0,
        file_hash=edit.file_hash or "",
        picture_hash=_NO_PICTURE,
        state=MediaState.PRESENT if is_there else MediaState.MISSING,
    )


def _restore_vocabulary(folder: Path, vocabulary: bytes | None) -> bool:
    """Put the file of tags back where there is none; True where another one is there."""
    path = folder / VOCABULARY_NAME
    if vocabulary is None:
        return False
    if not path.exists():
        storage_of(folder).write(path, vocabulary)
    return path.read_bytes() != vocabulary


def exported(library: Backed, table: pa.Table, folder: Path) -> list[Path]:
    """Write media (with the captions and tags that count) and edits as Parquet files.

    ``table`` holds all rows of media.

    Raises:
        UserError: the disk is full or refuses.
    """
    rows = arrow_to_rows(MediaRow, table)
    count = [("caption", [row.caption for row in rows], pa.string())]
    tags = [[tag.tag for tag in row.tags] for row in rows]
    for name, values, kind in (*count, ("tags", tags, pa.list_(pa.string()))):
        table = table.append_column(name, pa.array(values, kind))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            tr("{folder} can't be made.", folder=folder),
            tr("The reason: {reason}.", reason=error.strerror),
        ) from error
    files = {
        "media.parquet": table,
        "edits.parquet": rows_to_arrow(EDITS, library.edits.all()),
    }
    for name, content in files.items():
        write_atomically(folder / name, to_parquet(content), durable=True)
    return [folder / name for name in files]
