"""JPEG XL: sizes from the header, JPEGs within, turns, colours, metadata, bombs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from cocadesk.media.photo.decode import decode_photo, decode_rgb, open_photo, photo_metadata
from cocadesk.media.photo.jxl import read_header
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
from tests.support.rare_photos import jxl
from tests.support.shared import shared_path

SPEC = InputSpec(size_px=32)
XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"/></rdf:RDF></x:xmpmeta>"""


def from_jpeg(folder: Path, jpeg: bytes) -> bytes:
    """The JPEG, recompressed without loss, as most converted libraries are."""
    (folder / "photo.jpg").write_bytes(jpeg)
    with Image.open(folder / "photo.jpg") as image:
        return jxl(image, lossless_jpeg=True)


@pytest.mark.parametrize(
    "size", [(1, 1), (8, 8), (16, 8), (256, 256), (300, 17), (17, 300), (640, 480), (1920, 1080)]
)
def test_the_size_is_read_from_the_header_alone(size: tuple[int, int]) -> None:
    """Small multiples of eight, common shapes and odd sizes are written in different ways."""
    data = jxl(np.zeros((size[1], size[0], 3), np.uint8), effort=1)
    start = data.find(b"\xff\x0a")
    header = read_header(data[start : start + 40])
    assert (header.width, header.height) == size


def test_a_jpeg_within_is_decoded_as_one(tmp_path: Path) -> None:
    """At a reduced scale, with its own metadata."""
    jpeg = encode(natural_picture(1600, 1200), "JPEG", quality=92, exif=exif_block({0x010F: "Cam"}))
    photo = decode_photo(from_jpeg(tmp_path, jpeg), SPEC)
    same = decode_photo(jpeg, SPEC)
    assert (photo.format, photo.width, photo.height) == ("JPEG XL", 1600, 1200)
    assert photo.picture_hash == same.picture_hash
    assert photo.metadata.camera == "Cam"


def test_the_metadata_of_a_jpeg_within_are_read_without_its_picture(tmp_path: Path) -> None:
    """Its boxes may lie compressed; the JPEG has them as they were."""
    block = exif_block({0x010F: "Cam"}, {0x9003: "2022:03:04 05:06:07"})
    path = tmp_path / "photo.jxl"
    path.write_bytes(from_jpeg(tmp_path, encode(quadrants(), "JPEG", exif=block)))
    metadata = photo_metadata(bytes(path), DecodeLimits())
    assert metadata.camera == "Cam"
    assert str(metadata.taken_local) == "2022-03-04 05:06:07"


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_the_turn_of_a_jpeg_within_is_applied_once(tmp_path: Path, orientation: int) -> None:
    """It stands in the codestream and in the JPEG's EXIF."""
    upright = quadrants(192, 96)
    block = exif_block({0x0112: orientation})
    stored = store_turned(upright, orientation)
    decoded = decode_rgb(from_jpeg(tmp_path, encode(stored, "JPEG", quality=95, exif=block)))
    assert (decoded.width, decoded.height) == (192, 96)
    assert np.abs(corner_colours(decoded.rgb_HWC) - corner_colours(upright)).max() < 12


def test_exif_and_xmp_are_read_from_their_boxes() -> None:
    """Without decoding a pixel; EXIF's orientation does not count here."""
    block = exif_block({0x0112: 6}, {0x9003: "2022:03:04 05:06:07"})
    data = jxl(quadrants(), exif=block, xmp=XMP, use_container=True)
    photo = decode_photo(data, SPEC)
    assert (photo.width, photo.height) == (96, 64)
    assert str(photo.metadata.taken_local) == "2022-03-04 05:06:07"
    assert photo.metadata.rating == 4


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_grey_and_transparent_pictures_are_read(mode: str) -> None:
    """What is transparent lies on white."""
    image = Image.fromarray(quadrants()).convert(mode)
    if mode.endswith("A"):
        image.putalpha(0)
    decoded = decode_rgb(jxl(image)).rgb_HWC
    expected = 255 if mode.endswith("A") else np.asarray(image.convert("RGB"), float).mean()
    assert abs(decoded.mean() - expected) < 4


def test_a_picture_without_loss_is_read_to_the_bit() -> None:
    """Nothing on the way changes a pixel."""
    picture = natural_picture(60, 40)
    data = jxl(picture, lossless=True)
    np.testing.assert_array_equal(decode_rgb(data).rgb_HWC, picture)


def test_sixteen_bit_grey_is_scaled() -> None:
    """Not clipped; the encoder calls such numbers light, which a screen shows brighter."""
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, 256).repeat(8, 0)
    shown = decode_rgb(jxl(Image.fromarray(ramp), lossless=True)).rgb_HWC[0, :, 0].astype(int)
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


def test_a_wide_profile_is_brought_to_srgb() -> None:
    """The same colours by another profile are other numbers."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
    image = Image.fromarray(quadrants())
    image.info["icc_profile"] = lab.tobytes()
    decoded = decode_rgb(jxl(image, lossless=True)).rgb_HWC
    assert np.abs(decoded.astype(int) - quadrants()).max() <= 1
