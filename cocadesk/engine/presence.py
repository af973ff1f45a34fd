"""Whether files of media are in their places, looked at once somebody has moved them."""

from __future__ import annotations

import os
from pathlib import Path

from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.errors import tr
from cocadesk.library.rows import MediaRow, MediaState, paths_of
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import FilesNoted, NoteFiles, RowsChanged

GONE = tr("The file was moved out of its place, e.g. into the system's bin.")


class PresenceHandler(RequestHandler):
    """Notes what is missing, and what is back, without an index.

    It is what the next index would find: words stay with a missing medium, which is no
    longer listed. What is on a disk that is away is left as it is.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library

    def _note(self, body: NoteFiles, call: Call) -> FilesNoted:
        media = self._library.media
        with self._library.writing():
            rows = media.rows(list(body.keys))
            gone = [row.key for row in rows if row.state is MediaState.PRESENT and _is_gone(row)]
            back = [row.key for row in rows if row.state is MediaState.MISSING and _is_back(row)]
            media.set_state(gone, MediaState.MISSING, GONE)
            media.set_state(back, MediaState.PRESENT, None)
        if gone or back:
            self._context.publish(RowsChanged())  # lists are others now
        return FilesNoted(missing=tuple(gone), present=tuple(back))


def _is_gone(row: MediaRow) -> bool:
    """True where none of its files is there, though its folder is."""
    paths = paths_of(row)
    return Path(os.fsdecode(row.path)).parent.is_dir() and not any(map(os.path.lexists, paths))


def _is_back(row: MediaRow) -> bool:
    """True where the very file is there again; another one in its place is an index's to judge."""
    try:
        state = Path(os.fsdecode(row.path)).stat()
    except OSError:
        return False
    return (state.st_size, state.st_mtime_ns) == (row.size_bytes, row.mtime_ns)
