"""The end of this process when the one that started it has ended, in whatever way."""

from __future__ import annotations

import os
import threading

_STDIN = 0


def exit_with_parent(code: int) -> None:
    """Ends the process at once, with ``code``, when the pipe to its stdin breaks.

    Nothing is saved then: a new engine may already start the same run, and two
    trainers must not write one folder. What was saved last is whole.
    """
    threading.Thread(
        target=_wait_and_end, args=(code,), name="exit-with-parent", daemon=True
    ).start()


def _wait_and_end(code: int) -> None:
    # Unbuffered: the lock of sys.stdin's buffer would break an ordinary end.
    while os.read(_STDIN, 4096):
        pass
    os._exit(code)
