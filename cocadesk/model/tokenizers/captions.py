"""Captions as a network reads them, and as people write them."""

from __future__ import annotations

import re
import unicodedata

_TIDY = (
    (re.compile(r" (?=[,.!?;:%)\]}…])"), ""),
    (re.compile(r"(?<=[(\[{#$]) "), ""),
    (re.compile(r"(?<=\w) ?' ?(?=(?:s|t|re|ve|m|ll|d)\b)"), "'"),
    (re.compile(r"(?<=\b[oldy]) ' (?=\w)"), "'"),  # o'clock, l'eau, d'or, y'all
    (re.compile(r"(?<=s) ' (?=\w)"), "' "),  # the boys' dog
    (re.compile(r'" ([^"]*?) "'), r'"\1"'),
    (re.compile(r"(?<=\w) ([-/]) (?=\w)"), r"\1"),
    (re.compile(r"(?<=\b\w) & (?=\w\b)"), "&"),
    (re.compile(r"(?<=\b[a-z]\.) (?=[a-z]\.)"), ""),  # a.m.
    (re.compile(r"(?<=\d)([.:]) (?=\d)"), r"\1"),
    (re.compile(r"\b(\d{1,3}), (?=\d{3}\b)"), r"\1,"),
)


def tidy(text: str) -> str:
    """A caption as people write it: ``hello , world !`` becomes ``hello, world!``."""
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def clean_caption(text: str) -> str:
    """A caption as training sees it: NFC, one line, single spaces, no ends' blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def prepare_caption(caption: str, *, lowercase: bool) -> str:
    """A caption as a network sees it: one line, without the final full stop."""
    text = clean_caption(caption).removesuffix(".").rstrip()
    return text.lower() if lowercase else text
