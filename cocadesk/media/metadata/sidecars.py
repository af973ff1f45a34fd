"""XMP files beside photos and videos: which belong to a file, and their packets.

Two rules of naming are in use: ``crab.jpg.xmp`` (darktable, digiKam) and ``crab.xmp``
(Adobe's). Where both are there, the first counts more.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator

from cocadesk.media.files import is_only_in_cloud, open_media_file
from cocadesk.media.metadata.xmp import MAX_PACKET_BYTES
from cocadesk.media.types import PhotoError

_ENDINGS = (b".xmp", b".XMP", b".Xmp")


def is_sidecar(name: bytes) -> bool:
    """True for the name of an XMP file."""
    return name[-4:].lower() == b".xmp"


def sidecars_beside(folder: bytes, name: bytes, there: Container[bytes] | None = None) -> str:
    """Sizes and times of the sidecars of a file, as text that changes with each of them.

    Without their names, so that a photo that moves together with its sidecar keeps it.
    ``there`` are the sidecars in the folder (None: the disk is asked).
    """
    marks = []
    for owner in _names(name):
        if there is None or owner in there:
            try:
                status = os.stat(os.path.join(folder, owner))  # noqa: PTH116, PTH118 - bytes
            except OSError:
                continue
            if not is_only_in_cloud(status):
                marks.append(f"{status.st_size:x}-{status.st_mtime_ns:x}")
    # Where case does not count, the disk gives one file under each spelling.
    return " ".join(dict.fromkeys(marks))


def packets_beside(path: bytes) -> list[bytes]:
    """The XMP packets of a file's sidecars, the one that counts most first."""
    folder, name = os.path.split(path)
    found = (_read(os.path.join(folder, owner)) for owner in _names(name))  # noqa: PTH118
    return list(dict.fromkeys(packet for packet in found if packet))


def _names(name: bytes) -> Iterator[bytes]:
    """The names that a file's sidecars may have."""
    for owner in dict.fromkeys((name, os.path.splitext(name)[0])):  # noqa: PTH122
        for ending in _ENDINGS:
            yield owner + ending


def _read(path: bytes) -> bytes | None:
    """The content of a sidecar; None where there is none, or none that can be read."""
    try:
        with open_media_file(path) as file:
            packet = file.read(MAX_PACKET_BYTES + 1)
    except (OSError, PhotoError):
        return None
    return packet if packet and len(packet) <= MAX_PACKET_BYTES else None
