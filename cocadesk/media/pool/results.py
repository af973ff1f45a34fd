"""Results of the pool: a worker's answer put together with its request."""

from __future__ import annotations

import signal

import numpy as np

from cocadesk.media.pool.messages import PhotoDone, VideoDone
from cocadesk.media.pool.worker_process import WorkerProcess
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeRequest,
    VideoMoment,
)
from cocadesk.media.video.spool import SpoolFolder


def photo_result(
    worker: WorkerProcess, slot: int, request: DecodeRequest, answer: PhotoDone
) -> DecodedPhoto:
    """The photo, copied out of the worker's slot."""
    settings = worker.settings
    side, split = settings.spec.size_px, settings.input_bytes
    with worker.slot_view(slot) as view:
        input_HWC = np.frombuffer(bytearray(view[:split]), np.uint8).reshape(side, side, 3)
        thumbnail = answer.large_thumbnail or bytes(view[split : split + answer.thumbnail_bytes])
    return DecodedPhoto(
        token=request.token,
        path=request.path,
        input_HWC=input_HWC,
        width=answer.width,
        height=answer.height,
        format=answer.format,
        file_hash=answer.file_hash,
        picture_hash=answer.picture_hash,
        thumbnail_jpeg=thumbnail,
        metadata=answer.metadata,
    )


def video_result(
    spool: SpoolFolder, size_px: int, request: DecodeRequest, answer: VideoDone
) -> DecodedVideo:
    """The video, its frames a map of the file that the worker wrote.

    Raises:
        OSError, ValueError: that file is not as the worker says.
    """
    sizes = [*(span.thumbnail_bytes for span in answer.spans), answer.poster_bytes]
    frames_NHWC, thumbnails = spool.take(answer.serial, size_px, answer.whole, sizes)
    return DecodedVideo(
        token=request.token,
        path=request.path,
        frames_NHWC=frames_NHWC,
        whole_count=answer.whole,
        moments=tuple(
            VideoMoment(
                time_s=span.time_s,
                start_s=span.start_s,
                end_s=span.end_s,
                thumbnail_jpeg=thumbnail,
            )
            for span, thumbnail in zip(answer.spans, thumbnails[:-1], strict=True)
        ),
        duration_s=answer.duration_s,
        width=answer.width,
        height=answer.height,
        format=answer.format,
        file_hash=answer.file_hash,
        picture_hash=answer.picture_hash,
        thumbnail_jpeg=thumbnails[-1],
        metadata=answer.metadata,
    )


def failure(request: DecodeRequest, reason: str, *, is_passing: bool = False) -> DecodeFailure:
    """The answer to a file that broke its worker, or whose frames were lost."""
    return DecodeFailure(
        token=request.token, path=request.path, reason=reason, is_passing=is_passing
    )


def describe_exit(exit_code: int | None) -> str:
    """A worker's end, as part of a sentence."""
    if exit_code is None:
        return "it stopped making sense"
    if exit_code >= 0:
        return f"exit code {exit_code}"
    try:
        return f"ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"ended by signal {-exit_code}"
