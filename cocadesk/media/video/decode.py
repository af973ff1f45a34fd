"""The pure core for videos: from an open file to everything that is kept of it.

One sequential pass: every frame is decoded once, measured very small, and only
frames that are kept are turned into RGB. Runs in whatever process calls it, as
``decode.py`` does for photos.
"""

from __future__ import annotations

import io
import os
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from statistics import median
from typing import BinaryIO, Protocol

import numpy as np
import xxhash
from numpy.typing import NDArray

from cocadesk.errors import kept
from cocadesk.media.files import open_media_file
from cocadesk.media.hashing import hash_bytes, hash_descriptor
from cocadesk.media.metadata.merge import with_sidecars
from cocadesk.media.metadata.sidecars import packets_beside
from cocadesk.media.photo.resize import start_picture_hash
from cocadesk.media.source import HASH_COVERAGE, THUMBNAIL_PX
from cocadesk.media.types import (
    WHOLE_FRAMES,
    DecodedVideo,
    DecodeLimits,
    PhotoError,
    PhotoMetadata,
    RgbImage,
    VideoContent,
)
from cocadesk.media.video.frames import FramePainter
from cocadesk.media.video.moments import WHOLE_SPARE, ChosenFrame, MomentFinder, WholeSampler
from cocadesk.media.video.source import (
    DamagedError,
    Faults,
    FrameSource,
    ShownFrame,
    VideoSource,
)
from cocadesk.picture_input import InputSpec

NOTHING_DECODED = kept("No frame of the video could be decoded.")
_MEASURE_EVERY_S = 1 / 31
"""Frames that follow each other faster are not all measured: 240 a second show nothing more."""
_POSTER_CONTRAST = 12.0


class FrameStore(Protocol):
    """A receiver for the model inputs of a video."""

    def start_again(self) -> None:
        """Forgets all frames: the video turned out damaged and is read once more."""

    def keep_moment(self, input_HWC: RgbImage) -> None:
        """Takes the frame of the next moment."""

    def keep_whole(self, inputs: list[RgbImage]) -> None:
        """Takes the frames of the whole, once, after all moments."""


def read_video(
    file: BinaryIO,
    spec: InputSpec,
    store: FrameStore,
    *,
    thumbnail_px: int = THUMBNAIL_PX,
    limits: DecodeLimits | None = None,
    on_frame: Callable[[float], None] = lambda _share: None,
) -> VideoContent:
    """Reads a video once from beginning to end. ``on_frame`` is called after every frame.

    It gets the share of the video's seconds that is done, 0 where its header tells no length.

    Raises:
        PhotoError: it is no video, none of its frames can be decoded, or it is
            larger or longer than ``limits`` allow.
    """
    limits = limits or DecodeLimits()
    for faults in Faults:
        measured_s: float | None = None
        for _ in ("as its head says", "as it is"):
            video = None
            with closing(VideoSource.open(file, limits, faults)) as source, suppress(DamagedError):
                reading = _Pass(source, spec, store, thumbnail_px, limits, measured_s)
                video = reading.run(on_frame)
                if video is not None and (measured_s or not _claims_more(source, video.duration_s)):
                    return video
            store.start_again()
            file.seek(0)
            if video is None:
                break
            measured_s = video.duration_s
    raise PhotoError(NOTHING_DECODED)


def video_facts(path: bytes, limits: DecodeLimits) -> tuple[PhotoMetadata, float | None, str]:
    """The metadata of a video's file and of its sidecars, without decoding a frame.

    And the duration that its head claims, and Apple's identifier of a Live Photo.

    Raises:
        PhotoError: it is no video, or cannot be opened.
    """
    with open_media_file(path) as file, closing(VideoSource.open(file, limits)) as source:
        metadata = with_sidecars(source.metadata, packets_beside(path))
        return metadata, source.hinted_duration_s, source.content_id


def _claims_more(source: FrameSource, duration_s: float) -> bool:
    """True where the head claims so much more that too few frames were kept: read it again."""
    hinted_s = source.hinted_duration_s
    return hinted_s is not None and hinted_s > WHOLE_SPARE * duration_s


def read_animation(
    source: FrameSource,
    spec: InputSpec,
    store: FrameStore,
    *,
    thumbnail_px: int = THUMBNAIL_PX,
    limits: DecodeLimits | None = None,
    on_frame: Callable[[float], None] = lambda _share: None,
) -> VideoContent:
    """Reads an animated picture as ``read_video`` reads a video.

    Raises:
        PhotoError: none of its frames can be decoded, or it is above a limit.
    """
    video = _Pass(source, spec, store, thumbnail_px, limits or DecodeLimits()).run(on_frame)
    if video is None:
        raise PhotoError(kept("No picture of the animation could be decoded."))
    return video


class _Pass:
    """One reading of one video; ``hinted_s`` counts instead of what its head claims."""

    def __init__(
        self,
        source: FrameSource,
        spec: InputSpec,
        store: FrameStore,
        thumbnail_px: int,
        limits: DecodeLimits,
        hinted_s: float | None = None,
    ) -> None:
        self._source = source
        self._store = store
        self._limits = limits
        self._painter = FramePainter(spec, thumbnail_px, float(source.pixel_aspect))
        self._hinted_s = hinted_s = hinted_s or source.hinted_duration_s
        most = max(1, min(limits.moments, limits.frame_bytes // (3 * spec.size_px**2)))
        self._moments = MomentFinder(self._painter, store.keep_moment, most=most, hinted_s=hinted_s)
        self._whole = WholeSampler(self._painter, spec.size_px, hinted_s, WHOLE_FRAMES)
        self._hasher = xxhash.xxh3_128()
        self._intervals: deque[float] = deque(maxlen=64)
        self._size = (0, 0)
        self._last_s = -1.0

    def run(self, on_frame: Callable[[float], None]) -> VideoContent | None:
        """Reads the video through; None where it has no frame.

        Raises:
            DamagedError: faults are refused, and there is one.
            PhotoError: the video is above a limit.
        """
        measured_at_s = -1.0
        for number, shown in enumerate(self._source.frames()):
            if number >= self._limits.frames:
                raise PhotoError(
                    kept(
                        "The video has more than {frames} frames.",
                        frames=f"{self._limits.frames:,}",
                    )
                )
            if number == 0:
                self._begin(shown)
            else:
                self._intervals.append(shown.time_s - self._last_s)
            self._last_s = shown.time_s
            if number == 0 or shown.time_s - measured_at_s >= _MEASURE_EVERY_S:
                measured_at_s = shown.time_s
                self._measure(shown)
            on_frame(min(1.0, max(0.0, shown.time_s) / self._hinted_s) if self._hinted_s else 0.0)
        return self._end() if self._last_s >= 0 else None

    def _begin(self, shown: ShownFrame) -> None:
        self._size = self._painter.size(shown.frame)
        first = self._painter.rgb(shown.frame, HASH_COVERAGE)
        self._hasher = start_picture_hash(first, *self._size)

    def _measure(self, shown: ShownFrame) -> None:
        tiny = self._painter.tiny(shown.frame)
        # More than the first frame: many videos of one length begin in the same black.
        self._hasher.update(tiny.values.data)
        self._moments.take(shown, tiny)
        self._whole.take(shown)

    def _end(self) -> VideoContent:
        duration_s = self._duration_s()
        self._hasher.update(f":{duration_s:.1f}".encode())
        moments = self._moments.finish(duration_s)
        whole = self._whole.finish(duration_s)
        self._store.keep_whole(whole)
        source = self._source
        return VideoContent(
            moments=tuple(chosen.moment for chosen in moments),
            whole_count=len(whole),
            duration_s=duration_s,
            width=self._size[0],
            height=self._size[1],
            format=source.format_name,
            picture_hash=self._hasher.hexdigest(),
            thumbnail_jpeg=_poster(moments),
            metadata=source.metadata,
        )

    def _duration_s(self) -> float:
        """The end of the last frame: by the header where that agrees with the frames."""
        if self._source.end_s is not None:
            return self._source.end_s
        interval_s = median(self._intervals) if self._intervals else self._source.usual_interval_s
        measured_s = self._last_s + interval_s
        stated_s = self._source.stated_duration_s
        if stated_s is None or stated_s <= self._last_s:
            return measured_s
        agrees = not self._intervals or abs(stated_s - measured_s) <= 1.5 * interval_s
        return stated_s if agrees else measured_s


def _poster(moments: list[ChosenFrame]) -> bytes:
    """The first moment with something to see: many videos begin in the dark."""
    for chosen in moments:
        if chosen.contrast >= _POSTER_CONTRAST:
            return chosen.moment.thumbnail_jpeg
    return max(moments, key=lambda chosen: chosen.contrast).moment.thumbnail_jpeg


class _Memory:
    """A store for callers that want the frames as one array."""

    def __init__(self) -> None:
        self.moments: list[RgbImage] = []
        self.whole: list[RgbImage] = []

    def start_again(self) -> None:
        self.moments.clear()

    def keep_moment(self, input_HWC: RgbImage) -> None:
        self.moments.append(input_HWC)

    def keep_whole(self, inputs: list[RgbImage]) -> None:
        self.whole = inputs


def decode_video(
    data_or_path: bytes | Path,
    spec: InputSpec,
    *,
    thumbnail_px: int = THUMBNAIL_PX,
    limits: DecodeLimits | None = None,
    token: int = 0,
    path: bytes = b"",
) -> DecodedVideo:
    """A video decoded right here, its frames in memory. For trusted files and for tests.

    Raises:
        PhotoError: as ``read_video``, or the file cannot be read.
    """
    store = _Memory()
    with open_video(data_or_path) as file:
        video = read_video(file, spec, store, thumbnail_px=thumbnail_px, limits=limits)
        file_hash = (
            hash_bytes(data_or_path)
            if isinstance(data_or_path, bytes)
            else hash_descriptor(file.fileno())
        )
    frames_NHWC = np.stack([*store.whole, *store.moments])
    frames_NHWC.flags.writeable = False
    if isinstance(data_or_path, Path):
        path = path or os.fsencode(data_or_path)
    return DecodedVideo.of(
        video, file_hash=file_hash, frames_NHWC=frames_NHWC, token=token, path=path
    )


def sample_frames(
    data_or_path: bytes | Path,
    spec: InputSpec,
    count: int = WHOLE_FRAMES,
    *,
    limits: DecodeLimits | None = None,
) -> NDArray[np.uint8]:
    """Up to ``count`` frames spread evenly over a video, (N, S, S, 3) uint8, N at least 1.

    N is smaller where the video has fewer frames. In this process: for trusted
    videos (shards of evaluation and training).

    Raises:
        PhotoError: it is no video, or none of its frames can be decoded.
    """
    measured_s: float | None = None
    with open_video(data_or_path) as file:
        for faults in (Faults.LEAVE_OUT, Faults.LEAVE_OUT, Faults.SHOW):
            with closing(VideoSource.open(file, limits, faults)) as source:
                inputs, end_s = _sampled(source, spec, count, measured_s)
                if inputs and (measured_s or not _claims_more(source, end_s)):
                    return np.stack(inputs)
                measured_s = end_s if inputs else None
            file.seek(0)
    raise PhotoError(NOTHING_DECODED)


def _sampled(
    source: VideoSource, spec: InputSpec, count: int, hinted_s: float | None
) -> tuple[list[RgbImage], float]:
    painter = FramePainter(spec, THUMBNAIL_PX, float(source.pixel_aspect))
    hinted_s = hinted_s or source.hinted_duration_s
    sampler = WholeSampler(painter, spec.size_px, hinted_s, count)
    last_s = 0.0
    for shown in source.frames():
        sampler.take(shown)
        last_s = shown.time_s
    end_s = last_s + source.usual_interval_s
    return sampler.finish(end_s), end_s


def open_video(data_or_path: bytes | Path) -> BinaryIO:
    """The video's content as an open file.

    Raises:
        PhotoError: it cannot be read.
    """
    if isinstance(data_or_path, bytes):
        return io.BytesIO(data_or_path)
    return open_media_file(os.fsencode(data_or_path))
