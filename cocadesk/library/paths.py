"""Paths as the file system's bytes: what lies below what, on which device, and as text."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_SEPARATOR = os.fsencode(os.sep)
_SLASH = ord("/")
# Arrow holds signed 64 bits; Windows' numbers may be larger, and only equality counts.
_MASK = 2**63 - 1


def folder_of(path: bytes) -> bytes:
    """The folder that holds ``path``."""
    at = path.rfind(_SEPARATOR)
    # The usual case by itself: an index asks for several of each file.
    if at > 0 and os.sep == "/" and path[at - 1] != _SLASH:
        return path[:at]
    return os.path.dirname(path)  # noqa: PTH120 - paths are bytes here


def beside(path: bytes, name: bytes) -> bytes:
    """The file of this name in the folder of ``path``; without a name ``path`` itself."""
    if not name:
        return path
    return os.path.join(folder_of(path), name)  # noqa: PTH118 - paths are bytes here


def folder_text_of(path: bytes) -> str:
    """The folder of ``path`` as filters compare it, with "/" at its end."""
    return fold_path(os.fsdecode(path)).rpartition("/")[0] + "/"


def upwards(path: bytes) -> Iterator[bytes]:
    """``path``, then each folder above it."""
    while True:
        yield path
        folder = folder_of(path)
        if folder == path:
            return
        path = folder


def is_under(path: bytes, root: bytes) -> bool:
    """True where ``path`` is ``root`` or lies below it."""
    return path == root or path.startswith(root.rstrip(_SEPARATOR) + _SEPARATOR)


def storable(text: str) -> str:
    """``text`` with lone surrogates replaced, which Arrow's UTF-8 can't hold."""
    return text.encode("utf-8", "replace").decode()


@lru_cache(maxsize=10_000)  # tags are few and come again with each medium
def fold(text: str) -> str:
    """``text`` as filters compare it: case does not count.

    Lower case and not ``casefold``, because the store's ``lower`` gives the same.
    """
    return storable(text).lower()


def fold_path(path: str) -> str:
    """A path or a part of one as filters compare it, with "/" between folders.

    Letters are composed (NFC): macOS stores names decomposed, people type them composed.
    """
    return fold(unicodedata.normalize("NFC", path.replace(os.sep, "/")))


def device_and_inode(path: bytes) -> tuple[int, int] | None:
    """Which device and inode ``path`` is on now, or None where nothing is."""
    try:
        status = Path(os.fsdecode(path)).stat()
    except OSError:
        return None
    return status.st_dev & _MASK, status.st_ino & _MASK
