"""Writes files beside photos by the log: the log first, then the files.

The log of human edits is the truth about these files too. A short journal in the
library says which of its rows are being written; after a crash the next writer
finishes them, so that log and files agree.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cocadesk.annotations.progress import SkippedFile
from cocadesk.annotations.sidecar_files import (
    RefusedError,
    check_there,
    drop_temporary,
    put_file,
    read_file,
    sync_folders,
)
from cocadesk.annotations.sidecars import FileState
from cocadesk.errors import kept
from cocadesk.library.atomic import write_atomically
from cocadesk.library.edits import FILE_FIELD
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit

JOURNAL = "writing.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetChange:
    """The whole effect of a batch on one file."""

    key: str
    before: FileState
    after: FileState


def net_changes(edits: Iterable[Edit]) -> list[NetChange]:
    """The effect of a batch on each file, without files that ended as they began."""
    found: dict[bytes, NetChange] = {}
    for edit in edits:
        if edit.field != FILE_FIELD or edit.old == edit.new:
            continue
        old, new = FileState.from_json(edit.old), FileState.from_json(edit.new)
        before = found[new.path].before if new.path in found else old
        found[new.path] = NetChange(key=edit.key, before=before, after=new)
    return [change for change in found.values() if change.before.data != change.after.data]


class FileWriter:
    """Records edits and brings the files that they speak of up to date.

    One at a time; the caller holds the lock of ``HumanAnnotations``.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._journal = library.folder / JOURNAL

    def apply(self, edits: Sequence[Edit]) -> list[SkippedFile]:
        """Records the edits of one batch, then writes its files; gives those that were skipped."""
        if not any(edit.field == FILE_FIELD for edit in edits):
            self._library.edits.record(edits)
            return []
        if self._journal.exists():  # a full disk may have stopped the last one
            self.recover()
        mark = {"batch": edits[0].batch, "seq": self._library.edits.next_seq()}
        write_atomically(self._journal, json.dumps(mark).encode(), durable=False)
        skipped = self._bring_up_to_date(self._library.edits.record(edits))
        self._journal.unlink(missing_ok=True)
        return skipped

    def recover(self) -> None:
        """Finishes what a killed writer had in hand."""
        mark = _read_mark(self._journal)
        if mark is not None:
            batch, seq = mark
            edits = [e for e in self._library.edits.of_batch(batch) if e.seq >= seq]
            skipped = self._bring_up_to_date(edits)
            _log.info("finished writing %d files, skipped %d", len(edits), len(skipped))
        self._journal.unlink(missing_ok=True)

    def _bring_up_to_date(self, edits: Sequence[Edit]) -> list[SkippedFile]:
        """Writes what the rows say; what cannot be written is put right in the log."""
        rows = {FileState.from_json(e.new).path: e for e in edits if e.field == FILE_FIELD}
        skipped: list[SkippedFile] = []
        corrections: list[Edit] = []
        changes = net_changes(edits)
        for change in changes:
            try:
                _put(change)
            except RefusedError as refused:
                skipped.append(_skipped(change.after.path, refused))
                claim = rows[change.after.path]
                corrections.append(replace(claim, old=claim.new, new=change.before.to_json()))
        sync_folders(change.after.path for change in changes)
        self._library.edits.record(corrections)
        return skipped


def _put(change: NetChange) -> None:
    """Writes a file unless that is done.

    Raises:
        RefusedError: it stays as it is, e.g. since somebody else has changed it.
    """
    path, before, after = change.after.path, change.before.data, change.after.data
    drop_temporary(path)
    if read_file(path) != after:
        put_file(path, before, after)


def _read_mark(journal: Path) -> tuple[str, int] | None:
    """The batch in hand and its first row, or None."""
    try:
        raw = json.loads(journal.read_text("utf-8"))
        return str(raw["batch"]), int(raw["seq"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        _log.warning("%s is damaged and ignored: %s", journal, error)
        return None


def planned_states(
    changes: Iterable[NetChange], *, is_undo: bool
) -> tuple[list[NetChange], list[SkippedFile]]:
    """The files to write so as to take a batch back (or repeat it), and those to skip.

    A file is written only while it holds what the batch (or its undo) has left there.
    """
    wanted: list[NetChange] = []
    skipped: list[SkippedFile] = []
    for change in changes:
        start, end = (change.after, change.before) if is_undo else (change.before, change.after)
        try:
            check_there(end.path)
            now = read_file(end.path)
            if now == end.data:
                continue
            if now != start.data:
                raise RefusedError(_changed_reason(now, start))
        except RefusedError as refused:
            skipped.append(_skipped(end.path, refused))
            continue
        wanted.append(NetChange(key=change.key, before=start, after=end))
    return wanted, skipped


def _skipped(path: bytes, refused: RefusedError) -> SkippedFile:
    return SkippedFile(path=path, reason=refused.reason, is_failure=refused.is_failure)


def _changed_reason(now: bytes | None, start: FileState) -> str:
    if now is None:
        return kept("It is not there any more.")
    return (
        kept("Somebody has written it since.")
        if start.data is None
        else kept("It was changed since.")
    )
