"""Resizing to what a model or a screen wants."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cocadesk.media.photo.resize import (
    fit_within,
    input_and_thumbnail,
    prepare_input,
    resize,
    shrink,
    thumbnail_jpeg,
)
from cocadesk.picture_input import InputSpec, Resize
from tests.support.photo_files import corner_colours, natural_picture, quadrants


def test_squash_keeps_the_whole_picture() -> None:
    """All four corners are still there."""
    squashed = prepare_input(quadrants(300, 100), InputSpec(size_px=40))
    assert squashed.shape == (40, 40, 3)
    assert np.abs(corner_colours(squashed) - corner_colours(quadrants())).max() < 2


def test_centre_crop_keeps_the_middle_in_its_shape() -> None:
    """Only the central square is seen."""
    picture = np.zeros((100, 300, 3), np.uint8)
    picture[:, 100:200] = 200
    cropped = prepare_input(picture, InputSpec(size_px=50, resize=Resize.CENTER_CROP))
    assert np.all(cropped[:, 3:-3] == 200)
    assert cropped.min() > 150  # the filter's reach lets the sides in by a pixel


@given(st.integers(30, 900), st.integers(30, 900))
@settings(max_examples=30, deadline=None)
def test_centre_crop_is_clips_to_a_rounding(width: int, height: int) -> None:
    """Shorter side to the model's size, margins rounded there: as CLIP's two steps do it."""
    side = 64
    picture = np.random.default_rng(width).integers(0, 255, (height, width, 3), dtype=np.uint8)
    short = min(width, height)
    shrunk = Image.fromarray(picture).resize(
        (side * width // short, side * height // short), Image.Resampling.BICUBIC
    )
    left, top = round((shrunk.width - side) / 2), round((shrunk.height - side) / 2)
    expected = np.array(shrunk.crop((left, top, left + side, top + side)), int)
    cropped = prepare_input(picture, InputSpec(size_px=side, resize=Resize.CENTER_CROP))
    assert np.abs(cropped - expected).mean() < 1  # half a pixel off: 20 and more


def test_shrinking_averages_areas() -> None:
    """A fine checkerboard becomes grey, not black or white."""
    board = (np.indices((128, 128)).sum(0) % 2 * 255).astype(np.uint8)
    small = resize(np.repeat(board[..., None], 3, 2), 16, 16)
    assert np.abs(small.astype(int) - 127).max() <= 1


def test_shrinking_one_axis_while_the_other_grows_averages_too() -> None:
    """Plain INTER_AREA would alias here."""
    stripes = np.zeros((8, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    result = resize(stripes, 32, 64)
    assert np.abs(result.astype(int) - 127).max() <= 1


def test_the_models_input_owns_its_memory() -> None:
    """Changing it leaves the source alone, even where no resize was needed."""
    picture = quadrants(32, 32)
    given_input = prepare_input(picture, InputSpec(size_px=32))
    given_input[:] = 0
    assert picture.max() > 0
    assert given_input.flags.c_contiguous
    assert given_input.flags.owndata


@pytest.mark.parametrize("how", Resize)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(8, 90), st.integers(8, 90))
def test_input_and_thumbnail_are_those_that_are_made_alone(
    how: Resize, width: int, height: int, size_px: int, thumbnail_px: int
) -> None:
    """The halves that both begin with are made once, and no pixel is another for it."""
    picture = np.random.default_rng(width).integers(0, 255, (height, width, 3), dtype=np.uint8)
    spec = InputSpec(size_px=size_px, resize=how)
    given_input, thumbnail = input_and_thumbnail(picture, spec, (width, height), thumbnail_px)
    np.testing.assert_array_equal(given_input, prepare_input(picture, spec, (width, height)))
    assert thumbnail == thumbnail_jpeg(picture, thumbnail_px)
    assert given_input.flags.owndata


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(1, 2000))
def test_fitting_never_enlarges_and_never_vanishes(width: int, height: int, long_side: int) -> None:
    """Both sides stay at least one pixel."""
    fitted = fit_within(width, height, long_side)
    assert max(fitted) <= max(long_side, 1)
    assert min(fitted) >= 1
    assert fitted[0] <= width
    assert fitted[1] <= height


@pytest.mark.parametrize("size_px", [0, -1, 5000])
def test_an_input_size_that_makes_no_sense_is_refused(size_px: int) -> None:
    """When the value is made, not when it is used."""
    with pytest.raises(ValueError, match="size_px"):
        InputSpec(size_px=size_px)


@pytest.mark.parametrize("size", [(972, 1296), (756, 1008), (2000, 1500), (971, 1295), (600, 300)])
def test_halving_first_gives_nearly_the_same_picture(size: tuple[int, int]) -> None:
    """One or two of 255 at edges; whatever the sides are."""
    picture = natural_picture(*size[::-1])
    for width, height in ((260, 260), (320, 240), (64, 300)):
        expected = resize(picture, width, height).astype(int)
        found = shrink(picture, width, height).astype(int)
        assert found.shape == expected.shape
        assert np.abs(found - expected).mean() < 1.5


def test_what_is_enlarged_or_hardly_smaller_is_not_halved() -> None:
    """It would lose what the model can see."""
    picture = natural_picture(400, 300)
    for width, height in ((260, 260), (500, 200), (200, 500), (400, 300)):
        assert np.array_equal(shrink(picture, width, height), resize(picture, width, height))
