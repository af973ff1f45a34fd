"""Keeps numpy's matrix products on one thread in commands.

The text tower's products are small: OpenBLAS' threads wait for each other by spinning,
which on a busy machine makes a text 20 times slower (86 ms instead of 4, measured beside a
training on 2 cores) and on a quiet one no quicker. OpenBLAS reads the variable once,
when numpy is imported; torch has an OpenBLAS of its own on some platforms and the
children (trainer, window) have theirs, so the variable is taken back after that.
"""

from __future__ import annotations

import os

_VARIABLE = "OPENBLAS_NUM_THREADS"
_is_ours = False


def limit_numpy_threads() -> None:
    """For the start of a command, before numpy is imported; a person's own setting stays."""
    global _is_ours
    if _VARIABLE not in os.environ:
        os.environ[_VARIABLE] = "1"
        _is_ours = True


def free_other_threads() -> None:
    """Imports numpy with the limit, then lifts the limit for what comes after."""
    global _is_ours
    if _is_ours:
        import numpy  # noqa: F401 - reads the variable now

        os.environ.pop(_VARIABLE, None)
        _is_ours = False
