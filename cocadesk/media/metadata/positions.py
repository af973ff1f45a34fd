"""Positions, and the names of places that people wrote into a file."""

from __future__ import annotations

import math
import re

from cocadesk.media.metadata.exif import Ifd
from cocadesk.media.metadata.iptc import CITY, COUNTRY, REGION, Iptc
from cocadesk.media.metadata.text import clean_text, first_text
from cocadesk.media.metadata.xmp import Xmp

_LOCATIONS = ("Iptc4xmpExt:LocationCreated", "Iptc4xmpExt:LocationShown")
_IN_LOCATION = ("City", "ProvinceState", "CountryName")


def named_place(xmp: Xmp, iptc: Iptc) -> tuple[str | None, str | None, str | None]:
    """Place, region and country as a file names them, all from the first block that names one.

    The place is the city, else what lies in it (a sight, a quarter).
    """
    blocks = [
        (
            first_text(xmp.first("photoshop:City"), xmp.first("Iptc4xmpCore:Location")),
            clean_text(xmp.first("photoshop:State")),
            clean_text(xmp.first("photoshop:Country")),
        )
    ]
    for name in _LOCATIONS:
        for item in xmp.items.get(name, [])[:1]:
            city, region, country = (clean_text(item.get(f"Iptc4xmpExt:{n}")) for n in _IN_LOCATION)
            inside = clean_text(item.get("Iptc4xmpExt:Sublocation"))
            blocks.append((city or inside, region, country))
    iptcs = (clean_text(iptc.first(number)) for number in (CITY, REGION, COUNTRY))
    city, region, country = iptcs
    blocks.append((city, region, country))
    return next((block for block in blocks if any(block)), (None, None, None))


def exif_position(gps: Ifd) -> tuple[float, float] | None:
    """The position in EXIF's directory; None where there is none that can be true."""
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


def xmp_position(xmp: Xmp) -> tuple[float, float] | None:
    """The position in XMP's own spelling."""
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
