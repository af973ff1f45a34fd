"""The process that decodes. Started by the pool, never imported by it.

It reads jobs from standard input, writes pixels into the arena and answers on
what was standard output. Decoders run here and nowhere else, under a limit of
address space, so that the worst that a hostile file can do is to end this
process. When the pool is gone, standard input ends and so does the worker.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import warnings
from typing import BinaryIO

from cocadesk.media.arena import Arena
from cocadesk.media.types import PhotoError
from cocadesk.media.wire import (
    CannotStart,
    Done,
    Failed,
    Job,
    Ready,
    Setup,
    read_order,
    write_message,
)


def main() -> int:
    """Serves jobs until the pool closes the pipe; gives the exit code."""
    orders, answers = _take_streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    setup = read_order(orders)
    if not isinstance(setup, Setup):
        return 2
    try:
        _load_decoders()
        _limit_memory(setup.address_space_bytes)
    except (ImportError, OSError, ValueError) as error:
        write_message(answers, CannotStart(reason=f"{type(error).__name__}: {error}"))
        return 3
    try:
        with Arena.open(setup.arena, setup.slots * setup.slot_bytes) as arena:
            write_message(answers, Ready())
            while isinstance(job := read_order(orders), Job):
                write_message(answers, _answer(job, setup, arena))
    except OSError:
        return 1  # the pool is gone
    return 0


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """The pipe in both directions; C libraries that print get nothing but the void."""
    answers = os.fdopen(os.dup(1), "wb")
    void = os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, 1)
    os.dup2(void, 2)
    os.close(void)
    return sys.stdin.buffer, answers


def _load_decoders() -> None:
    from cocadesk.media.opencv import cv2

    cv2.setNumThreads(1)  # the pool is the parallelism
    import cocadesk.media.decode
    import cocadesk.media.pillow  # noqa: F401

    warnings.simplefilter("ignore")


def _limit_memory(address_space_bytes: int) -> None:
    if sys.platform == "win32":
        return  # no such limit there; DecodeLimits alone bound the memory
    import resource

    try:
        resource.setrlimit(resource.RLIMIT_AS, (address_space_bytes, address_space_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        if sys.platform == "linux":
            raise


def _answer(job: Job, setup: Setup, arena: Arena) -> Done | Failed:
    # The pool kills a worker that hangs. Should the pool be gone, this ends it all the same.
    faulthandler.dump_traceback_later(2 * setup.deadline_s + 5, exit=True)
    try:
        return _decode(job, setup, arena)
    except PhotoError as error:
        return Failed(job.serial, error.reason, error.is_photo)
    except MemoryError:
        return Failed(job.serial, "Decoding needs more memory than is allowed.", True)
    except Exception as error:  # noqa: BLE001 - an unknown decoder fault must fail one file only
        return Failed(job.serial, f"The decoder failed ({type(error).__name__}: {error}).", True)
    finally:
        faulthandler.cancel_dump_traceback_later()


def _decode(job: Job, setup: Setup, arena: Arena) -> Done:
    from cocadesk.media.decode import decode_photo
    from cocadesk.media.files import read_photo_file

    photo = decode_photo(
        read_photo_file(job.path, setup.limits),
        setup.spec,
        thumbnail_px=setup.thumbnail_px,
        limits=setup.limits,
        path=job.path,
    )
    pixels, thumbnail = photo.input_HWC.data.cast("B"), photo.thumbnail_jpeg
    start = job.slot * setup.slot_bytes
    fits = len(pixels) + len(thumbnail) <= setup.slot_bytes
    arena.memory[start : start + len(pixels)] = pixels
    if fits:
        behind = start + len(pixels)
        arena.memory[behind : behind + len(thumbnail)] = thumbnail
    return Done(
        serial=job.serial,
        width=photo.width,
        height=photo.height,
        format=photo.format,
        file_hash=photo.file_hash,
        pixels=photo.pixels,
        thumbnail_bytes=len(thumbnail) if fits else 0,
        large_thumbnail=b"" if fits else thumbnail,
        metadata=photo.metadata,
    )


if __name__ == "__main__":
    sys.exit(main())
