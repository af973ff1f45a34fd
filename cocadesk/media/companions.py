"""Files of one shot, by their names and by what is read of them.

A camera writes RAW and JPEG, a phone a photo and a short video, under one stem in one
folder. Names make them candidates; the times in the files, or Apple's identifier of a Live
Photo, say whether they are.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from cocadesk.media.formats import JPEG, PHOTO_FORMATS
from cocadesk.media.types import PhotoMetadata, ReadMetadata

LIVE_VIDEO_S = 4.5
"""The longest video of a Live Photo: Apple's are three seconds, others' a little longer."""
_SAME_SHOT = timedelta(seconds=2)
_SAME_MOMENT = timedelta(seconds=6)
"""A video's clock shows the beginning or the end of it, and the photo's the middle."""
_ZONES = timedelta(minutes=15)
_DAY = timedelta(hours=15)

_EXTENSIONS = {row.name: row.extensions for row in PHOTO_FORMATS}
_JPEG = JPEG.extensions - {"mpo"}
_HEIC = _EXTENSIONS["HEIC"] - {"heics", "heifs"}
_RAW = _EXTENSIONS["camera raw"]
_VIDEO = ("mov", "mp4", "m4v")


class CompanionKind(StrEnum):
    """The ways in which a file belongs to another one that shows the shot."""

    PHOTO = "photo"
    RAW = "raw"
    VIDEO = "video"


class Companion(NamedTuple):
    """The file that shows the shot, what the other is beside it, and the other's format."""

    shown: bytes
    kind: CompanionKind
    format: str


class _Name(NamedTuple):
    path: bytes
    stem: bytes
    extension: str

    def beside(self, other: _Name) -> tuple[bool, bytes]:
        """Sorts candidates: those with the very stem of ``other`` first."""
        return self.stem != other.stem, self.path


def companions(paths: Iterable[bytes], broken: Collection[bytes] = ()) -> dict[bytes, Companion]:
    """The files that may belong to others, by their paths.

    A JPEG or HEIC is shown before a RAW, and a photo before a video; of ``broken`` files none
    is shown where there is another. A file belongs to one other at most.
    """
    found: dict[bytes, Companion] = {}
    for names in _shots(paths):
        still = sorted(n for n in names if n.extension in _JPEG or n.extension in _HEIC)
        raws = sorted(n for n in names if n.extension in _RAW)
        videos = sorted(n for n in names if n.extension in _VIDEO)
        for raw in raws:
            photos = sorted(still, key=lambda n: (n.extension in _HEIC, *n.beside(raw)))
            if not photos:
                continue
            photo = photos[0]
            if photo.path in broken and raw.path not in broken:
                if photo.path not in found:
                    kind = "HEIC" if photo.extension in _HEIC else "JPEG"
                    found[photo.path] = Companion(raw.path, CompanionKind.PHOTO, kind)
            elif photo.path not in found:
                found[raw.path] = Companion(photo.path, CompanionKind.RAW, "camera raw")
        for video in videos[:1]:
            photos = [n for n in (*still, *raws) if n.path not in found and n.path not in broken]
            photos.sort(key=lambda n: (_rank(n), *n.beside(video)))
            if photos:
                kind = CompanionKind.VIDEO
                found[video.path] = Companion(photos[0].path, kind, video.extension.upper())
    return found


def _rank(name: _Name) -> int:
    """The order in which photos are taken for that of a Live Photo."""
    return (name.extension not in _HEIC) + (name.extension in _RAW)


def _shots(paths: Iterable[bytes]) -> Iterable[list[_Name]]:
    """The files with equal stems in one folder, where one may be a companion."""
    wanted = {*_JPEG, *_HEIC, *_RAW, *_VIDEO}
    may_join = {*_RAW, *_VIDEO}
    shots: dict[bytes, list[_Name]] = defaultdict(list)
    for path in paths:
        stem, dot, extension = path.rpartition(b".")
        kind = extension.lower().decode("ascii", "replace")
        if dot and kind in wanted:
            folder, name = os.path.split(stem)
            shots[folder + b"/" + name.lower()].append(_Name(path, name, kind))
    return (
        names
        for names in shots.values()
        if len(names) > 1 and any(name.extension in may_join for name in names)
    )


def are_one_shot(
    photo: ReadMetadata | None, other: ReadMetadata | None, kind: CompanionKind
) -> bool | None:
    """True where two files with such names are of one shot, by what was read of them.

    None where nothing tells: a file whose metadata can't be read (it is None), or no time.
    """
    if photo is None or other is None:
        return None
    if kind is not CompanionKind.VIDEO:
        return _agree(photo, other, _SAME_SHOT)
    if photo.is_video or not other.is_video:
        return False
    if photo.content_id and other.content_id:
        return photo.content_id == other.content_id
    if other.duration_s is None or other.duration_s > LIVE_VIDEO_S:
        return False
    return _agree(photo, other, _SAME_MOMENT)


def _agree(one: ReadMetadata, other: ReadMetadata, within: timedelta) -> bool | None:
    """True where the times at which two files were taken are equal; None without both."""
    first, second = one.metadata, other.metadata
    if first.taken_utc is not None and second.taken_utc is not None:
        return abs(first.taken_utc - second.taken_utc) <= within
    if first.taken_local is not None and second.taken_local is not None:
        return abs(first.taken_local - second.taken_local) <= within
    times = _naive(first), _naive(second)
    if times[0] is None or times[1] is None:
        return None
    # One is local and one in UTC: whole quarters of an hour lie between them.
    apart = abs(times[0] - times[1])
    rest = apart % _ZONES
    return apart <= _DAY and min(rest, _ZONES - rest) <= within


def _naive(metadata: PhotoMetadata) -> datetime | None:
    if metadata.taken_local is not None:
        return metadata.taken_local
    return None if metadata.taken_utc is None else metadata.taken_utc.replace(tzinfo=None)
