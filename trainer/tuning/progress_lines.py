"""A run's progress on stdout: one JSON object a line, at least one a second."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any, TextIO

import msgspec

from cocadesk.errors import UserError
from cocadesk.trainer_messages import Findings, Stage


class ProgressLines:
    """Writes the lines; a pulse repeats the last one where the work takes long in silence.

    Use it as a context manager: the pulse ends with it.
    """

    def __init__(self, stream: TextIO | None = None, silence_s: float = 0.8) -> None:
        self._stream = stream or sys.stdout
        self._silence_s = silence_s
        self._lock = threading.Lock()
        self._last: dict[str, Any] | None = None
        self._last_at = 0.0
        self._ends = threading.Event()
        self._pulse = threading.Thread(target=self._repeat, name="pulse", daemon=True)

    def __enter__(self) -> ProgressLines:
        self._pulse.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        self._pulse.join()

    def progress(
        self,
        stage: Stage,
        done: int,
        total: int,
        seconds_left: float | None = None,
        figures: Mapping[str, float] | None = None,
    ) -> None:
        """``done`` of ``total`` of a stage; ``seconds_left`` is the whole run's."""
        left = None if seconds_left is None else round(max(0.0, seconds_left), 1)
        line = {
            "stage": str(stage),
            "done": done,
            "total": total,
            "seconds_left": left,
            "figures": dict(figures or {}),
        }
        with self._lock:
            self._last, self._last_at = line, time.monotonic()
            self._write(line)

    def point(self, row: Mapping[str, Any]) -> None:
        """A point of the live curve."""
        with self._lock:
            self._write({"point": dict(row)})

    def found(self, findings: Findings) -> None:
        """The summary of a data set."""
        with self._lock:
            self._write({"found": msgspec.to_builtins(findings)})

    def error(self, error: UserError) -> None:
        """The three sentences of an error; nothing follows."""
        parts = {"what": error.what, "why": error.why, "what_to_do": error.what_to_do}
        with self._lock:
            self._write({"error": parts})

    def _write(self, line: Mapping[str, Any]) -> None:
        self._stream.write(json.dumps(line) + "\n")
        self._stream.flush()

    def _repeat(self) -> None:
        while not self._ends.wait(self._silence_s / 2):
            with self._lock:
                now = time.monotonic()
                if self._last is None or now - self._last_at < self._silence_s:
                    continue
                left = self._last["seconds_left"]
                if left is not None:
                    left = round(max(0.0, left - (now - self._last_at)), 1)
                self._last = {**self._last, "seconds_left": left}
                self._last_at = now
                self._write(self._last)
