"""The values that cross the border of this room."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import kept

RgbImage: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8, sRGB, upright."""

_MOST_MEMORY_BYTES = 2 << 30
_LIBRARIES_BYTES = 512 << 20
WHOLE_FRAMES = 16
"""Most frames that stand for a whole video (arXiv 2205.01917)."""

METADATA_VERSION = 5
"""Raise it when more is read of a file's metadata: the next index reads all of them again.

And when files are taken for another kind: photos that are videos now are then read anew.
"""

READER_VERSION = 1
"""Raise it when more files can be read: the next index tries once more what failed before."""


class Kind(StrEnum):
    """The kind of a file, by its content."""

    PHOTO = "photo"
    VIDEO = "video"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """Limits for one file; a file above any of these is refused before it is decoded.

    ``file_bytes`` is for photos, which are read whole; a video may be of any size.
    """

    file_bytes: int = 384 << 20
    pixels: int = 512_000_000
    memory_bytes: int = 640 << 20
    """Estimated peak of decoding, beyond the bytes of the file."""
    frames: int = 5_000_000
    """Of a video: 46 hours at 30 a second."""
    moments: int = 3_000
    """Of a video; a longer one gets wider moments."""
    frame_bytes: int = 1 << 30
    """What the kept frames of a video may take on the disk while they wait to be embedded."""

    @property
    def address_space_bytes(self) -> int:
        """What a process needs to decode within these limits: the libraries, file and picture."""
        return self.file_bytes + self.memory_bytes + _LIBRARIES_BYTES

    @classmethod
    def of_machine(cls, total_bytes: int | None = None) -> Self:
        """The limits for this computer, or for one with so much memory.

        An eighth of it for one picture (several are decoded side by side, and the model needs
        room): a computer with 16 GB reads pictures that one with 4 GB refuses.
        """
        total_bytes = _memory_bytes() if total_bytes is None else total_bytes
        share = min(total_bytes // 8, _MOST_MEMORY_BYTES)
        plain = cls()
        return cls(
            memory_bytes=max(plain.memory_bytes, share), file_bytes=max(plain.file_bytes, share)
        )

    def check_size(self, width: int, height: int, bytes_per_pixel: float) -> None:
        """Refuses a picture that would cost too much, before it is decoded.

        Raises:
            PhotoError: it has no pixels, or more than the limits allow.
        """
        if width < 1 or height < 1:
            raise PhotoError(kept("The picture has no pixels: its header gives a size of zero."))
        pixels = width * height
        if pixels > self.pixels:
            raise PhotoError(
                kept(
                    "The picture claims {width} x {height} pixels ({size} megapixels);"
                    " the limit is {limit}.",
                    width=width,
                    height=height,
                    size=f"{pixels / 1e6:,.0f}",
                    limit=f"{self.pixels / 1e6:,.0f}",
                )
            )
        needed_bytes = pixels * bytes_per_pixel
        if needed_bytes > self.memory_bytes:
            raise PhotoError(
                kept(
                    "Decoding {width} x {height} pixels would need about {size} MB of memory;"
                    " the limit is {limit} MB on this computer.",
                    width=width,
                    height=height,
                    size=f"{needed_bytes / 2**20:,.0f}",
                    limit=f"{self.memory_bytes / 2**20:,.0f}",
                )
            )


def _memory_bytes() -> int:
    """The memory of this computer; 0 where the system does not tell."""
    if sys.platform == "win32":
        return _windows_memory_bytes()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return 0


def _windows_memory_bytes() -> int:
    status = (ctypes.c_ulonglong * 8)(64)  # MEMORYSTATUSEX: its size, then the total behind 8 bytes
    windows = getattr(ctypes, "windll", None)
    is_told = windows is not None and windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
    return int(status[1]) if is_told else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that may be a photo or a video. Paths are absolute, as the file system spells them.

    ``ctime_ns`` is when its content, name or rights last changed (0 where the system
    does not tell); ``device`` numbers the file system that it lies on. ``sidecars`` tells of
    the XMP files beside it, see ``metadata.sidecars``; those of the files ``beside``, parts of
    the same medium, are among them.
    """

    root: bytes
    path: bytes
    size_bytes: int
    mtime_ns: int
    ctime_ns: int = 0
    device: int = 0
    sidecars: str = ""
    beside: tuple[bytes, ...] = ()

    @property
    def metadata_mark(self) -> str:
        """The reader of metadata and the sidecars; another mark than before: read them again."""
        return f"{METADATA_VERSION} {self.sidecars}".rstrip()

    def with_parts(self, parts: Iterable[FoundFile]) -> FoundFile:
        """The file with the sidecars of other files of its medium."""
        having = [part for part in parts if part.sidecars]
        marks = [mark for one in (self, *having) for mark in one.sidecars.split()]
        beside = tuple(part.path for part in having)
        return replace(self, sidecars=" ".join(dict.fromkeys(marks)), beside=beside)

    @classmethod
    def of(
        cls, root: bytes, path: bytes, status: os.stat_result, *, sidecars: str = ""
    ) -> FoundFile:
        """The file at ``path`` as the system describes it."""
        return cls(
            root=root,
            path=path,
            size_bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
            # On Windows this field is when the file was made.
            ctime_ns=0 if sys.platform == "win32" else status.st_ctime_ns,
            device=status.st_dev,
            sidecars=sidecars,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProblem:
    """A place that could not be looked into, with the reason as a sentence."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A file or a folder that a scan leaves out by a rule, with the reason as a sentence."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoMetadata:
    """Metadata of a photo or video; a value that cannot be true is None.

    ``taken_local`` is naive wall-clock time, ``taken_utc`` is aware and set
    only where the file names its zone. Positions are degrees, north and east
    positive; ``place``, ``region`` and ``country`` are names. ``rating`` is -1 (rejected)
    to 5. ``aperture`` is the f-number. ``keyword_paths`` are keywords with those above them,
    the widest first, "|" between them.
    """

    taken_utc: datetime | None = None
    taken_local: datetime | None = None
    utc_offset_min: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    place: str | None = None
    region: str | None = None
    country: str | None = None
    camera: str | None = None
    lens: str | None = None
    exposure_s: float | None = None
    aperture: float | None = None
    iso: int | None = None
    focal_mm: float | None = None
    rating: int | None = None
    label: str | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()
    keyword_paths: tuple[str, ...] = ()
    persons: tuple[str, ...] = ()
    creator: str | None = None
    copyright: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedRgb:
    """A picture ready for use, perhaps at a reduced scale.

    ``rgb_HWC`` is upright sRGB on white. ``width`` and ``height`` are those of
    the full picture after orientation, not of the array.
    """

    rgb_HWC: RgbImage
    width: int
    height: int
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeRequest:
    """One file for the pool; ``token`` is the caller's own number and comes back.

    With ``time_s`` (seconds from the beginning of a video) only the frame shown
    at that time is wanted, as a ``DecodedPhoto``. Asked for a moment's time, it
    is the very frame that was embedded for that moment. Of a photo the time
    means nothing. ``duration_s`` is the whole video's, where that is known: joined recordings
    are then found out, whose clock begins anew. With ``is_metadata`` nothing is decoded, see
    ``DecoderPool.metadata``. With ``is_inside`` the video inside a motion photo is meant. The
    sidecars of the files ``beside``, parts of the same medium, count after the file's own.
    ``thumbnail_px`` is wanted instead of the pool's, for one photo or frame. With
    ``is_input_only`` a photo comes without thumbnail, metadata and hash of its file.
    """

    token: int
    path: bytes
    time_s: float | None = None
    is_metadata: bool = False
    duration_s: float | None = None
    is_inside: bool = False
    beside: tuple[bytes, ...] = ()
    thumbnail_px: int | None = None
    is_input_only: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaContent:
    """The values that every decoded photo, frame and video has.

    ``width``, ``height``: of the full picture after orientation, of a video with the
    pixel aspect applied. ``file_hash``: see ``hash_file``; empty of a single frame,
    whose file is not read whole. ``picture_hash``: xxh3-128 of the upright picture at a
    small size that depends on the file alone, so that an edit of the metadata keeps it;
    of a video that of its pictures, without the sound.
    """

    width: int
    height: int
    format: str
    file_hash: str = ""
    picture_hash: str
    thumbnail_jpeg: bytes
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)

    @classmethod
    def of(cls, other: MediaContent, **own: Any) -> Self:
        """The values of ``other`` that this class has too; ``own`` come in addition or instead."""
        shared = {f.name: getattr(other, f.name) for f in fields(cls) if hasattr(other, f.name)}
        return cls(**shared | own)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPhoto(MediaContent):
    """The result of decoding a photo, or one frame of a video.

    ``input_HWC``: (S, S, 3) uint8, the model's input. ``box_inputs``: the same of each box of a
    long photo, see ``InputSpec.boxes``. ``video_bytes`` is the size of the video inside a motion
    photo, 0 of others.
    """

    token: int = 0
    path: bytes = b""
    input_HWC: RgbImage
    box_inputs: tuple[RgbImage, ...] = ()
    video_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoMoment:
    """One frame that stands for a stretch of a video.

    The frame shown at ``time_s`` stands for [``start_s``, ``end_s``), seconds
    from the video's beginning.
    """

    time_s: float
    start_s: float
    end_s: float
    thumbnail_jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoContent(MediaContent):
    """The results of one pass over a video, apart from the frames, which the store has.

    ``moments`` lie in order of time and cover the video. ``duration_s``: of the
    picture, not of the sound.
    """

    moments: tuple[VideoMoment, ...]
    whole_count: int
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedVideo(VideoContent):
    """The result of decoding a whole video.

    ``frames_NHWC``: (N, S, S, 3) uint8, read-only, usually a map of a file that
    has no name any more. Its first ``whole_count`` (1 to 16) are taken
    uniformly from the video: the mean of their embeddings is the whole. Frame
    ``whole_count + i`` is that of ``moments[i]``.

    Close it, or use it as a context manager, as soon as the frames are embedded.
    """

    token: int
    path: bytes
    frames_NHWC: NDArray[np.uint8]

    def still(self) -> DecodedPhoto:
        """The picture that stands for it, as one of a photo; it is closed with that."""
        with self:
            middle = self.frames_NHWC[self.whole_count + len(self.moments) // 2].copy()
            return DecodedPhoto.of(self, input_HWC=middle)

    def close(self) -> None:
        """Lets go of the frames (arrays sliced from them stay valid). Safe to call twice."""
        object.__setattr__(self, "frames_NHWC", self.frames_NHWC[:0].copy())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadMetadata:
    """The metadata of a file that was not decoded, and True for one that is a video.

    ``content_id`` is Apple's name for what both files of a Live Photo show.
    """

    token: int
    path: bytes
    metadata: PhotoMetadata
    is_video: bool = False
    duration_s: float | None = None
    content_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeFailure:
    """A file that gave no picture. ``is_photo`` is False when it is something else.

    ``is_passing``: the system refused (a full disk, no permission, a disk that did not
    answer); the same file may be read well another time. ``is_killed``: workers were
    killed over it, perhaps because it takes all memory.
    """

    token: int
    path: bytes
    reason: str
    is_photo: bool = True
    is_passing: bool = False
    is_killed: bool = False


TOO_MUCH_MEMORY = kept("Decoding needs more memory than is allowed.")
"""The sentence for a file whose decoder was refused memory."""


class PhotoError(Exception):
    """A file gives no picture; the message is the sentence that the person sees."""

    def __init__(self, reason: str, *, is_photo: bool = True, is_passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_photo = is_photo
        self.is_passing = is_passing
