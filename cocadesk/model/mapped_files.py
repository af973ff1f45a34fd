"""Memory that mapped files take: given back while they stay open."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

_DONT_NEED = 4


def forget_mapped(path: Path) -> None:
    """Gives back the memory that a mapped file takes in this process, where the system lets us.

    What is read of it again is mapped again. What was changed in a private mapping is lost.
    """
    advise = _madvise()
    if advise is None:
        return
    wanted = str(path.resolve())
    try:
        lines = Path("/proc/self/maps").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        place, *_, name = line.split(maxsplit=5)
        if name == wanted:
            start, end = (int(part, 16) for part in place.split("-"))
            advise(start, end - start, _DONT_NEED)


@cache
def _madvise() -> Callable[[int, int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = ctypes.CDLL(None).madvise
    except (OSError, AttributeError):
        return None
    found.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    advise: Callable[[int, int, int], int] = found
    return advise
