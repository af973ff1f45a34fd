"""Ctrl-C as a wish that a job looks at between its steps."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from cocadesk.cli.guard import StoppedError
from cocadesk.cli.report import Report


class Interrupt:
    """While entered, the first Ctrl-C sets a flag; the second one breaks at once."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._is_wanted = False
        self._previous: signal._HANDLER = None

    def check(self) -> None:
        """Between two steps.

        Raises:
            StoppedError: the person has pressed Ctrl-C.
        """
        if self._is_wanted:
            raise StoppedError

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self._is_wanted:
            raise KeyboardInterrupt
        self._is_wanted = True
        self._report.note("Stopping after this step; press Ctrl-C again to stop at once.")

    def __enter__(self) -> Interrupt:
        self._previous = signal.signal(signal.SIGINT, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signal.signal(signal.SIGINT, self._previous)
