"""Long photos in boxes: where these lie, and the model's inputs that come of them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.media.photo.decode import decode_photo, decode_rgb
from cocadesk.media.photo.resize import prepare_boxes
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import DecodedPhoto, DecodeRequest
from cocadesk.picture_input import MOST_BOXES, InputSpec, Resize
from tests.support.photo_files import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    encode,
    exif_block,
    natural_picture,
    store_turned,
)

SPEC = InputSpec(size_px=64)
SQUARES = InputSpec(size_px=64, resize=Resize.CENTER_CROP)
SIDES = st.integers(1, 50_000)


def stripes(*colours: tuple[int, int, int], side: int = 40) -> np.ndarray:
    """A panorama of squares side by side."""
    return np.concatenate([np.full((side, side, 3), c, np.uint8) for c in colours], axis=1)


def numbers(spec: InputSpec, *sizes: tuple[int, int]) -> list[int]:
    """How many boxes pictures of these sizes have."""
    return [len(spec.boxes(*size)) for size in sizes]


def test_a_photo_of_two_squares_and_a_half_has_boxes_and_a_screenshot_none() -> None:
    """No frame of a camera and no phone's screen is so long, lying or upright."""
    assert numbers(SPEC, (2400, 1000), (1000, 2400)) == [3, 3]
    assert numbers(SPEC, (2390, 1000), (1000, 2390), (2399, 1000)) == [0, 0, 0]
    assert numbers(SPEC, (4, 3), (3, 2), (16, 9), (1, 1), (9, 16), (9, 21)) == [0] * 6


def test_a_longer_photo_has_more_boxes_up_to_eight() -> None:
    """Boxes of 4:3 that overlap by a quarter or more; squares are more of them."""
    assert numbers(SPEC, (3000, 1000), (4000, 1000), (6000, 1000), (8000, 1000)) == [3, 4, 6, 8]
    assert numbers(SPEC, (40_000, 400), (1, 9_999_999)) == [8, 8]
    assert numbers(SQUARES, (2400, 1000), (3000, 1000), (40_000, 400)) == [3, 4, 8]


@given(SIDES, SIDES, st.sampled_from([SPEC, SQUARES]))
def test_boxes_cover_a_long_photo_equally_far_apart(
    width: int, height: int, spec: InputSpec
) -> None:
    """From end to end, of one size, no shorter than the short side, a quarter seen twice."""
    boxes = spec.boxes(width, height)
    if max(width, height) < 2.4 * min(width, height):
        assert boxes == []
        return
    assert 2 <= len(boxes) <= MOST_BOXES
    spans = [(b.left, b.right) if width > height else (b.top, b.bottom) for b in boxes]
    across = [(b.top, b.bottom) if width > height else (b.left, b.right) for b in boxes]
    assert across == [(0.0, 1.0)] * len(boxes)
    assert (spans[0][0], spans[-1][1]) == (0.0, 1.0)
    lengths = [end - start for start, end in spans]
    assert lengths == pytest.approx([lengths[0]] * len(boxes))
    assert lengths[0] * max(width, height) >= min(width, height) * (1 - 1e-9)
    steps = np.diff([start for start, _ in spans])
    assert steps == pytest.approx(np.full(len(steps), steps[0]))
    assert steps[0] <= 0.75 * lengths[0] * (1 + 1e-9)


def test_each_box_is_squashed_to_the_models_input() -> None:
    """The first shows the left end alone, the last the right end."""
    panorama = stripes(RED, RED, GREEN, GREEN, BLUE, YELLOW)
    decoded = decode_photo(encode(panorama, "PNG"), SPEC)
    assert [one.shape for one in decoded.box_inputs] == [(64, 64, 3)] * 6
    first, *_, last = (one.reshape(-1, 3) for one in decoded.box_inputs)
    assert np.all(first == RED)
    means = last.mean(0)
    assert np.abs(means - (np.array(BLUE) + 3 * np.array(YELLOW)) / 4).max() < 3
    assert len({one.tobytes() for one in decoded.box_inputs}) == 6
    assert all(one.flags.c_contiguous and one.flags.owndata for one in decoded.box_inputs)


def test_an_upright_panorama_is_cut_from_top_to_bottom() -> None:
    """The same boxes, turned."""
    panorama = np.rot90(stripes(RED, RED, GREEN, GREEN, BLUE, BLUE), -1)
    boxes = decode_photo(encode(panorama, "PNG"), SPEC).box_inputs
    assert len(boxes) == 6
    assert np.all(boxes[0] == RED)
    assert np.all(boxes[-1] == BLUE)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_turned_panorama_is_cut_as_it_is_seen(orientation: int) -> None:
    """The camera's turn is undone first."""
    upright = stripes(RED, RED, GREEN, GREEN, BLUE, BLUE)
    data = encode(store_turned(upright, orientation), "PNG", exif=exif_block({0x0112: orientation}))
    boxes = decode_photo(data, SPEC).box_inputs
    assert len(boxes) == 6
    assert np.all(boxes[0] == RED)
    assert np.all(boxes[-1] == BLUE)


@pytest.mark.parametrize("size", [(96, 64), (199, 100)])
def test_an_ordinary_photo_has_no_boxes(size: tuple[int, int]) -> None:
    """The whole is all of its input."""
    assert decode_photo(encode(natural_picture(*size), "JPEG"), SPEC).box_inputs == ()


@pytest.mark.parametrize("spec", [SPEC, SQUARES], ids=["squashed", "squares"])
def test_a_reduced_decode_gives_nearly_the_boxes_of_the_full_one(spec: InputSpec) -> None:
    """It covers the short side, and a box is no shorter."""
    data = encode(natural_picture(3200, 1060), "JPEG", quality=92)
    full_HWC = decode_rgb(data).rgb_HWC
    reduced = decode_photo(data, spec)
    expected = prepare_boxes(full_HWC, spec, (3200, 1060))
    assert len(reduced.box_inputs) == len(expected) > 2
    for one, other in zip(reduced.box_inputs, expected, strict=True):
        assert np.abs(one.astype(float) - other).mean() < 1.5


def test_the_picture_hash_of_a_panorama_depends_on_the_file_alone() -> None:
    """Whatever the size and the shape of the boxes that are asked for."""
    data = encode(natural_picture(2400, 600), "JPEG")
    specs = [SPEC, SQUARES, InputSpec(size_px=288), InputSpec(size_px=336)]
    assert len({decode_photo(data, spec).picture_hash for spec in specs}) == 1


def test_boxes_come_back_from_the_pool_as_the_core_makes_them(tmp_path: Path) -> None:
    """Between photos that have none, through the same slot; a very long one has eight."""
    pictures = {
        "a.png": natural_picture(90, 60),
        "b.png": natural_picture(360, 60, seed=2),
        "c.png": natural_picture(60, 90, seed=3),
        "d.jpg": np.broadcast_to(np.uint8([200, 90, 40]), (400, 40_000, 3)),
    }
    for name, picture in pictures.items():
        (tmp_path / name).write_bytes(encode(picture, "JPEG" if "jpg" in name else "PNG"))
    wanted = [
        DecodeRequest(token=token, path=os.fsencode(tmp_path / name))
        for token, name in enumerate(pictures)
    ]
    with DecoderPool(spec=SPEC, workers=1, slots=1) as pool:
        results = list(pool.decode(wanted))
    assert [len(r.box_inputs) for r in results if isinstance(r, DecodedPhoto)] == [0, 6, 0, 8]
    for name, result in zip(pictures, results, strict=True):
        assert isinstance(result, DecodedPhoto)
        expected = decode_photo(tmp_path / name, SPEC)
        np.testing.assert_array_equal(result.input_HWC, expected.input_HWC)
        assert len(result.box_inputs) == len(expected.box_inputs)
        for one, other in zip(result.box_inputs, expected.box_inputs, strict=True):
            np.testing.assert_array_equal(one, other)
        assert result.thumbnail_jpeg == expected.thumbnail_jpeg
