"""The speed of models on this machine, measured in a process of its own, and kept."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.protocol.launch import engine_environment

KEPT = "model-speeds.json"
LIMIT_S = 180.0
_POLL_S = 0.1
# Nice before numpy comes, whose threads take it from their parent.
_PROGRAM = """
import os, runpy
if hasattr(os, "nice"):
    os.nice(5)
runpy.run_module("cocadesk.model.speed", run_name="__main__", alter_sys=True)
"""
COMMAND = (sys.executable, "-P", "-c", _PROGRAM)

_log = logging.getLogger(__name__)


class ModelSpeeds:
    """Photos a second by model. A process measures, so that the engine does not grow by a network.

    Any thread may ask; one model is measured at a time. ``command`` begins the process. Numbers
    that were measured while the machine was busy are forgotten with the engine.
    """

    def __init__(self, kept: Path, command: Sequence[str] = COMMAND) -> None:
        self._kept = kept
        self._command = command
        self._measuring = threading.Lock()
        self._found: dict[str, float] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._is_closed = False

    def known(self, source: str) -> float | None:
        """What was measured here before of this model; None where nothing was."""
        from cocadesk.model.speed import measure_key

        key = measure_key(source)
        return self._found.get(key) or _read(self._kept).get(key)

    def measure(
        self, source: str, check: Callable[[], None] = lambda: None, *, is_busy: bool = False
    ) -> float:
        """Measures a model now, or waits for whoever does; ``check`` is called all along.

        Raises:
            UserError: it cannot be measured, in a sentence.
        """
        from cocadesk.model.speed import measure_key

        before = self.known(source)
        while not self._measuring.acquire(timeout=_POLL_S):
            check()
        try:
            known = self.known(source)
            if known is not None and known != before:
                return known  # somebody else asked for the same
            is_rough = is_busy or _is_loaded()
            found = self._run(source, check)
            self._found[measure_key(source)] = found
            if not is_rough:
                self._keep(measure_key(source), found)
            return found
        finally:
            self._measuring.release()

    def close(self) -> None:
        """Ends a measuring."""
        self._is_closed = True
        if (process := self._process) is not None:
            process.kill()

    def _run(self, source: str, check: Callable[[], None]) -> float:
        with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as trouble:
            try:
                process = subprocess.Popen(
                    [*self._command, source],
                    stdin=subprocess.PIPE,  # closes with the engine: it ends then
                    stdout=said,
                    stderr=trouble,
                    env=engine_environment(),
                    creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
                )
            except OSError as error:
                raise _unmeasured(error.strerror or str(error)) from error
            self._process = process
            with process:
                try:
                    self._wait(process, check)
                except BaseException:
                    process.kill()
                    raise
            said.seek(0)
            trouble.seek(0)
            try:
                found = float(said.read())
            except ValueError:
                lines = trouble.read().strip().splitlines()
                raise _unmeasured(lines[-1] if lines else "") from None
        _log.info("%s: %.2f photos a second", source, found)
        return found

    def _wait(self, process: subprocess.Popen[bytes], check: Callable[[], None]) -> None:
        end = time.monotonic() + LIMIT_S
        while True:
            try:
                process.wait(timeout=_POLL_S)
                return
            except subprocess.TimeoutExpired:
                check()
                if self._is_closed or time.monotonic() > end:
                    raise _unmeasured(tr("It took too long.")) from None

    def _keep(self, key: str, found: float) -> None:
        try:
            self._kept.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._kept.with_name(f"{self._kept.name}.new")
            fresh.write_text(json.dumps(_read(self._kept) | {key: found}), "utf-8")
            fresh.replace(self._kept)
        except OSError as error:
            _log.warning("the speed of a model could not be kept: %s", error)


def _unmeasured(why: str) -> UserError:
    return UserError(
        tr("The speed of this model could not be measured."),
        why,
        tr("Try again when the computer is less busy."),
    )


def _is_loaded() -> bool:
    """True where other programs take the processors now."""
    from cocadesk.model.speed import usable_processors

    return hasattr(os, "getloadavg") and os.getloadavg()[0] > 0.7 * usable_processors()


def _read(kept: Path) -> dict[str, float]:
    try:
        table = json.loads(kept.read_text("utf-8"))
        return {str(key): float(value) for key, value in table.items() if float(value) > 0}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
