"""Work that ends in the middle: before its n-th write, or by SIGKILL of its process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from cocadesk.library.store import Store

REPOSITORY = Path(__file__).resolve().parents[2]
STORE_WRITES: tuple[tuple[object, str], ...] = tuple(
    (Store, name) for name in ("merge", "append", "delete", "drop")
)


class PowerCut:
    """Lets ``last`` writes through and ends the work (as Ctrl-C) before the next; counts them."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.writes = 0

    @property
    def has_happened(self) -> bool:
        """True where the work wanted to write more than it could."""
        return self.writes > self.last

    @contextmanager
    def during(self, *writes: tuple[object, str]) -> Iterator[None]:
        """The work; ``writes`` are what reaches the disk (of a store by default)."""
        with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
            for owner, name in writes or STORE_WRITES:
                patch.setattr(owner, name, self._counted(getattr(owner, name)))
            yield

    def _counted(self, write: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **named: object) -> object:
            self.writes += 1
            if self.has_happened:
                raise KeyboardInterrupt
            return write(*args, **named)

        return counted


def power_cuts(every: int = 1) -> Iterator[PowerCut]:
    """Cuts after 0, ``every``, 2 × ``every`` … writes; the last one lets the work end."""
    last = 0
    while True:
        cut = PowerCut(last)
        yield cut
        if not cut.has_happened:
            return
        last += every


def kill_after(
    module: str, arguments: Sequence[Path | str], is_enough: Callable[[int, str], bool]
) -> None:
    """Runs a module in a process and SIGKILLs it at a line that it says (or lets it end before).

    ``is_enough`` gets the number of lines before this one, and the line.
    """
    command = [sys.executable, "-P", "-m", module, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as child:
        assert child.stdout is not None
        for number, line in enumerate(child.stdout):
            if is_enough(number, line):
                break
        child.kill()
