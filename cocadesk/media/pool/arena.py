"""Memory that one worker and the pool share, cut into slots of equal size.

An anonymous file handed down by descriptor (on Windows a named mapping): no
name that another program could open, nothing left behind by a crash, and no
resource-tracker process as ``multiprocessing.shared_memory`` starts.
"""

from __future__ import annotations

import mmap
import os
import secrets
import sys
import tempfile
from typing import Self


class Arena:
    """The shared memory; closed by whoever made or opened it."""

    def __init__(self, memory: mmap.mmap, reference: int | str) -> None:
        self.memory = memory
        self.reference = reference
        """What the other process needs to open it: a descriptor or a name."""

    @classmethod
    def create(cls, size_bytes: int) -> Arena:
        """New shared memory of at least ``size_bytes``."""
        if sys.platform == "win32":
            name = f"cocadesk-{secrets.token_hex(16)}"
            return cls(mmap.mmap(-1, size_bytes, tagname=name), name)
        descriptor = _anonymous_file()
        os.truncate(descriptor, size_bytes)
        return cls(mmap.mmap(descriptor, size_bytes), descriptor)

    @classmethod
    def open(cls, reference: int | str, size_bytes: int) -> Arena:
        """The memory that the parent process created."""
        if isinstance(reference, int):
            return cls(mmap.mmap(reference, size_bytes), reference)
        if sys.platform == "win32":
            return cls(mmap.mmap(-1, size_bytes, tagname=reference), reference)
        raise ValueError("named shared memory exists on Windows only")

    @property
    def descriptors(self) -> tuple[int, ...]:
        """File descriptors that the child process must inherit."""
        return (self.reference,) if isinstance(self.reference, int) else ()

    def close(self) -> None:
        """Lets go of the memory. Safe to call twice."""
        if not self.memory.closed:
            self.memory.close()
            if isinstance(self.reference, int):
                os.close(self.reference)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("cocadesk-arena", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
