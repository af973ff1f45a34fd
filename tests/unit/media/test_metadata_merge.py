"""Metadata that several blocks of one file give: which of them counts."""

from __future__ import annotations

import struct
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL.TiffImagePlugin import IFDRational

from cocadesk.media.metadata.exif import Exif
from cocadesk.media.metadata.merge import read_metadata
from cocadesk.media.metadata.positions import valid_position
from cocadesk.media.metadata.text import MAX_KEYWORDS, MAX_TEXT_CHARS, clean_keywords, clean_text
from cocadesk.media.source import RawMetadata
from cocadesk.media.types import PhotoMetadata
from tests.support.photo_files import exif_block
from tests.support.xmp_packets import xmp

DESCRIPTION, RATING, XP_TITLE, XP_KEYWORDS = 0x010E, 0x4746, 0x9C9B, 0x9C9E


def iptc(**records: str | list[str]) -> bytes:
    """A block of application records by name."""
    numbers = {"title": 5, "keyword": 25, "date": 55, "time": 60, "caption": 120}
    block = b""
    for name, value in records.items():
        for item in [value] if isinstance(value, str) else value:
            text = item.encode()
            block += bytes([0x1C, 2, numbers[name]]) + struct.pack(">H", len(text)) + text
    return block


def merged(
    tags: dict[int, Any] | None = None, photo: dict[int, Any] | None = None, **blocks: Any
) -> PhotoMetadata:
    """The metadata of a file with these blocks."""
    exif = Exif(exif_block(tags or {}, photo)) if tags or photo else Exif(None)
    return read_metadata(RawMetadata(exif=exif, **blocks))


def test_a_file_that_says_nothing_has_nothing() -> None:
    """No value is made up."""
    assert merged() == PhotoMetadata()


def test_exifs_time_counts_before_all_others() -> None:
    """The camera wrote it; the others came with a program."""
    metadata = merged(
        photo={0x9003: "2001:01:01 01:01:01"},
        xmp=xmp(exif_DateTimeOriginal="2002-02-02T02:02:02"),
        iptc=iptc(date="20030303", time="030303"),
        png_texts=(("Creation Time", "2004-04-04T04:04:04"),),
    )
    assert metadata.taken_local == datetime(2001, 1, 1, 1, 1, 1)


def test_of_xmps_times_the_original_counts_before_the_file_s() -> None:
    """A scan's own date is that of the scan."""
    metadata = merged(
        xmp=xmp(
            xmp_CreateDate="2020-01-01T00:00:00",
            photoshop_DateCreated="1955-05-05T05:05:05",
        )
    )
    assert metadata.taken_local == datetime(1955, 5, 5, 5, 5, 5)


def test_iptcs_hour_counts_before_xmps_bare_day() -> None:
    """A day alone says less than a day with its time."""
    day = xmp(photoshop_DateCreated="2017-07-07")
    with_time = merged(xmp=day, iptc=iptc(date="20170707", time="170707+0200"))
    assert with_time.taken_local == datetime(2017, 7, 7, 17, 7, 7)
    assert with_time.utc_offset_min == 120
    assert merged(xmp=day).taken_local == datetime(2017, 7, 7)
    hour = xmp(photoshop_DateCreated="2018-08-08T08:08:08")
    both = merged(xmp=hour, iptc=iptc(date="20170707", time="170707"))
    assert both.taken_local == datetime(2018, 8, 8, 8, 8, 8)


def test_titles_are_xmps_then_iptcs_then_windows_then_pngs() -> None:
    """Each where those before it are silent or blank."""
    windows = {XP_TITLE: "windows".encode("utf-16-le") + b"\0\0"}
    texts = (("Title", "png"),)
    blocks = {"xmp": xmp(dc_title=["xmp"]), "iptc": iptc(title="iptc"), "png_texts": texts}
    assert merged(windows, **blocks).title == "xmp"
    assert merged(windows, **{**blocks, "xmp": xmp(dc_title=["  "])}).title == "iptc"
    assert merged(windows, png_texts=texts).title == "windows"
    assert merged(png_texts=texts).title == "png"


def test_descriptions_are_exifs_then_xmps_then_iptcs_then_pngs() -> None:
    """A camera's own filler counts as silence."""
    blocks = {
        "xmp": xmp(dc_description=["xmp"]),
        "iptc": iptc(caption="iptc"),
        "png_texts": (("Description", "png"),),
    }
    assert merged({DESCRIPTION: "exif"}, **blocks).description == "exif"
    assert merged({DESCRIPTION: "SONY DSC"}, **blocks).description == "xmp"
    assert merged(iptc=blocks["iptc"], png_texts=blocks["png_texts"]).description == "iptc"
    assert merged(png_texts=blocks["png_texts"]).description == "png"


def test_keywords_come_from_one_block_and_are_not_mixed() -> None:
    """Programs copy them between blocks: together they would be there twice, once outdated."""
    windows = {XP_KEYWORDS: "one;two".encode("utf-16-le")}
    subject = xmp(dc_subject=["sea", "dog"], lr_hierarchicalSubject=["animal|cat"])
    assert merged(windows, xmp=subject, iptc=iptc(keyword=["old"])).keywords == ("sea", "dog")
    assert merged(windows, iptc=iptc(keyword=["a", "b", "a"])).keywords == ("a", "b")
    assert merged(windows).keywords == ("one", "two")


def test_of_a_tree_of_keywords_the_leaf_counts() -> None:
    """Lightroom's and digiKam's separators differ."""
    packet = xmp(lr_hierarchicalSubject=["animal|dog"], digiKam_TagsList=["Places/Rome"])
    assert merged(xmp=packet).keywords == ("dog", "Rome")


def test_a_rating_is_xmps_before_exifs() -> None:
    """An impossible one is passed over for the other."""
    assert merged({RATING: 2}, xmp=xmp(xmp_Rating="5")).rating == 5
    assert merged({RATING: 2}, xmp=xmp(xmp_Rating="99")).rating == 2
    assert merged({RATING: 2}, xmp=xmp(xmp_Rating="good")).rating == 2
    assert merged({RATING: 77}).rating is None
    assert merged(xmp=xmp(xmp_Rating="3.5")).rating is None


@pytest.mark.parametrize(
    ("latitude", "longitude", "expected"),
    [
        ("35,39.516N", "139,44.727E", (35.6586, 139.74545)),
        ("35,39,31N", "139,44,43E", (35.658611, 139.745278)),
        ("22,57.114S", "43,12.63W", (-22.9519, -43.2105)),
        ("48N", "9E", (48.0, 9.0)),
    ],
)
def test_xmps_positions_are_read_in_their_three_forms(
    latitude: str, longitude: str, expected: tuple[float, float]
) -> None:
    """Degrees and minutes, degrees, minutes and seconds, or degrees alone."""
    metadata = merged(xmp=xmp(exif_GPSLatitude=latitude, exif_GPSLongitude=longitude))
    assert (metadata.latitude, metadata.longitude) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [("35,39.516E", "139,44.727E"), ("35,39.516N", ""), ("north", "east"), ("95,0N", "9,0E")],
)
def test_half_a_position_is_none(latitude: str, longitude: str) -> None:
    """The wrong side, a missing half, words, off the Earth."""
    metadata = merged(xmp=xmp(exif_GPSLatitude=latitude, exif_GPSLongitude=longitude))
    assert (metadata.latitude, metadata.longitude) == (None, None)


@given(st.floats(), st.floats())
def test_any_two_numbers_are_a_place_on_earth_or_none(latitude: float, longitude: float) -> None:
    """NaN and infinity too."""
    found = valid_position(latitude, longitude)
    if found is not None:
        assert found == (latitude, longitude)
        assert -90 <= latitude <= 90
        assert -180 <= longitude <= 180


def test_the_lens_is_exifs_or_adobes() -> None:
    """Older cameras have it in Adobe's namespace only."""
    assert merged(xmp=xmp(aux_Lens="50mm")).lens == "50mm"
    assert merged(photo={0xA434: "EF 50mm"}, xmp=xmp(aux_Lens="50mm")).lens == "EF 50mm"


@pytest.mark.parametrize(
    ("make", "model", "camera"),
    [
        ("NIKON CORPORATION", "NIKON D70", "NIKON D70"),
        ("samsung", "SM-G973F", "samsung SM-G973F"),
        ("", "X100", "X100"),
        ("FUJIFILM", "", "FUJIFILM"),
        ("", "", None),
    ],
)
def test_a_camera_is_named_as_people_would(make: str, model: str, camera: str | None) -> None:
    """With its maker where the model does not say it."""
    assert merged({0x010F: make, 0x0110: model}).camera == camera


def test_texts_have_an_end() -> None:
    """A file cannot fill the library with one field."""
    text = clean_text("x" * (MAX_TEXT_CHARS + 5))
    assert text is not None
    assert len(text) == MAX_TEXT_CHARS
    assert len(clean_keywords([str(n) for n in range(MAX_KEYWORDS + 5)])) == MAX_KEYWORDS


@given(st.text())
def test_a_cleaned_text_can_be_stored_and_shown(text: str) -> None:
    """UTF-8 throughout, no control characters but line breaks and tabs, no outer blanks."""
    cleaned = clean_text(text)
    if cleaned is not None:
        cleaned.encode("utf-8")
        assert cleaned == cleaned.strip()
        assert all(char in "\t\n\r" or char >= " " for char in cleaned)
        assert clean_text(cleaned) == cleaned


def test_the_exposure_is_exifs() -> None:
    """Time, aperture, sensitivity and focal length as numbers."""
    ratio = IFDRational
    photo = {0x829A: ratio(1, 200), 0x829D: ratio(28, 10), 0x8827: 400, 0x920A: ratio(50, 1)}
    metadata = merged(photo=photo)
    assert (metadata.exposure_s, metadata.aperture) == (1 / 200, 2.8)
    assert (metadata.iso, metadata.focal_mm) == (400, 50.0)


def test_an_exposure_in_apex_values_is_turned_into_seconds_and_f_numbers() -> None:
    """Some cameras write these alone."""
    metadata = merged(photo={0x9201: IFDRational(5, 1), 0x9202: IFDRational(4, 1)})
    assert (metadata.exposure_s, metadata.aperture) == (0.0312, 4.0)


def test_a_sensitivity_beyond_what_its_tag_holds_is_read_from_the_next() -> None:
    """65,535 is where the first tag ends."""
    assert merged(photo={0x8827: 65_535, 0x8832: 102_400}).iso == 102_400
    assert merged(photo={0x8827: 65_535}).iso == 65_535


def test_xmp_gives_the_exposure_where_there_is_no_exif() -> None:
    """As fractions, in a sidecar or a converted file."""
    packet = xmp(exif_ExposureTime="1/60", exif_FNumber="56/10", exif_ISOSpeedRatings=["800"])
    metadata = merged(xmp=packet)
    assert (metadata.exposure_s, metadata.aperture, metadata.iso) == (1 / 60, 5.6, 800)


@pytest.mark.parametrize("value", [(0, 1), (1, 0), (0, 0), (2**31, 1)])
def test_exposures_that_can_not_be_true_are_none(value: tuple[int, int]) -> None:
    """Zero, divided by zero, a time of decades."""
    assert merged(photo={0x829A: IFDRational(*value)}).exposure_s is None


def test_keywords_with_others_above_them_are_paths() -> None:
    """Lightroom's and digiKam's way, each once; a keyword alone is no path."""
    packet = xmp(
        dc_subject=["Paris"],
        lr_hierarchicalSubject=["Places|France|Paris", "alone"],
        digiKam_TagsList=["Places/France/Paris", "People/Ida"],
    )
    metadata = merged(xmp=packet)
    assert metadata.keywords == ("Paris",)
    assert metadata.keyword_paths == ("Places|France|Paris", "People|Ida")


def region(name: str, kind: str) -> str:
    """A region of the Metadata Working Group, in the way that Lightroom writes it."""
    return (
        f'<rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="{kind}">'
        "<mwg-rs:Area/></rdf:Description></rdf:li>"
    )


def test_persons_are_named_by_regions_and_in_lists() -> None:
    """Faces of the Metadata Working Group and of Microsoft, IPTC's lists; each person once."""
    in_elements = (
        '<rdf:li rdf:parseType="Resource"><mwg-rs:Name>Tom</mwg-rs:Name>'
        "<mwg-rs:Type>Face</mwg-rs:Type></rdf:li>"
    )
    inner = (
        '<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Bag>'
        f"{region('Ida', 'Face')}{region('a barcode', 'BarCode')}{in_elements}"
        "</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>"
        '<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>'
        '<rdf:li MPReg:PersonDisplayName="Eva"/></rdf:Bag></MPRI:Regions></MP:RegionInfo>'
        "<Iptc4xmpExt:PersonInImageWDetails><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        "<Iptc4xmpExt:PersonName><rdf:Alt><rdf:li xml:lang='x-default'>Max</rdf:li></rdf:Alt>"
        "</Iptc4xmpExt:PersonName></rdf:li></rdf:Bag></Iptc4xmpExt:PersonInImageWDetails>"
    )
    packet = xmp(inner, Iptc4xmpExt_PersonInImage=["Ida", "Ann"])
    assert merged(xmp=packet).persons == ("Ida", "Tom", "Eva", "Ann", "Max")


def test_places_that_people_named_are_read() -> None:
    """Photoshop's fields before IPTC's structures, each place from one block as a whole."""
    location = (
        "<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li rdf:parseType='Resource'>"
        "<Iptc4xmpExt:City>Florence</Iptc4xmpExt:City>"
        "<Iptc4xmpExt:CountryName>Italy</Iptc4xmpExt:CountryName>"
        "</rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>"
    )
    shown = merged(xmp=xmp(location))
    assert (shown.place, shown.region, shown.country) == ("Florence", None, "Italy")
    both = merged(xmp=xmp(location, photoshop_City="Prato", photoshop_State="Tuscany"))
    assert (both.place, both.region, both.country) == ("Prato", "Tuscany", None)


def test_label_creator_and_copyright_are_read() -> None:
    """From XMP, else from EXIF."""
    packet = xmp(xmp_Label="Red", dc_creator=["Ida N.", "Tom"], dc_rights="CC0")
    metadata = merged({0x013B: "somebody", 0x8298: "all rights"}, xmp=packet)
    assert (metadata.label, metadata.creator, metadata.copyright) == ("Red", "Ida N., Tom", "CC0")
    exif = merged({0x013B: "somebody", 0x8298: "all rights"})
    assert (exif.creator, exif.copyright) == ("somebody", "all rights")
