"""The file in which a video's frames wait between the worker and the pool.

A video has too many frames for the shared slots. The pool makes a folder that
only this user can enter; the worker writes one file for each video into it; the
pool maps that file and takes its name away at once, so that nothing is left
when the map goes. Fixed layout: sixteen frames of room for the whole (the last
ones are used), the frames of the moments, then all thumbnails.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from cocadesk.media.types import WHOLE_FRAMES, RgbImage

_PREFIX = "cocadesk-frames-"


class SpoolWriter:
    """The worker's side: a ``FrameStore`` that fills one file."""

    def __init__(self, path: str, size_px: int) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self._file = os.fdopen(os.open(path, flags, 0o600), "wb", buffering=0)
        self._frame_bytes = 3 * size_px**2
        self._moments = 0

    def start_again(self) -> None:
        """Empties the file."""
        self._file.truncate(0)
        self._moments = 0

    def keep_moment(self, input_HWC: RgbImage) -> None:
        """Writes the frame of the next moment.

        Raises:
            OSError: the disk is full.
        """
        self._write((WHOLE_FRAMES + self._moments) * self._frame_bytes, input_HWC.data.cast("B"))
        self._moments += 1

    def keep_whole(self, inputs: list[RgbImage]) -> None:
        """Writes the frames of the whole right before those of the moments."""
        first = WHOLE_FRAMES - len(inputs)
        for place, input_HWC in enumerate(inputs, start=first):
            self._write(place * self._frame_bytes, input_HWC.data.cast("B"))

    def keep_thumbnails(self, thumbnails: list[bytes]) -> None:
        """Writes the thumbnails behind all frames."""
        joined = memoryview(b"".join(thumbnails))
        self._write((WHOLE_FRAMES + self._moments) * self._frame_bytes, joined)

    def close(self) -> None:
        """Ends the writing."""
        self._file.close()

    def _write(self, position: int, data: memoryview) -> None:
        self._file.seek(position)
        while data:
            data = data[self._file.write(data) :]


class SpoolFolder:
    """The pool's side: the folder, and reading what workers left there."""

    def __init__(self, parent: Path | None = None) -> None:
        self._folder = folder_of_process(_PREFIX, parent or Path(tempfile.gettempdir()))

    def path(self, serial: int) -> str:
        """The file that the worker writes for the video with this serial."""
        return str(self._folder / f"{serial}.frames")

    def take(
        self, serial: int, size_px: int, whole: int, thumbnail_sizes: list[int]
    ) -> tuple[NDArray[np.uint8], list[bytes]]:
        """The frames, (N, S, S, 3) read-only, and the thumbnails; the file's name is gone then.

        ``thumbnail_sizes``: bytes of each moment's, the poster's last.

        Raises:
            OSError: the file is not there.
            ValueError: it is not as large as the worker says.
        """
        path = self.path(serial)
        moments = len(thumbnail_sizes) - 1
        frame_bytes = 3 * size_px**2
        frames_end = (WHOLE_FRAMES + moments) * frame_bytes
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - the name is ours and plain
                memory = _map(file, frames_end + sum(thumbnail_sizes))
        finally:
            self.drop(serial)
        start = (WHOLE_FRAMES - whole) * frame_bytes
        frames = np.frombuffer(memory, np.uint8, (whole + moments) * frame_bytes, start)
        thumbnails = list(_cut(memory, frames_end, thumbnail_sizes))
        return frames.reshape(whole + moments, size_px, size_px, 3), thumbnails

    def drop(self, serial: int) -> None:
        """Removes the file of a video; nothing where there is none."""
        with contextlib.suppress(OSError):
            os.unlink(self.path(serial))  # noqa: PTH108

    def close(self) -> None:
        """Removes the folder. Maps that were taken stay valid."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _map(file: BinaryIO, size_bytes: int) -> mmap.mmap:
    actual = os.fstat(file.fileno()).st_size
    if actual != size_bytes:
        raise ValueError(f"the frames take {actual} bytes, not {size_bytes}")
    return mmap.mmap(file.fileno(), size_bytes, access=mmap.ACCESS_READ)


def _cut(memory: mmap.mmap, start: int, sizes: list[int]) -> Iterator[bytes]:
    for size in sizes:
        yield memory[start : start + size]
        start += size


def folder_of_process(prefix: str, base: Path) -> Path:
    """A new folder in ``base`` that only this user can enter, named after this process.

    Those of processes that were killed are removed.
    """
    _sweep(prefix, base)
    return Path(tempfile.mkdtemp(prefix=f"{prefix}{os.getpid()}-", dir=base))


def _sweep(prefix: str, base: Path) -> None:
    """Removes the folders of processes that were killed. Where that cannot be told, none."""
    if sys.platform == "win32":
        return
    for folder in base.glob(f"{prefix}*"):
        owner = folder.name.removeprefix(prefix).split("-", 1)[0]
        if owner.isdigit() and not _is_alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False  # gone, or a number that no process has
    except OSError:
        pass  # it lives, and is somebody else's
    return True
