"""Photos and videos from disk: scanning, decoding, thumbnails, metadata.

Importing the room is cheap: OpenCV and Pillow are loaded by the first decode,
and inside the pool only by its worker processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cocadesk.media.types import (
    DecodedPhoto,
    DecodedRgb,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    FoundFile,
    InputSpec,
    Kind,
    PhotoError,
    PhotoMetadata,
    ResizeMode,
    RgbImage,
    ScanProblem,
    VideoMoment,
)

if TYPE_CHECKING:
    from cocadesk.media.hashing import hash_bytes, hash_file
    from cocadesk.media.photo.decode import decode_photo, decode_rgb
    from cocadesk.media.photo.resize import prepare_input
    from cocadesk.media.pool.pool import DecoderPool
    from cocadesk.media.scanning import scan
    from cocadesk.media.video.decode import decode_video, sample_frames

_LAZY = {
    "DecoderPool": "cocadesk.media.pool.pool",
    "decode_photo": "cocadesk.media.photo.decode",
    "decode_rgb": "cocadesk.media.photo.decode",
    "decode_video": "cocadesk.media.video.decode",
    "hash_bytes": "cocadesk.media.hashing",
    "hash_file": "cocadesk.media.hashing",
    "prepare_input": "cocadesk.media.photo.resize",
    "sample_frames": "cocadesk.media.video.decode",
    "scan": "cocadesk.media.scanning",
}

__all__ = [
    "DecodeFailure",
    "DecodeLimits",
    "DecodeRequest",
    "DecodedPhoto",
    "DecodedRgb",
    "DecodedVideo",
    "DecoderPool",
    "FoundFile",
    "InputSpec",
    "Kind",
    "PhotoError",
    "PhotoMetadata",
    "ResizeMode",
    "RgbImage",
    "ScanProblem",
    "VideoMoment",
    "decode_photo",
    "decode_rgb",
    "decode_video",
    "hash_bytes",
    "hash_file",
    "prepare_input",
    "sample_frames",
    "scan",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
