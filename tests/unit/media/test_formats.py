"""Formats, pixel modes, colour, and files that are broken or no photos."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from cocadesk.media.photo.decode import decode_photo, decode_rgb
from cocadesk.media.types import PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import corner_colours, encode, natural_picture, quadrants

SPEC = InputSpec(size_px=32)


def mean_colour(data: bytes) -> list[int]:
    """The mean of the decoded picture, rounded."""
    return [round(value) for value in decode_rgb(data).rgb_HWC.reshape(-1, 3).mean(0)]


@pytest.mark.parametrize(
    ("format_name", "stored_as"),
    [
        ("JPEG", "JPEG"),
        ("PNG", "PNG"),
        ("WEBP", "WebP"),
        ("GIF", "GIF"),
        ("TIFF", "TIFF"),
        ("BMP", "BMP"),
        ("AVIF", "AVIF"),
        ("ICO", "ICO"),
        ("JPEG2000", "JPEG 2000"),
    ],
)
def test_every_format_is_told_by_its_content(format_name: str, stored_as: str) -> None:
    """The colours stand in their corners and the format has its name."""
    decoded = decode_rgb(encode(quadrants(64, 64), format_name))
    assert decoded.format == stored_as
    expected = corner_colours(quadrants(64, 64))
    assert np.abs(corner_colours(decoded.rgb_HWC) - expected).max() < 12


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"quality": 30}])
def test_kinds_of_jpeg_are_read(options: dict[str, object]) -> None:
    """Progressive, without subsampling, strongly compressed."""
    data = encode(quadrants(320, 200), "JPEG", **options)
    assert np.abs(corner_colours(decode_rgb(data).rgb_HWC) - corner_colours(quadrants())).max() < 12


def test_a_grey_jpeg_becomes_rgb() -> None:
    """Three equal channels."""
    data = encode(np.full((40, 60), 90, np.uint8), "JPEG")
    assert mean_colour(data) == [90, 90, 90]


def test_a_cmyk_jpeg_shows_its_colours() -> None:
    """Not inverted, though Adobe stores CMYK that way."""
    data = encode(Image.fromarray(quadrants()).convert("CMYK"), "JPEG", quality=95)
    decoded = decode_rgb(data, 16).rgb_HWC
    assert np.abs(corner_colours(decoded) - corner_colours(quadrants())).max() < 12


@pytest.mark.parametrize("format_name", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled_not_clipped(format_name: str) -> None:
    """A ramp stays a ramp; plain conversion makes nearly all of it white."""
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(1, 256).repeat(8, 0)
    decoded = decode_rgb(encode(ramp, format_name)).rgb_HWC
    assert np.abs(decoded[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_float_tiff_is_scaled_by_its_white() -> None:
    """Values from 0 to 1 span black to white."""
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(1, 256).repeat(8, 0)
    decoded = decode_rgb(encode(ramp, "TIFF")).rgb_HWC
    assert decoded[0, 0, 0] == 0
    assert decoded[0, 255, 0] == 255


def test_transparency_is_put_on_white() -> None:
    """What lies hidden under full transparency does not show."""
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[:, :10] = (255, 0, 0, 0)
    picture[:, 10:] = (0, 0, 0, 255)
    decoded = decode_rgb(encode(picture, "PNG")).rgb_HWC
    assert decoded[5, 5].tolist() == [255, 255, 255]
    assert decoded[5, 15].tolist() == [0, 0, 0]


def test_a_transparent_palette_entry_is_white() -> None:
    """Palettes carry transparency beside the pixels."""
    image = Image.fromarray(quadrants()).convert("P", palette=Image.Palette.ADAPTIVE, colors=4)
    hidden = image.getpixel((2, 2))
    decoded = decode_rgb(encode(image, "GIF", transparency=hidden)).rgb_HWC
    assert decoded[2, 2].tolist() == [255, 255, 255]


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_colour_profile_is_applied(format_name: str) -> None:
    """A profile with swapped primaries swaps the colours; sRGB's own changes nothing."""
    grey_gamma = [ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")]
    plain = np.full((16, 16, 3), (200, 60, 30), np.uint8)
    srgb = ImageCms.ImageCmsProfile(grey_gamma[0]).tobytes()
    options = {"lossless": True} if format_name == "WEBP" else {}
    same = decode_rgb(encode(plain, format_name, icc_profile=srgb, **options)).rgb_HWC
    assert np.abs(same[8, 8].astype(int) - (200, 60, 30)).max() <= 3
    swapped = encode(plain, format_name, icc_profile=_swapped_profile(srgb), **options)
    red, green, _ = decode_rgb(swapped).rgb_HWC[8, 8].tolist()
    assert green > red + 60


def _swapped_profile(icc: bytes) -> bytes:
    """sRGB with red's and green's primaries exchanged and another description."""
    swapped = bytearray(icc)
    count = struct.unpack_from(">I", icc, 128)[0]
    entries = {icc[132 + 12 * i : 136 + 12 * i]: 132 + 12 * i for i in range(count)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    swapped[red + 4 : red + 12], swapped[green + 4 : green + 12] = (
        icc[green + 4 : green + 12],
        icc[red + 4 : red + 12],
    )
    description = entries[b"desc"]
    swapped[description : description + 4] = b"xesc"
    return bytes(swapped)


@pytest.mark.parametrize("profile", [b"garbage" * 40, b"", b"\x00" * 200])
def test_a_broken_profile_is_ignored(profile: bytes) -> None:
    """The picture counts more than its profile."""
    data = encode(quadrants(), "JPEG", icc_profile=profile)
    assert decode_rgb(data).rgb_HWC.shape == (64, 96, 3)


@pytest.mark.parametrize("format_name", ["PNG", "WEBP", "GIF"])
def test_of_an_animation_the_first_picture_counts(format_name: str) -> None:
    """One file is one photo."""
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "blue", "green")]
    data = encode(frames[0], format_name, save_all=True, append_images=frames[1:])
    red, green, blue = mean_colour(data)
    assert red > 200
    assert max(green, blue) < 40


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_a_truncated_photo_is_a_failure_with_a_sentence(format_name: str, part: float) -> None:
    """Half a photo is not taken for a whole one."""
    data = encode(natural_picture(320, 240), format_name)
    with pytest.raises(PhotoError) as caught:
        decode_photo(data[: int(len(data) * part)], SPEC)
    assert caught.value.reason.endswith(".")
    assert len(caught.value.reason) > 20


def _png_header_only(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    data = b"IDAT" + zlib.compress(b"\x00" * 100)
    return (
        b"\x89PNG\r\n\x1a\n"
        + header
        + struct.pack(">I", len(data) - 4)
        + data
        + struct.pack(">I", zlib.crc32(data))
    )


def test_headers_that_claim_giant_pictures_are_refused_before_decoding() -> None:
    """Bombs in PNG, JPEG, BMP and WebP: the sentence names the claimed size."""
    jpeg = bytearray(encode(quadrants(), "JPEG"))
    frame = jpeg.find(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", 65500, 65500)
    bmp = bytearray(encode(quadrants(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 60000, 60000)
    webp = b"RIFF\x1e\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + b"\xfe\x3f\x00" * 2
    for bomb in (_png_header_only(60000, 60000), bytes(jpeg), bytes(bmp), webp + b"\x00" * 8):
        with pytest.raises(PhotoError, match=r"\d+ x \d+ pixels"):
            decode_photo(bomb, SPEC)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"Dear diary, today we went to the sea.\n" * 9, "text"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        (b"<?xml version='1.0'?><note/>", "XML"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04" + bytes(60), "ZIP"),
        (bytes(5000), "zero bytes"),
        (b"\x00\x00\x00\x18ftypmp42" + bytes(60), "video"),
        (np.random.default_rng(1).bytes(400), "not in any picture format"),
    ],
)
def test_what_is_no_photo_is_named(data: bytes, words: str) -> None:
    """Whatever the name says, the sentence tells what the file is."""
    with pytest.raises(PhotoError, match=words) as caught:
        decode_photo(data, SPEC, path=b"/photos/holiday.jpg")
    assert not caught.value.is_photo


def test_a_mislabelled_photo_is_read_by_its_content() -> None:
    """A PNG called .jpg and a JPEG called .png are photos all the same."""
    png = decode_photo(encode(quadrants(), "PNG"), SPEC, path=b"a.jpg")
    jpeg = decode_photo(encode(quadrants(), "JPEG"), SPEC, path=b"a.png")
    assert (png.format, jpeg.format) == ("PNG", "JPEG")


def test_a_tiff_with_the_name_of_a_camera_raw_is_refused_in_words() -> None:
    """A raw file begins like a TIFF; its thumbnail must not pass for the photo."""
    with pytest.raises(PhotoError, match="camera raw") as caught:
        decode_photo(encode(quadrants(), "TIFF"), SPEC, path=b"/photos/DSC_0001.NEF")
    assert caught.value.is_photo


def test_a_jpeg_with_more_behind_its_end_is_one_photo() -> None:
    """Motion photos carry a video, some files garbage, behind the picture."""
    data = encode(quadrants(), "JPEG") + b"\x00\x00\x00\x18ftypmp42" + bytes(500)
    assert decode_rgb(data).rgb_HWC.shape == (64, 96, 3)
