"""Caption tokens after the Penn Treebank's manner, for the caption metrics."""

from __future__ import annotations

import re

TOKENIZER = "ptb-like-1 (lower case, Treebank splits of contractions, punctuation removed)"
"""What was done to the texts; stands beside every caption metric."""

_ABBREVIATIONS = frozenset(
    {"dr.", "mr.", "mrs.", "ms.", "jr.", "sr.", "st.", "rd.", "ft.", "blvd.", "etc.", "vs."}
)

# Contractions lose their tail as a token of its own: "don't" is "do n't", "dog's" is "dog 's".
_CONTRACTION = re.compile(r"(n't|'(?:s|m|d|ll|re|ve))$")
_JOINED = {
    "cannot": ("can", "not"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "wanna": ("wan", "na"),
    "gimme": ("gim", "me"),
    "lemme": ("lem", "me"),
}

_TOKEN = re.compile(
    r"""
    \d+(?:[.,:/]\d+)*(?:[a-z]+)?          # 3, 1,000, 2.5, 10:30, 1/2, 1st
    | (?:[^\W\d_]\.){2,}                  # u.s., a.m.
    | '(?:s|m|d|ll|re|ve)(?![^\W_])        # a tail that stands free, and of the 70's
    | [^\W_]+(?:[-'&/][^\W_]+)*'?\.?      # words, t-shirt, don't, at&t, his/her
    | [$%#@&+=*/\u20ac\u00a3]             # signs that count as words
    """,
    re.VERBOSE,
)


def tokenize(text: str) -> list[str]:
    """The tokens of a caption as coco-caption's Treebank tokenizer would mostly give them.

    Lower case; contractions are split; sentence punctuation, quotes, brackets
    and free dashes are dropped; hyphenated words, numbers and currency signs stay.
    It needs no Java, and differs from Stanford's lexer only in rare words.
    """
    plain = text.lower().replace("\u2019", "'").replace("\u2018", "'")
    tokens: list[str] = []
    for match in _TOKEN.finditer(plain):
        tokens.extend(_split(match.group()))
    return tokens


def _split(piece: str) -> tuple[str, ...]:
    """One match of the pattern as tokens: full stops, contractions and joined words apart."""
    is_initials = piece.count(".") > 1 and piece.endswith(".")
    if piece.endswith(".") and not is_initials and piece not in _ABBREVIATIONS:
        piece = piece[:-1]
    piece = piece.removesuffix("'")
    if piece in _JOINED:
        return _JOINED[piece]
    tail = _CONTRACTION.search(piece)
    if tail and tail.start() > 0:
        return piece[: tail.start()], tail.group()
    return (piece,)
