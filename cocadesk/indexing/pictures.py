"""Facts and vectors of a file, photo and video alike."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.rows import MediaKind, MediaRow, ViewRow, ViewShows, place_of
from cocadesk.media.types import DecodedPhoto, DecodedVideo, PhotoMetadata
from cocadesk.model.backend import Backend
from cocadesk.vectors import unit_vectors

Decoded: TypeAlias = DecodedPhoto | DecodedVideo


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of a file without its pixels."""

    kind: MediaKind
    format: str
    width: int
    height: int
    duration_s: float | None
    metadata: PhotoMetadata

    @classmethod
    def of(cls, decoded: Decoded) -> Facts:
        """Those of a decoded file."""
        is_video = isinstance(decoded, DecodedVideo)
        return cls(
            kind=MediaKind.VIDEO if is_video else MediaKind.PHOTO,
            format=decoded.format,
            width=decoded.width,
            height=decoded.height,
            duration_s=decoded.duration_s if isinstance(decoded, DecodedVideo) else None,
            metadata=decoded.metadata,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a video in seconds; the frame at ``time_s`` stands for it."""

    time_s: float
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """The vectors of one picture.

    ``vectors_VD`` is (V, D) float32 of unit norm: the whole, then one for each
    moment of a video, or for each box of a long photo.
    """

    vectors_VD: NDArray[np.float32]
    spans: tuple[Span, ...] = ()

    def views(self, row: MediaRow, picture_hash: str) -> list[ViewRow]:
        """The views of ``row``'s medium, whose picture is ``picture_hash``: the whole first."""
        spans: list[dict[str, Any]] = [{}, *map(asdict, self.spans)]
        spans += [{}] * (len(self.vectors_VD) - len(spans))
        return [
            ViewRow(
                view=number,
                picture_hash=picture_hash,
                vector=self.vectors_VD[number],
                shows=ViewShows.SPAN if span else ViewShows.BOX if number else ViewShows.WHOLE,
                **place_of(row),
                **span,
            )
            for number, span in enumerate(spans)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedPhoto(DecodedPhoto):
    """A photo that was embedded where it was decoded; its pictures are empty."""

    embedded: Embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedVideo(DecodedVideo):
    """A video that was embedded where it was decoded; it has no frames any more."""

    embedded: Embedded


def embed_photos(embedder: Backend, photos: Mapping[str, DecodedPhoto]) -> dict[str, Embedded]:
    """The vectors of each photo under the same name, from one batch."""
    ready = {n: photo.embedded for n, photo in photos.items() if isinstance(photo, EmbeddedPhoto)}
    inputs = {
        name: (photo.input_HWC, *photo.box_inputs)
        for name, photo in photos.items()
        if name not in ready
    }
    if not inputs:
        return ready
    vectors_ND = embedder.embed_images(_together([one for own in inputs.values() for one in own]))
    ends = np.cumsum([len(own) for own in inputs.values()])
    return ready | {
        name: Embedded(vectors_VD=own)
        for name, own in zip(inputs, np.split(vectors_ND, ends[:-1]), strict=True)
    }


class _Memory(threading.local):
    """What a thread's pictures were last put together in."""

    pictures_BHWC: NDArray[np.uint8] | None = None


_memory = _Memory()


def _together(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(B, H, W, 3): one array of them, which the thread's next call writes over.

    A fresh one costs the system's work on each of its pages, 7 % of embedding the pictures.
    """
    there = _memory.pictures_BHWC
    if there is None or len(there) < len(pictures) or there.shape[1:] != pictures[0].shape:
        there = _memory.pictures_BHWC = np.empty((len(pictures), *pictures[0].shape), np.uint8)
    return np.stack(pictures, out=there[: len(pictures)])


def embed_video(
    embedder: Backend,
    video: DecodedVideo,
    *,
    batch: int = 128,
    check: Callable[[], None] = lambda: None,
) -> Embedded:
    """The vectors of a video: its whole is the mean of the uniformly sampled frames.

    That mean is the paper's (arXiv 2205.01917, 5.2: frames embedded apart,
    averaged). ``batch`` frames at a time are brought into memory; ``check``
    is called before each and may raise to stop.
    """
    if isinstance(video, EmbeddedVideo):
        return video.embedded
    parts = []
    for start in range(0, len(video.frames_NHWC), batch):
        check()
        # A copy: the frames lie in a memory map, and the model wants them in memory.
        parts.append(embedder.embed_images(np.array(video.frames_NHWC[start : start + batch])))
    vectors_ND = np.concatenate(parts)
    whole = unit_vectors(vectors_ND[: max(1, video.whole_count)].mean(axis=0))
    moments = vectors_ND[video.whole_count :]
    return Embedded(
        vectors_VD=np.concatenate([whole[None], moments]).astype(np.float32),
        spans=tuple(
            Span(time_s=moment.time_s, start_s=moment.start_s, end_s=moment.end_s)
            for moment in video.moments
        ),
    )
