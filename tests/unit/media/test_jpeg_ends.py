"""JPEG files without their end marker: read where all pixels are there, refused where not."""

from __future__ import annotations

import numpy as np
import pytest

from cocadesk.media.photo.decode import decode_photo, decode_rgb
from cocadesk.media.types import PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import encode, natural_picture
from tests.support.shared import shared_path

SPEC = InputSpec(size_px=32)
PICTURE = natural_picture(1300, 700)
TRAILER = b"\x00\x00\x01\x0a\x0e\x00\x00\x00Image_UTC_Data1526399490" + bytes(range(1, 200)) * 5


@pytest.fixture(scope="module", params=[{}, {"subsampling": 0}, {"quality": 30}])
def whole(request: pytest.FixtureRequest) -> bytes:
    """A camera's JPEG, in several ways of packing."""
    return encode(PICTURE, "JPEG", **request.param)


@pytest.mark.parametrize("behind", [b"", TRAILER, b"SEFT", b"\xff"])
def test_a_photo_that_lacks_its_end_marker_alone_is_read(whole: bytes, behind: bytes) -> None:
    """As Samsung's panoramas do, with data of the phone's own where the marker belongs."""
    assert whole.endswith(b"\xff\xd9")
    data = whole[:-2] + behind
    np.testing.assert_array_equal(decode_rgb(data).rgb_HWC, decode_rgb(whole).rgb_HWC)
    assert decode_photo(data, SPEC).picture_hash == decode_photo(whole, SPEC).picture_hash


@pytest.mark.parametrize("part", [0.3, 0.7, 0.97, 0.995])
@pytest.mark.parametrize("behind", [b"", TRAILER])
def test_a_photo_that_was_cut_short_is_refused(whole: bytes, part: float, behind: bytes) -> None:
    """Missing pixels would be painted grey."""
    with pytest.raises(PhotoError, match="cut short"):
        decode_photo(whole[: int(len(whole) * part)] + behind, SPEC)


def test_a_photo_whose_rest_is_zeros_is_refused(whole: bytes) -> None:
    """A download that reserved its room and stopped."""
    data = whole[: len(whole) // 2]
    with pytest.raises(PhotoError, match="cut short"):
        decode_photo(data + bytes(len(whole) - len(data)), SPEC)


def test_a_progressive_photo_without_its_end_is_refused() -> None:
    """Whole scans may be missing, and nobody could tell."""
    data = encode(PICTURE, "JPEG", progressive=True)
    with pytest.raises(PhotoError, match="cut short"):
        decode_photo(data[:-2], SPEC)


@pytest.mark.shared
def test_samsungs_panorama_is_the_same_picture_as_the_whole_file() -> None:
    """It was called cut short."""
    folder = shared_path("faults/photos")
    pano = decode_rgb((folder / "eoi_samsung_pano.jpg").read_bytes()).rgb_HWC
    whole_HWC = decode_rgb((folder / "eoi_whole.jpg").read_bytes()).rgb_HWC
    np.testing.assert_array_equal(pano, whole_HWC)
