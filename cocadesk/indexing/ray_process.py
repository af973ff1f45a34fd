"""The process that keeps Ray on this computer, seen from the process that reads with it.

Neither its start nor its end is waited for without a limit: a disk may be full or stalled.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from cocadesk.errors import UserError, decimal, tr

_LOOK_S = 0.1
HOST = "cocadesk.indexing.ray_host"
REFUSED = "!"
"""Begins the line with which that says why Ray did not start."""


def not_started(why: str) -> UserError:
    """Ray could not be started, for this reason."""
    return UserError(tr("Ray could not be started."), why, tr("Index without --ray."))


class RayProcess:
    """A process from ``start`` to ``end``: ``command``, with more arguments.

    It is given up after ``start_s`` seconds without an answer, and killed where it has not
    ended ``end_s`` after the end of its input.
    """

    def __init__(self, command: Sequence[str], *, start_s: float, end_s: float) -> None:
        self._command = command
        self._start_s = start_s
        self._end_s = end_s
        self._process: subprocess.Popen[str] | None = None

    def start(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        is_stopped: Callable[[], bool],
    ) -> str:
        """Start it; gives Ray's address, nothing where stopped meanwhile.

        Raises:
            UserError: Ray does not start.
        """
        self._process = subprocess.Popen(
            (*self._command, *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process, which ends it in order
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            env=environment,
        )
        said = self._said(is_stopped)
        if said is None:
            return ""
        if not said or said.startswith(REFUSED):
            raise not_started(said.removeprefix(REFUSED))
        return said

    def _said(self, is_stopped: Callable[[], bool]) -> str | None:
        """The line that Ray's process says when it has started; None where stopped meanwhile."""
        assert self._process is not None
        assert self._process.stdout is not None
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        stream = self._process.stdout

        def listen() -> None:
            with stream:
                lines.put(stream.readline())
                stream.read()

        threading.Thread(target=listen, name="ray-start", daemon=True).start()
        until_s = time.monotonic() + self._start_s
        while not is_stopped():
            if time.monotonic() > until_s:
                said = tr(
                    "It did not answer in {seconds} seconds.", seconds=decimal(self._start_s, 0)
                )
                return f"{REFUSED}{said}"
            with contextlib.suppress(queue.Empty):
                return lines.get(timeout=_LOOK_S).strip()
        return None

    def end(self) -> None:
        """End Ray's process: by the end of its input, or by force where it hangs."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        try:
            process.wait(self._end_s)
        except subprocess.TimeoutExpired:
            if sys.platform == "win32":
                process.kill()
            else:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)  # what it started is of its session
            process.wait()
