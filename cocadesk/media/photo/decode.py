"""The pure core: from the bytes of a file to everything that is kept of a photo.

Runs in whatever process calls it. The pool's workers call it for files from
the user's disk; trainer and evaluation call it for trusted shards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cocadesk.errors import kept
from cocadesk.media.files import read_head, read_photo_file
from cocadesk.media.formats import (
    JPEG,
    PHOTO_FORMATS,
    Decoder,
    PhotoFormat,
    format_of,
)
from cocadesk.media.hashing import hash_bytes
from cocadesk.media.metadata.merge import read_metadata, with_sidecars
from cocadesk.media.metadata.sidecars import packets_beside
from cocadesk.media.photo.jpeg import header_metadata, open_jpeg
from cocadesk.media.photo.motion import video_inside
from cocadesk.media.photo.resize import (
    input_and_thumbnail,
    prepare_boxes,
    start_picture_hash,
)
from cocadesk.media.sniffing import SNIFF_BYTES, describe_other
from cocadesk.media.source import HASH_COVERAGE, THUMBNAIL_PX, WHOLE, PhotoSource, coverage_for
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedRgb,
    DecodeLimits,
    PhotoError,
    PhotoMetadata,
)
from cocadesk.picture_input import InputSpec


def open_photo(
    data: bytes,
    *,
    limits: DecodeLimits,
    suffix: str = "",
    formats: Sequence[PhotoFormat] = PHOTO_FORMATS,
) -> PhotoSource:
    """The photo in ``data``, its header read, nothing decoded yet.

    ``suffix`` (with its dot) only tells camera raw from plain TIFF, which
    begin alike.

    Raises:
        PhotoError: it is no photo, or none that can be read.
    """
    if not data:
        raise PhotoError(kept("The file is empty."), is_photo=False)
    head = data[:SNIFF_BYTES]
    photo_format = format_of(head, suffix.lstrip("."), formats)
    if photo_format is None:
        raise PhotoError(
            kept("This is no photo but {kind}.", kind=describe_other(head)), is_photo=False
        )
    return _open(data, photo_format, limits)


def _open(data: bytes, photo_format: PhotoFormat, limits: DecodeLimits) -> PhotoSource:
    """The photo opened by its row's decoder, whose library is loaded with the first such file."""
    match photo_format.decoder:
        case Decoder.NONE:
            raise PhotoError(photo_format.refusal)
        case Decoder.PNG | Decoder.TIFF:
            from cocadesk.media.photo.banded import open_banded

            return open_banded(data, photo_format, limits)
        case Decoder.HEIF:
            from cocadesk.media.photo.heif import open_heif

            return open_heif(data, photo_format, limits)
        case Decoder.JPEG_XL:
            from cocadesk.media.photo.jxl import open_jxl

            return open_jxl(data, photo_format, limits)
        case Decoder.CAMERA_RAW:
            from cocadesk.media.photo.raw import open_raw

            return open_raw(data, photo_format, limits)
        case Decoder.PHOTOSHOP:
            from cocadesk.media.photo.photoshop import open_psd

            return open_psd(data, photo_format, limits)
        case Decoder.JPEG:
            source = open_jpeg(data, limits)
            if source is not None:
                return source
    from cocadesk.media.photo.pillow import open_with_pillow

    return open_with_pillow(data, photo_format, limits)


def decode_rgb(
    data: bytes, min_side_px: int | None = None, *, limits: DecodeLimits | None = None
) -> DecodedRgb:
    """The picture in ``data``, upright, in sRGB, on white.

    With ``min_side_px`` the picture may come at a reduced scale that still has
    pixels enough to be shrunk well to a square of that side (its shorter side
    is then at least twice that); a smaller picture comes whole.

    Raises:
        PhotoError: it is no photo, is broken, or is too large.
    """
    source = open_photo(data, limits=limits or DecodeLimits())
    coverage = WHOLE if min_side_px is None else coverage_for(min_side_px)
    rgb = source.decode(source.reduction(coverage))
    return DecodedRgb(
        rgb_HWC=rgb, width=source.width, height=source.height, format=source.format.name
    )


def decode_photo(
    data_or_path: bytes | Path,
    spec: InputSpec,
    *,
    thumbnail_px: int = THUMBNAIL_PX,
    limits: DecodeLimits | None = None,
    token: int = 0,
    path: bytes = b"",
    on_part: Callable[[], None] = lambda: None,
    is_input_only: bool = False,
) -> DecodedPhoto:
    """Decodes a photo: all that is stored of it, from one reading of its bytes.

    ``is_input_only``: the same pixels and their hash, but no thumbnail, metadata and hash of
    the file.

    ``data_or_path`` is the file's content as ``bytes``, or a ``Path`` to read.
    ``token`` and ``path`` are only passed on; ``on_part`` is called with each part of a
    picture that takes long.

    Raises:
        PhotoError: it is no photo, is broken, too large or cannot be read.
    """
    limits = limits or DecodeLimits()
    if isinstance(data_or_path, Path):
        path = path or os.fsencode(data_or_path)
        data = read_photo_file(path, limits)
    else:
        data = data_or_path
    source = open_photo(data, limits=limits, suffix=Path(os.fsdecode(path)).suffix)
    source.on_part = on_part
    wanted = coverage_for(spec.size_px, thumbnail_px)
    hash_reduction = source.reduction(HASH_COVERAGE)
    reduction = min(source.reduction(wanted), hash_reduction)
    rgb = source.decode(reduction)
    full_size = (source.width, source.height)
    hashed = rgb if reduction == hash_reduction else source.decode(hash_reduction)
    input_HWC, thumbnail = input_and_thumbnail(
        rgb, spec, full_size, thumbnail_px, is_input_only=is_input_only
    )
    is_whole = not is_input_only
    return DecodedPhoto(
        token=token,
        path=path,
        input_HWC=input_HWC,
        box_inputs=prepare_boxes(rgb, spec, full_size),
        width=source.width,
        height=source.height,
        format=source.format.name,
        file_hash=hash_bytes(data) if is_whole else "",
        picture_hash=start_picture_hash(hashed, *full_size).hexdigest(),
        thumbnail_jpeg=thumbnail,
        metadata=(
            _with_sidecars(read_metadata(source.metadata), path) if is_whole else PhotoMetadata()
        ),
        video_bytes=len(video_inside(data)) if is_whole else 0,
    )


_HEAD_BYTES = 256 << 10
"""A JPEG's metadata lie before its first scan, nearly always in so many bytes."""


def photo_facts(
    path: bytes, limits: DecodeLimits, data: bytes | None = None
) -> tuple[PhotoMetadata, str]:
    """The metadata of a photo's file and of its sidecars, without decoding its picture.

    And Apple's identifier of a Live Photo. ``data`` is the file's content, where that was read
    already.

    Raises:
        PhotoError: it is no photo, is broken, too large or cannot be read.
    """
    head = read_head(path, _HEAD_BYTES) if data is None else data[:_HEAD_BYTES]
    suffix = Path(os.fsdecode(path)).suffix
    raw = header_metadata(head) if format_of(head[:SNIFF_BYTES], suffix[1:]) is JPEG else None
    if raw is None:
        if data is None:
            data = read_photo_file(path, limits)
        source = open_photo(data, limits=limits, suffix=suffix)
        raw = source.whole_metadata()
    return _with_sidecars(read_metadata(raw), path), raw.exif.content_id


def _with_sidecars(metadata: PhotoMetadata, path: bytes) -> PhotoMetadata:
    """``metadata`` with those of the sidecars of the file at ``path``, where it has a place."""
    return with_sidecars(metadata, packets_beside(path)) if path else metadata
