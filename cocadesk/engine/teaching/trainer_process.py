"""The trainer as a child process of the engine: started, read, stopped."""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from cocadesk.engine.teaching.runs import LOG
from cocadesk.errors import UserError
from cocadesk.protocol.launch import engine_environment
from cocadesk.protocol.values import TeachPoint, WorkState
from cocadesk.trainer_messages import STOPPED, Findings

_OPTIONS = ("--json-lines", "--end-with-stdin")
_SAVE_LIMIT_S = 30.0
_READER_LIMIT_S = 10.0
_LOG_LINES = 20

_log = logging.getLogger(__name__)


class Trouble(msgspec.Struct, frozen=True):
    """The sentences of a UserError in the trainer."""

    what: str
    why: str = ""
    what_to_do: str = ""


class TrainerLine(WorkState, frozen=True):
    """One line of the trainer's output: progress, perhaps with a point, or findings."""

    point: TeachPoint | None = None
    found: Findings | None = None
    error: Trouble | None = None


class TrainerChild:
    """One run of ``python -P -m trainer VERB FOLDER --json-lines --end-with-stdin``.

    It ends with the engine, however that ends: the pipe to its stdin breaks. For
    use by one thread; ``kill`` may be called by any.

    Raises:
        UserError: it cannot be started.
    """

    def __init__(self, verb: str, folder: Path, *, module: str) -> None:
        self._log_file = folder / LOG
        self._lines: queue.SimpleQueue[TrainerLine | None] = queue.SimpleQueue()
        try:
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", module, verb, folder, *_OPTIONS],
                    env=_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
        except OSError as error:
            raise UserError(
                "The trainer could not be started.",
                f"{error.strerror or error}.",
                "Make room on the disk and in memory, then try again.",
            ) from error
        self._reader = threading.Thread(target=self._read, name="trainer-lines", daemon=True)
        self._reader.start()

    def lines(self, wait_s: float) -> Iterator[TrainerLine | None]:
        """Its lines as they come; None after each ``wait_s`` without one. Ends with it.

        Raises:
            UserError: it has ended with an error, in its own words where it left some.
        """
        trouble: Trouble | None = None
        while True:
            try:
                line = self._lines.get(timeout=wait_s)
            except queue.Empty:
                yield None
                continue
            if line is None:
                break
            trouble = line.error or trouble
            yield line
        code = self._process.wait()
        if code not in (0, STOPPED):
            raise self._failure(code, trouble)

    @property
    def was_stopped(self) -> bool:
        """True where it has ended before its work was done, with its state saved."""
        return self._process.poll() == STOPPED

    def stop(self) -> None:
        """Lets it save its state and end; twice is once."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_SAVE_LIMIT_S)
            except subprocess.TimeoutExpired:
                _log.warning("the trainer did not save in %.0f s: ending it", _SAVE_LIMIT_S)
        self.kill()

    def kill(self) -> None:
        """Ends it at once; its last saved state stays."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(_READER_LIMIT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for data in self._process.stdout:
            try:
                self._lines.put(msgspec.json.decode(data, type=TrainerLine))
            except msgspec.MsgspecError as error:
                _log.warning("a line of the trainer is not understood (%s): %r", error, data)
        self._lines.put(None)

    def _failure(self, code: int, trouble: Trouble | None) -> UserError:
        if trouble is not None:
            return UserError(trouble.what, trouble.why, trouble.what_to_do)
        try:
            last = self._log_file.read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            last = []
        _log.error("the trainer ended with %d:\n%s", code, "\n".join(last[-_LOG_LINES:]))
        return UserError(
            "The trainer ended unexpectedly.",
            _how_it_ended(code, last[-1] if last else ""),
            f"The model in use is as it was. Its log says more: {self._log_file}",
        )


def _environment() -> dict[str, str]:
    """Ours, without the limit that suits the engine's small products (protocol.launch)."""
    environment = engine_environment()
    if environment.get("OPENBLAS_NUM_THREADS") == "1":
        del environment["OPENBLAS_NUM_THREADS"]
    return environment


def _how_it_ended(code: int, last_line: str) -> str:
    if code == -9:
        return "The system has killed it; most often memory has run out."
    if code < 0:
        return f"Signal {-code} ended it."
    return f"It said: {last_line}" if last_line else f"Its exit code was {code}."
