"""Texts that people keep beside photos: the file that is a photo's text, and how it is read.

The one reader for captions beside photos, in shards and of vocabularies, whatever program
wrote them; and the one rule that says which file is a photo's text, for reading, writing
and teaching.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cocadesk.texts.encodings import guess

ENDINGS = (b".txt", b".caption")
"""Endings of a photo's text, the usual one first; ``.caption`` is what training tools write."""

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f\x7f]")
_LOOKS_AT = 4096
_FOLDERS_KEPT = 64


class NotTextError(ValueError):
    """Bytes that are no text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadText:
    """A file's text without byte order marks, its lines ended by ``\\n``.

    ``guessed`` names the encoding where it was guessed: nothing in the file told it.
    """

    text: str
    guessed: str = ""


def read_text(data: bytes) -> ReadText:
    """The text of a file: by its byte order mark, else UTF-8, else in the likeliest encoding.

    Raises:
        NotTextError: it is no text.
    """
    text, guessed = _decoded(data)
    start = text[:_LOOKS_AT]
    if "\0" in text or len(_CONTROLS.findall(start)) * 50 > len(start):
        raise NotTextError("it is not a text file")
    plain = text.replace("\ufeff", "").replace("\r\n", "\n").replace("\r", "\n")
    return ReadText(text=plain, guessed=guessed)


def _decoded(data: bytes) -> tuple[str, str]:
    try:
        for mark, codec in _MARKS:
            if data.startswith(mark):
                return data.decode(codec), ""
        if codec := _unmarked_utf16(data):
            return data.decode(codec), "UTF-16"
    except UnicodeDecodeError as error:
        raise NotTextError(f"it is not the {codec} that it begins as") from error
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    if sum(not letter.isascii() for letter in text) > 8 * bad:
        return text, "UTF-8 with errors"
    return guess(data)


def _unmarked_utf16(data: bytes) -> str:
    """The codec of UTF-16 without a mark: most of its high bytes are zero in a Western text."""
    start = data[:_LOOKS_AT]
    if len(data) % 2 or len(start) < 4:
        return ""
    half = len(start) / 2
    zeros_even, zeros_odd = start[::2].count(0) / half, start[1::2].count(0) / half
    if zeros_odd > 0.6 and zeros_even < 0.1:
        return "utf-16-le"
    return "utf-16-be" if zeros_even > 0.6 and zeros_odd < 0.1 else ""


def usual_text_of(photo: bytes) -> bytes:
    """The file for a new caption of a photo: ``name.txt`` for ``name.jpg``."""
    return os.path.splitext(photo)[0] + ENDINGS[0]  # noqa: PTH122


def text_of(photo: bytes, is_machine: Callable[[bytes], bool]) -> bytes | None:
    """The file that is the text of a photo or video; None where it has none.

    ``name.txt``, ``name.jpg.txt``, ``name.caption`` or ``name.jpg.caption`` of ``name.jpg``,
    its ending (then its name) in any case: the first of them that no machine has written,
    else the first.
    """
    found = texts_beside(photo)
    return next((path for path in found if not is_machine(path)), found[0] if found else None)


def texts_beside(photo: bytes) -> list[bytes]:
    """All files that could be a photo's text, the likeliest first."""
    folder, name = os.path.split(photo)
    owners = (os.path.splitext(name)[0], name)  # noqa: PTH122
    try:
        listing = _listing(folder, os.stat(folder).st_mtime_ns)  # noqa: PTH116
    except OSError:
        return []
    places = [(owner, ending) for ending in ENDINGS for owner in owners]
    found = [text for place in places for text in listing.exact.get(place, ())]
    if not found:
        folded = [(_folded(owner), ending) for owner, ending in places]
        found = [text for place in folded for text in listing.free.get(place, ())]
    return [os.path.join(folder, text) for text in found if text != name]  # noqa: PTH118


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """A folder's texts by owner's name and ending; ``free`` those with no owner of their case."""

    exact: dict[tuple[bytes, bytes], list[bytes]]
    free: dict[tuple[bytes, bytes], list[bytes]]


@lru_cache(maxsize=_FOLDERS_KEPT)
def _listing(folder: bytes, _mtime_ns: int) -> _Listing:
    """Kept while the folder's time stays: a folder of thousands is listed once for all of them."""
    names = sorted(os.listdir(folder))  # noqa: PTH208
    split = [(name, *os.path.splitext(name)) for name in names]  # noqa: PTH122
    owners = {
        owner for name, stem, end in split if end.lower() not in ENDINGS for owner in (name, stem)
    }
    listing = _Listing(exact={}, free={})
    for name, owner, end in split:
        if end.lower() in ENDINGS:
            # name.txt sorts behind name.TXT and is the usual one.
            listing.exact.setdefault((owner, end.lower()), []).insert(0, name)
            if owner not in owners:
                listing.free.setdefault((_folded(owner), end.lower()), []).insert(0, name)
    return listing


def _folded(name: bytes) -> bytes:
    return os.fsencode(os.fsdecode(name).casefold())
