"""Files of named arrays that are read where they lie, through a memory map.

The arrays come first, so that they can be written one piece after the other; what they are
stands at the end. A file that does not fit its checksum is not read.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.texts import Texts

_MAGIC = b"cocadesk search 5\n"
_CHECKSUM_BYTES = 16
_ALIGNMENT = 64
_END_BYTES = _CHECKSUM_BYTES + 4 + len(_MAGIC)
_SMALL_BYTES = 128 << 20
_KEPT_BYTES = 64 << 20
"""A file up to here is read against its checksum each time it is opened (40 ms)."""


class PartsWriter:
    """Writes arrays into ``file``, which holds nothing yet, and at last what they are."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._position = 0
        self._checksum = 0
        self._places: dict[str, tuple[str, tuple[int, ...], int]] = {}
        self._write(_MAGIC)

    def _write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._checksum = zlib.crc32(data, self._checksum)
        self._position += len(data)

    def add(self, name: str, array: NDArray[Any]) -> None:
        """Write one array."""
        self.add_pieces(name, [array], len(array))

    def add_pieces(self, name: str, pieces: Iterable[NDArray[Any]], rows: int) -> None:
        """Write one array of so many ``rows`` that comes in pieces, at least one."""
        self._write(b"\0" * (-self._position % _ALIGNMENT))
        for piece in pieces:
            if name not in self._places:
                self._places[name] = (piece.dtype.str, (rows, *piece.shape[1:]), self._position)
            self._write(np.ascontiguousarray(piece).reshape(-1).view(np.uint8).data)

    def add_texts(self, name: str, texts: Texts) -> None:
        """Write texts, as two arrays."""
        self.add(f"{name} data", texts.data)
        self.add(f"{name} offsets", texts.offsets)

    def finish(self, about: object) -> None:
        """Write the end; ``about`` is anything that JSON can hold."""
        self._file.write(_end_of(about, self._places, self._position, self._checksum))


def _end_of(about: object, places: object, length: int, checksum: int) -> bytes:
    """The end of a file; as long for any checksum."""
    end = json.dumps([about, places, length, f"{checksum:08x}"]).encode()
    return end + _mark(end) + len(end).to_bytes(4, "little") + _MAGIC


def _mark(end: bytes) -> bytes:
    return blake2b(end, digest_size=_CHECKSUM_BYTES).digest()


class Parts:
    """The arrays of a file, by name."""

    def __init__(self, of_file: mmap.mmap | bytes) -> None:
        """Read what the arrays are.

        Raises:
            ValueError: the file is damaged.
        """
        self._map = of_file
        self.data = data = memoryview(of_file)
        last = bytes(data[-_END_BYTES:])
        if len(last) < _END_BYTES or not last.endswith(_MAGIC):
            raise ValueError("not a file of this program")
        length = int.from_bytes(last[_CHECKSUM_BYTES:][:4], "little")
        end = bytes(data[-_END_BYTES - length : -_END_BYTES])
        if last[:_CHECKSUM_BYTES] != _mark(end):
            raise ValueError("the end is damaged")
        self.about, self._places, self._length, self._checksum = json.loads(end)
        if len(data) != self._length + length + _END_BYTES:
            raise ValueError("the file is cut off")
        if len(data) <= _SMALL_BYTES and not self.is_whole():
            raise ValueError("the file is damaged")

    @classmethod
    def of_file(cls, path: Path) -> Parts:
        """Those of a file; a large one stays open.

        A small one is read: Windows lets nobody replace or remove a file under a memory map.

        Raises:
            OSError: it can't be read.
            ValueError: it is empty or damaged.
        """
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size <= _SMALL_BYTES:
                return cls(file.read())
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))

    def is_whole(self) -> bool:
        """True where every byte is as it was written: a flipped bit would be another ranking."""
        return bool(f"{zlib.crc32(self.data[: self._length]):08x}" == self._checksum)

    def seal(self) -> None:
        """Bring the checksum of a file that was written into up to date, and all to the disk."""
        checksum = zlib.crc32(self.data[: self._length])
        self.data[self._length :] = _end_of(self.about, self._places, self._length, checksum)
        assert isinstance(self._map, mmap.mmap)
        self._map.flush()

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def array(self, name: str) -> NDArray[Any]:
        """The array of that name."""
        kind, shape, position = self._places[name]
        return np.frombuffer(self.data, kind, math.prod(shape), position).reshape(shape)

    def position(self, name: str) -> int:
        """The place of an array in the file, in bytes."""
        return int(self._places[name][2])

    def texts(self, name: str) -> Texts:
        """The texts of that name."""
        return Texts(self.array(f"{name} data"), self.array(f"{name} offsets"))


class RowsInFile:
    """The rows of an array that stay in the file, for which the process keeps no memory.

    Few of many are needed at a time: each brings its neighbours along, so that soon all of them
    would count as the process's memory. They are let go of after each question; the system keeps
    what it likes. One call for all: reading them one by one would wait for Python's lock each
    time, of which a search beside an index has seen a second. Up to ``_KEPT_BYTES`` stay: to read
    them anew took 6 % of a search of 100,000 photos.
    """

    def __init__(self, path: Path, parts: Parts, name: str) -> None:
        """Keep the file open, which is that of ``parts``.

        Raises:
            OSError: it can't be read.
        """
        like = parts.array(name)
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._rows = np.frombuffer(self._map, like.dtype, like.size, parts.position(name))
        self._rows = self._rows.reshape(like.shape)
        self._are_few = self._rows.nbytes <= _KEPT_BYTES
        if not self._are_few:
            self._advise("MADV_RANDOM")

    def __getitem__(self, rows: NDArray[np.intp]) -> NDArray[Any]:
        found = self._rows.take(rows, axis=0)
        if not self._are_few:
            self._advise("MADV_DONTNEED")
        return found

    def _advise(self, name: str) -> None:
        if hasattr(mmap, name):  # not on Windows
            self._map.madvise(getattr(mmap, name))


def is_damaged(path: Path) -> bool:
    """True where a file is there and not as it was written, to the last byte."""
    try:
        return not Parts.of_file(path).is_whole()
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True


@contextmanager
def changed_in_place(path: Path) -> Iterator[Parts]:
    """The arrays of a file, to be written into; afterwards its checksum fits again.

    Raises:
        OSError: the disk refuses.
        ValueError: the file is damaged.
    """
    with path.open("r+b") as file:
        parts = Parts(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_WRITE))
        yield parts
        parts.seal()
        os.fsync(file.fileno())
