"""A small vocabulary of word pieces: ASCII, a few words, and the markers."""

from __future__ import annotations

import string

from cocadesk.model.tokenizers.tokenizer import MARKERS
from cocadesk.model.tokenizers.word_pieces import INSIDE, UNKNOWN

_LETTERS = string.ascii_lowercase + string.digits
#: The words of ``PIECES`` and others that are made of them.
WORDS = ("a", "man", "dog", "dogs", "red", "running", "on", "grass", "t-shirt", "cafe", "ball")
PIECES = (
    *(*MARKERS, UNKNOWN, "<short>"),
    *("man", "dog", "red", "run", "##ning", "on", "grass", "shirt", "ball", "##ll", "10"),
    *_LETTERS,
    *(INSIDE + letter for letter in _LETTERS),
    *string.punctuation,
    "£",
)
