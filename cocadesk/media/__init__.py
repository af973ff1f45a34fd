"""Photos and videos from disk: scanning, decoding, thumbnails, metadata.

Importing the room is cheap: OpenCV and Pillow are loaded by the first decode,
and inside the pool only by its worker processes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cocadesk.media.types import DecodedPhoto as DecodedPhoto
from cocadesk.media.types import DecodedRgb as DecodedRgb
from cocadesk.media.types import DecodedVideo as DecodedVideo
from cocadesk.media.types import DecodeFailure as DecodeFailure
from cocadesk.media.types import DecodeLimits as DecodeLimits
from cocadesk.media.types import DecodeRequest as DecodeRequest
from cocadesk.media.types import FoundFile as FoundFile
from cocadesk.media.types import InputSpec as InputSpec
from cocadesk.media.types import Kind as Kind
from cocadesk.media.types import PhotoError as PhotoError
from cocadesk.media.types import PhotoMetadata as PhotoMetadata
from cocadesk.media.types import ResizeMode as ResizeMode
from cocadesk.media.types import RgbImage as RgbImage
from cocadesk.media.types import ScanProblem as ScanProblem
from cocadesk.media.types import VideoMoment as VideoMoment

if TYPE_CHECKING:
    from cocadesk.media.hashing import hash_bytes as hash_bytes
    from cocadesk.media.hashing import hash_file as hash_file
    from cocadesk.media.photo.decode import decode_photo as decode_photo
    from cocadesk.media.photo.decode import decode_rgb as decode_rgb
    from cocadesk.media.photo.resize import prepare_input as prepare_input
    from cocadesk.media.pool.pool import DecoderPool as DecoderPool
    from cocadesk.media.scanning import scan as scan
    from cocadesk.media.video.decode import decode_video as decode_video
    from cocadesk.media.video.decode import sample_frames as sample_frames

_LAZY = {
    "hashing": ("hash_bytes", "hash_file"),
    "photo.decode": ("decode_photo", "decode_rgb"),
    "photo.resize": ("prepare_input",),
    "pool.pool": ("DecoderPool",),
    "scanning": ("scan",),
    "video.decode": ("decode_video", "sample_frames"),
}


def __getattr__(name: str) -> Any:
    for module, names in _LAZY.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
