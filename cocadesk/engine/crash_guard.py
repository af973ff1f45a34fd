"""Crashes seen from the next engine: was anything gained, and which file was in hand."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from cocadesk.engine.job_records import CRASHES_ALLOWED, JobSpec
from cocadesk.errors import tr
from cocadesk.library.in_hand import forget_in_hand, left_in_hand
from cocadesk.library.layout import MEDIA, STORE_FOLDER
from cocadesk.library.library import Library
from cocadesk.library.paths import folder_of, is_under
from cocadesk.library.rows import DESCRIBE, EMBED, FailureRow
from cocadesk.library.snapshot import fingerprint
from cocadesk.protocol.values import JobKind


class CrashGuard:
    """The witness (see ``job_records``) of one library's jobs."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self.is_careful = False
        """True where the job at work killed engines without a gain: it takes one file at a time."""

    def mark(self) -> str:
        """The state of the media: another text once a job has committed anything."""
        return fingerprint(self._library.folder / STORE_FOLDER, (MEDIA,)) or ""

    def in_hand(self) -> tuple[bytes, ...]:
        """The files that a job had begun and not committed when the last engine died."""
        return left_in_hand(self._library.folder)

    def watch(self, spec: JobSpec) -> None:
        """A job with this history begins: what another one had in hand is past."""
        forget_in_hand(self._library.folder)
        self.is_careful = spec.crashes >= CRASHES_ALLOWED - 1

    def skip(self, kind: JobKind, suspects: Sequence[bytes]) -> str:
        """Let such jobs pass over the file at fault, where there is one; gives its name.

        A file that can't be described is indexed all the same.
        """
        if len(suspects) != 1 or not self._library.is_writer:
            return ""
        (path,) = suspects
        try:
            status = Path(os.fsdecode(path)).stat()
        except OSError:
            return ""
        self._library.media.record_failures(
            [
                FailureRow(
                    path=path,
                    root=self._root_of(path),
                    reason=tr(
                        "CocaDesk ended unexpectedly {crashes_allowed} times while it read it.",
                        crashes_allowed=CRASHES_ALLOWED,
                    ),
                    stage=DESCRIBE if kind is JobKind.CAPTION else EMBED,
                    when=datetime.now(UTC),
                    size_bytes=status.st_size,
                    mtime_ns=status.st_mtime_ns,
                )
            ]
        )
        return os.fsdecode(path).encode("utf-8", "replace").decode()

    def _root_of(self, path: bytes) -> bytes:
        roots = (root.path for root in self._library.roots.all())
        return min((r for r in roots if is_under(path, r)), key=len, default=folder_of(path))
