"""The fetching of a model as a child process of the engine: started, read, ended."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from cocadesk.errors import UserError, tr
from cocadesk.locations import umask_of_person
from cocadesk.protocol.launch import engine_environment

PROGRAM = "cocadesk.model.checkpoints.fetch_process"

_log = logging.getLogger(__name__)


class _Line(msgspec.Struct, frozen=True):
    """A line of the child: bytes so far, how long it waits; or the sentences of its error."""

    done: int = 0
    total: int = 0
    wait_s: float = 0.0
    what: str = ""
    why: str = ""
    what_to_do: str = ""


class FetchChild:
    """One fetching; what has come is kept when it is ended.

    It ends with the engine, however that ends: the pipe to its stdin breaks. ``done`` and
    ``total`` are the bytes that it has told of, both 0 before it knows.

    Raises:
        UserError: it cannot be started.
    """

    def __init__(self, source: str, folder: Path | None = None) -> None:
        self._last = _Line()
        self._said: list[str] = []
        arguments = [source] if folder is None else [source, str(folder)]
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", PROGRAM, *arguments],
                env=engine_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                umask=umask_of_person(),  # other tools use the hub's cache too
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise UserError(
                tr("The fetching could not be started."),
                f"{error.strerror or error}.",
                tr("Make room in memory, then try again."),
            ) from error
        self._reader = threading.Thread(target=self._read, name="fetch-lines", daemon=True)
        self._reader.start()

    @property
    def done(self) -> int:
        """The bytes that are here."""
        return self._last.done

    @property
    def total(self) -> int:
        """The bytes that there will be."""
        return self._last.total

    @property
    def wait_s(self) -> float:
        """How long it still leaves the hub alone, which has asked for that; 0 as a rule."""
        return self._last.wait_s

    def has_ended(self, wait_s: float) -> bool:
        """True where it has ended well, at most so much later.

        Raises:
            UserError: it has failed, in its own words where it left some.
        """
        self._reader.join(wait_s)
        if self._reader.is_alive():
            return False
        code = self._process.wait()
        if code == 0:
            return True
        if self._last.what:
            raise UserError(self._last.what, self._last.why, self._last.what_to_do)
        _log.error("the fetching ended with %d:\n%s", code, "\n".join(self._said[-20:]))
        raise UserError(
            tr("The fetching ended unexpectedly."),
            tr("What has come is kept."),
            tr("Fetch it again: it goes on where it was."),
        )

    def close(self) -> None:
        """Ends it at once, where it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for data in self._process.stdout:
            try:
                self._last = msgspec.json.decode(data, type=_Line)
            except msgspec.MsgspecError:
                self._said.append(data.decode("utf-8", "replace").rstrip())
