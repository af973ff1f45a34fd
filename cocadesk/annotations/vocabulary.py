"""Tag vocabularies: text files with one tag a line."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.resources import resource_path

MAX_FILE_BYTES = 4 * 2**20
MAX_TAGS = 50_000
MAX_TAG_LENGTH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The tags a picture may get, in the file's order, each once."""

    name: str
    tags: tuple[str, ...]


def load_vocabulary(path: Path | None = None) -> Vocabulary:
    """Reads a vocabulary file, or the one that ships where no path is given.

    One tag a line in UTF-8 (a byte order mark is fine). Empty lines and lines that
    begin with ``#`` do not count; spaces are tidied; a tag that differs from an earlier
    one by case alone is merged into it.

    Raises:
        UserError: no such file, not text, too large, or no tags in it.
    """
    file = resource_path("vocabulary", "default.txt") if path is None else path
    return parse_vocabulary(_read(file), file)


def parse_vocabulary(text: str, file: Path) -> Vocabulary:
    """The vocabulary that ``text``, the content of ``file``, holds; see ``load_vocabulary``.

    Raises:
        UserError: a tag is too long, or there are none or too many.
    """
    tags: dict[str, str] = {}
    for line in text.splitlines():
        tag = " ".join(unicodedata.normalize("NFC", line).split())
        if not tag or tag.startswith("#"):
            continue
        if len(tag) > MAX_TAG_LENGTH:
            raise _unusable(file, f"A line is longer than {MAX_TAG_LENGTH} letters.")
        tags.setdefault(tag.casefold(), tag)
    if not tags:
        raise _unusable(file, "It has no tags.")
    if len(tags) > MAX_TAGS:
        raise _unusable(file, f"It has more than {MAX_TAGS:,} tags.")
    return Vocabulary(name=file.stem, tags=tuple(tags.values()))


def _read(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise _unusable(file, f"{error.strerror or error}.") from error
    if len(data) > MAX_FILE_BYTES:
        raise _unusable(file, f"It is larger than {MAX_FILE_BYTES // 2**20} MB.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(file, f"Byte {error.start} is not UTF-8.") from error
    if "\0" in text:
        raise _unusable(file, "It is not a text file.")
    return text


def _unusable(file: Path, why: str) -> UserError:
    shown = str(file).encode("utf-8", "replace").decode()
    return UserError(
        f"The tags cannot be read from {shown}.", why, "Give a text file with one tag a line."
    )
