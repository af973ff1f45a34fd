"""Stills of a high dynamic range, and colours that are given by numbers."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.photo.hdr import wide_to_screen
from tests.support.photo_files import encode, quadrants
from tests.support.rare_photos import heic
from tests.support.shared import shared_path

PQ_WHITE, HLG_WHITE = 0.58, 0.75
"""Reference white (203 cd/m2) in both curves, by ITU-R BT.2408."""
PRIMARIES_2020, CURVE_PQ, CURVE_HLG, MATRIX_2020, SRGB_CURVE = 9, 16, 18, 9, 13


def patch(code: float) -> np.ndarray:
    """A grey picture that stores this share of the highest number."""
    return np.full((64, 96, 3), round(code * 65535), np.uint16)


@pytest.mark.parametrize(("curve", "code"), [(CURVE_PQ, PQ_WHITE), (CURVE_HLG, HLG_WHITE)])
def test_the_white_of_a_still_of_high_range_is_white_on_a_screen(curve: int, code: float) -> None:
    """As stored it would be a pale grey."""
    nclx = (PRIMARIES_2020, curve, MATRIX_2020)
    rgb = decode_rgb(heic(patch(code), nclx=nclx, pixel_format="yuv420p10le")).rgb_HWC
    assert rgb.shape == (64, 96, 3)
    assert 220 <= rgb.mean() <= 255
    assert np.ptp(rgb.reshape(-1, 3).mean(0)) < 4


def test_a_still_of_high_range_is_turned_like_any_other() -> None:
    """The container's turn counts on this way, too."""
    nclx = (PRIMARIES_2020, CURVE_PQ, MATRIX_2020)
    picture = quadrants().astype(np.uint16) * 150
    decoded = decode_rgb(heic(picture, nclx=nclx, pixel_format="yuv420p10le", turns=1))
    plain = decode_rgb(heic(picture, nclx=nclx, pixel_format="yuv420p10le"))
    assert (decoded.width, decoded.height) == (64, 96)
    np.testing.assert_array_equal(decoded.rgb_HWC, np.rot90(plain.rgb_HWC))


def test_wide_colours_by_numbers_are_brought_to_srgb() -> None:
    """The same numbers mean stronger colours in Display P3."""
    picture = quadrants()
    common = decode_rgb(heic(picture, nclx=(1, SRGB_CURVE, 6))).rgb_HWC.astype(int)
    wide = decode_rgb(heic(picture, nclx=(12, SRGB_CURVE, 6))).rgb_HWC.astype(int)
    red = np.s_[8:24, 8:40]
    assert wide[red][..., 0].mean() > common[red][..., 0].mean() + 10
    assert wide[red][..., 1].mean() < common[red][..., 1].mean()


@pytest.mark.parametrize("primaries", [9, 12])
def test_greys_stay_greys_in_every_gamut(primaries: int) -> None:
    """All gamuts share their white."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, 256, 3)
    moved = wide_to_screen(ramp, primaries).astype(int)
    assert np.abs(moved - ramp).max() <= 2


def test_other_primaries_leave_the_picture_alone() -> None:
    """Those of common screens, and those that nobody names."""
    picture = quadrants()
    for primaries in (0, 1, 2, 5, 22):
        assert wide_to_screen(picture, primaries) is picture


@pytest.mark.shared
def test_the_still_in_pq_of_the_faults_looks_like_its_reference() -> None:
    """It was pale: white at 148."""
    folder = shared_path("faults/photos")
    hdr = decode_rgb((folder / "hdr_pq_bt2020.heic").read_bytes()).rgb_HWC.astype(int)
    reference = decode_rgb((folder / "hdr_reference_sdr.png").read_bytes()).rgb_HWC.astype(int)
    assert hdr.shape == reference.shape
    assert np.abs(hdr - reference).mean() < 12


@pytest.mark.shared
def test_an_avif_in_pq_is_tone_mapped() -> None:
    """Its ten bits are read as those of a video."""
    data = (shared_path("media/photos") / "f_avif_hdr_pq.avif").read_bytes()
    decoded = decode_rgb(data)
    assert decoded.rgb_HWC.shape == (200, 200, 3)
    with Image.open(io.BytesIO(data)) as stored:
        as_stored = np.asarray(stored.convert("RGB"), float)
    assert np.abs(decoded.rgb_HWC - as_stored).mean() > 20


def test_an_avif_of_common_colours_is_as_before() -> None:
    """Nothing is gained by another way."""
    decoded = decode_rgb(encode(quadrants(), "AVIF", quality=95)).rgb_HWC.astype(int)
    assert np.abs(decoded - quadrants()).mean() < 6
