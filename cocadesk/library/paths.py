"""Paths as the file system's bytes: what lies under what, and on which device."""

from __future__ import annotations

import os
from pathlib import Path

_SEPARATOR = os.fsencode(os.sep)
# Arrow holds signed 64 bits; Windows' numbers may be larger, and only equality counts.
_MASK = 2**63 - 1


def folder_of(path: bytes) -> bytes:
    """The folder that holds ``path``."""
    return os.path.dirname(path)  # noqa: PTH120 - paths are bytes here


def is_under(path: bytes, root: bytes) -> bool:
    """Whether ``path`` is ``root`` or lies below it."""
    return path == root or path.startswith(root.rstrip(_SEPARATOR) + _SEPARATOR)


def device_and_inode(path: bytes) -> tuple[int, int] | None:
    """Which device and inode ``path`` is on now, or None where nothing is."""
    try:
        status = Path(os.fsdecode(path)).stat()
    except OSError:
        return None
    return status.st_dev & _MASK, status.st_ino & _MASK
