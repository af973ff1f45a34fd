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


class UnsyncedDisk:
    """A disk that keeps, over a power cut, only what was synced.

    A file is there after the cut if the folder was synced when it held the file's name; its
    content is that of the file's own last sync, and nothing where there was none.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._content: dict[int, bytes] = {}
        self._names: dict[int, dict[str, int]] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time before the cut."""
        sync = os.fsync

        def synced(descriptor: int) -> None:
            sync(descriptor)
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            inode = os.fstat(descriptor).st_ino
            if path.is_dir():
                self._names[inode] = {entry.name: entry.inode() for entry in os.scandir(path)}
            elif path.exists():
                self._content[inode] = path.read_bytes()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(os, "fsync", synced)
            yield

    def after_the_cut(self, into: Path) -> Path:
        """The folder as it is found when the power is back."""
        self._restore(self._folder.stat().st_ino, into)
        return into

    def _restore(self, folder: int, into: Path) -> None:
        into.mkdir(parents=True)
        for name, inode in self._names.get(folder, {}).items():
            if inode in self._names:
                self._restore(inode, into / name)
            elif inode in self._content:
                (into / name).write_bytes(self._content[inode])
            elif "." in name:
                (into / name).touch()


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
