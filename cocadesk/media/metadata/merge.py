"""A photo's metadata, merged from EXIF, XMP, IPTC and PNG texts.

Where several blocks disagree, EXIF counts for time and place and for the
description, then XMP, then IPTC; keywords and titles are XMP's own field.
Values that cannot be true (31 February, latitude 95, rating 99) are dropped.
"""

from __future__ import annotations

import math
import re

from cocadesk.media.metadata.dates import TakenAt, parse_free_taken, parse_iptc_taken, parse_taken
from cocadesk.media.metadata.exif import Exif, Ifd
from cocadesk.media.metadata.iptc import (
    CAPTION,
    DATE,
    KEYWORD,
    TIME,
    TITLE,
    Iptc,
    iptc_from_photoshop,
    read_iptc,
)
from cocadesk.media.metadata.text import (
    camera_name,
    clean_keywords,
    clean_text,
    decode_text,
    first_text,
)
from cocadesk.media.metadata.xmp import Xmp, read_xmp
from cocadesk.media.source import RawMetadata
from cocadesk.media.types import PhotoMetadata

_DESCRIPTION, _MAKE, _MODEL, _RATING = 0x010E, 0x010F, 0x0110, 0x4746
_XP_TITLE, _XP_KEYWORDS = 0x9C9B, 0x9C9E
_ORIGINAL = (0x9003, 0x9011, 0x9291)
_DIGITIZED = (0x9004, 0x9012, 0x9292)
_LENS_MODEL = 0xA434
_XMP_DATES = ("exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate")
# What cameras write into ImageDescription by themselves.
_CAMERA_NOISE = re.compile(
    r"(OLYMPUS|KONICA MINOLTA|MINOLTA|PENTAX|KODAK|SANYO|SAMSUNG|Vivitar|MAGINON|NIKON|SONY"
    r"|FUJIFILM|Digital|Exif_JPEG|YASHICA|CASIO)?\W*"
    r"(DIGITAL (STILL )?CAMERA|SONY DSC|DCIM\\.*|Exif[_ ]JPEG.*|DSC.{0,8}|screenshot)\W*",
    re.IGNORECASE,
)


def read_metadata(raw: RawMetadata) -> PhotoMetadata:
    """The merged metadata of one photo. Never raises for what a file may hold."""
    exif, xmp = raw.exif, read_xmp(raw.xmp)
    iptc = read_iptc(raw.iptc or iptc_from_photoshop(raw.photoshop))
    texts = dict(raw.png_texts)
    taken = _taken(exif, xmp, iptc, texts)
    latitude, longitude = _exif_position(exif.gps) or _xmp_position(xmp) or (None, None)
    return PhotoMetadata(
        taken_utc=taken.utc if taken else None,
        taken_local=taken.local if taken else None,
        utc_offset_min=taken.utc_offset_min if taken else None,
        latitude=latitude,
        longitude=longitude,
        camera=camera_name(_text(exif.main, _MAKE), _text(exif.main, _MODEL)),
        lens=clean_text(_text(exif.photo, _LENS_MODEL) or xmp.first("aux:Lens")),
        rating=_rating(exif, xmp),
        title=first_text(
            xmp.first("dc:title"),
            iptc.first(TITLE),
            _utf16(exif.main, _XP_TITLE),
            texts.get("Title"),
        ),
        description=_description(exif, xmp, iptc, texts),
        keywords=_keywords(exif, xmp, iptc),
    )


def _text(ifd: Ifd, tag: int) -> str | None:
    value = ifd.get(tag)
    return decode_text(value) if isinstance(value, bytes) else None


def _utf16(ifd: Ifd, tag: int) -> str | None:
    """Windows' own text tags: UTF-16, little-endian in every file."""
    value = ifd.get(tag)
    if not isinstance(value, bytes):
        return None
    return value[: len(value) & ~1].decode("utf-16-le", "replace").split("\x00", 1)[0]


def _taken(exif: Exif, xmp: Xmp, iptc: Iptc, texts: dict[str, str]) -> TakenAt | None:
    for date, offset, fraction in (_ORIGINAL, _DIGITIZED):
        taken = parse_taken(
            _text(exif.photo, date),
            offset=_text(exif.photo, offset),
            fraction=_text(exif.photo, fraction),
        )
        if taken is not None:
            return taken
    dated = (parse_taken(xmp.first(name)) for name in _XMP_DATES)
    taken = next((found for found in dated if found is not None), None)
    if taken is None or taken.is_day_only:
        # IPTC's date always comes with a time here, so it says more than a bare day.
        taken = parse_iptc_taken(iptc.first(DATE), iptc.first(TIME)) or taken
    return taken or parse_free_taken(texts.get("Creation Time"))


def _exif_position(gps: Ifd) -> tuple[float, float] | None:
    latitude = _exif_degrees(gps, 1, 2, b"N", b"S")
    longitude = _exif_degrees(gps, 3, 4, b"E", b"W")
    return valid_position(latitude, longitude)


def _exif_degrees(gps: Ifd, ref_tag: int, tag: int, plus: bytes, minus: bytes) -> float | None:
    reference, parts = gps.get(ref_tag), gps.get(tag)
    if not isinstance(reference, bytes) or not isinstance(parts, tuple) or not parts:
        return None
    side = reference[:1].upper()
    if side not in (plus, minus):
        return None
    # A missing or 0/0 second is common and harmless; a broken degree is not.
    rest = [0.0 if math.isnan(part) else part for part in parts[1:3]]
    minutes, seconds = (*rest, 0.0, 0.0)[:2]
    degrees = parts[0] + minutes / 60 + seconds / 3600
    return -degrees if side == minus else degrees


def _xmp_position(xmp: Xmp) -> tuple[float, float] | None:
    latitude = _xmp_degrees(xmp.first("exif:GPSLatitude"), "N", "S")
    longitude = _xmp_degrees(xmp.first("exif:GPSLongitude"), "E", "W")
    return valid_position(latitude, longitude)


def _xmp_degrees(text: str | None, plus: str, minus: str) -> float | None:
    """Degrees from XMP's "35,39.516N" or "35,39,31N"."""
    match = re.fullmatch(
        r"(\d{1,3})(?:,(\d{1,2}(?:\.\d+)?))?(?:,(\d{1,2}(?:\.\d+)?))?([NSEW])",
        (text or "").strip(),
        re.ASCII,
    )
    if match is None or match[4] not in (plus, minus):
        return None
    degrees = int(match[1]) + float(match[2] or 0) / 60 + float(match[3] or 0) / 3600
    return -degrees if match[4] == minus else degrees


def valid_position(latitude: float | None, longitude: float | None) -> tuple[float, float] | None:
    """The position; None where it cannot be one, or is that of a device without a fix."""
    if latitude is None or longitude is None:
        return None
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # False for NaN too
        return None
    if latitude == 0 and longitude == 0:
        return None  # devices without a fix write zeros; nobody photographs that buoy
    return latitude, longitude


def _rating(exif: Exif, xmp: Xmp) -> int | None:
    stored = exif.main.get(_RATING)
    from_exif = stored[0] if isinstance(stored, tuple) and stored else None
    for candidate in (xmp.first("xmp:Rating"), from_exif):
        try:
            rating = float(candidate) if candidate is not None else math.nan
        except ValueError:
            continue
        if rating in range(-1, 6):
            return int(rating)
    return None


def _description(exif: Exif, xmp: Xmp, iptc: Iptc, texts: dict[str, str]) -> str | None:
    own = clean_text(_text(exif.main, _DESCRIPTION))
    if own and _CAMERA_NOISE.fullmatch(own):
        own = None
    return own or first_text(
        xmp.first("dc:description"), iptc.first(CAPTION), texts.get("Description")
    )


def _keywords(exif: Exif, xmp: Xmp, iptc: Iptc) -> tuple[str, ...]:
    windows = (_utf16(exif.main, _XP_KEYWORDS) or "").split(";")
    leaves = [path.split("|")[-1] for path in xmp.all("lr:hierarchicalSubject")]
    leaves += [path.split("/")[-1] for path in xmp.all("digiKam:TagsList")]
    for words in (xmp.all("dc:subject"), iptc.all(KEYWORD), windows, leaves):
        keywords = clean_keywords(words)
        if keywords:
            return keywords
    return ()
