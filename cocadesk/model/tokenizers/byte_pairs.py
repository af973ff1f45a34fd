"""Byte-pair tokenizers: our own models' and CLIP's.

Ours is byte-level, so any Unicode text round-trips. CLIP's cleans, splits and joins
words around its pieces.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import tokenizers
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from cocadesk.errors import UserError

PAD, BEGIN, END = "<pad>", "<begin>", "<end>"
_SPECIAL = (PAD, BEGIN, END)
#: By it a ``tokenizer.json`` is known to hold CLIP's pieces.
CLIP_SUFFIX = "</w>"
CLIP_BEGIN, CLIP_END = "<start_of_text>", "<end_of_text>"
#: CLIP's words: a marker, an English ending, letters, one digit, or other signs in a row.
_WORD = (
    rf"{CLIP_BEGIN}|{CLIP_END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+"
)
_BATCH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenBatch:
    """``tokens_BT`` int64, padded; ``valid_BT`` bool marks what is not padding."""

    tokens_BT: NDArray[np.int64]
    valid_BT: NDArray[np.bool_]


class BpeTokenizer:
    """Text to token ids and back; ids 0, 1, 2 are padding, begin and end.

    There is no unknown token: every byte is in the vocabulary. Marker texts such
    as ``<end>`` inside a caption are read as plain text, never as the marker.
    """

    pad_id, begin_id, end_id = 0, 1, 2

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # a caption's "<end>" is only text

    @property
    def vocabulary(self) -> int:
        """The number of ids."""
        return int(self._tokenizer.get_vocab_size())

    def encode(self, text: str, context: int) -> list[int]:
        """Begin, the text, end; cut to ``context`` ids with the end marker kept."""
        # The added space makes "dog" the same token at any place; decode takes it off.
        ids = self._tokenizer.encode(f" {text}", add_special_tokens=False).ids
        return [self.begin_id, *ids[: context - 2], self.end_id]

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
        return str(self._tokenizer.decode(words, skip_special_tokens=False)).removeprefix(" ")

    def to_json(self) -> str:
        """The tokenizer as JSON, for ``load``."""
        return str(self._tokenizer.to_str())

    @staticmethod
    def load(path: Path) -> BpeTokenizer:
        """Reads a file of ``to_json``'s text.

        Raises:
            UserError: it is missing, or no tokenizer of ours.
        """
        try:
            tokenizer = Tokenizer.from_str(path.read_text("utf-8"))
            if getattr(tokenizer.model, "end_of_word_suffix", None) == CLIP_SUFFIX:
                return ClipTokenizer(tokenizer)
            _check_markers(tokenizer)
            return BpeTokenizer(tokenizer)
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The tokenizer {path} cannot be read.", f"{error}.") from error
        except Exception as error:  # tokenizers raises plain Exception on foreign JSON
            if isinstance(error, UserError):
                raise
            raise UserError(f"The tokenizer {path} cannot be used.", f"{error}.") from error


class ClipTokenizer(BpeTokenizer):
    """CLIP's, as open_clip's CoCa weights need it: id for id the same.

    Unlike ours it loses case and spacing, and it reads its markers from text, as
    the one that the weights were trained with. Only ``decode`` differs from it:
    spaces before punctuation are taken out.
    """

    pad_id, begin_id, end_id = 0, 49_406, 49_407

    def encode(self, text: str, context: int) -> list[int]:
        ids: list[int] = []
        for run in _runs(_clip_words(text)):
            if run in ([CLIP_BEGIN], [CLIP_END]):
                ids.append(self.begin_id if run == [CLIP_BEGIN] else self.end_id)
            else:
                ids += self._tokenizer.encode(run, is_pretokenized=True).ids
        return [self.begin_id, *ids[: context - 2], self.end_id]

    def decode(self, ids: Iterable[int]) -> str:
        return _tidy(super().decode(ids))


def _clip_words(text: str) -> list[str]:
    """The words of a text, repaired (mojibake, HTML), lower-cased and split as CLIP does."""
    # Both come with open_clip; they are imported where they are used because a
    # program that runs our own models needs neither.
    import ftfy
    import regex  # type: ignore[import-untyped]

    text = text.encode("utf-8", "replace").decode()  # lone surrogates have no UTF-8
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


_TIDY = (
    (re.compile(r"(?<=\d) (?=\d)"), ""),  # every digit is a word of its own
    (re.compile(r" (?=[,.!?;:%)\]}…])"), ""),
    (re.compile(r"(?<=[(\[{#$]) "), ""),
    (re.compile(r"(?<=\w) ?' ?(?=(?:s|t|re|ve|m|ll|d)\b)"), "'"),
    (re.compile(r'" ([^"]*?) "'), r'"\1"'),
    (re.compile(r"(?<=\w) ([-/&]) (?=\w)"), r"\1"),
    (re.compile(r"(?<=\d)([.,:]) (?=\d)"), r"\1"),
)


def _tidy(text: str) -> str:
    """A caption as people write it: ``hello , world !`` becomes ``hello, world!``."""
    for pattern, replacement in _TIDY:
        text = pattern.sub(replacement, text)
    return " ".join(text.split())


def _check_markers(tokenizer: Tokenizer) -> None:
    if [tokenizer.token_to_id(marker) for marker in _SPECIAL] != [0, 1, 2]:
        raise UserError(
            "The model's tokenizer cannot be used.",
            "It does not have CocaDesk's markers for padding, begin and end.",
            "Fetch or train the model again.",
        )


def pad_batch(rows: Sequence[Sequence[int]], pad_id: int) -> TokenBatch:
    """Rows of ids as one padded array and its mask."""
    longest = max((len(row) for row in rows), default=0)
    tokens = np.full((len(rows), longest), pad_id, np.int64)
    valid = np.zeros((len(rows), longest), np.bool_)
    for index, row in enumerate(rows):
        tokens[index, : len(row)] = row
        valid[index, : len(row)] = True
    return TokenBatch(tokens_BT=tokens, valid_BT=valid)


def clean_caption(text: str) -> str:
    """A caption as training sees it: NFC, one line, single spaces, no ends' blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def prepare_caption(caption: str, *, lowercase: bool) -> str:
    """A caption as a network sees it: one line, without the final full stop."""
    text = clean_caption(caption).removesuffix(".").rstrip()
    return text.lower() if lowercase else text


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> BpeTokenizer:
    """A byte-level BPE of at most ``vocabulary`` ids, learned from ``texts``.

    Raises:
        UserError: the vocabulary has no room for the 256 bytes and three markers.
    """
    if vocabulary < 256 + len(_SPECIAL):
        raise UserError(
            "The vocabulary is too small.",
            f"{vocabulary} ids cannot hold 256 bytes and {len(_SPECIAL)} markers.",
            "Choose at least 512.",
        )
    tokenizer = tokenizers.Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(
        (f" {text}" for text in texts),
        trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(_SPECIAL),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return BpeTokenizer(tokenizer)
