"""Reads Qt's binary resource archives (``.rcc``) without Qt.

Layout, big-endian throughout. A header names three sections: a table of
fixed-size nodes (the directory tree, node 0 is its root), the names (a 16-bit
length, a 32-bit hash, UTF-16 text) and the data (a 32-bit length, then bytes).
Files may be deflated (a 32-bit size precedes the zlib stream) or packed with
Zstandard; the archives we read use the first or neither.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_MAGIC = b"qres"
_HEADER = struct.Struct(">4sIIII")
_NODE_START = struct.Struct(">IH")
_DIRECTORY = struct.Struct(">II")
_FILE = struct.Struct(">HHI")
_DEFLATED, _IS_DIRECTORY, _ZSTANDARD = 1, 2, 4


class RccError(ValueError):
    """The bytes are not an archive that this reader understands."""


class Archive:
    """One archive in memory; ``files()`` walks it. RccError when the bytes are none."""

    def __init__(self, data: bytes) -> None:
        if len(data) < _HEADER.size or not data.startswith(_MAGIC):
            raise RccError("the bytes do not start like a Qt resource archive")
        _, version, self.tree_at, self.data_at, self.names_at = _HEADER.unpack_from(data)
        # From format 2 on every node also carries the file's time (8 bytes).
        self.node_bytes = 14 if version == 1 else 22
        self.data = data

    def files(self, node: int = 0, folder: str = "") -> Iterator[tuple[str, bytes]]:
        """(path with slashes, content) of every file below ``node``."""
        start = self.tree_at + node * self.node_bytes
        name_at, flags = _NODE_START.unpack_from(self.data, start)
        path = self._join(folder, name_at) if node else folder
        if flags & _IS_DIRECTORY:
            count, first = _DIRECTORY.unpack_from(self.data, start + _NODE_START.size)
            for child in range(first, first + count):
                yield from self.files(child, path)
        else:
            _, _, offset = _FILE.unpack_from(self.data, start + _NODE_START.size)
            yield path, self._content(self.data_at + offset, flags)

    def _join(self, folder: str, name_at: int) -> str:
        at = self.names_at + name_at
        (length,) = struct.unpack_from(">H", self.data, at)
        name = self.data[at + 6 : at + 6 + 2 * length].decode("utf-16-be")
        return f"{folder}/{name}" if folder else name

    def _content(self, at: int, flags: int) -> bytes:
        (length,) = struct.unpack_from(">I", self.data, at)
        raw = self.data[at + 4 : at + 4 + length]
        if flags & _DEFLATED:
            return zlib.decompress(raw[4:])
        if flags & _ZSTANDARD:
            raise RccError("a file in the archive is packed with Zstandard")
        return raw
