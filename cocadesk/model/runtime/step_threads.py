"""How many threads work in many small steps has, by what other work leaves of the processors."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Set
from contextlib import suppress
from pathlib import Path

import torch

_WINDOW_S = 0.15
"""The system counts in hundredths of a second."""
_MARGIN = 0.35
"""So much of a processor may others have: a window open on the screen takes some of it."""
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def busy_s() -> float | None:
    """The seconds that the processors of this process have worked since the start of the system.

    By all programs, and by other machines where this one is virtual. None where the system
    does not tell.
    """
    if sys.platform != "linux":
        return None
    with suppress(OSError, ValueError):
        return _busy_s(Path("/proc/stat").read_text("ascii"), os.sched_getaffinity(0))
    return None


def _busy_s(text: str, processors: Set[int]) -> float | None:
    """As ``busy_s``, from what ``/proc/stat`` says."""
    ticks = [
        # user, nice, system, idle, iowait, irq, softirq, steal; those of guests are user's too
        sum(int(part) for place, part in enumerate(parts[1:9]) if place not in (3, 4))
        for parts in map(str.split, text.splitlines())
        if parts and parts[0].removeprefix("cpu").isdigit() and int(parts[0][3:]) in processors
    ]
    return sum(ticks) / _TICKS_A_SECOND if ticks else None


class StepThreads:
    """Within it torch computes in as many threads as find a processor; at first in half of them.

    For many small products after each other, as of captions. Each waits for its slowest thread,
    and beside other work one often has no processor just then. Measured with 8 captions by
    CoCa B-32 on two processors, one thread against two: .97 s and .70 s alone; beside the three
    processes of a test run 11 s, and with two no second time within 100 s of the start. So each
    ``step`` may change the number. ``is_free``: the steps give the same in any number of threads;
    else it stays at half, so that a photo's caption depends on no other program. What comes
    before the first step, such as a picture's keys in bfloat16, is computed in half of them too.
    """

    _last: int | None = None

    def __init__(self, *, is_free: bool, busy: Callable[[], float | None] = busy_s) -> None:
        self._is_free = is_free
        self._busy = busy
        self._most = self._now = 1
        self._start_s: float | None = None
        self._own_s = 0.0
        self._busy_s: float | None = None

    def __enter__(self) -> StepThreads:
        self._most = torch.get_num_threads()
        self._is_free = self._is_free and self._most > 1
        self._set(max(1, self._most // 2))
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_free:
            StepThreads._last = self._now
        torch.set_num_threads(self._most)

    def step(self) -> None:
        """To be called between two steps, in the thread that computes them."""
        if not self._is_free:
            return
        if self._start_s is None:  # as in the last captions
            self._set(min(self._most, StepThreads._last or self._now))
            self._begin()
            return
        passed_s = time.perf_counter() - self._start_s
        if passed_s < _WINDOW_S:
            return
        before_s, own_s = self._busy_s, (time.thread_time() - self._own_s) * self._now
        self._begin()
        if before_s is None or self._busy_s is None:
            return
        others = max(0.0, (self._busy_s - before_s - own_s) / passed_s)
        wanted = max(1, min(self._most, int(_processors() - others + _MARGIN)))
        if wanted != self._now:
            self._set(wanted)

    def _begin(self) -> None:
        self._start_s, self._own_s = time.perf_counter(), time.thread_time()
        self._busy_s = self._busy()

    def _set(self, threads: int) -> None:
        self._now = threads
        torch.set_num_threads(threads)


def _processors() -> int:
    """Those that this process may run on."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
