"""What photos say about themselves, and what they must not be believed."""

from __future__ import annotations

import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import IFDRational

from cocadesk.media.metadata.dates import parse_free_taken, parse_taken
from cocadesk.media.metadata.exif import Exif, directories
from cocadesk.media.metadata.iptc import iptc_from_photoshop, read_iptc
from cocadesk.media.metadata.xmp import read_xmp
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.types import PhotoMetadata
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import encode, exif_block, quadrants

SPEC = InputSpec(size_px=16)
ORIGINAL, OFFSET, SUBSECOND, DIGITIZED = 0x9003, 0x9011, 0x9291, 0x9004


def metadata_of(data: bytes) -> PhotoMetadata:
    """The metadata that a decode of ``data`` gives."""
    return decode_photo(data, SPEC).metadata


def jpeg(exif: bytes | None = None, xmp: bytes | None = None) -> bytes:
    """A small JPEG with the given blocks."""
    options: dict[str, Any] = {}
    if exif is not None:
        options["exif"] = exif
    if xmp is not None:
        options["xmp"] = xmp
    return encode(quadrants(), "JPEG", **options)


def xmp_packet(inner: str, attributes: str = "") -> bytes:
    """An XMP packet around ``inner``."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF'
        ' xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
        ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
        ' xmlns:exif="http://ns.adobe.com/exif/1.0/"'
        ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
        f" {attributes}>{inner}</rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


def gps_block(latitude: Any, longitude: Any, references: tuple[str, str] = ("N", "E")) -> bytes:
    """An EXIF block with a position in degrees, minutes and seconds."""
    exif = Image.Exif()
    gps = {1: references[0], 2: latitude, 3: references[1], 4: longitude}
    exif.get_ifd(0x8825).update(gps)
    return exif.tobytes()


def test_time_zone_and_fraction_are_taken_from_their_own_tags() -> None:
    """Local time, the distance to UTC and the moment in UTC."""
    photo = {ORIGINAL: "2024:01:26 06:45:12", OFFSET: "+05:30", SUBSECOND: "25"}
    metadata = metadata_of(jpeg(exif_block({}, photo)))
    assert metadata.taken_local == datetime(2024, 1, 26, 6, 45, 12, 250_000)
    assert metadata.utc_offset_min == 330
    assert metadata.taken_utc == datetime(2024, 1, 26, 1, 15, 12, 250_000, tzinfo=UTC)


def test_without_a_zone_the_moment_in_utc_is_unknown() -> None:
    """Nothing is guessed."""
    metadata = metadata_of(jpeg(exif_block({}, {ORIGINAL: "2021:06:01 10:20:30"})))
    assert metadata.taken_local == datetime(2021, 6, 1, 10, 20, 30)
    assert metadata.taken_utc is None
    assert metadata.utc_offset_min is None


@pytest.mark.parametrize(
    "text",
    [
        "0000:00:00 00:00:00",
        "    :  :     :  :  ",
        "2021:02:30 10:00:00",
        "0001:01:01 00:00:00",
        "9999:01:01 00:00:00",
        "٢٠٢١:٠١:٠١ ٠٠:٠٠:٠٠",
        "yesterday",
        "1987",
    ],
)
def test_dates_that_cannot_be_true_are_none(text: str) -> None:
    """Zero, blank, 30 February, words, impossible years."""
    block = exif_block({}, {ORIGINAL: text.encode()})
    assert metadata_of(jpeg(block)).taken_local is None


def test_the_next_best_date_counts_where_the_first_is_unusable() -> None:
    """DateTimeOriginal, then DateTimeDigitized, then XMP."""
    photo = {ORIGINAL: "0000:00:00 00:00:00", DIGITIZED: "2010:10:10 10:10:10"}
    assert metadata_of(jpeg(exif_block({}, photo))).taken_local == datetime(
        2010, 10, 10, 10, 10, 10
    )
    packet = xmp_packet("", 'photoshop:DateCreated="2018-08-08T08:08:08+08:00"')
    metadata = metadata_of(jpeg(xmp=packet))
    assert metadata.taken_utc == datetime(2018, 8, 8, 0, 8, 8, tzinfo=UTC)


def test_png_texts_give_time_and_words() -> None:
    """A PNG's own text chunks, also in the form of e-mail dates."""
    texts = PngInfo()
    texts.add_text("Creation Time", "Wed, 06 May 2020 07:08:09 +0200")
    texts.add_itxt("Title", "Grüne Fläche")
    metadata = metadata_of(encode(quadrants(), "PNG", pnginfo=texts))
    assert metadata.title == "Grüne Fläche"
    assert metadata.utc_offset_min == 120
    assert metadata.taken_local == datetime(2020, 5, 6, 7, 8, 9)


def test_positions_have_their_sign() -> None:
    """South and west are negative."""
    metadata = metadata_of(jpeg(gps_block((22.0, 57.0, 6.84), (43.0, 12.0, 37.8), ("S", "W"))))
    assert metadata.latitude == pytest.approx(-22.9519)
    assert metadata.longitude == pytest.approx(-43.2105)


@pytest.mark.parametrize(
    "block",
    [
        gps_block((95.0, 0.0, 0.0), (10.0, 0.0, 0.0)),
        gps_block((48.0, 0.0, 0.0), (200.0, 0.0, 0.0)),
        gps_block((0.0, 0.0, 0.0), (0.0, 0.0, 0.0)),
        gps_block((48.0, 0.0, 0.0), (9.0, 0.0, 0.0), ("", "")),
        gps_block((IFDRational(48, 0), 0.0, 0.0), (9.0, 0.0, 0.0)),
    ],
)
def test_positions_that_cannot_be_true_are_none(block: bytes) -> None:
    """Off the Earth, without a side, divided by zero, or the zeros of a device without a fix."""
    metadata = metadata_of(jpeg(block))
    assert (metadata.latitude, metadata.longitude) == (None, None)


def test_xmp_gives_words_and_rating() -> None:
    """Of several languages the default one; keywords in their order."""
    packet = xmp_packet(
        '<dc:title><rdf:Alt><rdf:li xml:lang="de">Hütte</rdf:li>'
        '<rdf:li xml:lang="x-default">Hut &amp; snow</rdf:li></rdf:Alt></dc:title>'
        "<dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li> beach </rdf:li><rdf:li>dog</rdf:li>"
        "</rdf:Bag></dc:subject><xmp:Rating>4</xmp:Rating>"
    )
    metadata = metadata_of(jpeg(xmp=packet))
    assert metadata.title == "Hut & snow"
    assert metadata.keywords == ("dog", "beach")
    assert metadata.rating == 4


@pytest.mark.parametrize(("stored", "rating"), [("-1", -1), ("5.0", 5), ("99", None), ("x", None)])
def test_only_ratings_from_minus_one_to_five_count(stored: str, rating: int | None) -> None:
    """Rejected is -1; 99 is nothing."""
    packet = xmp_packet("", f'xmp:Rating="{stored}"')
    assert metadata_of(jpeg(xmp=packet)).rating == rating


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;">]>',
        '<!DOCTYPE x [<!ENTITY c SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x SYSTEM "http://example.org/evil.dtd">',
    ],
)
def test_xmp_with_a_document_type_is_refused(declaration: str) -> None:
    """No entity is ever expanded or fetched, and the photo is read all the same."""
    entity = "&c;" if "ENTITY" in declaration else "title"
    inner = f"<dc:title><rdf:Alt><rdf:li>{entity}</rdf:li></rdf:Alt></dc:title>"
    packet = declaration.encode() + xmp_packet(inner)
    assert read_xmp(packet).values == {}
    assert metadata_of(jpeg(xmp=packet)).title is None


def test_broken_and_deep_xmp_gives_nothing() -> None:
    """Cut XML, and elements nested beyond reason."""
    assert read_xmp(xmp_packet("<dc:title>")[:-30]).values == {}
    assert read_xmp(xmp_packet("<dc:a>" * 500 + "</dc:a>" * 500)).values == {}


def test_iptc_in_latin1_and_utf8_is_read() -> None:
    """Records without a character set mark are told by what they hold."""

    def record(number: int, text: bytes) -> bytes:
        return bytes([0x1C, 2, number]) + struct.pack(">H", len(text)) + text

    block = record(25, "Café".encode("latin-1")) + record(25, "海".encode()) + record(5, b"Title")
    resource = b"8BIM\x04\x04\x00\x00" + struct.pack(">I", len(block)) + block
    iptc = read_iptc(iptc_from_photoshop(b"8BIM\x03\xed\x00\x00\x00\x00\x00\x02ab" + resource))
    assert iptc.all(25) == ["Café", "海"]
    assert iptc.first(5) == "Title"


def test_camera_and_lens_are_named_without_repetition() -> None:
    """The maker is left out where the model begins with it."""
    block = exif_block({0x010F: "Canon", 0x0110: "Canon EOS 5D"}, {0xA434: "EF 50mm"})
    metadata = metadata_of(jpeg(block))
    assert (metadata.camera, metadata.lens) == ("Canon EOS 5D", "EF 50mm")
    other = metadata_of(jpeg(exif_block({0x010F: "Apple", 0x0110: "iPhone 8"})))
    assert other.camera == "Apple iPhone 8"


def test_a_cameras_own_filler_is_no_description() -> None:
    """Many cameras write their name into every picture's description."""
    assert metadata_of(jpeg(exif_block({0x010E: "OLYMPUS DIGITAL CAMERA"}))).description is None
    assert metadata_of(jpeg(exif_block({0x010E: "A day out"}))).description == "A day out"


def test_control_characters_are_taken_out_of_texts() -> None:
    """What is stored can be shown."""
    block = exif_block({0x010E: b"line\x07 one\nline\x1b two"})
    assert metadata_of(jpeg(block)).description == "line one\nline two"


@given(st.binary(max_size=400))
def test_no_exif_block_raises(tail: bytes) -> None:
    """Whatever the bytes, reading ends without an error."""
    for order in (b"II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08"):
        exif = Exif(order + tail)
        assert 1 <= exif.orientation <= 8


@given(st.binary(max_size=300), st.text(max_size=60))
def test_no_other_block_raises(data: bytes, text: str) -> None:
    """The same for IPTC, Photoshop's resources, XMP and dates."""
    read_iptc(data)
    iptc_from_photoshop(b"8BIM" + data)
    read_xmp(data)
    parse_taken(text)
    parse_free_taken(text)


@given(
    st.datetimes(min_value=datetime(1826, 1, 1), max_value=datetime(2199, 1, 1)),
    st.integers(-14 * 60, 14 * 60),
)
def test_iso_moments_survive_a_round_trip(local: datetime, offset_min: int) -> None:
    """Written as ISO 8601 with its zone and read again: the same moment."""
    sign, size = "-" if offset_min < 0 else "+", abs(offset_min)
    text = f"{local.isoformat()}{sign}{size // 60:02}:{size % 60:02}"
    moment = parse_taken(text)
    assert moment is not None
    assert (moment.local, moment.utc_offset_min) == (local, offset_min)


def test_values_that_lie_one_over_the_other_are_read_up_to_a_limit() -> None:
    """A small file could otherwise fill the memory with the same bytes."""
    entries = [struct.pack("<HHII", tag, 4, 32_000, 16_000) for tag in range(1000)]
    head = b"II*\x00" + struct.pack("<IH", 8, len(entries)) + b"".join(entries)
    (directory,) = directories(head.ljust(16_000, b"\0") + bytes(4 * 32_000))
    assert 0 < sum(4 * len(value) for value in directory.values()) <= 1 << 19
