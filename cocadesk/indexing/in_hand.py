"""The files that an index has in hand, noted on the disk for whoever comes after a crash."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from cocadesk.indexing.known_files import MatchedFile, Unreadable, Vanished
from cocadesk.indexing.pictures import Decoded
from cocadesk.indexing.pipeline import Matcher
from cocadesk.media.types import DecodeFailure, FoundFile

NOTE_NAME = "engine-in-hand"
_BEGUN, _LEFT = b"+", b"-"


class InHand:
    """A matcher that notes each file when it is begun, until it is committed.

    The notes are appended without waiting for the disk: they outlive the process, not a
    power cut, which is no file's fault.
    """

    def __init__(self, folder: Path, matcher: Matcher) -> None:
        self._matcher = matcher
        self._path = folder / NOTE_NAME
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._file: int | None = None
        # Where a full disk refuses them, the index goes on without notes.
        with contextlib.suppress(OSError):
            self._file = os.open(self._path, flags, 0o600)

    def match_bytes(self, found: FoundFile) -> MatchedFile | None:
        """As the matcher within; the file is in hand from now on."""
        self._note(_BEGUN, (found,))
        return self._matcher.match_bytes(found)

    def match_picture(
        self, found: FoundFile, result: Decoded | DecodeFailure
    ) -> MatchedFile | Unreadable | Vanished:
        """As the matcher within."""
        return self._matcher.match_picture(found, result)

    def leave(self, files: Iterable[FoundFile]) -> None:
        """These files are committed, or known not to be readable."""
        self._note(_LEFT, files)

    def _note(self, mark: bytes, files: Iterable[FoundFile]) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.write(self._file, b"".join(mark + file.path + b"\0" for file in files))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The index has ended in good order: no file is to blame."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
        forget_in_hand(self._path.parent)


def left_in_hand(folder: Path) -> tuple[bytes, ...]:
    """The files that an index of this library had begun and not left when it died."""
    try:
        notes = (folder / NOTE_NAME).read_bytes().split(b"\0")
    except OSError:
        return ()
    left = {note[1:] for note in notes if note.startswith(_LEFT)}
    begun = dict.fromkeys(note[1:] for note in notes if note.startswith(_BEGUN))
    return tuple(path for path in begun if path not in left)


def forget_in_hand(folder: Path) -> None:
    """Remove the notes of this library."""
    with contextlib.suppress(OSError):
        (folder / NOTE_NAME).unlink()
