"""The values that cross the border of this room."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

RgbImage: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8, sRGB, upright."""

WHOLE_FRAMES = 16
"""Most frames that stand for a whole video (arXiv 2205.01917)."""


class ResizeMode(StrEnum):
    """The way from a whole picture to the square that a model reads."""

    SQUASH = "squash"
    CENTER_CROP = "center_crop"


class Kind(StrEnum):
    """The kind of a file, by its content."""

    PHOTO = "photo"
    VIDEO = "video"
    OTHER = "other"


class TakesPictures(Protocol):
    """A description of a model's picture input; ``cocadesk.model``'s ``ModelInfo`` is one."""

    @property
    def image_size_px(self) -> int: ...

    @property
    def resize(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSpec:
    """A model's picture input: a square of ``size_px``."""

    size_px: int
    resize: ResizeMode = ResizeMode.SQUASH

    @classmethod
    def of(cls, model: TakesPictures) -> InputSpec:
        """The input of this model: the one place that reads a network's resize mode."""
        return cls(size_px=model.image_size_px, resize=ResizeMode(model.resize))

    def __post_init__(self) -> None:
        if not 1 <= self.size_px <= 4096:
            raise ValueError(f"size_px must lie between 1 and 4096, not {self.size_px}")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeLimits:
    """Limits for one file; a file above any of these is refused before it is decoded.

    ``file_bytes`` is for photos, which are read whole; a video may be of any size.
    """

    file_bytes: int = 384 << 20
    pixels: int = 400_000_000
    memory_bytes: int = 640 << 20
    """Estimated peak of decoding, beyond the bytes of the file."""
    frames: int = 5_000_000
    """Of a video: 46 hours at 30 a second."""
    moments: int = 3_000
    """Of a video; a longer one gets wider moments."""
    frame_bytes: int = 1 << 30
    """What the kept frames of a video may take on the disk while they wait to be embedded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFile:
    """A file that may be a photo or a video. Paths are absolute, as the file system spells them."""

    root: bytes
    path: bytes
    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanProblem:
    """A place that could not be looked into, with the reason as a sentence."""

    path: bytes
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoMetadata:
    """Metadata of a photo or video; a value that cannot be true is None.

    ``taken_local`` is naive wall-clock time, ``taken_utc`` is aware and set
    only where the file names its zone. Positions are degrees, north and east
    positive. ``rating`` is -1 (rejected) to 5.
    """

    taken_utc: datetime | None = None
    taken_local: datetime | None = None
    utc_offset_min: int | None = None
    latitude: float | None = None
    longitude: float | None = None
    camera: str | None = None
    lens: str | None = None
    rating: int | None = None
    title: str | None = None
    description: str | None = None
    keywords: tuple[str, ...] = ()


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
    means nothing.
    """

    token: int
    path: bytes
    time_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedPhoto:
    """The result of decoding a photo, or one frame of a video.

    ``input_HWC``: (S, S, 3) uint8, the model's input. ``width``, ``height``:
    of the full picture after orientation. ``file_hash``: xxh3-128 of the bytes.
    ``picture_hash``: xxh3-128 of the upright picture at a small size that depends on
    the file alone, so that an edit of the metadata keeps it.
    """

    token: int = 0
    path: bytes = b""
    input_HWC: RgbImage
    width: int
    height: int
    format: str
    file_hash: str
    picture_hash: str
    thumbnail_jpeg: bytes
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)


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
class VideoContent:
    """The results of one pass over a video, apart from the frames, which the store has."""

    moments: tuple[VideoMoment, ...]
    whole_count: int
    duration_s: float
    width: int
    height: int
    format: str
    picture_hash: str
    thumbnail_jpeg: bytes
    metadata: PhotoMetadata


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedVideo:
    """The result of decoding a whole video.

    ``frames_NHWC``: (N, S, S, 3) uint8, read-only, usually a map of a file that
    has no name any more. Its first ``whole_count`` (1 to 16) are taken
    uniformly from the video: the mean of their embeddings is the whole. Frame
    ``whole_count + i`` is that of ``moments[i]``, which lie in order of time
    and cover the video. ``width``, ``height``: upright, with the pixel aspect
    applied. ``duration_s``: of the picture, not of the sound.
    ``file_hash``: see ``hash_file``. ``picture_hash``: of the pictures alone.

    Close it, or use it as a context manager, as soon as the frames are embedded.
    """

    token: int
    path: bytes
    frames_NHWC: NDArray[np.uint8]
    whole_count: int
    moments: tuple[VideoMoment, ...]
    duration_s: float
    width: int
    height: int
    format: str
    file_hash: str
    picture_hash: str
    thumbnail_jpeg: bytes
    metadata: PhotoMetadata = field(default_factory=PhotoMetadata)

    @classmethod
    def of(
        cls,
        content: VideoContent,
        frames_NHWC: NDArray[np.uint8],
        file_hash: str,
        *,
        token: int,
        path: bytes,
    ) -> DecodedVideo:
        """A pass's results with the frames that its store has."""
        return cls(
            token=token,
            path=path,
            frames_NHWC=frames_NHWC,
            whole_count=content.whole_count,
            moments=content.moments,
            duration_s=content.duration_s,
            width=content.width,
            height=content.height,
            format=content.format,
            file_hash=file_hash,
            picture_hash=content.picture_hash,
            thumbnail_jpeg=content.thumbnail_jpeg,
            metadata=content.metadata,
        )

    def close(self) -> None:
        """Lets go of the frames (arrays sliced from them stay valid). Safe to call twice."""
        object.__setattr__(self, "frames_NHWC", self.frames_NHWC[:0].copy())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodeFailure:
    """A file that gave no picture. ``is_photo`` is False when it is something else.

    ``is_passing``: the system refused (a full disk, no permission); the same file
    may be read well another time.
    """

    token: int
    path: bytes
    reason: str
    is_photo: bool = True
    is_passing: bool = False


class PhotoError(Exception):
    """A file gives no picture; the message is the sentence that the person sees."""

    def __init__(self, reason: str, *, is_photo: bool = True, is_passing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_photo = is_photo
        self.is_passing = is_passing
