"""JPEG XL: sizes from the header, JPEGs within, turns, colours, metadata, bombs."""

from __future__ import annotations

import base64
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from cocadesk.media.photo.decode import decode_photo, decode_rgb, open_photo, photo_facts
from cocadesk.media.photo.jxl_header import read_header
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import DecodedPhoto, DecodeLimits, DecodeRequest, PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import (
    corner_colours,
    encode,
    exif_block,
    natural_picture,
    quadrants,
    store_turned,
)
from tests.support.rare_photos import jxl, jxl_of_jpeg
from tests.support.shared import shared_path
from tests.support.xmp_packets import xmp

SPEC = InputSpec(size_px=32)
XMP = xmp(xmp_Rating="4")

LIGHT_RAMP = base64.b64decode(
    "AAAADEpYTCANCocKAAAAFGZ0eXBqeGwgAAAAAGp4bCAAAAAJanhsbAoAAAA9anhsY/8KAT5+gKJFCAIBAJwASygk"
    "xkNCIUAMeDMmBufH4Ec/BuNDiIBxRTMvjXLpuwIkQPcdmubz"
)
"""256 x 8 grey pixels of 16 bits without loss, black to white, told to be light by a number."""


def box(kind: bytes, content: bytes) -> bytes:
    """One box of a container."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (16, 8), (256, 256), (300, 17), (17, 300), (640, 480), (1920, 1080)]
)
def test_the_size_is_read_from_the_header_alone(size: tuple[int, int]) -> None:
    """Small multiples of eight, common shapes and odd sizes are written in different ways."""
    data = jxl(np.zeros((size[1], size[0], 3), np.uint8), effort=1)
    start = data.find(b"\xff\x0a")
    header = read_header(data[start : start + 40])
    assert (header.width, header.height) == size


def test_a_jpeg_within_is_decoded_as_one() -> None:
    """At a reduced scale, with its own metadata."""
    jpeg = encode(natural_picture(1600, 1200), "JPEG", quality=92, exif=exif_block({0x010F: "Cam"}))
    photo = decode_photo(jxl_of_jpeg(jpeg), SPEC)
    same = decode_photo(jpeg, SPEC)
    assert (photo.format, photo.width, photo.height) == ("JPEG XL", 1600, 1200)
    assert photo.picture_hash == same.picture_hash
    assert photo.metadata.camera == "Cam"


def test_the_metadata_of_a_jpeg_within_are_read_without_its_picture(tmp_path: Path) -> None:
    """Its boxes may lie compressed; the JPEG has them as they were."""
    block = exif_block({0x010F: "Cam"}, {0x9003: "2022:03:04 05:06:07"})
    path = tmp_path / "photo.jxl"
    path.write_bytes(jxl_of_jpeg(encode(quadrants(), "JPEG", exif=block)))
    metadata = photo_facts(bytes(path), DecodeLimits())[0]
    assert metadata.camera == "Cam"
    assert str(metadata.taken_local) == "2022-03-04 05:06:07"


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_the_turn_of_a_jpeg_within_is_applied_once(orientation: int) -> None:
    """It stands in the codestream and in the JPEG's EXIF."""
    upright = quadrants(192, 96)
    block = exif_block({0x0112: orientation})
    stored = store_turned(upright, orientation)
    decoded = decode_rgb(jxl_of_jpeg(encode(stored, "JPEG", quality=95, exif=block)))
    assert (decoded.width, decoded.height) == (192, 96)
    assert np.abs(corner_colours(decoded.rgb_HWC) - corner_colours(upright)).max() < 12


def test_exif_and_xmp_are_read_from_their_boxes() -> None:
    """Without decoding a pixel; EXIF's orientation does not count here."""
    block = exif_block({0x0112: 6}, {0x9003: "2022:03:04 05:06:07"})
    start = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    told = box(b"Exif", bytes(4) + block.removeprefix(b"Exif\0\0")) + box(b"xml ", XMP)
    photo = decode_photo(start + told + box(b"jxlc", jxl(quadrants())), SPEC)
    assert (photo.width, photo.height) == (96, 64)
    assert str(photo.metadata.taken_local) == "2022-03-04 05:06:07"
    assert photo.metadata.rating == 4


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_grey_and_transparent_pictures_are_read(mode: str) -> None:
    """What is transparent lies on white."""
    image = Image.fromarray(quadrants()).convert(mode)
    if mode.endswith("A"):
        image.putalpha(0)
        image = image.convert("RGBA")  # what the encoder takes
    decoded = decode_rgb(jxl(image)).rgb_HWC
    expected = 255 if mode.endswith("A") else np.asarray(image.convert("RGB"), float).mean()
    assert abs(decoded.mean() - expected) < 4


def test_a_picture_without_loss_is_read_to_the_bit() -> None:
    """Nothing on the way changes a pixel."""
    picture = natural_picture(60, 40)
    data = jxl(picture, lossless=True)
    np.testing.assert_array_equal(decode_rgb(data).rgb_HWC, picture)


def test_sixteen_bit_grey_is_scaled() -> None:
    """Not clipped; the header calls such numbers light, which a screen shows brighter."""
    shown = decode_rgb(LIGHT_RAMP).rgb_HWC[0, :, 0].astype(int)
    assert abs(shown[55] - 128) <= 2
    assert (shown[0], shown[255]) == (0, 255)
    assert (np.diff(shown) >= 0).all()
    assert len(set(shown.tolist())) > 120


def test_a_giant_canvas_is_refused_before_the_library_sees_it() -> None:
    """A header of some bytes can claim a billion pixels a side."""
    bits = 0 | 3 << 1 | (2**30 - 1) << 3 | 1 << 33  # not small, 30 bits, square
    bomb = b"\xff\x0a" + bits.to_bytes(6, "little") + bytes(60)
    with pytest.raises(PhotoError, match="claims 1073741824 x 1073741824 pixels"):
        decode_photo(bomb, SPEC)


@pytest.mark.parametrize("part", [0.05, 0.4, 0.9])
def test_a_cut_file_fails_in_a_sentence(part: float) -> None:
    """And a damaged one does, too."""
    data = jxl(natural_picture(320, 240))
    with pytest.raises(PhotoError, match=r"[.]$"):
        decode_photo(data[: int(len(data) * part)], SPEC)


def test_bytes_after_a_true_beginning_fail_in_a_sentence() -> None:
    """The library's own faults are this file's alone."""
    noise = np.random.default_rng(7)
    for _ in range(40):
        data = b"\xff\x0a" + noise.bytes(int(noise.integers(1, 400)))
        with pytest.raises(PhotoError):
            decode_photo(data, SPEC, limits=DecodeLimits(pixels=1_000_000))


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size"),
    [("f_jxl_oriented", (606, 500)), ("orient_jxl_6", (320, 200)), ("f_jxl_cmyk", (512, 512))],
)
def test_the_containers_turn_counts(name: str, size: tuple[int, int]) -> None:
    """The codestream says how the picture stands; width and height follow it."""
    data = (shared_path("media/photos") / f"{name}.jxl").read_bytes()
    source = open_photo(data, limits=DecodeLimits())
    assert (source.width, source.height) == size
    assert source.decode(1).shape == (size[1], size[0], 3)


@pytest.mark.shared
def test_an_animation_is_a_still() -> None:
    """The library gives one picture of it."""
    data = (shared_path("media/photos") / "f_jxl_animated.jxl").read_bytes()
    assert decode_rgb(data).rgb_HWC.shape == (360, 480, 3)


def test_a_profile_of_swapped_channels_is_brought_to_srgb() -> None:
    """The same colours by another profile are other numbers."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = srgb.replace(b"rXYZ", b"?XYZ").replace(b"gXYZ", b"rXYZ").replace(b"?XYZ", b"gXYZ")
    swapped = swapped.replace(b"s\0R\0G\0B", b"m\0i\0n\0e")
    decoded = decode_rgb(jxl(quadrants(), lossless=True, icc=swapped)).rgb_HWC
    assert np.abs(decoded[..., [1, 0, 2]].astype(int) - quadrants()).max() <= 2


def test_metadata_in_compressed_boxes_are_read(tmp_path: Path) -> None:
    """Encoders compress them with Brotli, also where no JPEG lies in the file."""
    block = exif_block({0x010F: "Cam"}, {0x9003: "2022:03:04 05:06:07"})
    data = jxl(quadrants(), exif=block, xmp=XMP)
    assert b"brobExif" in data
    path = tmp_path / "photo.jxl"
    path.write_bytes(data)
    for metadata in (
        decode_photo(data, SPEC).metadata,
        photo_facts(bytes(path), DecodeLimits())[0],
    ):
        assert (metadata.camera, metadata.rating) == ("Cam", 4)
        assert str(metadata.taken_local) == "2022-03-04 05:06:07"


@pytest.mark.shared
def test_a_gradient_in_pq_is_tone_mapped() -> None:
    """As stored it would be grey and pale: half of PQ's range is a common screen's white."""
    data = (shared_path("media/photos") / "f_jxl_pq.jxl").read_bytes()
    shown = decode_rgb(data).rgb_HWC[32, :, 0].astype(int)
    assert shown[0] < 20
    assert shown[544] > 160
    assert (np.diff(shown[:64]) >= 0).all()


@pytest.mark.shared
def test_inks_are_shown_by_their_profile() -> None:
    """The library gives no black; the other three inks are no RGB."""
    data = (shared_path("media/photos") / "f_jxl_cmyk.jxl").read_bytes()
    red, green, blue = decode_rgb(data).rgb_HWC[365, 180]
    assert red > green > blue


def test_it_is_decoded_under_a_workers_limits(tmp_path: Path) -> None:
    """Twelve megapixels, in the address space that the smallest computer allows."""
    path = tmp_path / "photo.jxl"
    path.write_bytes(jxl(natural_picture(4000, 3000), effort=1))
    with DecoderPool(spec=SPEC, workers=1, limits=DecodeLimits()) as pool:
        (answer,) = pool.decode([DecodeRequest(token=0, path=bytes(path))])
    assert isinstance(answer, DecodedPhoto), answer
    assert (answer.width, answer.height) == (4000, 3000)
