"""BERT's word pieces, lower-cased and without accents, in which every text can be spelled."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

from cocadesk.errors import UserError, tr
from cocadesk.model.tokenizers.captions import tidy
from cocadesk.model.tokenizers.tokenizer import TextTokenizer, check_markers

UNKNOWN = "[UNK]"
#: Before a piece that goes on with a word.
INSIDE = "##"
_HEX = "0123456789abcdef"
#: Code points are spelled with these: ``u+1f600``, or a run of them ``u+10d7+10d1``.
SPELLING = (UNKNOWN, "u", "+", *_HEX, *(INSIDE + digit for digit in _HEX))
_SPELLED = re.compile(r"(?<!\S)u((?: \+ [0-9a-f]{4,6}(?!\S))+)")
#: Pieces that no text gives, and that are no part of a text.
_MARKER = re.compile(rf"<.+>|{re.escape(UNKNOWN)}")
#: Longer words are cut: finding a word's pieces takes the cube of its length.
_LONGEST_WORD = 100


class WordPieceTokenizer(TextTokenizer):
    """Word pieces: case, accents and spacing are lost, each other character is kept.

    A character without a piece (an emoji, a rare letter) is spelled by its code point,
    and ``decode`` turns it back: no two names become the same unknown token.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer)
        _check(tokenizer)
        tokenizer.model.max_input_chars_per_word = _LONGEST_WORD
        self._ids: dict[str, int] = tokenizer.get_vocab()
        self._pieces = {number: piece for piece, number in self._ids.items()}
        self._unknown = self._ids[UNKNOWN]

    def _split(self, text: str) -> list[int]:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        reads_as_code = ("u", "+") in pairwise(self._pieces[number] for number in ids)
        if self._unknown in ids or reads_as_code:
            ids = self._tokenizer.encode(self._spelled(text), add_special_tokens=False).ids
        return list(ids)

    def _spelled(self, text: str) -> str:
        """The words of a text, those without pieces cut or spelled by code points."""
        normal = self._tokenizer.normalizer.normalize_str(text)
        words = (word for word, _ in self._tokenizer.pre_tokenizer.pre_tokenize_str(normal))
        return " ".join(part for word in words for part in self._parts(word))

    def _parts(self, word: str) -> Iterator[str]:
        # Each "+" is spelled too: beside a code point it would read as a part of that.
        if word != "+" and self._has_pieces(word):
            yield word
            return
        for has_piece, run in groupby(word, self._has_piece):
            part = "".join(run)
            if has_piece:
                yield from (
                    part[at : at + _LONGEST_WORD] for at in range(0, len(part), _LONGEST_WORD)
                )
            else:
                yield "u" + "".join(f"+{ord(character):04x}" for character in part)

    def _has_pieces(self, word: str) -> bool:
        return all(token.id != self._unknown for token in self._tokenizer.model.tokenize(word))

    def _has_piece(self, character: str) -> bool:
        """True where a character has a piece at a word's beginning and one inside it."""
        return character != "+" and {character, INSIDE + character} <= self._ids.keys()

    def _join(self, ids: list[int]) -> str:
        pieces = (self._pieces.get(number, UNKNOWN) for number in ids)
        text = "".join(
            piece.removeprefix(INSIDE) if piece.startswith(INSIDE) else f" {piece}"
            for piece in pieces
            if not _MARKER.fullmatch(piece)
        )
        return tidy(_SPELLED.sub(_characters, text.strip()))


def word_piece_tokenizer(pieces: Sequence[str]) -> WordPieceTokenizer:
    """A tokenizer of these pieces in the order of their ids; our markers come first.

    Raises:
        UserError: the markers, or the pieces that spell code points, are not all there.
    """
    if len(set(pieces)) != len(pieces):
        raise ValueError("a piece stands twice in the list")
    ids = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(
        models.WordPiece(ids, unk_token=UNKNOWN, max_input_chars_per_word=_LONGEST_WORD)
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    return WordPieceTokenizer(tokenizer)


def _check(tokenizer: Tokenizer) -> None:
    """Refuses a vocabulary in which a text could be lost."""
    check_markers(tokenizer)
    missing = [piece for piece in SPELLING if tokenizer.token_to_id(piece) is None]
    if missing:
        raise UserError(
            tr("The model's tokenizer cannot be used."),
            tr(
                "It has no piece {missing}, and cannot spell every character without it.",
                missing=missing[0],
            ),
            tr("Fetch or train the model again."),
        )
    if not (
        isinstance(tokenizer.normalizer, normalizers.BertNormalizer)
        and isinstance(tokenizer.pre_tokenizer, pre_tokenizers.BertPreTokenizer)
    ):
        raise UserError(
            tr("The model's tokenizer cannot be used."),
            tr("It does not find words as BERT does."),
            tr("Fetch or train the model again."),
        )


def _characters(spelled: re.Match[str]) -> str:
    codes = [int(code, 16) for code in spelled[1].split(" + ")[1:]]
    if any(code > sys.maxunicode or 0xD800 <= code <= 0xDFFF for code in codes):
        return spelled[0]  # a network may write what is no character
    return "".join(map(chr, codes))
