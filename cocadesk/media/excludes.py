"""The files and folders that a person does not want to have looked at, as patterns."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SEPARATOR = os.fsencode(os.sep)

PACKAGES = (
    b".photoslibrary",
    b".photolibrary",
    b".migratedphotolibrary",
    b".aplibrary",
    b".lrdata",
    b".lrlibrary",
)
"""The endings of folders in which other programs keep photos, previews and copies."""


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The patterns of one folder: those of names, and those of paths from the folder on."""

    top: bytes
    names: re.Pattern[str] | None
    paths: re.Pattern[str] | None

    @classmethod
    def of(cls, folder: bytes, patterns: Sequence[bytes]) -> _Patterns:
        texts = [os.fsdecode(pattern) for pattern in patterns]
        names = [text for text in texts if "/" not in text.rstrip("/")]
        paths = [text for text in texts if "/" in text.rstrip("/")]
        top = folder.rstrip(_SEPARATOR) + _SEPARATOR
        return cls(top, _joined(names, re.IGNORECASE), _joined(paths, 0))

    def fits(self, relative: str) -> bool:
        """True where a pattern fits this path, its separators "/"."""
        if self.names is not None and self.names.match(relative.rpartition("/")[2]):
            return True
        return self.paths is not None and self.paths.match(relative) is not None


def _joined(texts: Sequence[str], flags: int) -> re.Pattern[str] | None:
    """One expression for all of these globs."""
    parts = [fnmatch.translate(text.strip("/")) for text in texts]
    return re.compile("|".join(parts), flags) if parts else None


class Excludes:
    """Patterns (globs) by the folder that they belong to.

    One without a slash fits names at any depth, whatever their case; one with a slash
    fits the path from the folder on, in its very spelling. ``*`` stands for anything,
    slashes too. What lies in a folder that fits is excluded with it.
    """

    def __init__(self, patterns: Mapping[bytes, Sequence[bytes]]) -> None:
        self._all = [_Patterns.of(folder, own) for folder, own in patterns.items() if own]

    def matches(self, path: bytes) -> bool:
        """True where a pattern fits this very path; the folders above are not asked."""
        return any(
            own.fits(_relative(path, own.top)) for own in self._all if path.startswith(own.top)
        )

    def covers(self, path: bytes) -> bool:
        """True where a pattern fits ``path``, or a folder that it lies in."""
        for own in self._all:
            if path.startswith(own.top):
                parts = _relative(path, own.top).split("/")
                ends = range(1, len(parts) + 1)
                if any(own.fits("/".join(parts[:end])) for end in ends):
                    return True
        return False


NOTHING_EXCLUDED = Excludes({})


def _relative(path: bytes, top: bytes) -> str:
    return os.fsdecode(path[len(top) :]).replace(os.sep, "/")


def pattern_of(path: bytes, folder: bytes) -> bytes:
    """The pattern in ``folder`` that fits this one path (and what lies in it)."""
    relative = path[len(folder.rstrip(_SEPARATOR)) + 1 :]
    return b"/" + glob.escape(relative.replace(_SEPARATOR, b"/"))
