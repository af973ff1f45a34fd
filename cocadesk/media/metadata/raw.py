"""Finds the blocks of metadata in a file that Pillow has opened."""

from __future__ import annotations

import binascii
import struct
from itertools import takewhile

from PIL import Image

from cocadesk.media.formats import MetadataBlocks, PhotoFormat
from cocadesk.media.isobmff import boxes
from cocadesk.media.metadata.exif import Exif, Ifd, starts_as_tiff
from cocadesk.media.photo.jpeg import read_jpeg_header
from cocadesk.media.source import RawMetadata

_TIFF_XMP, _TIFF_IPTC, _TIFF_PHOTOSHOP = 700, 33723, 34377
_PNG_TEXT_KEYS = ("Title", "Description", "Creation Time", "Comment", "Author")
_MAX_TEXT_CHARS = 1 << 20
_FUJI, _FUJI_JPEG = b"FUJIFILMCCD-RAW", 84
_CANON_BOX = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")


def raw_metadata(image: Image.Image, data: bytes, photo_format: PhotoFormat) -> RawMetadata:
    """The EXIF, XMP and IPTC blocks of ``image``, whose file is ``data``."""
    if photo_format.metadata is MetadataBlocks.JPEG_SEGMENTS:
        return _jpeg_metadata(data)
    if photo_format.metadata is MetadataBlocks.TIFF_TAGS:
        return _tiff_metadata(data)
    return RawMetadata(
        exif=Exif(_exif_block(image)),
        xmp=_xmp_block(image),
        png_texts=png_texts(image, photo_format),
    )


def camera_raw_metadata(data: bytes, preview: bytes | None) -> RawMetadata:
    """The blocks of a camera RAW file; ``preview`` is its JPEG, which may have them too."""
    if starts_as_tiff(data):
        found = _tiff_metadata(data)
    elif data.startswith(_FUJI):
        start, size = struct.unpack_from(">II", data, _FUJI_JPEG) if len(data) > 92 else (0, 0)
        found = _jpeg_metadata(data[start : start + size])
    else:
        found = _canon_metadata(data)
    if preview is not None and not found.exif.photo:
        return _jpeg_metadata(preview)
    return found


def _canon_metadata(data: bytes) -> RawMetadata:
    """The blocks of a CR3 file: three TIFF structures in boxes of Canon's, and Adobe's XMP."""
    top = dict(takewhile(lambda box: box[0] != b"mdat", boxes(data)))
    movie = dict(boxes(top.get(b"moov", b"")))
    blocks = dict(boxes(movie.get(_CANON_BOX, b"")))
    exif = Exif(blocks.get(b"CMT1"))
    exif.photo = Exif(blocks.get(b"CMT2")).main
    exif.gps = Exif(blocks.get(b"CMT4")).main
    return RawMetadata(exif=exif, xmp=top.get(_XMP_BOX))


def _jpeg_metadata(data: bytes) -> RawMetadata:
    header = read_jpeg_header(data)
    return RawMetadata(exif=Exif(header.exif), xmp=header.xmp, photoshop=header.photoshop)


def _tiff_metadata(data: bytes) -> RawMetadata:
    exif = Exif(data)
    return RawMetadata(
        exif=exif,
        xmp=_bytes_tag(exif.main, _TIFF_XMP),
        photoshop=_bytes_tag(exif.main, _TIFF_PHOTOSHOP),
        iptc=_bytes_tag(exif.main, _TIFF_IPTC),
    )


def _bytes_tag(ifd: Ifd, tag: int) -> bytes | None:
    value = ifd.get(tag)
    return value if isinstance(value, bytes) else None


def _exif_block(image: Image.Image) -> bytes | None:
    block = image.info.get("exif")
    if isinstance(block, bytes) and block:
        # HEIC's block may begin with a 4-byte offset before the TIFF header.
        start = next((at for at in (block.find(b"II*\x00"), block.find(b"MM\x00*")) if at >= 0), 0)
        return block[start:] if start <= 16 else block
    return _imagemagick_profile(image.info.get("Raw profile type exif"))


def _imagemagick_profile(text: object) -> bytes | None:
    """ImageMagick's way to put EXIF into PNG: name, length and hex digits as text."""
    if not isinstance(text, str) or len(text) > _MAX_TEXT_CHARS:
        return None
    lines = text.strip().splitlines()
    try:
        return binascii.unhexlify("".join(lines[2:]))
    except (binascii.Error, ValueError):
        return None


def _xmp_block(image: Image.Image) -> bytes | None:
    for key in ("xmp", "XML:com.adobe.xmp"):
        block = image.info.get(key)
        if isinstance(block, str):
            return block.encode()
        if isinstance(block, bytes) and block:
            return block
    return None


def png_texts(image: Image.Image, photo_format: PhotoFormat) -> tuple[tuple[str, str], ...]:
    """The texts of a PNG picture that CocaDesk keeps, by keyword."""
    if photo_format.metadata is not MetadataBlocks.PILLOW_INFO_AND_TEXTS:
        return ()
    found = ((key, image.info.get(key)) for key in _PNG_TEXT_KEYS)
    return tuple((key, str(text)) for key, text in found if isinstance(text, str))
