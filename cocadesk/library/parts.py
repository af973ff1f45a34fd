"""The parts of a medium beside the file that is shown: the RAW of a JPEG, the video of a photo."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cocadesk.errors import tr


class PartRole(StrEnum):
    """The ways in which a file belongs to a medium that another file shows."""

    PHOTO = "photo"
    RAW = "raw"
    VIDEO = "video"
    INSIDE = "inside"
    """The video inside the very file that is shown: a motion photo."""


HAS_VIDEO = frozenset({PartRole.VIDEO, PartRole.INSIDE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One more file of a medium, in the folder of the one that is shown.

    ``name`` is the file's, ``format`` as the media table says it of a file of its own. A video
    ``INSIDE`` is no file: its name is empty, and its hash.
    """

    name: bytes
    role: PartRole
    format: str
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    file_hash: str


def video_part(parts: Sequence[Part]) -> Part | None:
    """The video that belongs to a photo, where it has one."""
    return next((part for part in parts if part.role in HAS_VIDEO), None)


def name_of(path: bytes) -> str:
    """The name of a file as text."""
    return os.fsdecode(path).rpartition(os.sep)[2]


_BADGES = {PartRole.RAW: "RAW", PartRole.VIDEO: "Live", PartRole.INSIDE: tr("video inside")}


def parts_text(name: str, parts: Sequence[tuple[str, PartRole]]) -> str | None:
    """The names of a medium's files with what each is; None where there is one file."""
    if not parts:
        return None
    others = (f"{other} ({_BADGES.get(role, role.value)})".strip() for other, role in parts)
    return ", ".join([name, *others])
