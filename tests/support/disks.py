"""Real disks in memory: mounted, filled, made read-only, pulled out and put back.

Each function skips its test, with the reason, where the machine mounts nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

Result = TypeVar("Result")

_PASSES_OVER_PERMISSIONS = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH of Linux."""


def mount(place: Path, *options: str | Path) -> None:
    """Mounts what the ``options`` of ``mount`` say; a disk in memory without any."""
    arguments = options or ("-t", "tmpfs", "tmpfs")
    done = subprocess.run(["mount", *arguments, place], check=False, capture_output=True)
    if done.returncode:
        pytest.skip("a disk can't be mounted here (this needs root)")


def unmount(place: Path) -> None:
    """Takes a disk away, as somebody who pulls it out: whoever uses it is not asked."""
    subprocess.run(["umount", "-l", place], check=True, capture_output=True)


@contextlib.contextmanager
def mounted(place: Path, size: str = "16m") -> Iterator[Path]:
    """A disk of this size at a new folder."""
    place.mkdir(parents=True)
    mount(place, "-t", "tmpfs", "-o", f"size={size}", "tmpfs")
    try:
        yield place
    finally:
        unmount(place)


@contextlib.contextmanager
def full(place: Path, left: int = 0) -> Iterator[None]:
    """Takes the space of a disk for a while, but for so many bytes."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    os.truncate(ballast, max(0, ballast.stat().st_size - left))
    try:
        yield
    finally:
        ballast.unlink()


@contextlib.contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Lets nobody write on a mounted disk for a while, not even root."""
    mount(disk, "-o", "remount,ro")
    try:
        yield
    finally:
        mount(disk, "-o", "remount,rw")


@contextlib.contextmanager
def seen_read_only(folder: Path, place: Path) -> Iterator[Path]:
    """A folder at another place too, where nobody can write into it."""
    place.mkdir()
    mount(place, "--bind", folder)
    try:
        mount(place, "-o", "remount,bind,ro")
        yield place
    finally:
        unmount(place)
        place.rmdir()


class Plug:
    """A place at which disks (folders of mounted ones) are plugged in, one at a time."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._is_used = False
        place.mkdir(parents=True)

    def put(self, disk: Path | None) -> None:
        """Pulls the disk that is there, and plugs in another one where one is given."""
        if self._is_used:
            unmount(self.place)
        self._is_used = disk is not None
        if disk is not None:
            mount(self.place, "--bind", disk)


def as_ordinary_user(work: Callable[[], Result]) -> Result:
    """Does some work as a user to whom closed files are closed, on a thread of its own.

    The superuser's right to pass over permissions is taken from that thread alone.
    """
    if os.name == "nt":
        pytest.skip("Windows knows no permissions of this kind")

    def limited() -> Result:
        if os.geteuid() == 0:
            _drop_rights()
        return work()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(limited).result()


def _drop_rights() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    # Version 3 of the call, of this thread; three masks for each half of 64 rights.
    header, rights = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    if not hasattr(libc, "capset") or libc.capget(header, rights):
        pytest.skip("the superuser keeps all rights here")
    for place in range(3):
        rights[place] &= ~_PASSES_OVER_PERMISSIONS
    if libc.capset(header, rights):
        pytest.skip("the superuser keeps all rights here")
