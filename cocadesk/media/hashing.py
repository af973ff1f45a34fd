"""The one fingerprint of a file's bytes; decoder and indexer must agree on it.

Files up to 64 MiB, and photos of any size, are hashed whole. Reading a video of
many gigabytes only to learn that it was moved would take minutes, so of a
larger file that is no photo its size, its first and last mebibyte and sixteen
samples between are hashed. Which way is taken depends on the content alone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

import xxhash

from cocadesk.media.files import open_without_trace
from cocadesk.media.formats import sniff_format
from cocadesk.media.sniffing import SNIFF_BYTES

WHOLE_BYTES = 64 << 20
_END_BYTES = 1 << 20
_SAMPLE_BYTES = 256 << 10
_SAMPLES = 16
_CHUNK_BYTES = 1 << 20


def hash_file(path: bytes) -> str | None:
    """The ``file_hash`` that a decode of this file gives; None where it cannot be read.

    The same as ``hash_bytes`` of its content.
    """
    try:
        descriptor = open_without_trace(path)
        try:
            return hash_descriptor(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return None


def hash_descriptor(descriptor: int) -> str:
    """The same for a file that is open; its position is unspecified afterwards.

    Raises:
        OSError: reading failed, or it is no regular file.
    """
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError("this is no regular file")

    def read(size: int, offset: int) -> bytes:
        os.lseek(descriptor, offset, os.SEEK_SET)
        return os.read(descriptor, size)

    return _hash(status.st_size, read)


def hash_bytes(data: bytes | memoryview) -> str:
    """The same for a file's content in memory."""
    view = memoryview(data)
    return _hash(len(view), lambda size, offset: bytes(view[offset : offset + size]))


def _hash(size_bytes: int, read: Callable[[int, int], bytes]) -> str:
    if size_bytes <= WHOLE_BYTES or sniff_format(read(SNIFF_BYTES, 0)) is not None:
        hasher = xxhash.xxh3_128()
        position = 0
        while chunk := read(_CHUNK_BYTES, position):
            hasher.update(chunk)
            position += len(chunk)
        return hasher.hexdigest()
    hasher = xxhash.xxh3_128(f"sampled:{size_bytes}:".encode())
    for offset, length in _samples(size_bytes):
        hasher.update(read(length, offset))
    return hasher.hexdigest()


def _samples(size_bytes: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each piece of a large file."""
    yield 0, _END_BYTES
    between = size_bytes - 2 * _END_BYTES - _SAMPLE_BYTES
    for number in range(_SAMPLES):
        yield _END_BYTES + between * number // (_SAMPLES - 1), _SAMPLE_BYTES
    yield size_bytes - _END_BYTES, _END_BYTES
