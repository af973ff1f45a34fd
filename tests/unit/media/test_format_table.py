"""The table of photo formats: each row is decoded, and a new row is all that a format needs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cocadesk.media.formats import (
    JPEG,
    PHOTO_EXTENSIONS,
    PHOTO_FORMATS,
    Decoder,
    PhotoFormat,
    format_of,
    sniff_format,
)
from cocadesk.media.photo.decode import decode_photo, decode_rgb, open_photo
from cocadesk.media.scanning import scan
from cocadesk.media.sniffing import (
    MEDIA_EXTENSIONS,
    OTHER_EXTENSIONS,
    SNIFF_BYTES,
    VIDEO_EXTENSIONS,
    describe_other,
    is_video,
    sniff_kind,
)
from cocadesk.media.source import WHOLE
from cocadesk.media.types import DecodeLimits, FoundFile, Kind, PhotoError
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import corner_colours, encode, exif_block, quadrants
from tests.support.rare_photos import heic, jxl, psd
from tests.support.raw_files import dng

Picture = NDArray[np.uint8]

ENCODERS: dict[str, Callable[[Picture], bytes]] = {
    "JPEG": lambda picture: encode(picture, "JPEG", quality=95),
    "PNG": lambda picture: encode(picture, "PNG"),
    "WebP": lambda picture: encode(picture, "WEBP", quality=95),
    "GIF": lambda picture: encode(picture, "GIF"),
    "TIFF": lambda picture: encode(picture, "TIFF"),
    "BMP": lambda picture: encode(picture, "BMP"),
    "HEIC": heic,
    "AVIF": lambda picture: encode(picture, "AVIF", quality=90),
    "ICO": lambda picture: encode(picture, "ICO"),
    "PSD": psd,
    "JPEG 2000": lambda picture: encode(picture, "JPEG2000"),
    "JPEG XL": jxl,
    "camera raw": dng,
}
REFUSED_FILES = {"SVG": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>'}
DECODED = [row for row in PHOTO_FORMATS if row.decoder is not Decoder.NONE]
REFUSED = [row for row in PHOTO_FORMATS if row.decoder is Decoder.NONE]
BY_PILLOW = {Decoder.JPEG, Decoder.PILLOW, Decoder.PNG, Decoder.TIFF, Decoder.HEIF}
PPM = PhotoFormat(
    name="PPM",
    extensions=frozenset({"ppm"}),
    prefixes=(b"P6\n",),
    plugin="PIL.PpmImagePlugin",
    pillow_names=("PPM",),
)


def by_name(rows: list[PhotoFormat]) -> list[object]:
    """The rows as parameters that are called by their names."""
    return [pytest.param(row, id=row.name) for row in rows]


@pytest.mark.parametrize("row", by_name(DECODED))
def test_every_decoded_row_reads_a_real_file(row: PhotoFormat) -> None:
    """A row without an encoded sample here fails: a format is held from its first day."""
    picture = quadrants(128, 128)
    decoded = decode_rgb(ENCODERS[row.name](picture))
    assert (decoded.format, decoded.width, decoded.height) == (row.name, 128, 128)
    assert np.abs(corner_colours(decoded.rgb_HWC) - corner_colours(picture)).max() < 12


@pytest.mark.parametrize("row", by_name(DECODED))
def test_every_decoded_row_gives_the_models_input_and_a_thumbnail(row: PhotoFormat) -> None:
    """The whole way that a file of the library goes."""
    photo = decode_photo(ENCODERS[row.name](quadrants(96, 96)), InputSpec(size_px=32))
    assert photo.input_HWC.shape == (32, 32, 3)
    assert decode_rgb(photo.thumbnail_jpeg).format == "JPEG"
    assert np.abs(corner_colours(photo.input_HWC) - corner_colours(quadrants())).max() < 24


@pytest.mark.parametrize("row", by_name(DECODED))
@pytest.mark.parametrize("part", [0.3, 0.8])
def test_half_a_file_of_any_row_is_refused_or_whole(row: PhotoFormat, part: float) -> None:
    """Never another error than the sentence; icons keep a smaller picture in front."""
    data = ENCODERS[row.name](quadrants(128, 128))
    with contextlib.suppress(PhotoError):
        assert decode_rgb(data[: int(len(data) * part)]).rgb_HWC.ndim == 3


@pytest.mark.parametrize("row", by_name(DECODED))
def test_a_picture_over_the_limit_is_refused_for_every_row(row: PhotoFormat) -> None:
    """The sentence names the size, before anything is decoded."""
    data = ENCODERS[row.name](quadrants(128, 128))
    with pytest.raises(PhotoError, match="128 x 128 pixels"):
        decode_photo(data, InputSpec(size_px=32), limits=DecodeLimits(pixels=128 * 128 - 1))


@pytest.mark.parametrize("row", by_name(DECODED))
def test_a_decode_that_needs_too_much_memory_is_refused_for_every_row(row: PhotoFormat) -> None:
    """By the estimate of the row's decoder."""
    data = ENCODERS[row.name](quadrants(128, 128))
    with pytest.raises(PhotoError, match="of memory"):
        decode_rgb(data, limits=DecodeLimits(memory_bytes=128 * 128 - 1))


@pytest.mark.parametrize("row", by_name(REFUSED))
def test_a_row_without_a_decoder_is_refused_by_its_name(row: PhotoFormat) -> None:
    """The file is found all the same, so it is reported and not passed over."""
    with pytest.raises(PhotoError, match=row.name) as caught:
        decode_rgb(REFUSED_FILES[row.name])
    assert caught.value.reason == row.refusal


def test_a_new_format_is_one_row() -> None:
    """With its row the file is decoded, without it it is none of our formats."""
    data = encode(quadrants(40, 30), "PPM")
    source = open_photo(data, limits=DecodeLimits(), formats=(*PHOTO_FORMATS, PPM))
    assert (source.format.name, source.width, source.height) == ("PPM", 40, 30)
    np.testing.assert_array_equal(source.decode(source.reduction(WHOLE)), quadrants(40, 30))
    with pytest.raises(PhotoError, match="This is no photo"):
        open_photo(data, limits=DecodeLimits())


def test_names_and_extensions_are_given_once() -> None:
    """Two rows with one extension would make the scan's answer a matter of order."""
    names = [row.name for row in PHOTO_FORMATS]
    extensions = [name for row in PHOTO_FORMATS for name in row.extensions]
    assert len(set(names)) == len(names)
    assert len(set(extensions)) == len(extensions)
    assert all(name == name.lower() and "." not in name for name in extensions)


def test_photos_videos_and_other_files_share_no_extension() -> None:
    """The scan goes by them before it opens anything."""
    assert not PHOTO_EXTENSIONS & VIDEO_EXTENSIONS
    assert not MEDIA_EXTENSIONS & OTHER_EXTENSIONS


def test_a_row_with_a_decoder_names_its_plugin() -> None:
    """Where Pillow decodes it; and every row says by which content it is recognised."""
    for row in PHOTO_FORMATS:
        assert row.prefixes or row.sniff, row.name
        assert bool(row.plugin) is (row.decoder in BY_PILLOW), row.name


@given(order=st.permutations(PHOTO_FORMATS))
def test_the_order_of_the_rows_means_nothing(order: list[PhotoFormat]) -> None:
    """Camera raw and TIFF begin alike, HEIC and AVIF share their boxes."""
    heads = [prefix + bytes(64) for row in PHOTO_FORMATS for prefix in row.prefixes]
    heads += [ISO % brands for brands in BRANDS]
    assert [sniff_format(head, order) for head in heads] == [sniff_format(head) for head in heads]


ISO = b"\x00\x00\x00\x1cftyp%s" + bytes(40)
BRANDS = {
    b"heic\0\0\0\0mif1heic": "HEIC",
    b"mif1\0\0\0\0heicmif1": "HEIC",
    b"mif1\0\0\0\0avifmif1": "AVIF",
    b"mif1\0\0\0\0heicavif": "HEIC",
    b"avif\0\0\0\0mif1miaf": "AVIF",
    b"avis\0\0\0\0msf1avis": "AVIF",
    b"msf1\0\0\0\0hevcmsf1": "HEIC",
    b"crx \0\0\0\0crx isom": "camera raw",
    b"mp42\0\0\0\0mp42isom": None,
    b"isom\0\0\0\0avifheic": None,
}


@pytest.mark.parametrize("brands", BRANDS)
def test_iso_files_are_told_by_their_brands(brands: bytes) -> None:
    """``mif1`` only says "a still picture": the codec stands among the compatible brands."""
    found = sniff_format(ISO % brands)
    assert (found.name if found else None) == BRANDS[brands]


def test_a_brand_beyond_the_box_does_not_count() -> None:
    """The box says how long it is; what follows is another box."""
    short = b"\x00\x00\x00\x14ftypmif1\0\0\0\0mif1avif" + bytes(40)
    found = sniff_format(short)
    assert found is not None
    assert found.name == "HEIC"


@pytest.mark.parametrize("extension", ["nef", "NEF", "dng", "Arw"])
def test_a_tiff_with_a_raw_extension_is_camera_raw(extension: str) -> None:
    """Only the name tells them apart; a JPEG of that name stays a JPEG."""
    tiff = encode(quadrants(), "TIFF")
    raw = format_of(tiff, extension)
    assert raw is not None
    assert raw.name == "camera raw"
    assert format_of(encode(quadrants(), "JPEG"), extension) is JPEG


@pytest.mark.parametrize("row", by_name(DECODED))
def test_the_scan_finds_every_format_by_content_alone(row: PhotoFormat, tmp_path: Path) -> None:
    """A file without an extension is opened, one with another program's is not."""
    folder = tmp_path
    data = ENCODERS[row.name](quadrants(32, 32))
    (folder / "IMG0001").write_bytes(data)
    (folder / "IMG0002.pdf").write_bytes(data)
    found = [item.path for item in scan([bytes(folder)]) if isinstance(item, FoundFile)]
    assert found == [bytes(folder / "IMG0001")]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exifs_orientation_counts_unless_the_decoder_turns(orientation: int) -> None:
    """A JPEG is turned here and a TIFF by Pillow: both come upright, neither twice."""
    block = exif_block({0x0112: orientation})
    picture = quadrants(96, 64)
    jpeg = decode_rgb(encode(picture, "JPEG", quality=95, exif=block))
    tiff = decode_rgb(encode(picture, "TIFF", exif=block))
    assert jpeg.rgb_HWC.shape == tiff.rgb_HWC.shape == (jpeg.height, jpeg.width, 3)
    assert np.abs(corner_colours(jpeg.rgb_HWC) - corner_colours(tiff.rgb_HWC)).max() < 12


@pytest.mark.parametrize(("turns", "size"), [(0, (96, 64)), (1, (64, 96)), (2, (96, 64))])
def test_a_heic_is_turned_once(turns: int, size: tuple[int, int]) -> None:
    """By libheif, from the container; EXIF's own orientation would turn it again."""
    decoded = decode_rgb(heic(quadrants(96, 64), turns=turns))
    assert (decoded.width, decoded.height) == size
    expected = np.rot90(quadrants(96, 64), turns)
    assert np.abs(corner_colours(decoded.rgb_HWC) - corner_colours(expected)).max() < 12


def test_an_avif_that_calls_itself_a_still_picture_is_read_as_avif() -> None:
    """The major brand ``mif1`` is HEIC's as well: the wrong decoder would refuse it."""
    data = encode(quadrants(64, 64), "AVIF")
    assert data[8:12] == b"avif"
    assert decode_rgb(data[:8] + b"mif1" + data[12:]).format == "AVIF"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x1aE\xdf\xa3" + bytes(60), Kind.VIDEO),
        (b"\x00\x00\x00\x08wide\x00\x00\x00\x00mdat", Kind.VIDEO),
        (b"the wide free sea", Kind.OTHER),
        (b"RIFF\x00\x00\x00\x00AVI LIST", Kind.VIDEO),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", Kind.OTHER),
        (b"OggS" + bytes(24) + b"\x80theora", Kind.VIDEO),
        (b"OggS" + bytes(24) + b"\x01vorbis", Kind.OTHER),
        (b"G" + bytes(187) + b"G" + bytes(187) + b"G" + bytes(100), Kind.VIDEO),
        (bytes(4) + (b"G" + bytes(191)) * 2 + b"G" + bytes(50), Kind.VIDEO),
        (b"G" * 100, Kind.OTHER),
        (b"\xff\xd8\xff\xe0", Kind.PHOTO),
        (b"", Kind.OTHER),
    ],
)
def test_a_kind_is_told_by_the_first_bytes(head: bytes, kind: Kind) -> None:
    """Sound in a video's container is no video where the head can say so."""
    assert sniff_kind(head) is kind


def test_a_video_by_name_alone_goes_to_the_video_decoder() -> None:
    """A damaged beginning gets the video's sentence; a photo called .mp4 stays a photo."""
    assert is_video(b"damaged beginning", b"/trip/VID_1.MP4")
    assert not is_video(b"damaged beginning", b"/trip/notes.txt")
    assert not is_video(b"\xff\xd8\xff\xe0", b"/trip/VID_1.mp4")
    assert not is_video(b"", b"/trip/empty.mp4")


@given(head=st.binary(max_size=SNIFF_BYTES))
def test_any_bytes_are_told_without_an_error(head: bytes) -> None:
    """A sniffer reads what a stranger wrote."""
    found = sniff_format(head)
    assert (sniff_kind(head) is Kind.PHOTO) is (found is not None)
    assert describe_other(head)
