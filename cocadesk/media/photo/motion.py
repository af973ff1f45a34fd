"""The video inside a photo: Google's and Samsung's motion photos, in JPEG and HEIC.

Phones append a whole MP4 to the picture. XMP (MotionPhoto, MicroVideo) or Samsung's trailer
(MotionPhoto_Data, a box ``mpvd`` in HEIC) says that it is there; where it begins, its own first
box says, which is right also where the file was edited and the numbers in XMP are not.
"""

from __future__ import annotations

from cocadesk.media.formats import sniff_format

_MARKS = (b"MotionPhoto", b"MicroVideo", b"mpvd")
_FORMATS = frozenset({"JPEG", "HEIC"})
_BRANDS = frozenset(
    {b"mp41", b"mp42", b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"avc1", b"qt  ", b"3gp4"}
    | {b"3gp5", b"M4V ", b"MSNV", b"hvc1"}
)
_LARGEST_BOX = 512
_HEAD_BYTES = 64
"""A first box of the photo itself lies in these."""


def video_inside(data: bytes) -> bytes:
    """The MP4 in a photo's file, with whatever stands behind it; empty where there is none."""
    photo_format = sniff_format(data[:_HEAD_BYTES])
    if photo_format is None or photo_format.name not in _FORMATS:
        return b""
    at = data.rfind(b"ftyp")  # first: of nearly all photos this is the only way through the file
    if at <= _HEAD_BYTES or not any(mark in data for mark in _MARKS):
        return b""
    while at > _HEAD_BYTES:
        size = int.from_bytes(data[at - 4 : at], "big")
        if 16 <= size <= _LARGEST_BOX and data[at + 4 : at + 8] in _BRANDS:
            return data[at - 4 :]
        at = data.rfind(b"ftyp", 0, at)
    return b""
