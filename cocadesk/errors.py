"""The one error that is meant for people."""

from __future__ import annotations

import errno
import os


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


def disk_error(error: BaseException) -> UserError | None:
    """The sentence for a disk that takes nothing more; None where something else is wrong."""
    reason = _DISK.get(error.errno or 0) if isinstance(error, OSError) else None
    if not isinstance(error, OSError) or reason is None:
        return None
    name = os.fsdecode(error.filename) if error.filename else "A file"
    return UserError(
        f"{name} can't be written: {reason}.",
        "What was committed before is kept.",
        "Free some space and try again; the work goes on where it stopped."
        if error.errno != errno.EROFS
        else "Let the disk be written to, or choose another with --library.",
    )
