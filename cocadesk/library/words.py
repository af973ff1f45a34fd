"""The words of a text as searches compare them: case and accents do not count."""

from __future__ import annotations

import re
import unicodedata

_ASCII = re.compile(r"[a-z0-9]+")
_LETTERS = "LMN"  # the first letters of Unicode's categories of letters, marks and numbers
_MARKS = re.compile("[\u0300-\u036f]+")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]+"
)
"""Scripts without spaces between words: Thai, Lao, Burmese, Khmer, Chinese and Japanese."""


def normal(text: str) -> str:
    """``text`` without case, accents and the forms of letters that print the same."""
    if text.isascii():
        return text.lower()
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFC", bare).casefold()


def words_of(text: str) -> list[str]:
    """The words of a text in their order, as ``normal`` gives them.

    What is written without spaces is one word; a part of it is looked for (``is_unspaced``).
    """
    folded = normal(text)
    if folded.isascii():
        return _ASCII.findall(folded)
    letters = "".join(
        letter if unicodedata.category(letter)[0] in _LETTERS else " " for letter in folded
    )
    return _UNSPACED.sub(lambda found: f" {found[0]} ", letters).split()


def is_unspaced(word: str) -> bool:
    """True for a word of a script that puts no spaces between words."""
    return not word.isascii() and _UNSPACED.fullmatch(word) is not None
