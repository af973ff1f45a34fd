"""Pictures of hundreds of megapixels, in bands and tiles, the same as if they were read whole."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cocadesk.media.formats import PHOTO_FORMATS, PhotoFormat
from cocadesk.media.photo.banded import BandedSource, open_banded
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.photo.heif import CodedSource, open_heif
from cocadesk.media.photo.png_bands import read_png_header
from cocadesk.media.photo.tiff_bands import read_strips, tiff_bands
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import DecodedPhoto, DecodeLimits, DecodeRequest, PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import (
    corner_colours,
    encode,
    exif_block,
    natural_picture,
    quadrants,
)
from tests.support.rare_photos import heic_grid
from tests.support.shared import shared_path
from tests.support.worker_memory import peak_bytes

SPEC = InputSpec(size_px=64)
LIMITS = DecodeLimits()


def row_of(name: str) -> PhotoFormat:
    """The row of the table with this name."""
    return next(row for row in PHOTO_FORMATS if row.name == name)


def assert_same_as_whole(data: bytes, name: str, most: int = 0) -> None:
    """Bands and the whole picture give the same, at several scales."""
    row = row_of(name)
    banded = open_banded(data, row, LIMITS, large_pixels=1, band_pixels=5000)
    whole = open_banded(data, row, LIMITS, large_pixels=1 << 40)
    parts: list[int] = []
    banded.on_part = lambda: parts.append(1)
    assert isinstance(banded, BandedSource)
    assert not isinstance(whole, BandedSource)
    assert (banded.width, banded.height) == (whole.width, whole.height)
    for reduction in (1, 3, 8):
        expected = whole.decode(reduction).astype(int)
        assert np.abs(banded.decode(reduction).astype(int) - expected).max() <= most, reduction
    assert len(parts) > 3, "it came in one piece"


def stored_as(picture: np.ndarray, mode: str) -> Image.Image:
    """The picture in one of Pillow's modes, transparent at its left."""
    if mode == "I;16":
        return Image.fromarray(picture[..., 0].astype(np.uint16) * 257)
    image = Image.fromarray(picture).convert(mode.removesuffix("A") or "L")
    if mode.endswith("A"):
        image.putalpha(Image.fromarray(picture[..., 1]))
    return image


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_a_png_in_bands_is_the_same_picture(mode: str) -> None:
    """Every kind of pixel that Pillow writes, all five filters among its rows."""
    image = stored_as(natural_picture(151, 331), mode)
    assert_same_as_whole(encode(image, "PNG", compress_level=1), "PNG", most=1)


@pytest.mark.parametrize(("colours", "channels"), [(2, 3), (6, 4), (4, 2)])
def test_a_png_of_sixteen_bits_in_bands_is_the_same_picture(colours: int, channels: int) -> None:
    """Pillow cannot write these, cameras' programs do."""
    samples = np.random.default_rng(5).integers(0, 65536, (300, 40, channels), np.uint16)
    stored = samples.astype(">u2").view(np.uint8).reshape(300, -1)
    rows = b"".join(b"\x01" + bytes(row) for row in _sub(stored, 2 * channels))
    assert_same_as_whole(_png_of(40, 300, 16, colours, zlib.compress(rows)), "PNG", most=1)


def _sub(rows: np.ndarray, step: int) -> np.ndarray:
    """PNG's filter 1: each byte as its distance from that of the pixel before it."""
    before = np.pad(rows, ((0, 0), (step, 0)))[:, : rows.shape[1]]
    return rows - before


def _png_of(width: int, height: int, bits: int, colours: int, stream: bytes) -> bytes:
    """A PNG with this packed stream."""
    head = struct.pack(">IIBBBBB", width, height, bits, colours, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", stream), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def test_a_palette_and_a_transparent_colour_are_kept_in_bands() -> None:
    """On white, as always."""
    image = Image.fromarray(natural_picture(300, 200)).convert("P")
    image.info["transparency"] = 3
    assert_same_as_whole(encode(image, "PNG", transparency=3), "PNG")
    grey = Image.fromarray(natural_picture(300, 200)[..., 0])
    assert_same_as_whole(encode(grey, "PNG", transparency=40), "PNG")


@pytest.mark.parametrize("packing", [None, "tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_tiff_in_bands_is_the_same_picture(packing: str | None, mode: str) -> None:
    """Strips of any packing."""
    image = Image.fromarray(natural_picture(140, 180)).convert(mode)
    options = {"compression": packing} if packing else {}
    data = encode(image, "TIFF", tiffinfo={278: 16}, **options)
    assert_same_as_whole(data, "TIFF", most=1 if packing == "jpeg" else 0)


def test_a_band_of_a_tiff_is_one_row_of_strips_whatever_the_reduction() -> None:
    """Strips whose height shares no divisor with the scale do not make one band of all."""
    data = encode(natural_picture(60, 400), "TIFF", compression="tiff_lzw", tiffinfo={278: 16})
    strips = read_strips(data)
    assert strips is not None
    assert [band.height for band in tiff_bands(data, strips, 21)] == [16] * 25
    row = row_of("TIFF")
    for reduction in (21, 35):
        banded = open_banded(data, row, LIMITS, large_pixels=1, band_pixels=60 * reduction)
        whole = open_banded(data, row, LIMITS, large_pixels=1 << 40)
        np.testing.assert_array_equal(banded.decode(reduction), whole.decode(reduction))


def test_a_strip_beyond_memory_is_refused_before_it_is_unpacked() -> None:
    """A band can be no smaller than a strip."""
    data = encode(natural_picture(600, 400), "TIFF", compression="tiff_lzw", tiffinfo={278: 399})
    limits = DecodeLimits(memory_bytes=600 * 300 * 4)
    with pytest.raises(PhotoError, match="would need about"):
        open_banded(data, row_of("TIFF"), limits, large_pixels=1).decode(8)


@pytest.mark.parametrize("mode", ["F", "I"])
def test_a_tiff_whose_white_only_all_pixels_tell_is_read_whole(mode: str) -> None:
    """In bands each would have a white of its own."""
    light = np.ones((200, 100), np.float32 if mode == "F" else np.int32)
    light[100:] = 200
    data = encode(Image.fromarray(light), "TIFF", compression="tiff_lzw", tiffinfo={278: 8})
    rgb = open_banded(data, row_of("TIFF"), LIMITS, large_pixels=1, band_pixels=800).decode(1)
    assert rgb[50].mean() < 5
    assert abs(rgb[150].mean() - 200) < 2


@pytest.mark.parametrize("orientation", [3, 6])
def test_a_tiff_in_bands_is_turned_once(orientation: int) -> None:
    """The bands know nothing of the tag; the whole picture is turned."""
    block = exif_block({0x0112: orientation})
    data = encode(
        quadrants(150, 200), "TIFF", exif=block, compression="tiff_lzw", tiffinfo={278: 8}
    )
    assert_same_as_whole(data, "TIFF")


def test_a_panorama_of_180_megapixels_is_read_in_little_memory(tmp_path: Path) -> None:
    """30,000 x 6,000 as a grey PNG: its pixels alone would take 180 MB."""
    row = b"\0" + bytes(np.tile(np.arange(250, dtype=np.uint8), 120))
    packer = zlib.compressobj(1)
    rows = b"".join(packer.compress(row) for _ in range(6000)) + packer.flush()
    usual, panorama = tmp_path / "usual.png", tmp_path / "panorama.png"
    usual.write_bytes(encode(quadrants(), "PNG"))
    panorama.write_bytes(_png_of(30_000, 6_000, 8, 0, rows))
    limits = DecodeLimits(memory_bytes=100 << 20)
    with DecoderPool(spec=SPEC, workers=1, limits=limits) as pool:
        list(pool.decode([DecodeRequest(token=0, path=bytes(usual))]))
        (pid,) = pool.worker_pids
        before = peak_bytes(pid)
        (photo,) = list(pool.decode([DecodeRequest(token=1, path=bytes(panorama))]))
        assert peak_bytes(pid) - before < limits.memory_bytes
    assert isinstance(photo, DecodedPhoto), photo
    assert (photo.width, photo.height) == (30_000, 6_000)
    assert abs(photo.input_HWC.mean() - 124.5) < 2


def test_a_second_head_of_a_png_does_not_count() -> None:
    """Its size was not checked."""
    data = encode(natural_picture(30, 20), "PNG")
    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    second = struct.pack(">I", 13) + b"IHDR" + head + struct.pack(">I", zlib.crc32(b"IHDR" + head))
    found = read_png_header(data[:33] + second + data[33:])
    assert (found.width, found.height) == (30, 20)


def test_a_tiff_whose_strips_lie_one_over_the_other_is_not_banded() -> None:
    """Each of thousands could claim the whole file for itself."""
    data = encode(natural_picture(60, 200), "TIFF", compression="tiff_lzw", tiffinfo={278: 4})
    strips = read_strips(data)
    assert strips is not None
    count = len(strips.places)
    starts, sizes = zip(*strips.places, strict=True)
    whole = [len(data) - 8] * count
    data = data.replace(struct.pack(f"<{count}I", *starts), struct.pack(f"<{count}I", *[8] * count))
    data = data.replace(struct.pack(f"<{count}H", *sizes), struct.pack(f"<{count}H", *whole))
    assert read_strips(data) is None


@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_the_metadata_of_a_large_picture_are_read_without_it(name: str) -> None:
    """However little memory there is."""
    packed = {"compression": "tiff_lzw", "tiffinfo": {278: 8, 0x010F: "Cam"}}
    options = packed if name == "TIFF" else {"exif": exif_block({0x010F: "Cam"})}
    data = encode(quadrants(300, 400), name, **options)
    source = open_banded(data, row_of(name), DecodeLimits(memory_bytes=1000), large_pixels=1)
    assert source.whole_metadata().exif.main[0x010F] == b"Cam\0"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("part", [0.3, 0.95])
@pytest.mark.parametrize("name", ["PNG", "TIFF"])
def test_a_large_picture_that_was_cut_short_fails_in_a_sentence(name: str, part: float) -> None:
    """No band is invented."""
    options = {"compression": "tiff_lzw", "tiffinfo": {278: 8}} if name == "TIFF" else {}
    data = encode(natural_picture(300, 400), name, **options)
    data = data[: int(len(data) * part)]
    with pytest.raises(PhotoError, match=r"[.]$"):
        open_banded(data, row_of(name), LIMITS, large_pixels=1).decode(4)


def test_a_heic_in_tiles_is_put_together() -> None:
    """Each tile is decoded and made small by itself."""
    picture = quadrants(256, 192)
    source = open_heif(heic_grid(picture, 2, 2), row_of("HEIC"), LIMITS, large_pixels=1)
    assert isinstance(source, CodedSource)
    for reduction in (1, 2, 4):
        rgb = source.decode(reduction)
        assert rgb.shape == (192 // reduction, 256 // reduction, 3)
        assert np.abs(corner_colours(rgb) - corner_colours(picture)).max() < 12


def test_tiles_larger_than_the_file_says_are_refused_with_the_first() -> None:
    """Seven kilobytes would otherwise be decoded for hours, each tile a beat of the heart."""
    data = heic_grid(quadrants(512, 512), 2, 2)
    for true, claimed in ((256, 64), (512, 128)):
        for code in (">II", ">HH"):
            data = data.replace(struct.pack(code, true, true), struct.pack(code, claimed, claimed))
    source = open_heif(data, row_of("HEIC"), LIMITS, large_pixels=1)
    beats: list[None] = []
    source.on_part = lambda: beats.append(None)
    assert isinstance(source, CodedSource)
    with pytest.raises(PhotoError, match="broken"):
        source.decode(1)
    assert beats == []


def test_more_tiles_than_make_up_a_picture_are_refused() -> None:
    """Each of them costs a decoded frame."""
    data = heic_grid(quadrants(256, 256), 4, 4)
    for code in (">II", ">HH"):
        data = data.replace(struct.pack(code, 256, 256), struct.pack(code, 100, 100))
    source = open_heif(data, row_of("HEIC"), LIMITS, large_pixels=1)
    with pytest.raises(PhotoError, match="broken"):
        source.decode(1)


@pytest.mark.shared
def test_a_heic_of_108_megapixels_is_read() -> None:
    """Coded whole, as phones do; it was refused at 640 MB."""
    data = (shared_path("faults/photos") / "samsung_108mp.heic").read_bytes()
    photo = decode_photo(data, SPEC)
    assert (photo.width, photo.height) == (12_000, 9_000)
    with Image.open(io.BytesIO(photo.thumbnail_jpeg)) as thumbnail:
        assert max(thumbnail.size) == 320


@pytest.mark.shared
@pytest.mark.parametrize(
    "name",
    [
        "f_avif_rot1mir0.avif",
        "f_avif_rot3mir0.avif",
        "f_avif_grid.avif",
        "f_avif_pitm.avif",
        "f_avif_xmp_tags_orientation.avif",
        "f_heic_arrow_iphone.heic",
        "f_heic_10bit.heif",
        "f_heif_oddsize.heic",
        "orient_avif_6.avif",
        "orient_heic_exif6.heic",
    ],
)
def test_both_ways_to_read_a_heif_give_the_same_picture(name: str) -> None:
    """Turns, mirrors, tiles, profiles, odd sizes: as libheif and libavif show them."""
    data = (shared_path("media/photos") / name).read_bytes()
    row = row_of("AVIF" if name.endswith("avif") else "HEIC")
    common = open_heif(data, row, LIMITS, large_pixels=1 << 40)
    coded = open_heif(data, row, LIMITS, large_pixels=1)
    assert isinstance(coded, CodedSource)
    reduction = 4 if common.width > 1000 else 1
    expected = common.decode(reduction).astype(int)
    found = coded.decode(reduction).astype(int)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 6


def test_a_large_picture_that_is_transparent_keeps_to_the_common_way() -> None:
    """What lies under it is not shown."""
    image = Image.fromarray(quadrants()).convert("RGBA")
    image.putalpha(0)
    source = open_heif(encode(image, "AVIF"), row_of("AVIF"), LIMITS, large_pixels=1)
    assert not isinstance(source, CodedSource)
    assert source.decode(1).min() > 250


def test_limits_follow_the_computers_memory() -> None:
    """An eighth of it, within bounds; a worker has room for a file and its picture."""
    small, usual, huge = (DecodeLimits.of_machine(gigabytes << 30) for gigabytes in (2, 8, 256))
    assert small == DecodeLimits()
    assert usual.memory_bytes == usual.file_bytes == 1 << 30
    assert huge.memory_bytes == 2 << 30
    assert small.address_space_bytes < usual.address_space_bytes < huge.address_space_bytes
    assert DecodeLimits.of_machine().memory_bytes >= small.memory_bytes
