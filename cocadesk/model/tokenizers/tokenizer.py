"""What every tokenizer does: text to ids between two markers, batches, and text again."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from cocadesk.errors import UserError, tr

PAD, BEGIN, END = "<pad>", "<begin>", "<end>"
MARKERS = (PAD, BEGIN, END)
_BATCH = 64
_MOST_IDS_A_BYTE = 4
"""Shorter texts need no look: even spelled by code points they have fewer."""
_MOST_LETTERS_AN_ID = 200
"""Of a longer text the rest is never read; looking through a whole book would take long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBatch:
    """``tokens_BT`` int64, padded; ``valid_BT`` bool marks what is not padding."""

    tokens_BT: NDArray[np.int64]
    valid_BT: NDArray[np.bool_]

    def take(self, rows: NDArray[np.int64]) -> TokenBatch:
        """Some of the texts, padded to the longest of them."""
        valid = self.valid_BT[rows]
        longest = int(valid.sum(1).max(initial=0))
        return TokenBatch(tokens_BT=self.tokens_BT[rows, :longest], valid_BT=valid[:, :longest])


class TextTokenizer(ABC):
    """Text to token ids and back; ids 0, 1, 2 are padding, begin and end in models of ours.

    Marker texts such as ``<end>`` inside a caption are read as plain text, never as
    the marker.
    """

    pad_id, begin_id, end_id = 0, 1, 2

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # a caption's "<end>" is only text

    @property
    def vocabulary(self) -> int:
        """The number of ids."""
        return int(self._tokenizer.get_vocab_size())

    def id_of(self, piece: str) -> int | None:
        """The id of a piece as the vocabulary spells it; None where it has none."""
        found: int | None = self._tokenizer.token_to_id(piece)
        return found

    @abstractmethod
    def _split(self, text: str) -> list[int]:
        """The ids of a text, without markers."""

    @abstractmethod
    def _join(self, ids: list[int]) -> str:
        """The text of ids that are no markers."""

    def encode(self, text: str, context: int) -> list[int]:
        """Begin, the text, end; cut to ``context`` ids with the end marker kept."""
        text = text.encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8
        return [self.begin_id, *self._split(text)[: context - 2], self.end_id]

    def fitting(self, text: str, context: int) -> str:
        """The text, or so many of its first words as ``context`` ids hold.

        A first word that is too long alone is kept: it is cut within.
        """
        most = context - 2
        if _MOST_IDS_A_BYTE * len(text.encode("utf-8", "replace")) <= most or self._fits(
            text, most
        ):
            return text
        ends = [match.end() for match in re.finditer(r"\S+", text[: _MOST_LETTERS_AN_ID * most])]
        place = bisect_left(ends, True, key=lambda end: not self._fits(text[:end], most))
        return text[: ends[max(place, 1) - 1]] if ends else text

    def _fits(self, text: str, most: int) -> bool:
        return len(self._split(text.encode("utf-8", "replace").decode())) <= most

    def batch(self, texts: Sequence[str], context: int) -> TokenBatch:
        """Several texts, padded to the longest of them."""
        rows = [self.encode(text, context) for text in texts]
        return pad_batch(rows, self.pad_id)

    def batches(self, texts: Sequence[str], context: int) -> Iterator[tuple[list[int], TokenBatch]]:
        """All texts in batches, each with its places in ``texts``.

        Texts of like length stand together: little is spent on padding.
        """
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            yield rows, self.batch([texts[row] for row in rows], context)

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids up to the first end marker."""
        words: list[int] = []
        for token in ids:
            if token == self.end_id:
                break
            if token not in (self.pad_id, self.begin_id):
                words.append(int(token))
        return self._join(words)

    def to_json(self) -> str:
        """The tokenizer as JSON, for ``load_tokenizer``."""
        return str(self._tokenizer.to_str())


def pad_batch(rows: Sequence[Sequence[int]], pad_id: int) -> TokenBatch:
    """Rows of ids as one padded array and its mask."""
    longest = max((len(row) for row in rows), default=0)
    tokens = np.full((len(rows), longest), pad_id, np.int64)
    valid = np.zeros((len(rows), longest), np.bool_)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = row
        valid[index, : len(row)] = True
    return TokenBatch(tokens_BT=tokens, valid_BT=valid)


def check_markers(tokenizer: Tokenizer) -> None:
    """Looks whether a vocabulary begins with the markers of our models.

    Raises:
        UserError: it does not.
    """
    if [tokenizer.token_to_id(marker) for marker in MARKERS] != [0, 1, 2]:
        raise UserError(
            tr("The model's tokenizer cannot be used."),
            tr("It does not have CocaDesk's markers for padding, begin and end."),
            tr("Fetch or train the model again."),
        )
