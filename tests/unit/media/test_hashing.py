"""The fingerprint of a file's bytes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import xxhash

from cocadesk.media import hashing
from cocadesk.media.hashing import hash_bytes, hash_file


def test_a_small_file_is_hashed_whole(tmp_path: Path) -> None:
    """The name is plain xxh3-128 of all bytes, from a path as from memory."""
    data = os.urandom(3_000_000)
    (tmp_path / "video.mp4").write_bytes(data)
    assert hash_file(os.fsencode(tmp_path / "video.mp4")) == xxhash.xxh3_128_hexdigest(data)
    assert hash_bytes(data) == xxhash.xxh3_128_hexdigest(data)


def test_a_large_video_is_hashed_by_its_ends_samples_and_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any change at the ends, or in the length, gives another name; path and memory agree."""
    monkeypatch.setattr(hashing, "WHOLE_BYTES", 8 << 20)
    video = bytearray(b"\x00\x00\x00\x18ftypmp42" + os.urandom(9 << 20))
    path = tmp_path / "video.mp4"
    path.write_bytes(video)
    name = hash_file(os.fsencode(path))
    assert name == hash_bytes(bytes(video)) != xxhash.xxh3_128_hexdigest(bytes(video))
    names = {name, hash_bytes(bytes(video) + b"x")}
    for place in (0x20, (1 << 20) + 5, len(video) - 1):
        changed = bytearray(video)
        changed[place] ^= 1
        names.add(hash_bytes(bytes(changed)))
    assert len(names) == 5


def test_a_large_photo_is_still_hashed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only videos are sampled: a photo's name never depends on its size."""
    monkeypatch.setattr(hashing, "WHOLE_BYTES", 1000)
    data = b"\x89PNG\r\n\x1a\n" + os.urandom(5000)
    assert hash_bytes(data) == xxhash.xxh3_128_hexdigest(data)


def test_what_cannot_be_read_has_no_fingerprint(tmp_path: Path) -> None:
    """A missing file and a folder give None."""
    assert hash_file(os.fsencode(tmp_path / "gone")) is None
    assert hash_file(os.fsencode(tmp_path)) is None
