"""The door to watchdog: what the system tells of changes in folders, and where it can't.

Events are hints. Some get lost (a full queue, a disk that another computer writes to), so
whoever hears of one looks at the folder, and looks now and then without one too.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.errors import kept

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers.api import BaseObserver, ObservedWatch

MOUNTS = Path("/proc/self/mountinfo")
_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs"}
    | {"vboxsf", "prl_fs", "virtiofs", "drvfs", "davfs", "coda", "fuse"}
)
_LOCAL_FUSE = frozenset({"fuse.ntfs-3g", "fuse.exfat", "fuseblk"})
_FULL = {errno.ENOSPC, errno.EMFILE, errno.ENFILE}

IS_FILE = kept("A single file is looked at now and then.")
IS_ABSENT = kept("It is not there; it is looked for every few seconds.")
IS_FULL = kept(
    "The system watches as many folders as it may (fs.inotify.max_user_watches); "
    "this one is looked through now and then."
)


def remote_kind(path: bytes, mounts: Path = MOUNTS) -> str:
    """The kind of file system at ``path`` where others may change it unseen; else empty.

    Linux alone says what kind it is; elsewhere nothing counts as such.
    """
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return ""
    real, longest, kind = os.path.realpath(path), b"", ""
    for line in lines:
        before, _, after = line.partition(b" - ")
        fields = before.split(b" ")
        if len(fields) < 5 or not after:
            continue
        place = _unescaped(fields[4])
        is_above = real == place or real.startswith(place.rstrip(b"/") + b"/")
        # A later line for the same place is what lies on top.
        if is_above and len(place) >= len(longest):
            longest, kind = place, after.split(b" ")[0].decode("ascii", "replace")
    is_fuse = kind.startswith("fuse.") and kind not in _LOCAL_FUSE
    return kind if kind in _REMOTE or is_fuse else ""


def _unescaped(text: bytes) -> bytes:
    """A path of the table of mounts: blanks and the like stand there as octal numbers."""
    for octal, plain in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        text = text.replace(octal, plain)
    return text


class FolderWatch:
    """Tells of changes below some folders; ``on_change`` gets paths, on a thread of its own.

    ``why_not`` gives the reason not to watch a folder though it could be; tests give one.
    """

    def __init__(
        self,
        on_change: Callable[[bytes], None],
        *,
        why_not: Callable[[bytes], str] = lambda path: _why_remote(path),
    ) -> None:
        self._on_change = on_change
        self._why_not = why_not
        self._observer: BaseObserver | None = None
        self._watches: dict[bytes, tuple[tuple[int, int], ObservedWatch]] = {}

    def watch(self, roots: Iterable[bytes]) -> dict[bytes, str]:
        """Watches these folders and no others; gives by folder why one is not, or nothing.

        Call it again whenever a folder may be another one than before.
        """
        there = {root: _identity(root) for root in roots}
        for root, (identity, _) in list(self._watches.items()):
            if there.get(root) != identity:
                self._unwatch(root)
        reasons = {root: self._begin(root, identity) for root, identity in there.items()}
        if any(not reason for reason in reasons.values()) and self._is_full():
            reasons = {root: reason or IS_FULL for root, reason in reasons.items()}
        return reasons

    def close(self) -> None:
        """Ends all watching."""
        observer, self._observer = self._observer, None
        self._watches.clear()
        if observer is not None:
            observer.stop()
            observer.join()

    def _begin(self, root: bytes, identity: tuple[int, int] | None) -> str:
        if root in self._watches:
            return ""
        if identity is None:
            return IS_ABSENT
        if not os.path.isdir(root):  # noqa: PTH112 - paths are bytes here
            return IS_FILE
        if reason := self._why_not(root):
            return reason
        try:
            self._watches[root] = identity, self._schedule(root)
        except OSError as error:
            if error.errno in _FULL:
                return IS_FULL
            return kept("The system can't watch it: {fault}.", fault=error.strerror or error)
        return ""

    def _schedule(self, root: bytes, *, is_probe: bool = False) -> ObservedWatch:
        if self._observer is None:
            from watchdog.observers import Observer

            # A folder that has just come may be added twice; the later one counts.
            warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
            self._observer = Observer()
            self._observer.start()
        handler, events = _handler(self._on_change)
        return self._observer.schedule(
            handler, os.fsdecode(root), recursive=not is_probe, event_filter=events
        )

    def _unwatch(self, root: bytes) -> None:
        _, watch = self._watches.pop(root)
        if self._observer is not None:
            self._observer.unschedule(watch)

    def _is_full(self) -> bool:
        """True where not one folder more could be watched: then some within may not be."""
        if not sys.platform.startswith("linux"):
            return False
        try:
            probe = self._schedule(b"/proc/self", is_probe=True)
        except OSError as error:
            return error.errno in _FULL
        if self._observer is not None:
            self._observer.unschedule(probe)
        return False


def _why_remote(path: bytes) -> str:
    kind = remote_kind(path)
    if not kind:
        return ""
    return kept(
        "Its file system ({kind}) does not tell of all changes; it is looked through instead.",
        kind=kind,
    )


def _identity(path: bytes) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - paths are bytes here
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _handler(
    on_change: Callable[[bytes], None],
) -> tuple[FileSystemEventHandler, list[type[FileSystemEvent]]]:
    """What watchdog calls, and the events that it is to be called with."""
    from watchdog import events

    class Handler(events.FileSystemEventHandler):
        """Passes the paths on."""

        def on_any_event(self, event: events.FileSystemEvent) -> None:
            """A file or a folder has come, changed, moved or gone."""
            for path in (event.src_path, event.dest_path):
                if path:
                    on_change(os.fsencode(path))

    wanted: list[type[FileSystemEvent]] = [
        events.FileCreatedEvent,
        events.FileModifiedEvent,
        events.FileMovedEvent,
        events.FileDeletedEvent,
        events.DirCreatedEvent,
        events.DirMovedEvent,
        events.DirDeletedEvent,
    ]
    return Handler(), wanted
