"""Files that only their owner can read, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path


def write_privately(path: Path, parts: Iterable[bytes], *, is_durable: bool = False) -> None:
    """Writes a file of mode 0600 in one step, in a folder of 0700 where there is none yet.

    ``is_durable`` waits for the disk. Nothing is left of a file that can't be written.

    Raises:
        OSError: the disk is full or refuses.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}-")
    draft = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.writelines(parts)
            if is_durable:
                stream.flush()
                os.fsync(stream.fileno())
        draft.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise
