"""Tests wait for other threads and processes in one way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

WAIT_S = 60.0
_LOOK_S = 0.02


def until(is_so: Callable[[], object], *, limit_s: float = WAIT_S) -> None:
    """Looks again and again, until it is so; fails after ``limit_s``."""
    ends_s = time.monotonic() + limit_s
    while not is_so():
        assert time.monotonic() < ends_s
        threading.Event().wait(_LOOK_S)
