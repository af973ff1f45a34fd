"""The one error that is meant for people."""

from __future__ import annotations

import errno
import os
from pathlib import Path


class UserError(Exception):
    """Something the person can understand and act on.

    ``what`` says what did not work, ``why`` gives the reason, ``what_to_do``
    the next step; each is a sentence or empty. The edges (command line,
    window) show it without a traceback; every other exception is a bug and
    keeps its traceback in the log.
    """

    def __init__(self, what: str, why: str = "", what_to_do: str = "") -> None:
        super().__init__(" ".join(part for part in (what, why, what_to_do) if part))
        self.what = what
        self.why = why
        self.what_to_do = what_to_do


_DISK = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk's quota is used up",
    errno.EROFS: "the disk is read-only",
}


def refused_by_disk(what: str, number: int | None) -> UserError | None:
    """The sentence for a disk that takes nothing more, after its error number; else None.

    ``what`` says what could not be done, without a stop.
    """
    reason = _DISK.get(number or 0)
    if reason is None:
        return None
    return UserError(
        f"{what}: {reason}.",
        "What was committed before is kept.",
        "Free some space and try again; the work goes on where it stopped."
        if number != errno.EROFS
        else "Let the disk be written to, or choose another with --library.",
    )


def disk_error(error: BaseException) -> UserError | None:
    """The sentence for a disk that takes nothing more; None where something else is wrong."""
    if not isinstance(error, OSError):
        return None
    name = os.fsdecode(error.filename) if error.filename else "A file"
    return refused_by_disk(f"{name} can't be written", error.errno)


def closed_to_us(path: Path) -> UserError:
    """The error for a file of the library that the system does not let us read."""
    return UserError(
        f"The library's file {path} is closed to you.",
        "It belongs to another user; perhaps CocaDesk was once run as the superuser.",
        "Give the library's folder back to yourself (chown -R), then try again.",
    )
