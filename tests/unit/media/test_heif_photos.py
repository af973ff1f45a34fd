"""Photos in HEIC: FFmpeg decodes them, and libheif what FFmpeg cannot."""

from __future__ import annotations

import numpy as np
import pytest

from cocadesk.media.formats import PHOTO_FORMATS
from cocadesk.media.photo import heif
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.photo.heif import CodedSource, open_heif
from cocadesk.media.types import DecodeLimits, PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import corner_colours, quadrants
from tests.support.rare_photos import heic, heic_grid
from tests.support.shared import shared_path

HEIC = next(row for row in PHOTO_FORMATS if row.name == "HEIC")
LIMITS = DecodeLimits()
PHOTO = quadrants(1280, 960)


def test_a_photo_in_hevc_is_decoded_by_ffmpeg() -> None:
    """Whole or in tiles, which keep whole pixels at every step."""
    for data in (heic(PHOTO), heic_grid(PHOTO, 2, 2)):
        source = open_heif(data, HEIC, LIMITS)
        assert isinstance(source, CodedSource)
        assert (source.width, source.height) == (1280, 960)
        rgb = source.decode(2)
        assert rgb.shape == (480, 640, 3)
        assert np.abs(corner_colours(rgb) - corner_colours(PHOTO)).max() < 12
    assert set(source.steps) == {1, 2, 4, 5, 8, 10, 16, 20, 32, 40}


def test_a_small_picture_is_left_to_libheif() -> None:
    """There are more odd ones among them, and they take no time."""
    assert not isinstance(open_heif(heic(quadrants(320, 240)), HEIC, LIMITS), CodedSource)


def test_a_photo_that_ffmpeg_cannot_read_is_decoded_by_libheif(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So none is refused that was read before there were two ways."""
    monkeypatch.setattr(heif, "_CODECS", {b"hvc1": ("h264", b"hvcC")})
    for data in (heic(PHOTO), heic_grid(PHOTO, 2, 2)):
        rgb = open_heif(data, HEIC, LIMITS).decode(4)
        assert rgb.shape == (240, 320, 3)
        assert np.abs(corner_colours(rgb) - corner_colours(PHOTO)).max() < 12


def test_a_photo_that_neither_can_read_fails_with_a_sentence() -> None:
    """Its data are cut."""
    data = heic(PHOTO)
    with pytest.raises(PhotoError):
        open_heif(data[: len(data) * 2 // 3], HEIC, LIMITS).decode(1)


@pytest.mark.shared
def test_the_hash_of_a_heic_depends_on_the_file_alone() -> None:
    """Not on the model's input, nor on the thumbnail that was asked for."""
    data = (shared_path("media/photos") / "f_heic_arrow_iphone.heic").read_bytes()
    sizes = [(64, 320), (260, 320), (384, 1600)]
    hashes = {
        decode_photo(data, InputSpec(size_px=side), thumbnail_px=thumbnail).picture_hash
        for side, thumbnail in sizes
    }
    assert len(hashes) == 1
