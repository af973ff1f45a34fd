"""A worker that turns a range of files into facts and vectors; Ray runs it in a process of its own.

It knows nothing of Ray and nothing of the library: files and a model in, answers out.
"""

from __future__ import annotations

import os
import platform
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk import __version__
from cocadesk.errors import UserError, kept
from cocadesk.indexing.pictures import EmbeddedPhoto, EmbeddedVideo, embed_photos, embed_video
from cocadesk.media.types import (
    METADATA_VERSION,
    READER_VERSION,
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    ReadMetadata,
)
from cocadesk.model.backend import Backend, limit_threads

_PATIENCE_S = 0.5
"""Photos wait for more so long at most; behind a video of hours they would wait for its end."""
_PHOTOS_AT_ONCE = 16
_OPTIONAL_READERS = ("pi_heif", "pylibjxl", "rawpy")

RangeAnswer: TypeAlias = EmbeddedPhoto | EmbeddedVideo | ReadMetadata | DecodeFailure
_PoolAnswer: TypeAlias = DecodedPhoto | DecodedVideo | ReadMetadata | DecodeFailure


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """A file to read, and its size where it was found: -1 where it was gone again."""

    request: DecodeRequest
    size_bytes: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedReader:
    """The model that a worker has opened, or the sentence that says why it could not.

    ``reads`` tells what reads files there, see ``installed_readers``.
    """

    host: str
    image_id: str = ""
    error: str = ""
    reads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenFile:
    """A file that was found and is not there, or not the same, on the computer of a worker."""

    token: int
    reason: str


def installed_readers() -> str:
    """The CocaDesk of this process and the packages by which it reads rarer formats.

    Where they differ, the same file may be read on one computer and not on another.
    """
    names = [name for name in _OPTIONAL_READERS if find_spec(name) is not None]
    return f"CocaDesk {__version__} ({METADATA_VERSION}.{READER_VERSION}) with {', '.join(names)}"


class RangeReader:
    """Decodes and embeds ranges of files, one range at a time.

    Decoders are processes of their own here too: a hostile file ends one of them and not this.
    ``open_model`` gives the network; ``threads`` is how many it computes on and ``decoders``
    how many processes decode beside it. ``limits`` are those of the committing process's
    computer, so that a file is not too large on one and read on another.
    """

    def __init__(
        self,
        open_model: Callable[[], Backend],
        *,
        threads: int = 1,
        decoders: int = 1,
        niceness: int = 0,
        limits: DecodeLimits | None = None,
        host: str = "",
    ) -> None:
        self._open_model = open_model
        self._threads = threads
        self._decoders = decoders
        self._niceness = niceness
        self._limits = limits
        self._host = host or platform.node()

    def open(self) -> Iterator[OpenedReader]:
        """Open the model and start the decoders; gives one answer."""
        from cocadesk.media.pool.pool import DecoderPool

        limit_threads(self._threads)
        try:
            self._backend = self._open_model()
        except UserError as error:
            yield OpenedReader(host=self._host, error=str(error))
            return
        model = self._backend.info()
        self._pool = DecoderPool(
            spec=model.input_spec,
            workers=self._decoders,
            niceness=self._niceness,
            limits=self._limits,
        )
        yield OpenedReader(host=self._host, image_id=model.image_id, reads=installed_readers())

    def close(self) -> None:
        """End the decoders and free the model."""
        self._pool.close()
        self._backend.close()

    def leave(self) -> None:
        """End the decoders and take their files away, from any thread: the process ends next."""
        self._pool.stop()
        self._pool.close()

    def under_way(self) -> dict[bytes, float]:
        """The videos that are being decoded, with the share that is done; from any thread."""
        pool = getattr(self, "_pool", None)
        return {} if pool is None else pool.under_way()

    def read(
        self, files: Sequence[WantedFile], *, is_metadata: bool = False
    ) -> Iterator[list[RangeAnswer | UnseenFile]]:
        """An answer to every file, a few at a time, as ready."""
        seen, unseen = list[DecodeRequest](), list[RangeAnswer | UnseenFile]()
        for file in files:
            reason = self._why_unseen(file)
            if reason:
                unseen.append(UnseenFile(token=file.request.token, reason=reason))
            else:
                seen.append(file.request)
        if unseen:
            yield unseen
        if not seen:
            return
        pool = self._pool
        photos: list[DecodedPhoto] = []
        for answer in _timed(pool.metadata(seen) if is_metadata else pool.decode(seen)):
            if isinstance(answer, DecodedPhoto):
                photos.append(answer)
            elif isinstance(answer, DecodedVideo):
                yield [self._embedded_video(answer)]
            elif answer is not None:
                yield [answer]
            if len(photos) >= _PHOTOS_AT_ONCE or (photos and answer is None):
                yield self._embedded_photos(photos)
                photos = []
        if photos:
            yield self._embedded_photos(photos)

    def _why_unseen(self, file: WantedFile) -> str:
        """The reason why this computer can't read the file that was found; empty if it can."""
        try:
            size_bytes = os.stat(file.request.path).st_size  # noqa: PTH116 - paths are bytes here
        except OSError:
            return kept(
                "The Ray worker on {host} does not see this file: "
                "files must lie at the same paths there.",
                host=self._host,
            )
        if file.size_bytes in (-1, size_bytes):
            return ""
        return kept(
            "The Ray worker on {host} sees another file in its place: "
            "files must lie at the same paths there.",
            host=self._host,
        )

    def _embedded_photos(self, photos: Sequence[DecodedPhoto]) -> list[RangeAnswer | UnseenFile]:
        named = {str(photo.token): photo for photo in photos}
        embedded = embed_photos(self._backend, named)
        return [
            EmbeddedPhoto.of(
                photo,
                input_HWC=_no_pixels(photo),
                box_inputs=(_no_pixels(photo),) * len(photo.box_inputs),
                embedded=embedded[name],
            )
            for name, photo in named.items()
        ]

    def _embedded_video(self, video: DecodedVideo) -> EmbeddedVideo:
        with video:
            embedded = embed_video(self._backend, video)
            return EmbeddedVideo.of(
                video, frames_NHWC=video.frames_NHWC[:0].copy(), embedded=embedded
            )


def _no_pixels(of: DecodedPhoto | DecodedVideo) -> NDArray[np.uint8]:
    """No picture at all: who commits the file needs its vectors alone."""
    pixels = of.input_HWC if isinstance(of, DecodedPhoto) else of.frames_NHWC
    return pixels[:0].copy()


def _timed(answers: Iterable[_PoolAnswer]) -> Iterator[_PoolAnswer | None]:
    """The answers as they come, and None where none came for a while."""
    ready: queue.Queue[_PoolAnswer | BaseException | None] = queue.Queue(_PHOTOS_AT_ONCE)

    def take() -> None:
        try:
            for answer in answers:
                ready.put(answer)
        except BaseException as error:  # noqa: BLE001 - raised again below
            ready.put(error)
        else:
            ready.put(None)

    threading.Thread(target=take, name="range-decode", daemon=True).start()
    while True:
        try:
            answer = ready.get(timeout=_PATIENCE_S)
        except queue.Empty:
            yield None
            continue
        if answer is None:
            return
        if isinstance(answer, BaseException):
            raise answer
        yield answer
