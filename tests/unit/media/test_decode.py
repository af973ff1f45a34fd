"""Decoding one photo: orientation, size, hashes, scale."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from cocadesk.media.photo.decode import decode_photo, decode_rgb
from cocadesk.media.photo.resize import prepare_input
from cocadesk.media.types import DecodeLimits, PhotoError, PhotoMetadata
from cocadesk.picture_input import InputSpec, Resize
from tests.support.photo_files import (
    corner_colours,
    encode,
    exif_block,
    natural_picture,
    quadrants,
    store_turned,
)

SPEC = InputSpec(size_px=64)
ORIENTATION = 0x0112


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_once(format_name: str, orientation: int) -> None:
    """All eight EXIF orientations give the same upright picture and size."""
    upright = quadrants(192, 96)
    stored = store_turned(upright, orientation)
    block = exif_block({ORIENTATION: orientation})
    decoded = decode_rgb(encode(stored, format_name, exif=block))
    assert (decoded.width, decoded.height) == (192, 96)
    assert decoded.rgb_HWC.shape == (96, 192, 3)
    assert np.abs(corner_colours(decoded.rgb_HWC) - corner_colours(upright)).max() < 8


@pytest.mark.parametrize("orientation", [0, 9, 200])
def test_an_invalid_orientation_shows_the_picture_as_stored(orientation: int) -> None:
    """Values outside 1 to 8 mean nothing."""
    data = encode(quadrants(), "JPEG", exif=exif_block({ORIENTATION: orientation}))
    assert decode_rgb(data).rgb_HWC.shape == (64, 96, 3)


def test_a_large_jpeg_is_read_at_a_reduced_scale_that_covers_what_is_asked() -> None:
    """Twice the asked side at least, and the full size is reported all the same."""
    data = encode(natural_picture(1600, 1200), "JPEG", quality=92)
    decoded = decode_rgb(data, 200)
    assert (decoded.width, decoded.height) == (1600, 1200)
    assert decoded.rgb_HWC.shape == (600, 800, 3)
    assert decode_rgb(data, 150).rgb_HWC.shape == (300, 400, 3)
    assert decode_rgb(data, 601).rgb_HWC.shape == (1200, 1600, 3)


@pytest.mark.parametrize("size_px", [96, 224, 260, 400])
def test_the_reduced_decode_gives_nearly_the_picture_of_the_full_one(size_px: int) -> None:
    """Model input by reduced DCT against full decode: close in every pixel on average."""
    data = encode(natural_picture(2000, 1500), "JPEG", quality=92)
    spec = InputSpec(size_px=size_px)
    reduced = decode_photo(data, spec).input_HWC.astype(float)
    full = prepare_input(decode_rgb(data).rgb_HWC, spec).astype(float)
    difference = np.abs(reduced - full)
    assert difference.mean() < 0.6
    assert np.percentile(difference, 99.9) < 6


def test_the_pixel_hash_depends_on_the_file_alone() -> None:
    """Other model sizes and thumbnails decode at other scales and give the same hash."""
    data = encode(natural_picture(2600, 1900), "JPEG")
    hashes = {
        decode_photo(data, InputSpec(size_px=size_px), thumbnail_px=thumbnail_px).picture_hash
        for size_px, thumbnail_px in [(64, 64), (224, 320), (384, 320), (640, 1280), (1024, 320)]
    }
    assert len(hashes) == 1


def test_an_edit_of_the_metadata_changes_the_file_hash_only() -> None:
    """A new description keeps the pixels, another picture does not."""
    picture = natural_picture(640, 480)
    plain = decode_photo(encode(picture, "JPEG"), SPEC)
    edited = decode_photo(encode(picture, "JPEG", exif=exif_block({0x010E: "new words"})), SPEC)
    other = decode_photo(encode(natural_picture(640, 480, seed=6), "JPEG"), SPEC)
    assert plain.file_hash != edited.file_hash
    assert plain.picture_hash == edited.picture_hash != other.picture_hash
    assert len(plain.picture_hash) == len(plain.file_hash) == 32


def test_the_thumbnail_is_a_small_jpeg_of_the_same_shape() -> None:
    """Its long side is as asked, and a small photo is not enlarged."""
    large = decode_photo(encode(natural_picture(1200, 800), "JPEG"), SPEC, thumbnail_px=320)
    thumbnail = decode_rgb(large.thumbnail_jpeg)
    assert (thumbnail.width, thumbnail.height) == (320, 213)
    small = decode_photo(encode(quadrants(), "PNG"), SPEC, thumbnail_px=320)
    assert decode_rgb(small.thumbnail_jpeg).rgb_HWC.shape == (64, 96, 3)


@pytest.mark.parametrize("resize", list(Resize))
@pytest.mark.parametrize("size", [(224, 224), (1200, 800), (2600, 700)])
def test_what_the_model_sees_alone_is_the_same_with_less_work(
    size: tuple[int, int], resize: Resize
) -> None:
    """Pixels and their hash are those of a whole decode."""
    data, spec = encode(natural_picture(*size), "JPEG"), InputSpec(size_px=64, resize=resize)
    whole, alone = decode_photo(data, spec), decode_photo(data, spec, is_input_only=True)
    assert np.array_equal(whole.input_HWC, alone.input_HWC)
    assert len(whole.box_inputs) == len(alone.box_inputs)
    assert all(map(np.array_equal, whole.box_inputs, alone.box_inputs))
    assert (alone.picture_hash, alone.width) == (whole.picture_hash, whole.width)
    assert (alone.thumbnail_jpeg, alone.file_hash, alone.metadata) == (b"", "", PhotoMetadata())


def test_a_path_is_read_and_named(tmp_path: Path) -> None:
    """A Path in place of bytes is read; its bytes come back as the path."""
    photo = tmp_path / "a.jpg"
    photo.write_bytes(encode(quadrants(), "JPEG"))
    decoded = decode_photo(photo, SPEC)
    assert decoded.path == os.fsencode(photo)
    assert decoded.format == "JPEG"
    assert decoded.input_HWC.shape == (64, 64, 3)
    assert decoded.input_HWC.dtype == np.uint8


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (3000, 7)])
@pytest.mark.parametrize("resize", list(Resize))
def test_extreme_shapes_become_model_input(size: tuple[int, int], resize: Resize) -> None:
    """A single pixel, a line and a ribbon decode like any other picture."""
    data = encode(np.full((*size[::-1], 3), 77, np.uint8), "PNG")
    decoded = decode_photo(data, InputSpec(size_px=32, resize=resize, fill=0))
    assert (decoded.width, decoded.height) == size
    beside = 0 if resize is Resize.LONGEST else 77
    assert {77} <= set(np.unique(decoded.input_HWC).tolist()) <= {77, beside}


def test_a_photo_beyond_the_pixel_limit_is_refused_with_its_size() -> None:
    """The sentence names both numbers."""
    data = encode(quadrants(400, 300), "PNG")
    with pytest.raises(PhotoError, match=r"400 x 300 pixels .* the limit is"):
        decode_rgb(data, limits=DecodeLimits(pixels=100_000))


def test_a_photo_beyond_the_memory_limit_is_refused(tmp_path: Path) -> None:
    """The estimate is made before decoding; a large file is refused before reading."""
    photo = tmp_path / "a.png"
    photo.write_bytes(encode(quadrants(400, 300), "PNG"))
    with pytest.raises(PhotoError, match="memory"):
        decode_photo(photo, SPEC, limits=DecodeLimits(memory_bytes=1000))
    with pytest.raises(PhotoError, match="The file has"):
        decode_photo(photo, SPEC, limits=DecodeLimits(file_bytes=20))


def test_a_missing_file_and_a_folder_are_failures_with_a_reason(tmp_path: Path) -> None:
    """Neither is an unexpected error."""
    with pytest.raises(PhotoError, match="no longer there"):
        decode_photo(tmp_path / "gone.jpg", SPEC)
    with pytest.raises(PhotoError) as caught:
        decode_photo(tmp_path, SPEC)
    assert not caught.value.is_photo


def test_a_pipe_in_a_photos_place_is_not_waited_for(tmp_path: Path) -> None:
    """Opening a FIFO nobody writes to must not block."""
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no FIFOs")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="no regular file"):
        decode_photo(tmp_path / "pipe.jpg", SPEC)


def test_reading_leaves_the_file_untouched(tmp_path: Path) -> None:
    """Neither content nor times of the user's file change."""
    photo = tmp_path / "a.jpg"
    photo.write_bytes(encode(quadrants(), "JPEG"))
    os.utime(photo, ns=(10**18, 10**18))
    before = photo.stat()
    decode_photo(photo, SPEC)
    after = photo.stat()
    assert (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
    if hasattr(os, "O_NOATIME"):
        assert before.st_atime_ns == after.st_atime_ns
