"""The process that decodes. Started by the pool, never imported by it.

It reads jobs from standard input, writes pixels into the arena and answers on
what was standard output. Decoders run here and nowhere else, under a limit of
address space, so that the worst that a hostile file can do is to end this
process. When the pool is gone, standard input ends and so does the worker.
"""

from __future__ import annotations

import faulthandler
import io
import math
import os
import signal
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeAlias

from msgspec import structs

from cocadesk.errors import kept
from cocadesk.media.files import explain_os_error, open_media_file, read_head, read_photo_file
from cocadesk.media.formats import may_move
from cocadesk.media.pool.arena import Arena
from cocadesk.media.pool.deadline import Patience
from cocadesk.media.pool.messages import (
    Alive,
    CannotStart,
    DecodeFailed,
    Job,
    MetadataDone,
    PhotoDone,
    Ready,
    Setup,
    VideoDone,
    WorkerSettings,
    read_order,
    write_message,
)
from cocadesk.media.sniffing import SNIFF_BYTES, is_video
from cocadesk.media.types import (
    TOO_MUCH_MEMORY,
    DecodedPhoto,
    DecodeLimits,
    MediaContent,
    PhotoError,
    PhotoMetadata,
    VideoContent,
)

if TYPE_CHECKING:
    from cocadesk.media.video.animation import Animation

Decoded: TypeAlias = PhotoDone | VideoDone | MetadataDone
Decode: TypeAlias = "Callable[[Job, WorkerSettings, Arena, Heartbeat], Decoded]"


def main(decode: Decode | None = None) -> int:
    """Serves jobs until the pool closes the pipe; gives the exit code.

    ``decode`` stands in for ``decode_job``: tests give one that breaks on purpose.
    """
    orders, answers = _take_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    setup = read_order(orders)
    if not isinstance(setup, Setup):
        return 2
    settings = setup.settings
    if settings.niceness and hasattr(os, "nice"):
        os.nice(settings.niceness)
    try:
        _load_decoders()
        _limit_resources(settings.address_space_bytes, settings.largest_spool_bytes)
    except (ImportError, OSError, ValueError) as error:
        write_message(answers, CannotStart(reason=f"{type(error).__name__}: {error}"))
        return 3
    try:
        with Arena.open(setup.arena, settings.slots * settings.slot_bytes) as arena:
            write_message(answers, Ready())
            while isinstance(job := read_order(orders), Job):
                write_message(answers, _answer(job, settings, arena, answers, decode or decode_job))
    except OSError:
        return 1  # the pool is gone
    return 0


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipe in both directions; stdout and stderr of C libraries go to /dev/null."""
    answers = os.fdopen(os.dup(1), "wb")
    void = os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, 1)
    os.dup2(void, 2)
    os.close(void)
    return sys.stdin.buffer, answers


def _load_decoders() -> None:
    from cocadesk.media.opencv import cv2

    cv2.setNumThreads(1)  # the pool is the parallelism
    import cocadesk.media.photo.decode
    import cocadesk.media.photo.pillow  # noqa: F401 - PyAV comes with the first file that moves

    warnings.simplefilter("ignore")


def _limit_resources(address_space_bytes: int, largest_file_bytes: int) -> None:
    if sys.platform == "win32":
        return  # no such limit there; DecodeLimits alone bound the memory
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))
    except (OSError, ValueError):
        if sys.platform == "linux":
            raise


def _limit_computing(seconds: float) -> None:
    """End this process (SIGXCPU) when it has computed so long from now on.

    Where the pool can't see how much a worker computes, this tells it of one that hangs.
    """
    if sys.platform == "win32":
        return
    import resource

    used_s = math.ceil(time.process_time() + seconds)
    most = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (used_s, most))


def _answer(
    job: Job, settings: WorkerSettings, arena: Arena, answers: BinaryIO, decode: Decode
) -> Decoded | DecodeFailed:
    # The pool kills a worker that hangs. Should the pool be gone, this ends it all the same.
    heartbeat = Heartbeat(job.serial, settings.patience, answers)
    try:
        return decode(job, settings, arena, heartbeat)
    except PhotoError as error:
        return DecodeFailed(job.serial, error.reason, error.is_photo, error.is_passing)
    except OSError as error:
        return DecodeFailed(job.serial, explain_os_error(error), True, True)
    except MemoryError:
        return DecodeFailed(job.serial, TOO_MUCH_MEMORY, True)
    except Exception as error:  # noqa: BLE001 - an unknown decoder fault must fail one file only
        return DecodeFailed(
            job.serial,
            kept("The decoder failed ({kind}: {reason}).", kind=type(error).__name__, reason=error),
            True,
        )
    finally:
        heartbeat.end()


class Heartbeat:
    """Tells the pool now and then that a video moves on, so that its deadline starts anew."""

    def __init__(self, serial: int, patience: Patience, answers: BinaryIO) -> None:
        self._serial = serial
        self._patience = patience
        self._answers = answers
        self._every_s = min(1.0, patience.deadline_s / 10)
        self._sent_at_s = time.monotonic()
        self._rearm()

    def beat(self, share: float = 0.0) -> None:
        """Call it with every frame, and how much of the video is done; most calls do nothing."""
        now_s = time.monotonic()
        if now_s - self._sent_at_s < self._every_s:
            return
        self._sent_at_s = now_s
        self._rearm()
        write_message(self._answers, Alive(self._serial, share))

    def end(self) -> None:
        """The file is done: nothing ends the process any more."""
        faulthandler.cancel_dump_traceback_later()

    def _rearm(self) -> None:
        """The pool ends a worker in time; this is for one whose pool is gone."""
        faulthandler.dump_traceback_later(2 * self._patience.wait_s, exit=True)
        _limit_computing(2 * self._patience.deadline_s)


def decode_job(job: Job, settings: WorkerSettings, arena: Arena, heartbeat: Heartbeat) -> Decoded:
    """Decodes one file, see ``_decode``; what sidecars of its medium's parts say is added."""
    if job.thumbnail_px is not None:
        settings = replace(settings, thumbnail_px=job.thumbnail_px)
    done = _decode(job, settings, arena, heartbeat)
    if not job.beside or job.is_input_only:
        return done
    from cocadesk.media.metadata.merge import with_sidecars_of

    paths = (job.path, *job.beside)
    if isinstance(done, MetadataDone):
        return structs.replace(done, metadata=with_sidecars_of(done.metadata, paths))
    metadata = with_sidecars_of(done.content.metadata, paths)
    return structs.replace(done, content=replace(done.content, metadata=metadata))


def _decode(job: Job, settings: WorkerSettings, arena: Arena, heartbeat: Heartbeat) -> Decoded:
    """Decodes one file: a photo or a frame into its slot, a whole video into the spool.

    Of one whose metadata alone are wanted, nothing is decoded.

    Raises:
        PhotoError: it gives no picture.
        OSError: the system refused to read it, or to write its frames.
    """
    if job.is_metadata:
        return MetadataDone(job.serial, **metadata_of(job.path, settings.limits)._asdict())
    if is_video(read_head(job.path, SNIFF_BYTES), job.path):
        with open_media_file(job.path) as file:
            from cocadesk.media.hashing import hash_descriptor

            file_hash = "" if job.time_s is not None else hash_descriptor(file.fileno())
            file.seek(0)
            return _decode_video(file, file_hash, job, settings, arena, heartbeat)
    from cocadesk.media.photo.decode import decode_photo

    data = read_photo_file(job.path, settings.limits)
    if job.is_inside:
        return _decode_inside(data, job, settings, arena, heartbeat)
    animation = _opened_animation(data, settings.limits)
    if animation is not None:
        with closing(animation):
            try:
                return _decode_animation(animation, data, job, settings, arena, heartbeat)
            except PhotoError:
                if animation.is_begun:
                    raise
    # Still pictures, and animations too large to be played: their first picture is a photo.
    photo = decode_photo(
        data,
        settings.spec,
        thumbnail_px=settings.thumbnail_px,
        limits=settings.limits,
        path=job.path,
        on_part=heartbeat.beat,
        is_input_only=job.is_input_only,
    )
    return _into_slot(photo, job, settings, arena)


def _opened_animation(data: bytes, limits: DecodeLimits) -> Animation | None:
    """The picture that moves; None, and PyAV is not loaded, where it is a still one."""
    if not may_move(data[:SNIFF_BYTES]):
        return None
    from cocadesk.media.video.animation import open_animation

    return open_animation(data, limits)


def _decode_inside(
    data: bytes, job: Job, settings: WorkerSettings, arena: Arena, heartbeat: Heartbeat
) -> Decoded:
    """The video inside a motion photo, or one of its frames."""
    from cocadesk.media.photo.motion import video_inside

    video = video_inside(data)
    if not video:
        raise PhotoError(kept("There is no video in this photo."))
    return _decode_video(io.BytesIO(video), "", job, settings, arena, heartbeat)


class FileFacts(NamedTuple):
    """The values of ``ReadMetadata`` that a file has."""

    metadata: PhotoMetadata
    is_video: bool
    duration_s: float | None = None
    content_id: str = ""


def metadata_of(path: bytes, limits: DecodeLimits) -> FileFacts:
    """The metadata of a file; a picture that moves is a video.

    Raises:
        PhotoError: it is neither photo nor video, or is broken.
    """
    from cocadesk.media.photo.decode import photo_facts

    head = read_head(path, SNIFF_BYTES)
    if is_video(head, path):
        from cocadesk.media.video.decode import video_facts

        metadata, duration_s, content_id = video_facts(path, limits)
        return FileFacts(metadata, True, duration_s, content_id)
    data = read_photo_file(path, limits) if may_move(head) else None
    animation = None if data is None else _opened_animation(data, limits)
    if animation is not None:
        animation.close()
    metadata, content_id = photo_facts(path, limits, data)
    return FileFacts(metadata, animation is not None, None, content_id)


def _decode_video(
    file: BinaryIO,
    file_hash: str,
    job: Job,
    settings: WorkerSettings,
    arena: Arena,
    heartbeat: Heartbeat,
) -> Decoded:
    from cocadesk.media.video.decode import read_video
    from cocadesk.media.video.frame_at import decode_frame_at

    if job.time_s is not None:
        frame = decode_frame_at(
            file,
            job.time_s,
            settings.spec,
            duration_s=job.duration_s,
            thumbnail_px=settings.thumbnail_px,
            limits=settings.limits,
            on_frame=heartbeat.beat,
        )
        return _into_slot(frame, job, settings, arena)
    return _spool_video(partial(read_video, file), file_hash, job, settings, heartbeat)


def _decode_animation(
    animation: Animation,
    data: bytes,
    job: Job,
    settings: WorkerSettings,
    arena: Arena,
    heartbeat: Heartbeat,
) -> Decoded:
    from cocadesk.media.hashing import hash_bytes
    from cocadesk.media.video.decode import read_animation
    from cocadesk.media.video.frame_at import animation_frame_at

    if job.time_s is not None:
        frame = animation_frame_at(
            animation,
            job.time_s,
            settings.spec,
            thumbnail_px=settings.thumbnail_px,
            on_frame=heartbeat.beat,
        )
        return _into_slot(frame, job, settings, arena)
    read = partial(read_animation, animation)
    return _spool_video(read, hash_bytes(data), job, settings, heartbeat)


def _spool_video(
    read: Callable[..., VideoContent],
    file_hash: str,
    job: Job,
    settings: WorkerSettings,
    heartbeat: Heartbeat,
) -> VideoDone:
    from cocadesk.media.metadata.merge import with_sidecars
    from cocadesk.media.metadata.sidecars import packets_beside
    from cocadesk.media.video.spool import SpoolWriter

    with closing(SpoolWriter(job.spool, settings.spec.size_px)) as spool:
        video = read(
            settings.spec,
            spool,
            thumbnail_px=settings.thumbnail_px,
            limits=settings.limits,
            on_frame=heartbeat.beat,
        )
        thumbnails = [*(one.thumbnail_jpeg for one in video.moments), video.thumbnail_jpeg]
        spool.keep_thumbnails(thumbnails)
    moments = tuple(replace(one, thumbnail_jpeg=b"") for one in video.moments)
    metadata = with_sidecars(video.metadata, packets_beside(job.path))
    return VideoDone(
        serial=job.serial,
        content=replace(
            video, moments=moments, thumbnail_jpeg=b"", file_hash=file_hash, metadata=metadata
        ),
        thumbnail_sizes=[len(one) for one in thumbnails],
    )


def _into_slot(photo: DecodedPhoto, job: Job, settings: WorkerSettings, arena: Arena) -> PhotoDone:
    inputs, thumbnail = (photo.input_HWC, *photo.box_inputs), photo.thumbnail_jpeg
    pixels = b"".join(one.data.cast("B") for one in inputs)
    start = job.slot * settings.slot_bytes
    fits = len(pixels) + len(thumbnail) <= settings.slot_bytes
    arena.memory[start : start + len(pixels)] = pixels
    if fits:
        behind = start + len(pixels)
        arena.memory[behind : behind + len(thumbnail)] = thumbnail
    return PhotoDone(
        serial=job.serial,
        content=MediaContent.of(photo, thumbnail_jpeg=b"" if fits else thumbnail),
        thumbnail_bytes=len(thumbnail) if fits else 0,
        boxes=len(photo.box_inputs),
        video_bytes=photo.video_bytes,
    )


if __name__ == "__main__":
    sys.exit(main())
