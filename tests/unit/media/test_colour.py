"""Colour: profiles, orientation, and high dynamic range on a common screen."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageCms

from cocadesk.media.photo.colour import image_to_srgb, rgb_to_srgb, turn_upright, upright_size
from cocadesk.media.photo.hdr import Curve, to_screen
from cocadesk.media.photo.modes import flatten_on_white, to_plain_mode
from tests.support.photo_files import quadrants, store_turned

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_is_turned_back(orientation: int) -> None:
    """All eight orientations, with the size that goes with them."""
    upright = quadrants(96, 64)
    stored = store_turned(upright, orientation)
    turned = turn_upright(stored, orientation)
    np.testing.assert_array_equal(turned, upright)
    assert turned.flags.c_contiguous
    assert upright_size(stored.shape[1], stored.shape[0], orientation) == (96, 64)


@pytest.mark.parametrize("profile", [None, b"", b"x" * 100, b"\0" * 400, SRGB])
def test_a_picture_without_a_usable_profile_is_left_as_it_is(profile: bytes | None) -> None:
    """Missing, too short, broken, or sRGB already: the very same array."""
    picture = quadrants()
    assert rgb_to_srgb(picture, profile) is picture


def test_a_profile_of_another_kind_of_picture_is_ignored() -> None:
    """A CMYK printer's profile in an RGB file, or an RGB one in a grey file."""
    grey = np.full((8, 8, 3), 90, np.uint8)
    assert rgb_to_srgb(grey, SRGB, is_grey=True) is grey
    image = Image.new("L", (4, 4), 90)
    assert image_to_srgb(image, SRGB).getpixel((0, 0)) == (90, 90, 90)


def test_lab_becomes_the_colours_that_it_names() -> None:
    """L* 53, a* 80, b* 67 is sRGB's red, to a rounding."""
    lab = Image.new("LAB", (4, 4), (136, 128 + 80, 128 + 67))
    pixel = image_to_srgb(lab, None).getpixel((1, 1))
    assert isinstance(pixel, tuple)
    red, green, blue = pixel
    assert red > 245
    assert max(green, blue) < 20


def ramp(codes: NDArray[np.float64]) -> NDArray[np.uint16]:
    """(1, N, 3) uint16: greys of these stored values, 0 to 1."""
    return np.repeat(np.round(codes * 65535).astype(np.uint16)[None, :, None], 3, axis=2)


@pytest.mark.parametrize("curve", Curve)
def test_tone_mapping_keeps_the_order_of_brightness(curve: Curve) -> None:
    """Black stays black, greys stay grey, and brighter light is never darker."""
    screen = to_screen(ramp(np.linspace(0, 1, 500)), curve)[0].astype(int)
    assert screen.dtype != np.uint8
    assert screen[0].max() == 0
    assert screen[-1].min() >= 250
    assert (np.diff(screen[:, 0]) >= 0).all()
    assert np.ptp(screen, axis=1).max() <= 2


def test_pq_is_absolute_light() -> None:
    """BT.2408: a grey card of 26 cd/m² is sRGB's 18 % grey or so; 203 cd/m² is near white."""
    nits_26, nits_203 = 0.3773, 0.5806
    screen = to_screen(ramp(np.array([nits_26, nits_203])), Curve.PQ)[0, :, 0]
    assert 95 <= screen[0] <= 110
    assert 220 <= screen[1] <= 250


def test_a_colour_that_no_screen_has_is_brought_within_reach() -> None:
    """BT.2020's pure green lies outside sRGB: it stays green and does not wrap round."""
    green = np.zeros((2, 2, 3), np.uint16)
    green[..., 1] = 40_000
    red_out, green_out, blue_out = to_screen(green, Curve.PQ)[0, 0].tolist()
    assert green_out > 200
    assert red_out == 0
    assert blue_out < 60


@given(st.integers(0, 2**32 - 1), st.sampled_from(list(Curve)))
def test_any_stored_values_give_a_picture(seed: int, curve: Curve) -> None:
    """(H, W, 3) uint8, whatever the codec left in the frame."""
    stored = np.random.default_rng(seed).integers(0, 1 << 16, (5, 7, 3)).astype(np.uint16)
    screen = to_screen(stored, curve)
    assert screen.shape == (5, 7, 3)
    assert screen.dtype == np.uint8


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"]
)
def test_every_mode_of_pillow_becomes_a_plain_one(mode: str) -> None:
    """And from there sRGB on white, three channels."""
    image = Image.fromarray(quadrants(16, 8)).convert("L" if mode == "1" else "RGB").convert(mode)
    plain = to_plain_mode(image)
    assert plain.mode in {"L", "RGB", "RGBA", "CMYK", "LAB"}
    rgb = flatten_on_white(plain, lambda part: image_to_srgb(part, None))
    assert rgb.shape == (8, 16, 3)
    assert rgb.dtype == np.uint8


def test_half_transparent_pixels_are_mixed_with_white() -> None:
    """As a viewer with a white page shows them."""
    image = Image.new("RGBA", (2, 2), (0, 0, 0, 128))
    rgb = flatten_on_white(image, lambda part: part)
    assert np.abs(rgb.astype(int) - 127).max() <= 1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 255]], np.int32), [0, 255]),
        (np.array([[0, 65535]], np.int32), [0, 255]),
        (np.array([[0, 100_000]], np.int32), [0, 255]),
        (np.array([[0, 0.5]], np.float32), [0, 127]),
        (np.array([[np.nan, np.inf]], np.float32), [0, 255]),
        (np.array([[-5.0, 200.0]], np.float32), [0, 200]),
    ],
)
def test_deep_pixels_are_scaled_by_what_they_hold(
    values: NDArray[np.float32], expected: list[int]
) -> None:
    """Eight or sixteen bits, 0 to 1, or whatever a scientist's camera writes."""
    plain = to_plain_mode(Image.fromarray(values))
    found = np.asarray(plain)[0].tolist()
    assert found[0] == expected[0]
    assert abs(found[1] - expected[1]) <= 1
