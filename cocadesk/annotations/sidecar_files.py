"""The door to the ``.txt`` files beside a person's photos: read carefully, written whole.

Paths are the file system's bytes, which pathlib cannot hold.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable
from hashlib import blake2b

from cocadesk.errors import kept
from cocadesk.library.atomic import sync_folder
from cocadesk.locations import UNCHANGED, umask_of_person

MAX_FILE_BYTES = 2**20
"""Larger files are skipped: what is replaced is stored in the library, for undo."""

_READ = os.O_RDONLY
for _name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
    _READ |= getattr(os, _name, 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL
for _name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
    _CREATE |= getattr(os, _name, 0)

_REASONS = {
    errno.EACCES: kept("The folder or the file can't be written to."),
    errno.EPERM: kept("The folder or the file can't be written to."),
    errno.EROFS: kept("The disk is read-only."),
    errno.ENOSPC: kept("The disk is full."),
    errno.EDQUOT: kept("The disk's quota is used up."),
    errno.ENOENT: kept("Its folder is not there."),
    errno.ENOTDIR: kept("Its folder is not there."),
    errno.ENAMETOOLONG: kept("Its name would be too long."),
    errno.ELOOP: kept("It is a link."),
}


class RefusedError(Exception):
    """A file is left as it is; ``reason`` says why in a sentence.

    ``is_failure`` where the disk refused, not we.
    """

    def __init__(self, reason: str, *, is_failure: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_failure = is_failure


def read_file(path: bytes) -> bytes | None:
    """The bytes of a small plain file, or None where there is none.

    Raises:
        RefusedError: it is a link, a folder or a device, too large, or cannot be read.
    """
    try:
        descriptor = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refused(error) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise RefusedError(kept("It is not a plain file."))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _refused(error) from error
    finally:
        os.close(descriptor)
    if len(data) > MAX_FILE_BYTES:
        raise RefusedError(kept("It is larger than a caption can be."))
    return data


def check_there(path: bytes) -> None:
    """Looks whether the folder of a file is there: a disk may not be connected.

    Raises:
        RefusedError: it is not.
    """
    if not os.path.isdir(os.path.dirname(path)):  # noqa: PTH112, PTH120
        raise RefusedError(_REASONS[errno.ENOENT], is_failure=True)


def check_folder(path: bytes) -> None:
    """Looks whether a file can be written there, without writing one.

    Raises:
        RefusedError: its folder is missing, or closed to us.
    """
    check_there(path)
    folder = os.path.dirname(path)  # noqa: PTH120
    if not os.access(folder, os.W_OK | os.X_OK):
        reason = errno.EROFS if _is_read_only(folder) else errno.EACCES
        raise RefusedError(_REASONS[reason], is_failure=True)


def _is_read_only(folder: bytes) -> bool:
    """True where the system tells that nothing can be written to the disk of a folder."""
    is_told = hasattr(os, "statvfs")
    return is_told and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def put_file(path: bytes, expected: bytes | None, wanted: bytes | None) -> None:
    """Replace the file at ``path`` at once; None means that there is none.

    Written beside it, synced, renamed over it, with the old file's permissions; the
    rename itself is durable after ``sync_folders``.

    Raises:
        RefusedError: it no longer holds ``expected``, or the disk refuses; it is as before.
    """
    temporary = temporary_of(path)
    try:
        if wanted is not None:
            _write(temporary, wanted, _mode(path))
        if read_file(path) != expected:
            raise RefusedError(kept("Somebody changed it just now."))
        if wanted is None:
            os.unlink(path)  # noqa: PTH108
        else:
            os.replace(temporary, path)  # noqa: PTH105
    except OSError as error:
        raise _refused(error) from error
    finally:
        drop_temporary(path)


def temporary_of(path: bytes) -> bytes:
    """The file that ``put_file`` writes first: hidden, so that no index looks at it."""
    folder, name = os.path.split(path)
    digest = blake2b(name, digest_size=6).hexdigest()
    return os.path.join(folder, f".cocadesk-{digest}.tmp".encode())  # noqa: PTH118


def drop_temporary(path: bytes) -> None:
    """Removes what a killed ``put_file`` may have left."""
    with contextlib.suppress(OSError):
        os.unlink(temporary_of(path))  # noqa: PTH108


def _mode(path: bytes) -> int | None:
    """The permissions of the file that is to be replaced; of a new one the person's own.

    None where the umask of the process is still the person's.
    """
    try:
        return stat.S_IMODE(os.lstat(path).st_mode)
    except FileNotFoundError:
        umask = umask_of_person()
        return None if umask == UNCHANGED else 0o666 & ~umask


def _write(temporary: bytes, data: bytes, mode: int | None) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(temporary)  # noqa: PTH108
    descriptor = os.open(temporary, _CREATE, 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if mode is not None and hasattr(os, "fchmod"):
            os.fchmod(descriptor, mode)
        os.fsync(descriptor)


def sync_folders(paths: Iterable[bytes]) -> None:
    """Make the renames of these files durable."""
    for folder in {os.path.dirname(path) for path in paths}:  # noqa: PTH120
        # Some network disks cannot sync a folder; the file is in its place all the same.
        with contextlib.suppress(OSError):
            sync_folder(folder)


def _refused(error: OSError) -> RefusedError:
    reason = _REASONS.get(error.errno or 0, f"{error.strerror or error}.")
    is_link = error.errno == errno.ELOOP
    return RefusedError(reason, is_failure=not is_link)
