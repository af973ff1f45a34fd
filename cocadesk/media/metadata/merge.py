"""A photo's metadata, merged from EXIF, XMP, IPTC and PNG texts.

Where several blocks disagree, EXIF counts for time and place and for the
description, then XMP, then IPTC; keywords and titles are XMP's own field.
Values that cannot be true (31 February, latitude 95, rating 99) are dropped.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, time

from cocadesk.media.metadata.dates import TakenAt, parse_free_taken, parse_iptc_taken, parse_taken
from cocadesk.media.metadata.exif import Exif, Ifd
from cocadesk.media.metadata.exposure import read_exposure
from cocadesk.media.metadata.iptc import (
    AUTHOR,
    CAPTION,
    COPYRIGHT,
    DATE,
    KEYWORD,
    TIME,
    TITLE,
    Iptc,
    iptc_from_photoshop,
    read_iptc,
)
from cocadesk.media.metadata.positions import exif_position, named_place, xmp_position
from cocadesk.media.metadata.sidecars import packets_beside
from cocadesk.media.metadata.text import (
    camera_name,
    clean_keywords,
    clean_text,
    decode_text,
    first_text,
)
from cocadesk.media.metadata.xmp import Xmp, read_xmp
from cocadesk.media.metadata.zones import with_zone
from cocadesk.media.source import RawMetadata
from cocadesk.media.types import PhotoMetadata

_DESCRIPTION, _MAKE, _MODEL, _RATING = 0x010E, 0x010F, 0x0110, 0x4746
_ARTIST, _COPYRIGHT = 0x013B, 0x8298
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
    latitude, longitude = exif_position(exif.gps) or xmp_position(xmp) or (None, None)
    taken = with_zone(taken, longitude, exif.gps, xmp)
    place, region, country = named_place(xmp, iptc)
    return PhotoMetadata(
        taken_utc=taken.utc if taken else None,
        taken_local=taken.local if taken else None,
        utc_offset_min=taken.utc_offset_min if taken else None,
        latitude=latitude,
        longitude=longitude,
        place=place,
        region=region,
        country=country,
        camera=camera_name(_text(exif.main, _MAKE), _text(exif.main, _MODEL)),
        lens=clean_text(_text(exif.photo, _LENS_MODEL) or xmp.first("aux:Lens")),
        **read_exposure(exif, xmp),
        rating=_rating(exif, xmp),
        label=clean_text(xmp.first("xmp:Label")),
        title=first_text(
            xmp.first("dc:title"),
            iptc.first(TITLE),
            _utf16(exif.main, _XP_TITLE),
            texts.get("Title"),
        ),
        description=_description(exif, xmp, iptc, texts),
        keywords=_keywords(exif, xmp, iptc),
        keyword_paths=_keyword_paths(xmp),
        persons=_persons(xmp),
        creator=first_text(
            ", ".join(xmp.all("dc:creator")), _text(exif.main, _ARTIST), iptc.first(AUTHOR)
        ),
        copyright=first_text(
            xmp.first("dc:rights"), _text(exif.main, _COPYRIGHT), iptc.first(COPYRIGHT)
        ),
    )


_TOGETHER = (
    ("taken_utc", "taken_local", "utc_offset_min"),
    ("latitude", "longitude"),
    ("place", "region", "country"),
    *((name,) for name in ("camera", "lens", "exposure_s", "aperture", "iso", "focal_mm")),
    *((name,) for name in ("rating", "label", "title", "description", "creator", "copyright")),
)
"""The values that are of one source."""
_JOINED = ("keywords", "keyword_paths", "persons")


def with_sidecars(metadata: PhotoMetadata, packets: Sequence[bytes]) -> PhotoMetadata:
    """The metadata of a file with those of its sidecars, the one that counts most first.

    A sidecar's value counts before the file's: it was written later. Keywords and persons
    of all of them are joined.
    """
    for packet in reversed(packets):
        beside = read_metadata(RawMetadata(exif=Exif(None), xmp=packet))
        metadata = _merged(metadata, beside)
    return metadata


def with_sidecars_of(metadata: PhotoMetadata, paths: Sequence[bytes]) -> PhotoMetadata:
    """The same with the sidecars of several files of one medium, the one that counts most first."""
    packets = dict.fromkeys(packet for path in paths for packet in packets_beside(path))
    return with_sidecars(metadata, list(packets))


def _merged(file: PhotoMetadata, beside: PhotoMetadata) -> PhotoMetadata:
    values = {}
    for names in _TOGETHER:
        found = {name: getattr(beside, name) for name in names}
        if any(value is not None for value in found.values()):
            values.update(found)
    if _says_less(beside, file):
        for name in _TOGETHER[0]:
            values.pop(name, None)
    for name in _JOINED:
        values[name] = tuple(dict.fromkeys((*getattr(beside, name), *getattr(file, name))))
    return replace(file, **values)


def _says_less(beside: PhotoMetadata, file: PhotoMetadata) -> bool:
    """True where a sidecar has the file's time without zone and fraction, or its day alone."""
    own, other = file.taken_local, beside.taken_local
    if own is None or other is None or beside.utc_offset_min is not None:
        return False
    return other in (own.replace(microsecond=0), own, datetime.combine(own.date(), time.min))


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


def _keyword_paths(xmp: Xmp) -> tuple[str, ...]:
    """Keywords with those above them, "|" between them."""
    paths = [path.split("|") for path in xmp.all("lr:hierarchicalSubject")]
    paths += [path.split("/") for path in xmp.all("digiKam:TagsList")]
    parts = [[part.strip() for part in path if part.strip()] for path in paths]
    return clean_keywords(["|".join(path) for path in parts if len(path) > 1])


def _persons(xmp: Xmp) -> tuple[str, ...]:
    """The persons that are named: by regions of faces and in lists."""
    regions = xmp.items.get("mwg-rs:RegionList", [])
    faces = [region for region in regions if region.get("mwg-rs:Type", "Face") == "Face"]
    return clean_keywords(
        [
            *(face["mwg-rs:Name"] for face in faces if "mwg-rs:Name" in face),
            *xmp.of_items("MPRI:Regions", "MPReg:PersonDisplayName"),
            *xmp.all("Iptc4xmpExt:PersonInImage"),
            *xmp.of_items("Iptc4xmpExt:PersonInImageWDetails", "Iptc4xmpExt:PersonName"),
        ]
    )
