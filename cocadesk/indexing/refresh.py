"""Metadata of known files, read again without decoding or embedding anything.

It is done where more is read of files than when they were indexed, and where their sidecars
have come, gone or changed, though the files themselves have not.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

from cocadesk.indexing.pipeline import TIDY_EVERY_COMMITS, Decoder
from cocadesk.indexing.types import Failed
from cocadesk.library.library import Library
from cocadesk.library.rows import VIEW_FILTER_COLUMNS, MediaChange, MediaKind, MediaRow
from cocadesk.media.metadata.places import gazetteer
from cocadesk.media.types import (
    DecodeFailure,
    DecodeRequest,
    FoundFile,
    PhotoMetadata,
    ReadMetadata,
)

_FILES_A_STEP = 50
_ROWS_A_COMMIT = 500


class Stale(NamedTuple):
    """A known file whose metadata are to be read again, its medium's key and kind."""

    found: FoundFile
    key: str
    kind: str


class _Read(NamedTuple):
    """The mark of what was read, and the metadata; None where they can't be read."""

    mark: str
    metadata: PhotoMetadata | None


class Refreshing:
    """Reads and commits the metadata of stale files; ``failed`` are read again next time.

    ``became_videos`` are photos that an older program knew as such: nothing of them is
    committed, they are to be read anew.
    """

    def __init__(
        self,
        library: Library,
        stale: Sequence[Stale],
        *,
        rows_a_commit: int = _ROWS_A_COMMIT,
        tidy_every: int = TIDY_EVERY_COMMITS,
    ) -> None:
        self._library = library
        self._stale = stale
        self._rows_a_commit = rows_a_commit
        self._tidy_every = tidy_every
        self.done = 0
        self.failed: list[Failed] = []
        self.became_videos: list[Stale] = []

    @property
    def total(self) -> int:
        """The number of files."""
        return len(self._stale)

    def steps(self, decoder: Decoder) -> Generator[int, None, None]:
        """Do it; yields the number of files read, now and then. Closed, it keeps what is read."""
        requests = (
            DecodeRequest(token=number, path=stale.found.path, beside=stale.found.beside)
            for number, stale in enumerate(self._stale)
        )
        waiting: dict[str, _Read] = {}
        commits = 0
        try:
            for done, answer in enumerate(decoder.metadata(requests), start=1):
                self._take(self._stale[answer.token], answer, waiting)
                if len(waiting) == self._rows_a_commit:
                    self._commit(waiting)
                    commits += 1
                    if commits % self._tidy_every == 0:
                        self._library.tidy()
                if done % _FILES_A_STEP == 0:
                    yield done
        finally:
            self._commit(waiting)

    def _take(
        self, stale: Stale, answer: ReadMetadata | DecodeFailure, waiting: dict[str, _Read]
    ) -> None:
        """Note an answer; a file that nothing hinders from being read is not tried again."""
        mark = stale.found.metadata_mark
        if isinstance(answer, ReadMetadata) and answer.is_video and stale.kind == MediaKind.PHOTO:
            self.became_videos.append(stale)
        elif not isinstance(answer, DecodeFailure):
            waiting[stale.key] = _Read(mark, answer.metadata)
        elif not answer.is_passing:
            waiting[stale.key] = _Read(mark, None)
        elif os.path.lexists(answer.path):
            failed = Failed(path=answer.path, reason=answer.reason, is_passing=True)
            self.failed.append(failed)

    def _commit(self, waiting: dict[str, _Read]) -> None:
        with self._library.writing():
            before = self._library.media.rows(sorted(waiting))
            rows = [
                dataclasses.replace(
                    row,
                    **metadata_columns(waiting[row.key].metadata),
                    metadata_mark=waiting[row.key].mark,
                )
                for row in before
            ]
            self._library.media.commit([MediaChange(row=row, is_new=False) for row in rows])
            pairs = zip(before, rows, strict=True)
            self._library.views.set_places([new for old, new in pairs if _is_moved(old, new)])
        self.done += sum(read.metadata is not None for read in waiting.values())
        waiting.clear()


def metadata_columns(metadata: PhotoMetadata | None) -> dict[str, Any]:
    """The values of a media row that its file's metadata give.

    Places that the file does not name are those of its position.
    """
    if metadata is None:
        return {}
    values = dataclasses.asdict(metadata)
    if metadata.latitude is not None and metadata.longitude is not None:
        there = gazetteer().nearest(metadata.latitude, metadata.longitude)
        values |= {name: values[name] or there_is for name, there_is in there._asdict().items()}
    return values


def _is_moved(old: MediaRow, new: MediaRow) -> bool:
    """True where the views' copies of a row's values are not right any more."""
    return any(getattr(old, name) != getattr(new, name) for name in VIEW_FILTER_COLUMNS)
