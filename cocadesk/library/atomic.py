"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cocadesk.errors import UserError, tr


def write_atomically(path: Path, data: bytes, *, durable: bool) -> None:
    """Write beside and rename over; ``durable`` also waits for the disk.

    Raises:
        UserError: the disk is full or refuses.
    """
    with written_atomically(path, durable=durable) as file:
        file.write(data)


@contextmanager
def written_atomically(path: Path, *, durable: bool) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` at the end; see ``write_atomically``."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            sync_folder(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise UserError(
            tr("The library can't write {path}.", path=path),
            tr("The reason: {reason}.", reason=error.strerror or error),
            tr("Free some space or check the folder's permissions, then try again."),
        ) from error


def sync_folder(folder: Path | bytes) -> None:
    """Make a rename durable; Windows can't open a folder and does not need it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
