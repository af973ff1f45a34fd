"""Cameras with two lenses (360 degrees) write one file with two pictures: shown side by side."""

from __future__ import annotations

from collections.abc import Sequence

import av
import av.container
import numpy as np
from numpy.typing import NDArray

_SAME_LENGTH_S = 0.5


def lens_pair(
    container: av.container.InputContainer, stream: av.VideoStream
) -> tuple[av.VideoStream, ...] | None:
    """The pictures of both lenses, ``stream`` among them; None for any other video.

    Two tracks that are alike in size, rate and length are two views of one time; what else has
    two tracks (a small preview, a cover) differs in one of them.
    """
    alike = tuple(one for one in container.streams.video if _signature(one) == _signature(stream))
    lengths = [
        float(one.duration * one.time_base) for one in alike if one.duration and one.time_base
    ]
    if len(alike) != 2 or len(lengths) != 2 or abs(lengths[0] - lengths[1]) > _SAME_LENGTH_S:
        return None
    return alike


def _signature(stream: av.VideoStream) -> tuple[object, ...] | None:
    context = stream.codec_context
    if context is None or stream.disposition & av.stream.Disposition.attached_pic:
        return None
    # Only planes that are whole numbers of pixels wide can be set side by side.
    is_plain = context.pix_fmt in ("yuv420p", "yuvj420p", "yuv420p10le")
    return (context.name, context.width, context.height, stream.average_rate) if is_plain else None


def side_by_side(frames: Sequence[av.VideoFrame]) -> av.VideoFrame:
    """One frame of equal ones, with the first one's time and colours."""
    first = frames[0]
    whole = av.VideoFrame(sum(frame.width for frame in frames), first.height, first.format.name)
    for number, target in enumerate(whole.planes):
        rows = np.concatenate([_plane(frame, number) for frame in frames], axis=1)
        padded = np.zeros((target.height, target.line_size), np.uint8)
        padded[:, : rows.shape[1]] = rows
        target.update(padded.tobytes())
    whole.pts, whole.time_base = first.pts, first.time_base
    whole.colorspace, whole.color_range = first.colorspace, first.color_range
    whole.color_trc, whole.color_primaries = first.color_trc, first.color_primaries
    # A search for a time begins with frames that need none before them: both must be such.
    whole.key_frame = all(frame.key_frame for frame in frames)  # type: ignore[misc]
    return whole


def _plane(frame: av.VideoFrame, number: int) -> NDArray[np.uint8]:
    """The bytes of one plane, row by row, without what fills them up."""
    plane = frame.planes[number]
    stored = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    sample_bytes = 2 if frame.format.name.endswith("10le") else 1
    return stored[: plane.height, : plane.width * sample_bytes]
