"""Reading a file of a person's disk: without a trace, without waiting, with a limit."""

from __future__ import annotations

import errno
import os
import socket
import sys
from pathlib import Path

import pytest

from cocadesk.media.files import (
    explain_os_error,
    is_only_in_cloud,
    open_media_file,
    read_head,
    read_photo_file,
)
from cocadesk.media.photo.jpeg import has_end, read_jpeg_header
from cocadesk.media.types import DecodeLimits, PhotoError
from tests.support.photo_files import encode, quadrants

LIMITS = DecodeLimits(file_bytes=1000)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    """Up to the very limit, and an empty one too."""
    path = tmp_path / "a"
    for content in (b"", b"x" * 1000):
        path.write_bytes(content)
        assert read_photo_file(bytes(path), LIMITS) == content


def test_a_file_over_the_limit_is_refused_by_its_size(tmp_path: Path) -> None:
    """Not after it has been read: the sentence names both."""
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(PhotoError, match="1,048,576 MB"):
        read_photo_file(bytes(path), DecodeLimits())


def test_a_file_that_is_gone_may_come_back(tmp_path: Path) -> None:
    """The failure is marked as passing, so the next scan tries again."""
    for read in (lambda path: read_photo_file(path, LIMITS), open_media_file):
        with pytest.raises(PhotoError, match="no longer there") as caught:
            read(bytes(tmp_path / "none"))
        assert caught.value.is_passing
        assert caught.value.is_photo


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such files")
def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    """A pipe put in a photo's place would block for ever."""
    os.mkfifo(tmp_path / "pipe")
    link = socket.socket(socket.AF_UNIX)
    with link:
        for path in (tmp_path / "pipe", tmp_path, Path("/dev/null")):
            with pytest.raises(PhotoError, match="no regular file") as caught:
                read_photo_file(bytes(path), LIMITS)
            assert not caught.value.is_photo
            with pytest.raises(PhotoError, match="no regular file"):
                open_media_file(bytes(path))
            assert read_head(bytes(path), 16) == b""


def test_the_head_of_a_file_is_read_alone(tmp_path: Path) -> None:
    """Of a shorter file all of it."""
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    assert read_head(bytes(path), 4) == b"0123"
    assert read_head(bytes(path), 400) == b"0123456789"


@pytest.mark.skipif(sys.platform != "linux", reason="only there may one ask for it")
def test_looking_at_a_photo_leaves_no_trace(tmp_path: Path) -> None:
    """The time of the last reading stays."""
    path = tmp_path / "a"
    path.write_bytes(b"x")
    os.utime(path, ns=(10**18, 10**18))
    before = path.stat().st_atime_ns
    read_photo_file(bytes(path), LIMITS)
    read_head(bytes(path), 1)
    with open_media_file(bytes(path)) as file:
        file.read()
    assert path.stat().st_atime_ns == before


def test_an_open_file_is_closed_where_it_is_refused(tmp_path: Path) -> None:
    """A scan of a million odd files must not run out of descriptors."""
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("open files cannot be counted here")
    before = len(list(folder.iterdir()))
    for _ in range(20):
        with pytest.raises(PhotoError):
            open_media_file(bytes(tmp_path))
        with pytest.raises(PhotoError):
            read_photo_file(bytes(tmp_path), LIMITS)
    assert len(list(folder.iterdir())) == before


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "no permission"),
        (errno.ELOOP, "leads back to itself"),
        (errno.ENOSPC, "no room left"),
        (errno.EIO, "The disk reported an error"),
        (errno.EBUSY, "The system refused"),
    ],
)
def test_a_systems_error_is_told_in_words(number: int, words: str) -> None:
    """Also one that nobody foresaw."""
    sentence = explain_os_error(OSError(number, os.strerror(number)))
    assert words in sentence
    assert sentence.endswith(".")


def test_a_file_that_lies_in_a_cloud_is_known_by_its_marks(tmp_path: Path) -> None:
    """Windows and macOS mark it; reading it would fetch gigabytes."""

    class Windows:
        st_file_attributes = 0x0040_0000

    class Mac:
        st_flags = 0x4000_0000

    assert is_only_in_cloud(Windows())  # type: ignore[arg-type]
    assert is_only_in_cloud(Mac())  # type: ignore[arg-type]
    assert not is_only_in_cloud(tmp_path.stat())


@pytest.mark.parametrize(
    ("width", "height", "bytes_per_pixel", "words"),
    [
        (0, 10, 0, "size of zero"),
        (10, 0, 0, "size of zero"),
        (101, 100, 0, "101 x 100 pixels"),
        (10, 10, 10.01, "of memory"),
    ],
)
def test_a_picture_that_costs_too_much_is_refused(
    width: int, height: int, bytes_per_pixel: float, words: str
) -> None:
    """By pixels or by memory, before anything is decoded."""
    limits = DecodeLimits(pixels=10_000, memory_bytes=1000)
    limits.check_size(100, 100, 0.1)
    with pytest.raises(PhotoError, match=words):
        limits.check_size(width, height, bytes_per_pixel)


def test_a_jpegs_header_is_read_without_decoding() -> None:
    """Size, components, and where the picture begins."""
    data = encode(quadrants(96, 64), "JPEG", subsampling=2, progressive=True)
    header = read_jpeg_header(data)
    assert (header.width, header.height, header.components) == (96, 64, 3)
    assert header.is_progressive
    assert header.samples_per_pixel == pytest.approx(1.5)
    assert data[header.scan_offset - 14 :][:4] == b"\xff\xda\x00\x0c"
    assert has_end(data, header)
    assert not has_end(data[:-2], header)


def test_a_profile_in_parts_is_put_together_in_their_order() -> None:
    """Cameras may write them in any order, and one of them twice."""

    def segment(number: int, content: bytes) -> bytes:
        body = b"ICC_PROFILE\x00" + bytes([number, 2]) + content
        return b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body

    data = b"\xff\xd8" + segment(2, b"world") + segment(1, b"hello ") + segment(1, b"again")
    assert read_jpeg_header(data + b"\xff\xd9").icc == b"hello world"


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff", b"\xff\xd8" + b"\xff" * 90])
def test_a_jpeg_without_segments_has_an_empty_header(data: bytes) -> None:
    """Nothing is made up, and the reading ends."""
    header = read_jpeg_header(data)
    assert (header.width, header.scan_offset, header.exif) == (0, 0, None)
