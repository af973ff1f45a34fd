"""Camera RAW: the camera's own preview or the developed sensor, upright once, in bounded memory."""

from __future__ import annotations

import os
import struct
from typing import Any

import numpy as np
import pytest

from cocadesk.media.photo.decode import decode_photo, decode_rgb, open_photo
from cocadesk.media.source import WHOLE
from cocadesk.media.types import DecodeLimits, PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import (
    corner_colours,
    encode,
    exif_block,
    natural_picture,
    quadrants,
    store_turned,
)
from tests.support.raw_files import dng
from tests.support.shared import shared_path

SPEC = InputSpec(size_px=32)
GREY = np.full((64, 96, 3), 120, np.uint8)


def preview_of(picture: np.ndarray, **options: object) -> dict[str, Any]:
    """The picture as the preview of a DNG file."""
    rows, columns = picture.shape[:2]
    jpeg = encode(picture, "JPEG", quality=95, **options)
    return {"preview": jpeg, "preview_size": (columns, rows)}


def assert_shows(rgb_HWC: np.ndarray, picture: np.ndarray, most: float = 14) -> None:
    """The colours of ``picture`` stand in their corners."""
    assert np.abs(corner_colours(rgb_HWC) - corner_colours(picture)).max() < most


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_raw_without_a_preview_is_developed_and_turned_once(orientation: int) -> None:
    """All eight orientations, at full size and at half."""
    upright = quadrants(192, 96)
    data = dng(store_turned(upright, orientation), orientation=orientation)
    source = open_photo(data, limits=DecodeLimits())
    assert (source.format.name, source.width, source.height) == ("camera raw", 192, 96)
    whole, half = source.decode(1), source.decode(2)
    assert (whole.shape, half.shape) == ((96, 192, 3), (48, 96, 3))
    assert_shows(whole, upright)
    assert_shows(half, upright)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_preview_that_lies_as_the_sensor_does_is_turned_with_it(orientation: int) -> None:
    """As nearly all cameras store it."""
    upright = quadrants(192, 96)
    stored = store_turned(upright, orientation)
    data = dng(np.full_like(stored, 120), orientation=orientation, **preview_of(stored))
    decoded = decode_rgb(data)
    assert (decoded.width, decoded.height) == (192, 96)
    assert_shows(decoded.rgb_HWC, upright)


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
def test_a_preview_that_was_turned_already_is_left_alone(orientation: int) -> None:
    """Its sides are exchanged: whoever put it in has turned it."""
    upright = quadrants(192, 96)
    sensor = np.full_like(store_turned(upright, orientation), 120)
    decoded = decode_rgb(dng(sensor, orientation=orientation, **preview_of(upright)))
    assert_shows(decoded.rgb_HWC, upright)


def test_a_previews_own_turn_counts_where_the_raw_names_none() -> None:
    """The sensor's numbers are turned like it."""
    upright = quadrants(96, 192)
    stored = store_turned(upright, 6)
    own = preview_of(stored, exif=exif_block({0x0112: 6}))
    own["preview"] = b"\xff\xd8" + own["preview"][20:]  # cameras write EXIF first, no JFIF
    source = open_photo(dng(stored, **own), limits=DecodeLimits())
    assert (source.width, source.height) == (96, 192)
    assert_shows(source.decode(source.reduction(WHOLE)), upright)


def test_the_preview_is_taken_only_where_it_covers_what_is_asked() -> None:
    """A small one serves the model; who asks for more gets the sensor's picture."""
    picture = quadrants(1200, 800)
    small = preview_of(np.full((200, 300, 3), 120, np.uint8))
    source = open_photo(dng(picture, **small), limits=DecodeLimits())
    assert_shows(source.decode(4), GREY)
    assert_shows(source.decode(2), picture)
    assert source.decode(1).shape == (800, 1200, 3)


def test_a_preview_of_another_cut_is_not_taken() -> None:
    """A square one of a camera set to squares would lack the sides."""
    picture = quadrants(192, 96)
    square = preview_of(np.full((192, 192, 3), 120, np.uint8))
    assert_shows(decode_rgb(dng(picture, **square)).rgb_HWC, picture)


def test_a_damaged_preview_leaves_the_sensors_picture() -> None:
    """It was only a preview."""
    picture = quadrants(192, 96)
    jpeg = encode(GREY, "JPEG")
    data = dng(picture, preview=jpeg[: len(jpeg) // 2], preview_size=(96, 64))
    assert_shows(decode_rgb(data).rgb_HWC, picture)


def test_a_preview_beyond_the_end_leaves_the_sensors_picture() -> None:
    """The numbers are whole, whatever the other directory claims."""
    picture = quadrants(192, 96)
    data = dng(picture, **preview_of(np.full_like(picture, 120)))
    place = data.index(struct.pack("<HHI", 273, 4, 1)) + 8
    beyond = data[:place] + struct.pack("<I", 1 << 30) + data[place + 4 :]
    assert_shows(decode_rgb(beyond).rgb_HWC, picture)


@pytest.mark.parametrize("has_preview", [False, True])
def test_a_raws_picture_hash_depends_on_the_file_alone(has_preview: bool) -> None:
    """Models and thumbnails of any size, some of them beyond the preview."""
    picture = quadrants(1600, 1200)
    preview = preview_of(quadrants(800, 600)) if has_preview else {}
    data = dng(picture, **preview)
    hashes = {
        decode_photo(data, InputSpec(size_px=side), thumbnail_px=thumbnail).picture_hash
        for side, thumbnail in ((64, 64), (224, 320), (384, 320), (256, 1600))
    }
    assert len(hashes) == 1


@pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
def test_a_raw_that_was_cut_short_fails_in_a_sentence(part: float) -> None:
    """Half a picture is not taken for a whole one."""
    data = dng(natural_picture(320, 240))
    with pytest.raises(PhotoError, match=r"[.]$"):
        decode_photo(data[: int(len(data) * part)], SPEC, path=b"/DSC_1.NEF")


@pytest.mark.shared
def test_a_phones_raw_without_its_pixels_fails_in_a_sentence() -> None:
    """LibRaw would show noise in their place."""
    path = shared_path("media/photos") / "f_dng_iphone_cut.dng"
    with pytest.raises(PhotoError, match="cut short"):
        decode_photo(path, SPEC)


def test_a_cut_raw_is_seen_by_its_preview_where_that_is_whole() -> None:
    """The picture is there, whatever became of the sensor's numbers."""
    picture = quadrants(192, 96)
    data = dng(np.full_like(picture, 120), **preview_of(picture))
    assert_shows(decode_rgb(data[:-1000]).rgb_HWC, picture)


def test_a_raw_that_claims_a_giant_sensor_is_refused_before_it_is_unpacked() -> None:
    """The sentence names the size."""
    data = dng(quadrants(96, 64))
    wide = struct.pack("<HHII", 256, 4, 1, 60_000)
    tall = struct.pack("<HHII", 257, 4, 1, 60_000)
    bomb = data.replace(struct.pack("<HHII", 256, 4, 1, 96), wide)
    bomb = bomb.replace(struct.pack("<HHII", 257, 4, 1, 64), tall)
    with pytest.raises(PhotoError, match=r"60000 x 60000 pixels|cannot be read"):
        decode_rgb(bomb)


def test_what_the_camera_wrote_is_read() -> None:
    """Date and camera, from the directories of the file itself."""
    metadata = decode_photo(dng(GREY, taken="2022:03:04 05:06:07"), SPEC).metadata
    assert str(metadata.taken_local) == "2022-03-04 05:06:07"
    assert metadata.camera == "Drawn Sensor"


def test_a_dng_is_told_from_a_tiff_by_its_content() -> None:
    """Whatever it is called; a plain TIFF stays one."""
    assert decode_photo(dng(GREY), SPEC, path=b"/photo.tif").format == "camera raw"
    assert decode_photo(encode(GREY, "TIFF"), SPEC, path=b"/photo.tif").format == "TIFF"


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "taken", "zone_min", "position"),
    [
        ("f_cr3_pruned.CR3", "2021-05-12 12:21:21", 120, None),
        ("f_dng_iphone_cut.dng", "2020-12-29 14:24:45", -300, (34.060, -84.682)),
        ("f_raf_stub.raf", "2007-05-22 13:58:30", None, None),
    ],
)
def test_tags_of_cameras_are_read_from_their_own_files(
    name: str, taken: str, zone_min: int | None, position: tuple[float, float] | None
) -> None:
    """Canon's boxes, Apple's DNG and Fuji's RAF, each in its own structure."""
    from cocadesk.media.metadata.merge import read_metadata
    from cocadesk.media.metadata.raw import camera_raw_metadata

    data = (shared_path("media/photos") / name).read_bytes()
    found = read_metadata(camera_raw_metadata(data, None))
    assert found.taken_local is not None
    assert str(found.taken_local.replace(microsecond=0)) == taken
    assert found.utc_offset_min == zone_min
    assert found.camera
    if position is not None:
        assert (found.latitude, found.longitude) == pytest.approx(position, abs=0.001)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size"), [("dng_cfa", (320, 200)), ("dng_cfa_orient8", (200, 320))]
)
def test_the_drawn_raws_of_the_shared_media_show_their_quadrants(
    name: str, size: tuple[int, int]
) -> None:
    """Red, green, blue and yellow in their corners, turned as the tag says."""
    path = shared_path("media/photos") / f"{name}.dng"
    decoded = decode_photo(path, SPEC, path=os.fsencode(path))
    assert (decoded.width, decoded.height) == size
    corners = corner_colours(decoded.input_HWC)
    names = [_name(colour) for colour in corners]
    turned = ["green", "yellow", "red", "blue"]
    assert names == (turned if "orient8" in name else ["red", "green", "blue", "yellow"])


def _name(colour: np.ndarray) -> str:
    red, green, blue = colour
    if min(red, green) > 1.5 * blue:
        return "yellow"
    return ("red", "green", "blue")[int(np.argmax(colour))]
