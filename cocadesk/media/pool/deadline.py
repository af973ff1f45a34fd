"""The deadline of one file in a worker's hands: it follows the work done, not the clock.

A worker that computes and computes hangs, and will hang the next time too. One that
waits for a stalled disk, or gets no time on a busy machine, says nothing about its file.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import kept

_TICKS_PER_S = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
_SLEEPING = "DS"
"""States of a process that waits for something, as Linux writes them."""
_CLOCK_SHARE = 2
"""A worker that moves on gets half of a processor at least, else it is given up for now."""


@dataclass(frozen=True, slots=True)
class WorkDone:
    """Processor seconds and bytes read by a process up to now."""

    cpu_s: float
    read_bytes: int = 0
    is_sleeping: bool = True
    """True where it waits for something, rather than for its turn."""


def work_of(pid: int) -> WorkDone | None:
    """The work that a process has done; None where the system does not tell (only Linux does)."""
    try:
        # The name of the program stands in brackets and may hold anything.
        state, *numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    ticks = int(numbers[10]) + int(numbers[11])
    return WorkDone(ticks / _TICKS_PER_S, _bytes_read(pid), state in _SLEEPING)


def _bytes_read(pid: int) -> int:
    """All that it has read, from the disk or from memory; 0 where that is not for us to see."""
    try:
        lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    except OSError:
        return 0
    numbers = dict(line.split(":") for line in lines)
    return sum(int(numbers.get(name, 0)) for name in ("rchar", "read_bytes"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """The seconds that a worker gets for one file.

    ``deadline_s`` and ``longest_s`` are seconds of its processor: the first starts anew
    with each heartbeat, the second does not. ``silence_s`` and ``wait_s`` are seconds of the
    clock: without any work at all, and with nothing but traces of it.
    """

    deadline_s: float = 20.0
    longest_s: float = 4 * 3600
    silence_s: float = 60.0
    wait_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Late:
    """The end of patience, as a sentence; ``is_passing`` where the file is not to blame."""

    reason: str
    is_passing: bool


class Deadline:
    """The time that a worker has for the file in its hands."""

    def __init__(self, patience: Patience, now_s: float) -> None:
        self._patience = patience
        self._began_at_s = self._beat_at_s = now_s
        self.moved_at_s = now_s
        """When it was last seen to do something."""
        self._first_cpu_s = self._beat_cpu_s = 0.0
        self._last: WorkDone | None = None
        self.has_beaten = False
        """True where heartbeats came: the file may take long."""

    def note_heartbeat(self, now_s: float) -> None:
        """The file moves on: all begins anew but ``longest_s``."""
        self.has_beaten = True
        self._beat_at_s = self.moved_at_s = now_s
        if self._last is not None:
            self._beat_cpu_s = self._last.cpu_s

    def note_work(self, now_s: float, work: WorkDone | None) -> None:
        """A look at the worker; its work for this file is counted from the first one on."""
        if work is None:
            return
        last = self._last
        if last is None:
            self._first_cpu_s = self._beat_cpu_s = work.cpu_s
        # The first look may come late: whoever takes the results may have had other work.
        if last is None or (work.cpu_s, work.read_bytes) != (last.cpu_s, last.read_bytes):
            self.moved_at_s = now_s
        self._last = work

    def late(self, now_s: float) -> Late | None:
        """The reason to end the worker, or None."""
        patience = self._patience
        if self._last is not None:
            for since_s, limit_s in (
                (self._first_cpu_s, patience.longest_s),
                (self._beat_cpu_s, patience.deadline_s),
            ):
                if self._last.cpu_s - since_s > limit_s:
                    return Late(hung(limit_s), is_passing=False)
        if now_s - self.moved_at_s > patience.silence_s:
            return Late(self._silence(), is_passing=True)
        waited_s, most_s = now_s - self._beat_at_s, patience.wait_s
        if waited_s <= most_s:
            waited_s, most_s = now_s - self._began_at_s, patience.longest_s * _CLOCK_SHARE
        if waited_s > most_s:
            minutes = f"{most_s / 60:.3g}"
            reason = kept(
                "Decoding is too slow now: it was not done after {minutes} minutes.",
                minutes=minutes,
            )
            return Late(reason, is_passing=True)
        return None

    def _silence(self) -> str:
        seconds = f"{self._patience.silence_s:g}"
        if self._last is not None and not self._last.is_sleeping:
            return kept(
                "The computer was too busy: the decoder had no turn for {seconds} seconds.",
                seconds=seconds,
            )
        return kept("The disk did not answer for {seconds} seconds.", seconds=seconds)


def hung(limit_s: float) -> str:
    """The sentence for a file whose decoding does not come to an end."""
    return kept("Decoding took more than {seconds} seconds of computing.", seconds=f"{limit_s:g}")
