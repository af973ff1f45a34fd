"""The files that a job has in hand, noted on the disk for whoever comes after a crash."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

NOTE_NAME = "engine-in-hand"
_BEGUN, _LEFT = b"+", b"-"


class InHand:
    """The notes of one job, in the library's ``folder``.

    They are appended without waiting for the disk: they outlive the process, not a
    power cut, which is no file's fault.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NOTE_NAME
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._file: int | None = None
        # Where a full disk refuses them, the job goes on without notes.
        with contextlib.suppress(OSError):
            self._file = os.open(self._path, flags, 0o600)

    def begin(self, paths: Iterable[bytes]) -> None:
        """These files are in hand from now on."""
        self._note(_BEGUN, paths)

    def leave(self, paths: Iterable[bytes]) -> None:
        """These files are done with: committed, or known not to be readable."""
        self._note(_LEFT, paths)

    def _note(self, mark: bytes, paths: Iterable[bytes]) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.write(self._file, b"".join(mark + path + b"\0" for path in paths))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The job has ended in good order: no file is to blame."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        forget_in_hand(self._path.parent)


def left_in_hand(folder: Path) -> tuple[bytes, ...]:
    """The files that a job of this library had in hand when its engine died."""
    try:
        notes = (folder / NOTE_NAME).read_bytes().split(b"\0")
    except OSError:
        return ()
    begun: dict[bytes, None] = {}
    for note in notes:
        if note.startswith(_BEGUN):
            begun[note[1:]] = None
        elif note.startswith(_LEFT):
            begun.pop(note[1:], None)
    return tuple(begun)


def forget_in_hand(folder: Path) -> None:
    """Remove the notes of this library."""
    with contextlib.suppress(OSError):
        (folder / NOTE_NAME).unlink()
