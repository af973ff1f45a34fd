"""PSD and PSB: the merged picture in 8 and 16 bits, in bands, or the sentence why not."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from cocadesk.media.photo.decode import decode_photo, decode_rgb, open_photo
from cocadesk.media.types import DecodeLimits, PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import corner_colours, exif_block, natural_picture, quadrants
from tests.support.rare_photos import psd, resource
from tests.support.shared import shared_path

SPEC = InputSpec(size_px=32)
ONE_LAYER = struct.pack(">Ih", 2, 1)
MERGED_ALPHA = struct.pack(">Ih", 2, -1)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("is_large", [False, True])
@pytest.mark.parametrize("is_packed", [False, True])
def test_every_way_of_storing_gives_the_same_picture(
    bits: int, is_large: bool, is_packed: bool
) -> None:
    """PSD and PSB, in 8 and 16 bits, packed and not."""
    picture = natural_picture(61, 43)
    data = psd(picture, bits=bits, is_large=is_large, is_packed=is_packed)
    decoded = decode_rgb(data)
    assert (decoded.format, decoded.width, decoded.height) == ("PSD", 61, 43)
    np.testing.assert_array_equal(decoded.rgb_HWC, picture)


def test_a_large_document_is_read_in_bands() -> None:
    """A band's edge shows nowhere, at no scale."""
    picture = np.random.default_rng(2).integers(0, 256, (1900, 2500, 3), np.uint8)
    data = psd(picture, bits=16)
    source = open_photo(data, limits=DecodeLimits())
    for reduction in (3, 7):
        expected = np.asarray(Image.fromarray(picture).reduce(reduction))
        np.testing.assert_array_equal(source.decode(reduction), expected)


def test_a_document_beyond_memory_is_read_at_a_reduced_scale() -> None:
    """Its size does not count where only a part of it is held."""
    data = psd(quadrants(1500, 1200), bits=16)
    limits = DecodeLimits(memory_bytes=4 << 20)
    assert decode_photo(data, SPEC, limits=limits).width == 1500


@pytest.mark.parametrize(
    ("mode", "channels", "expected"),
    [(1, 1, (90, 90, 90)), (3, 3, (90, 90, 90)), (4, 4, (58, 58, 58)), (8, 1, (90, 90, 90))],
)
def test_colours_of_other_modes_are_read(
    mode: int, channels: int, expected: tuple[int, int, int]
) -> None:
    """Grey, RGB, CMYK (stored as light) and duotone."""
    stored = np.full((20, 30, channels), 90, np.uint8)
    if mode == 4:
        stored[..., :3], stored[..., 3] = 165, 90
    mean = decode_rgb(psd(stored, mode=mode)).rgb_HWC.reshape(-1, 3).mean(0)
    assert np.abs(mean - expected).max() < 2


@pytest.mark.parametrize(
    ("layers", "is_seen_through"), [(b"", True), (MERGED_ALPHA, True), (ONE_LAYER, False)]
)
def test_a_fourth_channel_is_transparency_only_where_the_document_says_so(
    layers: bytes, is_seen_through: bool
) -> None:
    """A selection that was put aside is stored in the same place."""
    stored = np.zeros((20, 30, 4), np.uint8)
    decoded = decode_rgb(psd(stored, layers=layers)).rgb_HWC
    assert decoded.mean() == (255 if is_seen_through else 0)


@pytest.mark.parametrize("stored", [128, 0])
def test_half_transparent_black_is_a_middle_grey(stored: int) -> None:
    """Photoshop stores it on white already, other programs as it is."""
    picture = np.full((20, 30, 4), stored, np.uint8)
    picture[..., 3] = 127
    decoded = decode_rgb(psd(picture, layers=MERGED_ALPHA)).rgb_HWC
    assert abs(decoded.mean() - 128) <= 1


@pytest.mark.parametrize("has_profile", [False, True])
def test_light_of_32_bits_is_given_its_curve_once(has_profile: bool) -> None:
    """Also where a profile says that it is light."""
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    linear = srgb.replace(b"s\0R\0G\0B", b"m\0i\0n\0e")
    curve = linear.index(b"para")
    linear = linear[: curve + 8] + struct.pack(">HHi", 0, 0, 1 << 16) + linear[curve + 16 :]
    resources = resource(1039, linear) if has_profile else b""
    light = np.full((20, 30, 3), round(0.216 * 255), np.uint8)
    decoded = decode_rgb(psd(light, bits=32, resources=resources)).rgb_HWC
    assert abs(decoded.mean() - 128) <= 2


def test_a_document_without_its_merged_picture_is_refused_with_the_way_out() -> None:
    """What lies in its place is white."""
    unmerged = resource(1057, struct.pack(">IB", 1, 0))
    data = psd(quadrants(), layers=ONE_LAYER, resources=unmerged)
    with pytest.raises(PhotoError, match=r"without its merged picture\..*Maximize"):
        decode_rgb(data)
    merged = resource(1057, struct.pack(">IB", 1, 1))
    assert decode_rgb(psd(quadrants(), layers=ONE_LAYER, resources=merged)).width == 96


def test_metadata_are_read_and_their_turn_is_that_of_the_past() -> None:
    """Photoshop has turned the pixels, and leaves the camera's tag."""
    block = exif_block({0x0112: 6}, {0x9003: "2022:03:04 05:06:07"})
    photo = decode_photo(psd(quadrants(), resources=resource(1058, block)), SPEC)
    assert (photo.width, photo.height) == (96, 64)
    assert str(photo.metadata.taken_local) == "2022-03-04 05:06:07"


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("part", [0.002, 0.3, 0.97])
def test_a_cut_document_fails_in_a_sentence(is_packed: bool, part: float) -> None:
    """Pixels that are not there are not invented."""
    data = psd(natural_picture(200, 150), is_packed=is_packed)
    with pytest.raises(PhotoError, match=r"[.]$"):
        decode_photo(data[: int(len(data) * part)], SPEC)


def test_a_head_that_claims_a_giant_is_refused() -> None:
    """Before anything is reserved."""
    data = bytearray(psd(quadrants(), is_large=True))
    data[14:22] = struct.pack(">II", 300_000, 300_000)
    with pytest.raises(PhotoError, match="300000 x 300000 pixels"):
        decode_rgb(bytes(data))


@pytest.mark.shared
@pytest.mark.parametrize("name", ["psd_16bit.psd", "psb_8bit.psb"])
def test_the_faulty_documents_are_read(name: str) -> None:
    """Both were refused once."""
    data = (shared_path("faults/photos") / name).read_bytes()
    decoded = decode_rgb(data).rgb_HWC
    assert np.ptp(corner_colours(decoded), axis=0).max() > 20
