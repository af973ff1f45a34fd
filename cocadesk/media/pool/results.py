"""Results of the pool: a worker's answer put together with its request."""

from __future__ import annotations

import signal
from dataclasses import replace

import numpy as np

from cocadesk.errors import kept
from cocadesk.media.pool.deadline import Patience, hung
from cocadesk.media.pool.messages import PhotoDone, VideoDone
from cocadesk.media.pool.worker_process import WorkerProcess
from cocadesk.media.types import DecodedPhoto, DecodedVideo, DecodeFailure, DecodeRequest
from cocadesk.media.video.spool import SpoolFolder

EXIT_OF_HUNG = -getattr(signal, "SIGXCPU", 1 << 16)
"""The exit code of a worker that has computed for longer than it may."""
_KILLED = (-signal.SIGTERM, -getattr(signal, "SIGKILL", signal.SIGTERM))
"""The exit codes of a worker that something else has ended, perhaps for want of memory."""


def photo_result(
    worker: WorkerProcess, slot: int, request: DecodeRequest, answer: PhotoDone
) -> DecodedPhoto:
    """The photo, copied out of the worker's slot."""
    settings = worker.settings
    side, count = settings.spec.size_px, 1 + answer.boxes
    split = count * settings.input_bytes
    with worker.slot_view(slot) as view:
        pixels = np.frombuffer(bytearray(view[:split]), np.uint8)
        behind = bytes(view[split : split + answer.thumbnail_bytes])
    input_HWC, *boxes = pixels.reshape(count, side, side, 3)
    return DecodedPhoto.of(
        answer.content,
        token=request.token,
        path=request.path,
        input_HWC=input_HWC,
        box_inputs=tuple(boxes),
        thumbnail_jpeg=answer.content.thumbnail_jpeg or behind,
        video_bytes=answer.video_bytes,
    )


def video_result(
    spool: SpoolFolder, size_px: int, request: DecodeRequest, answer: VideoDone
) -> DecodedVideo:
    """The video, its frames a map of the file that the worker wrote.

    Raises:
        OSError, ValueError: that file is not as the worker says.
    """
    content = answer.content
    frames_NHWC, thumbnails = spool.take(
        answer.serial, size_px, content.whole_count, answer.thumbnail_sizes
    )
    moments = tuple(
        replace(moment, thumbnail_jpeg=thumbnail)
        for moment, thumbnail in zip(content.moments, thumbnails[:-1], strict=True)
    )
    return DecodedVideo.of(
        content,
        token=request.token,
        path=request.path,
        frames_NHWC=frames_NHWC,
        moments=moments,
        thumbnail_jpeg=thumbnails[-1],
    )


def failure(
    request: DecodeRequest, reason: str, *, is_photo: bool = True, is_passing: bool = False
) -> DecodeFailure:
    """The answer to a file that gave no picture, broke its worker, or whose frames were lost."""
    return DecodeFailure(
        token=request.token,
        path=request.path,
        reason=reason,
        is_photo=is_photo,
        is_passing=is_passing,
    )


def failure_of_ended(
    request: DecodeRequest, exit_code: int | None, patience: Patience
) -> DecodeFailure:
    """The answer to a file that a second worker ended on: killed by others, hung or broken."""
    if exit_code == EXIT_OF_HUNG:
        return failure(request, hung(patience.deadline_s))
    if exit_code in _KILLED:
        reason = kept(
            "The decoder was killed while it read this file ({end}); memory may have run out.",
            end=describe_exit(exit_code),
        )
        return replace(failure(request, reason, is_passing=True), is_killed=True)
    return failure(
        request, kept("The decoder broke down on this file ({end}).", end=describe_exit(exit_code))
    )


def describe_exit(exit_code: int | None) -> str:
    """A worker's end, as part of a sentence."""
    if exit_code is None:
        return kept("it stopped making sense")
    if exit_code >= 0:
        return kept("exit code {exit_code}", exit_code=exit_code)
    try:
        return kept("ended by {name}", name=signal.Signals(-exit_code).name)
    except ValueError:
        return kept("ended by signal {signal}", signal=-exit_code)
