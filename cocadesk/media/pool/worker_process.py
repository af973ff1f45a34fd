"""The pool's side of one worker: start it, talk to it, notice its end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import msgspec

from cocadesk.media.pool.arena import Arena
from cocadesk.media.pool.deadline import Deadline, Patience
from cocadesk.media.pool.messages import (
    Answer,
    Job,
    Setup,
    WorkerSettings,
    read_answer,
    write_message,
)
from cocadesk.media.types import DecodeRequest

_GRACE_S = 3.0
_START_PATIENCE = Patience(deadline_s=60.0)


@dataclass(frozen=True, slots=True)
class Ended:
    """The worker is gone; ``exit_code`` is negative for a signal, None when unknown."""

    exit_code: int | None


Event: TypeAlias = "tuple[WorkerProcess, Answer | Ended, float]"


class WorkerProcess:
    """A running worker. All methods belong to the pool's thread.

    A thread of its own reads the answers and hands ``(self, answer, time)`` to
    ``deliver``, the last one being ``Ended``; the time is the ``clock``'s.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        deliver: Callable[[Event], None],
        clock: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.arena = Arena.create(settings.slots * settings.slot_bytes)
        self.is_ready = False
        self.queued: OrderedDict[int, tuple[DecodeRequest, int]] = OrderedDict()
        """Serial to request and slot, the one being decoded first."""
        self.free_slots = list(range(settings.slots))
        self.is_aside = False
        """True where it stands still: it keeps the file in hand, and gets no other."""
        self.deadline = Deadline(_START_PATIENCE, clock())
        self._deliver = deliver
        self._clock = clock
        self._process = self._start()
        self._reader = threading.Thread(
            target=self._read_answers, name="cocadesk-decode", daemon=True
        )
        self._reader.start()

    def _start(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", self.settings.module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            pass_fds=self.arena.descriptors,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        setup = Setup(settings=self.settings, arena=self.arena.reference)
        assert process.stdin is not None
        with contextlib.suppress(OSError):  # its end comes as an event
            write_message(process.stdin, setup)
        return process

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def can_take(self) -> bool:
        """True where a slot is free for another file."""
        return bool(self.free_slots) and not self.is_aside

    @property
    def is_in_video(self) -> bool:
        """True where the file in hand has sent heartbeats: it may take long."""
        return bool(self.queued) and self.deadline.has_beaten

    def send(self, serial: int, request: DecodeRequest, spool: str) -> None:
        """Queues one file; a broken pipe is not raised, its end comes as an event.

        ``spool`` is where the worker may write the frames of a video.
        """
        slot = self.free_slots.pop()
        if not self.queued and self.is_ready:
            self.begin_file(self._clock())
        self.queued[serial] = (request, slot)
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            write_message(
                self._process.stdin,
                Job(
                    serial,
                    slot,
                    request.path,
                    spool,
                    request.time_s,
                    request.is_metadata,
                    request.duration_s,
                    request.is_inside,
                    request.beside,
                    request.thumbnail_px,
                    request.is_input_only,
                ),
            )

    def begin_file(self, now_s: float) -> None:
        """The next file is in the worker's hands from now on."""
        self.deadline = Deadline(self.settings.patience, now_s)

    @property
    def is_busy(self) -> bool:
        """True where it starts, or has a file in hand."""
        return bool(self.queued) or not self.is_ready

    def slot_view(self, slot: int) -> memoryview:
        """The bytes of one slot."""
        start = slot * self.settings.slot_bytes
        return memoryview(self.arena.memory)[start : start + self.settings.slot_bytes]

    def kill(self) -> None:
        """Ends the worker at once and lets go of everything. Safe to call twice."""
        self._process.kill()
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE_S)
            self._reader.join(_GRACE_S)
        self.arena.close()  # also that of a process which stays, stuck in a dead network disk

    def _read_answers(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        try:
            with stream:
                while (answer := read_answer(stream)) is not None:
                    self._deliver((self, answer, self._clock()))
        except (OSError, ValueError, msgspec.DecodeError):
            self._process.kill()  # it said something that is no message, and may say more
        exit_code = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            exit_code = self._process.wait(_GRACE_S)
        self._deliver((self, Ended(exit_code), self._clock()))


def _environment() -> dict[str, str]:
    """The parent's environment, with numeric libraries held to one thread each."""
    # A decoder reads strangers' files: it is not to know how Ray of this process is reached,
    # nor the keys of an object store.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "AWS_"))
    }
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        environment[name] = "1"
    environment["MALLOC_ARENA_MAX"] = "2"
    # Large mallocs allowed to stay would keep one huge photo's memory for ever.
    environment.pop("MALLOC_MMAP_THRESHOLD_", None)
    environment.pop("MALLOC_TRIM_THRESHOLD_", None)
    environment.pop("MALLOC_TOP_PAD_", None)
    package_parent = Path(__file__).resolve().parents[2]
    if package_parent.name != "site-packages":  # a checkout that is not installed
        inherited = environment.get("PYTHONPATH")
        parts = [str(package_parent), *([inherited] if inherited else [])]
        environment["PYTHONPATH"] = os.pathsep.join(parts)
    return environment
