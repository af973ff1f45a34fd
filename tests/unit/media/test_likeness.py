"""Two pictures compared: saves and crops of one are the same, its neighbours in a burst not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from cocadesk.media.photo.likeness import (
    is_alike,
    likeness,
    small_picture,
    tiny_print,
)
from tests.support.scenes import cropped, moved, saved, scene, small, thumbnail

WHOLE = scene(21)


def _with_ball(x: int) -> Image.Image:
    picture = WHOLE.copy()
    ball = Image.new("RGB", (70, 70), "orange")
    picture.paste(ball, (x, 200))
    return picture


def _lighter(stops: float) -> Image.Image:
    light = (np.asarray(WHOLE) / 255.0) ** 2.2 * 2**stops
    return Image.fromarray((255 * light.clip(0, 1) ** (1 / 2.2)).astype(np.uint8))


@pytest.mark.parametrize(
    "other",
    [
        saved(WHOLE, 30),
        WHOLE.resize((260, 195)),
        ImageEnhance.Brightness(WHOLE).enhance(1.08),
        ImageEnhance.Contrast(WHOLE).enhance(0.94),
        cropped(WHOLE),
        cropped(WHOLE, 0.05).resize((300, 225)),
        saved(cropped(WHOLE, 0.1), 60),
    ],
    ids=["saved badly", "small", "lighter", "flatter", "cropped", "cropped, small", "both"],
)
def test_a_picture_saved_anew_is_the_same(other: Image.Image) -> None:
    """Whichever of the two comes first."""
    assert likeness(small(WHOLE), small(other)).is_same
    assert likeness(small(other), small(WHOLE)).is_same


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (WHOLE, scene(22)),
        (moved(WHOLE, 0.0), moved(WHOLE, 0.03)),
        (_with_ball(100), _with_ball(150)),
        (WHOLE, _with_ball(300)),
        (WHOLE, _lighter(0.8)),
        (WHOLE, _lighter(-1)),
        (WHOLE, WHOLE.convert("L")),
        (WHOLE, WHOLE.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
        (WHOLE, Image.new("RGB", WHOLE.size, "grey")),
    ],
    ids=[
        "another", "moved", "ball moved", "ball came", "exposed longer", "shorter", "grey",
        "flipped", "blank",
    ],
)  # fmt: skip
def test_another_moment_or_another_picture_is_not_the_same(
    one: Image.Image, other: Image.Image
) -> None:
    """Different exposures of one scene are no duplicates."""
    assert not likeness(small(one), small(other)).is_same


def test_a_crop_is_known_as_one() -> None:
    """So that a neighbour that came nearer, of the same size, can be told from it."""
    assert likeness(small(WHOLE), small(cropped(WHOLE))).is_crop
    assert not likeness(small(WHOLE), small(saved(WHOLE, 50))).is_crop


def test_neighbours_of_a_burst_are_alike_and_others_are_not() -> None:
    """Moved by a hand, lit otherwise, with somebody in the way."""
    for other in (moved(WHOLE), _lighter(-1), _with_ball(200)):
        assert is_alike(small(WHOLE), small(other)) > 0.75
    assert is_alike(small(WHOLE), small(scene(22))) < 0.5
    assert is_alike(small(WHOLE), small(scene(21, (400, 700)))) < 0.6


def test_prints_of_saves_are_alike_and_that_of_a_blank_picture_is_empty() -> None:
    """64 numbers of 8 bits."""
    one, other = tiny_print(thumbnail(WHOLE)), tiny_print(thumbnail(WHOLE.resize((250, 188))))
    assert one is not None
    assert other is not None
    assert one.shape == (64,)
    assert np.corrcoef(one, other)[0, 1] > 0.97
    blank = tiny_print(thumbnail(Image.new("RGB", (90, 60), "white")))
    assert blank is not None
    assert not blank.any()


def test_a_damaged_thumbnail_has_neither_picture_nor_print() -> None:
    """It is passed over."""
    assert small_picture(b"no JPEG", 10, 10) is None
    assert tiny_print(b"") is None


def test_a_sharper_picture_has_a_higher_sharpness() -> None:
    """Of one scene and size."""
    soft = WHOLE.resize((80, 60)).resize(WHOLE.size)
    assert small(WHOLE).sharpness > 2 * small(soft).sharpness
