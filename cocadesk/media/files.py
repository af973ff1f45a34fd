"""Reads a file from the user's disk without waking, changing or waiting for anything."""

from __future__ import annotations

import errno
import os
import stat
from typing import BinaryIO, cast

from cocadesk.errors import kept
from cocadesk.media.types import DecodeLimits, PhotoError

_WINDOWS_RECALL = 0x0040_0000 | 0x0000_1000
_MACOS_DATALESS = 0x4000_0000

# O_NONBLOCK: a FIFO put in the file's place since the scan must not block the open.
# O_NOATIME: looking at a photo leaves no trace; only the owner may ask for it.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_TRACE = getattr(os, "O_NOATIME", 0)

_REASONS = {
    errno.ENOENT: kept("The file is no longer there."),
    errno.EACCES: kept("There is no permission to read the file."),
    errno.EPERM: kept("There is no permission to read the file."),
    errno.ELOOP: kept("The file is a symbolic link that leads back to itself."),
    errno.ENAMETOOLONG: kept("The path is too long for the file system."),
    errno.ENOSPC: kept("There is no room left on the disk for the frames of the video."),
    errno.EFBIG: kept("The frames of the video would take more room on the disk than is allowed."),
    errno.EIO: kept("The disk reported an error while the file was read."),
}


def explain_os_error(error: OSError) -> str:
    """A sentence for a person about why the system refused."""
    known = _REASONS.get(error.errno or 0)
    return known or kept("The system refused: {fault}.", fault=error.strerror or error)


def is_only_in_cloud(status: os.stat_result) -> bool:
    """True where reading the file would pull it down from a cloud."""
    attributes = getattr(status, "st_file_attributes", 0)
    flags = getattr(status, "st_flags", 0)
    return bool(attributes & _WINDOWS_RECALL or flags & _MACOS_DATALESS)


def open_without_trace(path: bytes) -> int:
    """A read-only descriptor that never blocks on opening and, if allowed, keeps the atime.

    Raises:
        OSError: the system refuses.
    """
    if _NO_TRACE:
        try:
            return os.open(path, _FLAGS | _NO_TRACE)
        except PermissionError:
            pass  # not the owner: the plain way is allowed
    return os.open(path, _FLAGS)


def read_head(path: bytes, size: int) -> bytes:
    """The first ``size`` bytes of a regular file; empty for anything else.

    Raises:
        OSError: the system refuses.
    """
    descriptor = open_without_trace(path)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        return os.read(descriptor, size)
    finally:
        os.close(descriptor)


def read_photo_file(path: bytes, limits: DecodeLimits) -> bytes:
    """The whole content of a regular file.

    Raises:
        PhotoError: it cannot be read, is no regular file, lies only in the
            cloud, or is larger than ``limits.file_bytes``.
    """
    try:
        with open_media_file(path) as file:
            return _read_all(file.fileno(), limits)
    except OSError as error:
        raise PhotoError(explain_os_error(error), is_passing=True) from error


def open_media_file(path: bytes) -> BinaryIO:
    """A regular file, open for reading without a buffer; the caller closes it.

    Raises:
        PhotoError: it cannot be opened, is no regular file, or lies only in the cloud.
    """
    try:
        descriptor = open_without_trace(path)
    except OSError as error:
        raise PhotoError(explain_os_error(error), is_passing=True) from error
    try:
        _check_status(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return cast(BinaryIO, os.fdopen(descriptor, "rb", buffering=0))


def _check_status(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise PhotoError(
            kept("This is no regular file (a folder, device or pipe)."), is_photo=False
        )
    if is_only_in_cloud(status):
        raise PhotoError(kept("The file's content lies only in the cloud, not on this disk."))


def _read_all(descriptor: int, limits: DecodeLimits) -> bytes:
    status = os.fstat(descriptor)
    if status.st_size > limits.file_bytes:
        raise PhotoError(
            kept(
                "The file has {size} MB; the limit is {limit} MB.",
                size=f"{status.st_size / 2**20:,.0f}",
                limit=f"{limits.file_bytes / 2**20:,.0f}",
            )
        )
    # Asked for by its own size: a larger request would reserve that much memory first.
    parts, missing = [], status.st_size
    while missing > 0 and (part := os.read(descriptor, missing)):
        parts.append(part)
        missing -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
