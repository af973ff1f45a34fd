"""Messages between the pool and its workers.

Frames of a 4-byte little-endian length and MessagePack. Nothing is pickled: a
worker that a hostile file has taken over can send nothing but these shapes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import IO, Annotated, TypeAlias

import msgspec

from cocadesk.media.pool.deadline import Patience
from cocadesk.media.types import DecodeLimits, MediaContent, PhotoMetadata, VideoContent
from cocadesk.picture_input import MOST_BOXES, InputSpec

_MAX_FRAME_BYTES = 256 << 20
"""A photo of 100 megapixels with every pixel is some 50 MB of JPEG."""
_THUMBNAIL_ROOM_BYTES = 96 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The settings that all workers of a pool share."""

    spec: InputSpec
    thumbnail_px: int
    limits: DecodeLimits
    address_space_bytes: int
    slots: int
    patience: Patience = field(default_factory=Patience)
    module: str = "cocadesk.media.pool.worker"
    niceness: int = 0

    @property
    def input_bytes(self) -> int:
        """Bytes of one model input."""
        return 3 * self.spec.size_px**2

    @property
    def slot_bytes(self) -> int:
        """Bytes of one slot: the inputs of a photo and, behind them, the thumbnail.

        Memory that no long photo has been written to is never taken from the system.
        """
        return (1 + MOST_BOXES) * self.input_bytes + _THUMBNAIL_ROOM_BYTES

    @property
    def largest_spool_bytes(self) -> int:
        """The most that the file of one video may take, with its thumbnails."""
        return self.limits.frame_bytes + (256 << 20)


class Setup(msgspec.Struct, frozen=True, tag=True):
    """First message to a worker: everything that stays the same for its life."""

    settings: WorkerSettings
    arena: int | str


class Job(msgspec.Struct, frozen=True, tag=True):
    """Decode one file: a photo into a slot of the arena, a video into the file ``spool``.

    With ``time_s`` only one frame of a video is wanted; it goes into the slot. With
    ``is_metadata`` nothing is decoded: the metadata come with the answer. With ``is_inside``
    the video inside a photo is meant. ``thumbnail_px`` is for this file alone. With
    ``is_input_only`` a photo comes without thumbnail and metadata.
    """

    serial: int
    slot: int
    path: bytes
    spool: str
    time_s: float | None = None
    is_metadata: bool = False
    duration_s: float | None = None
    is_inside: bool = False
    beside: tuple[bytes, ...] = ()
    thumbnail_px: int | None = None
    is_input_only: bool = False


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The worker has loaded its decoders."""


class CannotStart(msgspec.Struct, frozen=True, tag=True):
    """The worker is not able to work at all."""

    reason: str


class PhotoDone(msgspec.Struct, frozen=True, tag=True):
    """The slot holds the model's input, those of boxes, and behind them the thumbnail.

    ``content`` has the thumbnail only when it did not fit.
    """

    serial: int
    content: MediaContent
    thumbnail_bytes: int
    boxes: Annotated[int, msgspec.Meta(ge=0, le=MOST_BOXES)] = 0
    video_bytes: Annotated[int, msgspec.Meta(ge=0)] = 0


class VideoDone(msgspec.Struct, frozen=True, tag=True):
    """The spool holds the frames and thumbnails of a video; ``content`` has no thumbnails.

    ``thumbnail_sizes``: bytes of each moment's, the poster's last.
    """

    serial: int
    content: VideoContent
    thumbnail_sizes: list[int]


class MetadataDone(msgspec.Struct, frozen=True, tag=True):
    """The metadata of a file that was not decoded, and True for one that is a video."""

    serial: int
    metadata: PhotoMetadata
    is_video: bool
    duration_s: float | None = None
    content_id: str = ""


class Alive(msgspec.Struct, frozen=True, tag=True):
    """A heartbeat: more of the video has been decoded since the last word.

    ``share`` is how much of it by now, as far as its header tells its length.
    """

    serial: int
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0


class DecodeFailed(msgspec.Struct, frozen=True, tag=True):
    """The file gave no picture."""

    serial: int
    reason: str
    is_photo: bool
    is_passing: bool = False


Answer: TypeAlias = (
    Ready | CannotStart | PhotoDone | VideoDone | MetadataDone | Alive | DecodeFailed
)

_encoder = msgspec.msgpack.Encoder()
_answer_decoder: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_order_decoder: msgspec.msgpack.Decoder[Setup | Job] = msgspec.msgpack.Decoder(Setup | Job)


def write_message(stream: IO[bytes], message: Setup | Job | Answer) -> None:
    """Sends one message at once.

    Raises:
        OSError: the other side is gone.
    """
    body = _encoder.encode(message)
    stream.write(struct.pack("<I", len(body)) + body)
    stream.flush()


def _read_frame(stream: IO[bytes]) -> bytes | None:
    head = stream.read(4)
    if len(head) < 4:
        return None
    (length,) = struct.unpack("<I", head)
    if length > _MAX_FRAME_BYTES:
        raise msgspec.DecodeError(f"a frame of {length} bytes")
    body = stream.read(length)
    return body if len(body) == length else None


def read_answer(stream: IO[bytes]) -> Answer | None:
    """The next message from a worker; None when it is gone.

    Raises:
        msgspec.DecodeError: what came is none of the known messages.
    """
    body = _read_frame(stream)
    return None if body is None else _answer_decoder.decode(body)


def read_order(stream: IO[bytes]) -> Setup | Job | None:
    """The next message from the pool; None when it is gone."""
    body = _read_frame(stream)
    return None if body is None else _order_decoder.decode(body)
