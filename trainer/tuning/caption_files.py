"""The captions in the text beside a photo: one a line, or one that is wrapped over lines."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from cocadesk.errors import kept
from cocadesk.evaluation.retrieval import caption_key
from cocadesk.model.tokenizers.captions import clean_caption
from cocadesk.texts.reading import NotTextError, read_text, text_of

MAX_TEXT_BYTES = 64 << 10
MAX_CAPTIONS = 50
MAX_CAPTION_CHARS = 1000

NO_TEXT = kept("There is no .txt or .caption with captions beside the photo.")
NO_CAPTION = kept("The text beside the photo is empty.")
TOO_LARGE = kept("The text beside the photo is too large to hold captions.")
NOT_TEXT = kept("The text beside the photo is not text.")
MACHINE = kept("The text beside the photo holds a caption that CocaDesk wrote, not a human one.")
UNREADABLE = kept("The text beside the photo cannot be read.")

# A line that ends in one of these goes on in the next.
_OPEN_WORDS = """
    a an the of in on at with and or to by for from near next its his her their our my is are
    der die das den dem des ein eine einen einem einer und mit auf im am zum zur von vor
    le la les un une des du de et à au dans sur avec el los las y en con del una il lo e di
"""
_OPEN_ENDS = frozenset(_OPEN_WORDS.split())
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’»)]*$")


_RAGGED = 4
"""Letters by which lines wrapped by hand are shorter than they could be."""


class CaptionLines(StrEnum):
    """The meaning of a text's lines: seen in each text, a caption each, or all one caption."""

    AUTO = "auto"
    EACH = "each"
    JOINED = "joined"


class CaptionFileError(Exception):
    """A text gives no captions; the message is one of the reasons above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFile:
    """A text's captions; ``guessed`` names an encoding that was guessed.

    ``is_joined`` where lines were put together into one caption.
    """

    path: bytes
    captions: list[str]
    guessed: str = ""
    is_joined: bool = False


def read_captions(
    photo: bytes, not_human: Mapping[bytes, str], lines: CaptionLines = CaptionLines.AUTO
) -> CaptionFile:
    """The captions of the file that is a photo's text (``cocadesk.texts.reading.text_of``).

    Raises:
        CaptionFileError: there is none, or it gives no caption.
    """
    path = text_of(photo, lambda text: _is_machine(text, not_human))
    if path is None:
        raise CaptionFileError(NO_TEXT)
    data = _read(path)
    if not_human.get(path) == hashlib.sha256(data).hexdigest():
        raise CaptionFileError(MACHINE)
    try:
        found = read_text(data)
    except NotTextError as error:
        raise CaptionFileError(NOT_TEXT) from error
    texts = split_captions(found.text, lines)
    if not (kept := clean_captions(texts)):
        raise CaptionFileError(NO_CAPTION)
    is_joined = any("\n" in text for text in texts)
    return CaptionFile(path=path, captions=kept, guessed=found.guessed, is_joined=is_joined)


def _is_machine(path: bytes, not_human: Mapping[bytes, str]) -> bool:
    return path in not_human and not_human[path] == hashlib.sha256(_read(path)).hexdigest()


def _read(path: bytes) -> bytes:
    try:
        with open(path, "rb") as handle:  # noqa: PTH123
            data = handle.read(MAX_TEXT_BYTES + 1)
    except OSError as error:
        raise CaptionFileError(UNREADABLE) from error
    if len(data) > MAX_TEXT_BYTES:
        raise CaptionFileError(TOO_LARGE)
    return data


def split_captions(text: str, lines: CaptionLines) -> list[str]:
    """The captions of a text; one that is wrapped keeps its line ends.

    An empty line always ends a caption, unless all lines are one.
    """
    if lines is CaptionLines.JOINED:
        return [text.strip()]
    captions: list[str] = []
    for block in re.split(r"\n\s*\n", text):
        of_block = [line.strip() for line in block.splitlines() if line.strip()]
        if lines is CaptionLines.AUTO and is_wrapped(of_block):
            captions.append("\n".join(of_block))
        else:
            captions += of_block
    return captions


def is_wrapped(lines: list[str]) -> bool:
    """True where most of these lines go on in the next: they are one wrapped text.

    A line goes on where it ends in a comma or a word like *the*, or where the text
    begins its sentences with capitals, the next line begins with none, and its first
    word had no room in this one.
    """
    if len(lines) < 2:
        return False
    has_capitals, width = lines[0][:1].isupper(), max(map(len, lines)) - _RAGGED
    goes_on = 0
    for line, after in pairwise(lines):
        if _SENTENCE_END.search(line):
            continue
        word = line.split()[-1].lower()
        is_open = line.endswith((",", ";", ":", "-", "–")) or word in _OPEN_ENDS
        is_full = len(line) + 1 + len(after.split()[0]) > width
        goes_on += is_open or (has_capitals and after[:1].islower() and is_full)
    return goes_on * 2 >= len(lines) - 1 and goes_on > 0


def clean_captions(texts: Iterable[str]) -> list[str]:
    """One line each, stripped; empty ones are dropped, equal ones stay once."""
    cleaned = (clean_caption(text[:MAX_CAPTION_CHARS]) for text in texts)
    return list(once(text for text in cleaned if any(ch.isalnum() for ch in text)))[:MAX_CAPTIONS]


def once(texts: Iterable[str]) -> tuple[str, ...]:
    """The captions without those that say the same as an earlier one."""
    kept: dict[str, str] = {}
    for text in texts:
        kept.setdefault(caption_key(text), text)
    return tuple(kept.values())
