"""The word of a writer, in the idle and at its end: the human columns are what the log says.

Making sure of that reads the whole log, which takes seconds where it is long. So the state
of both tables is noted; where neither was written since, nothing is read.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.atomic import write_atomically
from cocadesk.library.edits import EditLog
from cocadesk.library.layout import EDITS, MEDIA, STORE_FOLDER
from cocadesk.library.snapshot import fingerprint
from cocadesk.library.tables import MediaTable

NOTE_NAME = "words-in-place"


class Projection:
    """Brings the human columns of one library's media up to the log when it is opened."""

    def __init__(self, folder: Path, log: EditLog, media: MediaTable) -> None:
        self._folder = folder
        self._log = log
        self._media = media

    def bring_up_to_date(self) -> None:
        """Project the log, unless a writer has noted these very tables as in order."""
        state = self._state()
        if state is not None and state == self._noted():
            self._log.is_projected = True
        else:
            self._log.replay()

    def note(self) -> None:
        """Note that the tables are in order, if they are."""
        is_in_order = self._log.is_projected and not self._media.has_returned
        # Where it can't be written, or an object store is away, the next writer looks for itself.
        with contextlib.suppress(UserError):
            state = self._state() if is_in_order else None
            if state is not None and state != self._noted():
                write_atomically(self._folder / NOTE_NAME, state.encode(), durable=False)

    def _state(self) -> str | None:
        return fingerprint(self._folder / STORE_FOLDER, (EDITS, MEDIA))

    def _noted(self) -> str:
        try:
            return (self._folder / NOTE_NAME).read_bytes().decode("ascii", "replace")
        except OSError:
            return ""
