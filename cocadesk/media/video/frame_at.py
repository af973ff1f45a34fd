"""One frame of a video by its time: the very frame that a pass over the whole meets there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import chain, dropwhile
from typing import BinaryIO

import xxhash

from cocadesk.media.source import THUMBNAIL_PX
from cocadesk.media.types import DecodedPhoto, DecodeLimits, PhotoError
from cocadesk.media.video.decode import NOTHING_DECODED
from cocadesk.media.video.frames import FramePainter
from cocadesk.media.video.source import (
    DamagedError,
    Faults,
    FrameSource,
    ShownFrame,
    VideoSource,
)
from cocadesk.picture_input import InputSpec

# Times are rounded on their way through stores and texts.
_TIME_SLACK_S = 1e-3
_END_SLACK_S = 0.5
_ATTEMPTS = (
    (Faults.REFUSE, 1.0),
    (Faults.REFUSE, 12.0),
    (Faults.REFUSE, None),
    (Faults.LEAVE_OUT, None),
    (Faults.SHOW, None),
)
"""The ways to find a frame: from so many seconds before it, or (None) from the video's start."""


def decode_frame_at(
    file: BinaryIO,
    time_s: float,
    spec: InputSpec,
    *,
    thumbnail_px: int = THUMBNAIL_PX,
    duration_s: float | None = None,
    limits: DecodeLimits | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> DecodedPhoto:
    """The frame that a video shows at ``time_s``; its last one for times behind the end.

    Where the file's head says less than ``duration_s``, which was measured, it is read from its
    start: the clock of joined recordings begins anew, and one time stands for several frames.

    Asked for a moment's time, it is that moment's frame to the last bit: where
    the file has a fault or no usable index, it is read again from its start.
    ``file_hash`` is empty: the file is not read whole.

    Raises:
        PhotoError: it is no video, or none of its frames can be decoded.
    """
    for faults, margin_s in _ATTEMPTS:
        if margin_s is not None and time_s <= margin_s:
            continue
        file.seek(0)
        with closing(VideoSource.open(file, limits, faults)) as source, suppress(DamagedError):
            if margin_s is not None and _says_less(source, duration_s):
                continue
            shown = _shown_at(source, time_s, margin_s, on_frame)
            if shown is not None:
                return _as_photo(source, shown, spec, thumbnail_px)
    raise PhotoError(NOTHING_DECODED)


def _says_less(source: VideoSource, duration_s: float | None) -> bool:
    hinted_s = source.hinted_duration_s
    return duration_s is not None and hinted_s is not None and duration_s > hinted_s + _END_SLACK_S


def animation_frame_at(
    source: FrameSource,
    time_s: float,
    spec: InputSpec,
    *,
    thumbnail_px: int = THUMBNAIL_PX,
    on_frame: Callable[[], None] = lambda: None,
) -> DecodedPhoto:
    """The same of an animated picture, which is short enough to be read from its start.

    Raises:
        PhotoError: none of its frames can be decoded.
    """
    shown = _last_shown(source.frames(), time_s, on_frame)
    if shown is None:
        raise PhotoError(NOTHING_DECODED)
    return _as_photo(source, shown, spec, thumbnail_px)


def _shown_at(
    source: VideoSource, time_s: float, margin_s: float | None, on_frame: Callable[[], None]
) -> ShownFrame | None:
    """The frame shown at ``time_s``; None where this way of looking may miss it.

    Raises:
        DamagedError: faults are refused, and there is one on the way.
    """
    if margin_s is None:
        return _last_shown(source.frames(), time_s, on_frame)
    if not source.seek(time_s - margin_s):
        return None
    # Only frames behind a key frame are sound.
    frames = dropwhile(lambda shown: not shown.frame.key_frame, source.frames())
    first = next(frames, None)
    if first is None or first.time_s > time_s:
        return None
    found = _last_shown(chain([first], frames), time_s, on_frame)
    is_last = next(frames, None) is None
    # An end that comes after a seek may be an early one, and guessed times count from there.
    return None if is_last or source.has_guessed_times else found


def _last_shown(
    frames: Iterator[ShownFrame], time_s: float, on_frame: Callable[[], None]
) -> ShownFrame | None:
    """The last frame that begins by ``time_s``, the first one for times before it.

    A frame that begins just after ``time_s`` counts if that is nearer: times
    lose digits on their way.
    """
    found: ShownFrame | None = None
    for shown in frames:
        on_frame()
        late_s = shown.time_s - time_s
        if found is not None and late_s > 0:
            is_nearer = late_s < abs(time_s - found.time_s)
            return shown if late_s <= _TIME_SLACK_S and is_nearer else found
        found = shown
    return found


def _as_photo(
    source: FrameSource, shown: ShownFrame, spec: InputSpec, thumbnail_px: int
) -> DecodedPhoto:
    painter = FramePainter(spec, thumbnail_px, float(source.pixel_aspect))
    picture = painter.picture(shown.frame)
    width, height = painter.size(shown.frame)
    return DecodedPhoto(
        input_HWC=picture.input_HWC,
        width=width,
        height=height,
        format=source.format_name,
        picture_hash=xxhash.xxh3_128_hexdigest(picture.input_HWC.data),
        thumbnail_jpeg=picture.thumbnail_jpeg,
    )
