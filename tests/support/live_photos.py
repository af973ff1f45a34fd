"""Live Photos and motion photos: white stills whose short videos are red."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from tests.support.index_tools import photo_bytes
from tests.support.photo_files import encode, exif_block
from tests.support.shots import TAKEN
from tests.support.videos import make_video


def apple_note(content_id: str) -> bytes:
    """Apple's maker note with the identifier of a Live Photo."""
    text = content_id.encode() + b"\0"
    head = b"Apple iOS\0\0\1MM"
    return head + struct.pack(">HHHII", 1, 0x11, 2, len(text), len(head) + 18) + bytes(4) + text


def still(path: Path, *, taken: str = TAKEN, content_id: str = "") -> Path:
    """A white photo of a phone."""
    photo: dict[int, object] = {0x9003: taken}
    if content_id:
        photo[0x927C] = apple_note(content_id)
    pixels = np.full((32, 48, 3), 250, np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode(pixels, "JPEG", exif=exif_block({}, photo)))
    return path


def video(
    path: Path, *, seconds: float = 1, taken: str = "2021-06-01T10:20:30", content_id: str = ""
) -> Path:
    """A red video beside it."""
    said = {"com.apple.quicktime.creationdate": taken} if taken else {}
    if content_id:
        said["com.apple.quicktime.content.identifier"] = content_id
    path.parent.mkdir(parents=True, exist_ok=True)
    return make_video(path, ["red"], seconds, 8, (64, 48), metadata=said)


def motion_photo(tmp_path: Path, mark: str) -> bytes:
    """A photo with a red video behind it, as phones write it."""
    inside = video(tmp_path / "inside.mp4").read_bytes()
    if mark == "samsung":
        return photo_bytes(3) + b"\x00\x00\x30\x0aMotionPhoto_Data" + inside + b"SEFHSEFT"
    said = f"<x:xmpmeta xmlns:x='adobe:ns:meta/' GCamera:{mark}='1'/>".encode()
    packet = b"http://ns.adobe.com/xap/1.0/\0" + said
    segment = b"\xff\xe1" + struct.pack(">H", len(packet) + 2) + packet
    data = photo_bytes(3)
    return data[:2] + segment + data[2:] + inside
