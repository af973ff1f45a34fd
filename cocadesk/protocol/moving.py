"""A library moved to another folder, and the old copy removed."""

from __future__ import annotations

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody


class MoveLibrary(RequestBody, frozen=True):
    """Copies the library into another folder, compares the copy and lets it count from then on.

    ``folder`` is the library's new folder, or one that is there, in which it gets its own. The
    old copy stays until ``RemoveOldLibrary``; nobody can write it any more, so that whoever asked
    sends ``StopEngine`` next and opens the new one. Refused while a job runs; cancelled, nothing
    has changed. ``Progress`` counts files; answered by ``LibraryMoved``.
    """

    folder: WirePath


class LibraryMoved(ReplyBody, frozen=True):
    """The library is in ``folder`` now, and its old copy in ``old``."""

    folder: WirePath
    old: WirePath
    size_bytes: int = 0


class RemoveOldLibrary(RequestBody, frozen=True):
    """Removes the copy that a move has left behind (``Info.moved_from``); ``CareReport``."""
