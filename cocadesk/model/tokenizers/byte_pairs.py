"""Byte-pair tokenizers: our own models' and CLIP's.

Ours is byte-level, so any Unicode text round-trips. CLIP's cleans, splits and joins
words around its pieces.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from itertools import groupby

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from cocadesk.errors import UserError, tr
from cocadesk.model.tokenizers.captions import tidy
from cocadesk.model.tokenizers.tokenizer import MARKERS, TextTokenizer, check_markers

#: By it a ``tokenizer.json`` is known to hold CLIP's pieces.
CLIP_SUFFIX = "</w>"
CLIP_BEGIN, CLIP_END = "<start_of_text>", "<end_of_text>"
#: CLIP's words: a marker, an English ending, letters, one digit, or other signs in a row.
_WORD = (
    rf"{CLIP_BEGIN}|{CLIP_END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+"
)
#: Each digit is a word of its own.
_BETWEEN_DIGITS = re.compile(r"(?<=\d) (?=\d)")


class BpeTokenizer(TextTokenizer):
    """Our own byte pairs: there is no unknown token, every byte is in the vocabulary."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__(tokenizer)
        check_markers(tokenizer)

    def _split(self, text: str) -> list[int]:
        # The added space makes "dog" the same token at any place; ``_join`` takes it off.
        return list(self._tokenizer.encode(f" {text}", add_special_tokens=False).ids)

    def _join(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False)).removeprefix(" ")


class ClipTokenizer(TextTokenizer):
    """CLIP's, as open_clip's CoCa weights need it: id for id the same.

    Unlike ours it loses case and spacing, and it reads its markers from text, as
    the one that the weights were trained with. Only ``decode`` differs from it:
    spaces before punctuation are taken out.
    """

    pad_id, begin_id, end_id = 0, 49_406, 49_407

    def _split(self, text: str) -> list[int]:
        ids: list[int] = []
        for run in _runs(_clip_words(text)):
            if run in ([CLIP_BEGIN], [CLIP_END]):
                ids.append(self.begin_id if run == [CLIP_BEGIN] else self.end_id)
            else:
                ids += self._tokenizer.encode(run, is_pretokenized=True).ids
        return ids

    def _join(self, ids: list[int]) -> str:
        text = str(self._tokenizer.decode(ids, skip_special_tokens=False))
        return tidy(_BETWEEN_DIGITS.sub("", text))


def _clip_words(text: str) -> list[str]:
    """The words of a text, repaired (mojibake, HTML), lower-cased and split as CLIP does."""
    # Both come with open_clip; they are imported where they are used because a
    # program that runs our own models needs neither.
    import ftfy
    import regex  # type: ignore[import-untyped]

    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    words: list[str] = regex.findall(_WORD, " ".join(text.split()).lower(), regex.IGNORECASE)
    return words


def _runs(words: list[str]) -> Iterable[list[str]]:
    """The words in order; each marker alone, all others in as long runs as there are."""
    for is_marker, run in groupby(words, key=(CLIP_BEGIN, CLIP_END).__contains__):
        if is_marker:
            yield from ([marker] for marker in run)
        else:
            yield list(run)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> BpeTokenizer:
    """A byte-level BPE of at most ``vocabulary`` ids, learned from ``texts``.

    Raises:
        UserError: the vocabulary has no room for the 256 bytes and three markers.
    """
    if vocabulary < 256 + len(MARKERS):
        raise UserError(
            tr("The vocabulary is too small."),
            tr(
                "{vocabulary} ids cannot hold 256 bytes and {markers} markers.",
                vocabulary=vocabulary,
                markers=len(MARKERS),
            ),
            tr("Choose at least 512."),
        )
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        (f" {text}" for text in texts),
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(MARKERS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return BpeTokenizer(tokenizer)
