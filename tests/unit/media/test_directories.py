"""TIFF's directories, as RAW files chain and nest them, whatever a stranger wrote into them."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from cocadesk.media.metadata.exif import directories, starts_as_tiff
from cocadesk.media.photo.raw import is_cut
from tests.support.photo_files import quadrants
from tests.support.raw_files import dng


def chained(*tags: tuple[int, int], next_at: int = 0) -> bytes:
    """A directory of numbers, and where the next one begins."""
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", next_at)


def test_directories_are_found_in_the_chain_and_below() -> None:
    """As Canon chains them and Nikon nests them."""
    first = chained((256, 1), (330, 100), next_at=60)
    second = chained((256, 2))
    data = (b"II*\0" + struct.pack("<I", 8) + first).ljust(60, b"\0") + second
    data = data.ljust(100, b"\0") + chained((256, 3))
    assert [one[256] for one in directories(data)] == [(1,), (3,), (2,)]


def test_a_chain_that_leads_back_to_itself_ends() -> None:
    """A few rounds, and no more."""
    data = b"II*\0" + struct.pack("<I", 8) + chained((256, 1), next_at=8)
    assert 1 <= len(directories(data)) < 20


def test_a_piece_behind_the_end_is_seen() -> None:
    """Of any directory; Panasonic's way to say "elsewhere" does not count."""
    whole = dng(quadrants(64, 64))
    assert not is_cut(whole)
    assert is_cut(whole[:-1])
    elsewhere = chained((273, 0xFFFF_FFFF), (279, 50))
    assert not is_cut(b"IIU\0" + struct.pack("<I", 8) + elsewhere)


@given(st.binary(max_size=300), st.sampled_from([b"II*\0", b"MM\0*", b"IIRO", b"MMOR", b"IIU\0"]))
def test_no_bytes_break_the_reading(data: bytes, start: bytes) -> None:
    """A file is damaged or hostile: it has fewer directories."""
    assert starts_as_tiff(start + data)
    assert all(isinstance(one, dict) for one in directories(start + data))
    assert is_cut(start + data) in (True, False)
