"""Memory of networks: batches that fit, what is kept of that, and giving back what is idle."""

from __future__ import annotations

import ctypes
import gc
import json
import logging
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from cocadesk.locations import cache_folder
from cocadesk.model.lack_of_memory import is_out_of_memory

log = logging.getLogger(__name__)
IDLE_S = 600.0
"""After so long without work what computes is freed; opening the starter again takes a second."""
_PATIENCE, _MOST_PATIENCE = 32, 4096
_LOST = ("cuda error", "hip error", "device lost", "device_lost", "xpu error", "mps backend")

T = TypeVar("T")


def is_device_lost(error: BaseException) -> bool:
    """True where an accelerator has failed, so that nothing more can be computed on it."""
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in text for sign in _LOST)


def release_memory() -> None:
    """Gives back to the system and the accelerators what nothing holds any more."""
    gc.collect()
    torch: Any = sys.modules.get("torch")
    for kind in ("cuda", "xpu", "mps") if torch is not None else ():
        backend: Any = getattr(torch, kind, None)
        is_used = kind == "mps" or getattr(backend, "is_initialized", bool)()
        if is_used and (kind != "mps" or torch.backends.mps.is_available()):
            with suppress(RuntimeError):  # a device that is lost gives nothing back
                backend.empty_cache()
    trim_heap()


def trim_heap() -> None:
    """Gives back to the system what lies free between what is held: some milliseconds.

    Beside threads that come and go glibc keeps it: 27 MB after 30,000 indexed files.
    """
    trim = _malloc_trim()
    if trim is not None:
        trim(0)


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """glibc's, which keeps freed memory of many small blocks else; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None  # another C library, e.g. musl
    return found


class KeptLimits:
    """The batches that fitted last time, in a small file; None keeps nothing.

    A file that can't be read or written is as good as none.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._limits = self._read()

    @staticmethod
    def of(model_id: str, device: str) -> KeptLimits:
        """Those of a model on a device, in the cache folder."""
        name = "".join(c if c.isalnum() or c in "-." else "_" for c in f"{model_id}-{device}")
        return KeptLimits(cache_folder() / "batches" / f"{name}.json")

    def get(self, name: str, most: int) -> int:
        """The size of a batch, ``most`` where nothing is known."""
        return min(self._limits.get(name, most), most)

    def put(self, name: str, size: int, most: int) -> None:
        """Keeps a size for the next start; ``most`` is what stands without it."""
        with self._lock:
            if size < most:
                self._limits[name] = size
            else:
                self._limits.pop(name, None)
            self._write()

    def _read(self) -> dict[str, int]:
        try:
            found = json.loads(self._file.read_text("utf-8")) if self._file else {}
            return {str(name): max(1, int(size)) for name, size in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def _write(self) -> None:
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps(self._limits), "utf-8")
            fresh.replace(self._file)
        except OSError as error:
            log.warning("How much fits into memory could not be kept: %s", error)


class BatchLimit:
    """The most items that are computed at once: half of them where memory ran out.

    After many batches that went well twice as many are tried again, at longer and longer
    intervals where that fails: another program may have had the memory. For one thread.
    """

    def __init__(self, most: int, kept: KeptLimits, name: str) -> None:
        self._most = most
        self._kept = kept
        self._name = name
        self.size = kept.get(name, most)
        self._went_well = 0
        self._patience = _PATIENCE

    def begin_anew(self, kept: KeptLimits) -> None:
        """Goes on with what is known of another device, on which all is computed from now on."""
        self._kept = kept
        self.size = kept.get(self._name, self._most)
        self._went_well = 0
        self._patience = _PATIENCE

    def over(self, count: int, work: Callable[[int, int], T]) -> Iterator[T]:
        """What ``work`` gives for each part, from ``start`` to ``end``, of ``count`` items.

        Raises:
            RuntimeError | MemoryError: there is no memory for a single one.
        """
        start = 0
        while start < count:
            size = min(self.size, count - start)
            try:
                found = work(start, start + size)
            except (MemoryError, RuntimeError) as error:
                if size == 1 or not is_out_of_memory(error):
                    raise
                log.warning("No memory for %d %s at once; trying half", size, self._name)
            else:
                yield found
                start += size
                self._count(size)
                continue
            self._halve(size)  # here, where the error no longer holds what was computed

    def _halve(self, size: int) -> None:
        release_memory()
        self.size = max(1, size // 2)
        self._went_well = 0
        self._patience = min(2 * self._patience, _MOST_PATIENCE)
        self._kept.put(self._name, self.size, self._most)

    def _count(self, size: int) -> None:
        if size < self.size or self.size == self._most:
            return
        self._went_well += 1
        if self._went_well >= self._patience:
            self._went_well = 0
            self.size = min(2 * self.size, self._most)
            self._kept.put(self._name, self.size, self._most)


class IdleWatch:
    """Calls ``free`` once nothing has been computed for ``idle_s``.

    ``start`` looks now and then on a thread of its own, which holds nobody: it ends with the
    last reference to the watch. ``free`` must be a method; its object is not held either.
    """

    def __init__(
        self,
        free: Callable[[], None],
        *,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = weakref.WeakMethod(free)
        self._idle_s = idle_s
        self._clock = clock
        self._lock = threading.Lock()
        self._working = 0
        self._used_s = clock()
        self._is_free = True
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def working(self) -> Iterator[None]:
        """A time in which something is computed, and nothing is freed."""
        with self._lock:
            self._working += 1
            self._is_free = False
            self._start()
        try:
            yield
        finally:
            with self._lock:
                self._working -= 1
                self._used_s = self._clock()

    def look(self) -> bool:
        """Frees what has been idle for long enough; True where it did."""
        with self._lock:
            idle_s = self._clock() - self._used_s
            if self._working or self._is_free or idle_s < self._idle_s:
                return False
            self._is_free = True
        free = self._free()
        if free is None:
            return False
        free()
        return True

    def close(self) -> None:
        """Ends the looking."""
        self._ended.set()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(
                target=_look_often,
                args=(weakref.ref(self), self._ended, self._idle_s / 4),
                name="idle models",
                daemon=True,
            )
            self._thread.start()


def _look_often(watch: weakref.ref[IdleWatch], ended: threading.Event, pause_s: float) -> None:
    while not ended.wait(pause_s):
        found = watch()
        if found is None:
            return
        found.look()
        del found
