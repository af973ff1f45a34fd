"""One writer at a time: a lock of the operating system that dies with its process."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.library.storage import storage_of
from cocadesk.library_uri import shown_name

LOCK_NAME = "lock"
# Windows locks bytes against reading too, so the locked one lies far behind the pid.
_LOCKED_BYTE = 1 << 20


class WriterLock:
    """Holds ``lock`` in a library's folder until ``release``, and the lease of one in a store.

    The lock is the kernel's (flock, or LockFile on Windows), so that of a
    process that was killed is gone with it and the next one takes over; the
    pid written inside is only for the sentence that the second writer gets.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        self._storage = storage_of(folder)
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            UserError: another process holds it (the sentence names its pid) or another
                machine (named), or the folder can't be written.
        """
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UserError(
                tr(
                    "The library in {folder} can't be written.",
                    folder=shown_name(self._path.parent),
                ),
                tr("The reason: {reason}.", reason=error.strerror or error),
                tr("Check the folder's permissions, or choose another with --library."),
            ) from error
        try:
            _lock(file)
        except OSError:
            pid = _read_pid(file)
            os.close(file)
            raise self._taken(pid) from None
        # On a full disk the sentence of the second writer must do without the number.
        with contextlib.suppress(OSError):
            os.ftruncate(file, 0)
            os.lseek(file, 0, os.SEEK_SET)
            os.write(file, f"{os.getpid()}\n".encode())
        self._file = file
        try:
            self._storage.hold()
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Give the lock back; twice is once. The file stays: removing it would race."""
        if self._file is not None:
            self._storage.let_go()
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    def _taken(self, pid: str) -> UserError:
        holder = tr("process {process}", process=pid) if pid else tr("another process")
        return UserError(
            tr(
                "The library in {folder} is already open for writing by {holder}.",
                folder=shown_name(self._path.parent),
                holder=holder,
            ),
            tr("Only one engine at a time may write a library."),
            tr("Use that one, or close it (process {process}) and try again.", process=pid or "?"),
        )


def _read_pid(file: int) -> str:
    os.lseek(file, 0, os.SEEK_SET)
    return os.read(file, 32).decode("ascii", "replace").strip()


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
