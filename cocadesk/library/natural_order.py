"""The order of names as people expect it: 2 before 10, é beside e."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TypeAlias

NaturalKey: TypeAlias = tuple[tuple[tuple[int, str], ...], str]

_DIGITS = re.compile(r"(\d+)", re.ASCII)


@lru_cache(maxsize=50_000)  # names come again each time that something has changed
def natural_key(name: str) -> NaturalKey:
    """The key by which names are sorted; numbers in them count as numbers."""
    plain = name
    if not name.isascii():
        split = unicodedata.normalize("NFKD", name)
        plain = "".join(letter for letter in split if not unicodedata.combining(letter))
    parts = []
    for place, part in enumerate(_DIGITS.split(plain.lower())):
        digits = part.lstrip("0") if place % 2 else part
        parts.append((len(digits) if place % 2 else 0, digits))
    return tuple(parts), name
