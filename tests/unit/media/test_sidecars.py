"""XMP files beside photos: which belong to a photo, and what they change of its metadata."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cocadesk.media.metadata.merge import with_sidecars
from cocadesk.media.metadata.sidecars import packets_beside
from cocadesk.media.photo.decode import decode_photo, photo_facts
from cocadesk.media.scanning import scan
from cocadesk.media.types import DecodeLimits, FoundFile, PhotoMetadata
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import encode, exif_block, quadrants
from tests.support.xmp_packets import xmp

SPEC = InputSpec(size_px=16)
FILE = PhotoMetadata(
    taken_local=datetime(2020, 1, 2, 3, 4, 5),
    utc_offset_min=60,
    rating=1,
    title="of the file",
    camera="Camera 7",
    keywords=("old", "both"),
    latitude=1.0,
    longitude=2.0,
)


def photo(path: Path) -> Path:
    """A small photo whose EXIF says rating 1."""
    path.write_bytes(encode(quadrants(), "JPEG", exif=exif_block({0x4746: 1})))
    return path


def beside(path: Path) -> list[bytes]:
    """The packets of the sidecars of a file."""
    return packets_beside(os.fsencode(path))


def marks(folder: Path) -> dict[str, str]:
    """What a scan says of each file's metadata."""
    found = [one for one in scan([os.fsencode(folder)]) if isinstance(one, FoundFile)]
    return {Path(os.fsdecode(one.path)).name: one.metadata_mark for one in found}


def test_both_ways_of_naming_a_sidecar_are_known_and_the_longer_name_counts_more(
    tmp_path: Path,
) -> None:
    """crab.jpg.xmp before crab.xmp, whatever the case of the ending; others' are not taken."""
    crab = photo(tmp_path / "crab.jpg")
    (tmp_path / "crab.xmp").write_bytes(b"<adobe/>")
    (tmp_path / "crab.jpg.XMP").write_bytes(b"<darktable/>")
    (tmp_path / "crab.png.xmp").write_bytes(b"<another/>")
    assert beside(crab) == [b"<darktable/>", b"<adobe/>"]
    assert beside(photo(tmp_path / "prawn.jpg")) == []


def test_what_a_sidecar_says_counts_before_the_file() -> None:
    """It was written later; what it does not say is the file's, and keywords are joined."""
    packet = xmp(xmp_Rating="4", dc_title="of the sidecar", dc_subject=["new", "both"])
    merged = with_sidecars(FILE, [packet])
    assert (merged.rating, merged.title, merged.camera) == (4, "of the sidecar", "Camera 7")
    assert merged.keywords == ("new", "both", "old")
    assert (merged.latitude, merged.taken_local) == (1.0, FILE.taken_local)


def test_of_two_sidecars_the_first_counts_more() -> None:
    """And what it leaves open is the second's."""
    merged = with_sidecars(FILE, [xmp(xmp_Rating="5"), xmp(xmp_Rating="2", xmp_Label="Red")])
    assert (merged.rating, merged.label) == (5, "Red")


def test_a_sidecars_position_and_time_replace_the_files_as_a_whole() -> None:
    """Never the latitude of the one with the longitude of the other, nor its zone."""
    there = xmp(exif_GPSLatitude="10,0N", exif_GPSLongitude="20,0E")
    assert with_sidecars(FILE, [there]).longitude == 20.0
    other = with_sidecars(FILE, [xmp(exif_DateTimeOriginal="2021-05-05T05:05:05")])
    assert (other.taken_local, other.utc_offset_min) == (datetime(2021, 5, 5, 5, 5, 5), None)


@pytest.mark.parametrize("said", ["2020-01-02T03:04:05", "2020-01-02"])
def test_a_sidecar_that_knows_less_of_the_same_time_does_not_replace_it(said: str) -> None:
    """The file's zone and its fraction of a second stay, and its hour."""
    file = replace(FILE, taken_local=datetime(2020, 1, 2, 3, 4, 5, 250_000))
    assert with_sidecars(file, [xmp(exif_DateTimeOriginal=said)]) == file


@pytest.mark.parametrize("packet", [b"no xml", b"<a", b"<!DOCTYPE x><a/>", b"\x00\xff" * 50])
def test_a_broken_sidecar_changes_nothing(packet: bytes) -> None:
    """The file's own metadata stay."""
    assert with_sidecars(FILE, [packet]) == FILE


def test_a_photo_is_decoded_with_its_sidecar(tmp_path: Path) -> None:
    """And read without being decoded it says the same."""
    path = photo(tmp_path / "crab.jpg")
    assert decode_photo(path, SPEC).metadata.rating == 1
    (tmp_path / "crab.jpg.xmp").write_bytes(xmp(xmp_Rating="4", dc_subject=["sea"]))
    decoded = decode_photo(path, SPEC).metadata
    assert (decoded.rating, decoded.keywords) == (4, ("sea",))
    assert photo_facts(os.fsencode(path), DecodeLimits())[0] == decoded


def test_a_link_or_a_pipe_in_a_sidecars_place_is_not_waited_for(tmp_path: Path) -> None:
    """A photo is never held up by what lies beside it."""
    path = photo(tmp_path / "crab.jpg")
    os.mkfifo(tmp_path / "crab.jpg.xmp")
    (tmp_path / "crab.xmp").symlink_to(tmp_path / "nowhere")
    assert beside(path) == []


def test_a_scan_tells_when_a_sidecar_comes_changes_and_goes(tmp_path: Path) -> None:
    """The photo's own bytes are as they were each time."""
    photo(tmp_path / "crab.jpg")
    photo(tmp_path / "prawn.jpg")
    bare = marks(tmp_path)
    assert bare["crab.jpg"] == bare["prawn.jpg"]
    sidecar = tmp_path / "crab.jpg.xmp"
    sidecar.write_bytes(b"<a/>")
    came = marks(tmp_path)
    assert came["crab.jpg"] != bare["crab.jpg"]
    assert came["prawn.jpg"] == bare["prawn.jpg"]
    sidecar.write_bytes(b"<a>more</a>")
    assert marks(tmp_path)["crab.jpg"] not in (came["crab.jpg"], bare["crab.jpg"])
    sidecar.unlink()
    assert marks(tmp_path) == bare


def test_a_photo_that_moves_together_with_its_sidecar_keeps_its_mark(tmp_path: Path) -> None:
    """So nothing of it is read again."""
    photo(tmp_path / "crab.jpg")
    (tmp_path / "crab.xmp").write_bytes(b"<a/>")
    before = marks(tmp_path)["crab.jpg"]
    (tmp_path / "crab.jpg").rename(tmp_path / "prawn.jpg")
    (tmp_path / "crab.xmp").rename(tmp_path / "prawn.xmp")
    assert marks(tmp_path) == {"prawn.jpg": before}


def test_a_photo_that_is_added_by_itself_has_its_sidecar_too(tmp_path: Path) -> None:
    """As one in a folder."""
    path = photo(tmp_path / "crab.jpg")
    (tmp_path / "crab.xmp").write_bytes(b"<a/>")
    assert marks(path) == marks(tmp_path)
