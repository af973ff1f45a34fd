"""Reads IPTC records (IIM 4), as they lie in JPEG's Photoshop segments and in TIFF."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from cocadesk.media.metadata.text import Texts, decode_text

_IPTC_RESOURCE = 0x0404
_MAX_RECORDS = 5_000

TITLE, KEYWORD, DATE, TIME, AUTHOR, CITY, REGION = 5, 25, 55, 60, 80, 90, 95
COUNTRY, COPYRIGHT, CAPTION = 101, 116, 120


Iptc: TypeAlias = Texts[int]
"""Application records (2:xx) by number."""


def image_resources(block: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each of Photoshop's image resources; ends where they are broken."""
    at = 0
    while at + 12 <= len(block) and block[at : at + 4] == b"8BIM":
        number = int.from_bytes(block[at + 4 : at + 6], "big")
        name_bytes = block[at + 6] + 1
        at += 6 + name_bytes + name_bytes % 2
        size = int.from_bytes(block[at : at + 4], "big")
        yield number, block[at + 4 : at + 4 + size]
        at += 4 + size + size % 2


def iptc_from_photoshop(resources: bytes | None) -> bytes:
    """The IPTC block among Photoshop's image resources; empty where there is none."""
    found = image_resources(resources or b"")
    return b"".join(content for number, content in found if number == _IPTC_RESOURCE)


def read_iptc(block: bytes | None) -> Iptc:
    """The records in an IPTC block; reading stops where it is broken."""
    values: dict[int, list[str]] = {}
    at, data = 0, block or b""
    for _ in range(_MAX_RECORDS):
        if at + 5 > len(data) or data[at] != 0x1C:
            break
        record, number = data[at + 1], data[at + 2]
        size = int.from_bytes(data[at + 3 : at + 5], "big")
        if size & 0x8000:
            break  # extended sizes hold pictures, not words
        if record == 2:
            # The character-set record is often wrong or missing: UTF-8 proves itself.
            values.setdefault(number, []).append(decode_text(data[at + 5 : at + 5 + size]))
        at += 5 + size
    return Texts(values)
