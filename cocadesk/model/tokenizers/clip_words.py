"""Text into CLIP's words and back: the cleaning, splitting and joining around its pieces."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

BEGIN, END = "<start_of_text>", "<end_of_text>"
#: What a word is: a marker, an English ending, letters, one digit, or other signs in a row.
_WORD = rf"{BEGIN}|{END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+"


def clip_words(text: str) -> list[str]:
    """The words of a text, repaired (mojibake, HTML), lower-cased and split as CLIP does."""
    # Both come with open_clip; they are imported where they are used because a
    # program that runs our own models needs neither.
    import ftfy
    import regex  # type: ignore[import-untyped]

    text = text.encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    words: list[str] = regex.findall(_WORD, " ".join(text.split()).lower(), regex.IGNORECASE)
    return words


def runs(words: list[str]) -> Iterable[list[str]]:
    """The words in order; each marker alone, all others in as long runs as there are."""
    run: list[str] = []
    for word in words:
        if word in (BEGIN, END):
            if run:
                yield run
            yield [word]
            run = []
        else:
            run.append(word)
    if run:
        yield run


_TIDY = (
    (re.compile(r"(?<=\d) (?=\d)"), ""),  # every digit is a word of its own
    (re.compile(r" (?=[,.!?;:%)\]}…])"), ""),
    (re.compile(r"(?<=[(\[{#$]) "), ""),
    (re.compile(r"(?<=\w) ?' ?(?=(?:s|t|re|ve|m|ll|d)\b)"), "'"),
    (re.compile(r'" ([^"]*?) "'), r'"\1"'),
    (re.compile(r"(?<=\w) ([-/&]) (?=\w)"), r"\1"),
    (re.compile(r"(?<=\d)([.,:]) (?=\d)"), r"\1"),
)


def tidy(text: str) -> str:
    """A caption as people write it: ``hello , world !`` becomes ``hello, world!``."""
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())
