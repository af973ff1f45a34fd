"""Edits that no engine has taken yet, kept in a file for the next window on the library."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from pathlib import Path

from cocadesk.protocol.endpoint import lasting_name
from cocadesk.protocol.messages import (
    DecideSuggestions,
    Request,
    RequestBody,
    SetAnnotations,
    SetBest,
    SetNotSame,
)
from cocadesk.protocol.private_file import write_privately
from cocadesk.protocol.wire import FrameReader, ProtocolError, decode_client_message, encode
from ui.kit.preferences import settings_file

_log = logging.getLogger(__name__)

Edit = SetAnnotations | SetBest | SetNotSame | DecideSuggestions
"""What can be sent twice with the same outcome as once."""


def unsent_folder() -> Path:
    """The folder of all such files, which may not be there."""
    return Path(settings_file()).parent / "unsent"


def unsent_file(library: Path) -> Path:
    """The file of one library; of one that was moved, that of its new place."""
    return unsent_folder() / f"{lasting_name(library)}.edits"


class UnsentEdits:
    """The file of one library, that only its owner can read; there is none without edits."""

    def __init__(self, library: Path) -> None:
        self._library = library

    @property
    def path(self) -> Path:
        """The file, also after a move."""
        return unsent_file(self._library)

    def read(self) -> tuple[Edit, ...]:
        """The edits in their order; a file that can't be understood is put aside, not deleted."""
        try:
            frames = FrameReader().feed(self.path.read_bytes())
            bodies = [getattr(decode_client_message(frame), "body", None) for frame in frames]
        except FileNotFoundError:
            return ()
        except (OSError, ProtocolError) as error:
            _log.warning("%s can't be read: %s", self.path, error)
            with contextlib.suppress(OSError):
                self.path.replace(self.path.with_suffix(".unread"))
            return ()
        return tuple(body for body in bodies if isinstance(body, Edit))

    def write(self, edits: Sequence[RequestBody]) -> bool:
        """Keeps these alone; False where the file can't be written, e.g. on a full disk."""
        try:
            if not edits:
                self.path.unlink(missing_ok=True)
                return True
            frames = (encode(Request(id=0, body=body)) for body in edits)
            write_privately(self.path, frames, is_durable=True)
        except (OSError, ProtocolError) as error:
            _log.warning("%s can't be written: %s", self.path, error)
            return False
        return True
