"""CLIP's tokenizer, as open_clip's CoCa weights need it: id for id the same.

Its merges are read from open_clip's data file, without importing open_clip
(which would import torch and torchvision). A checkpoint keeps them in its own
``tokenizer.json``, so that it does not need that file again.
"""

from __future__ import annotations

import gzip
import html
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from cocadesk.errors import UserError
from cocadesk.model.tokenizer import BpeTokenizer, TokenBatch, pad_batch

VOCABULARY = 49_408
SUFFIX = "</w>"
_DATA = "bpe_simple_vocab_16e6.txt.gz"
#: 256 bytes, the same at a word's end, the merges, and two markers.
_MERGES = VOCABULARY - 2 * 256 - 2
_BEGIN, _END = "<start_of_text>", "<end_of_text>"
#: What a word is: a marker, an English ending, letters, one digit, or other signs in a row.
_WORD = rf"{_BEGIN}|{_END}|'s|'t|'re|'ve|'m|'ll|'d|[\p{{L}}]+|[\p{{N}}]|[^\s\p{{L}}\p{{N}}]+"


class ClipTokenizer(BpeTokenizer):
    """Lower-cases, repairs mojibake and HTML, and splits as CLIP does.

    Unlike our own tokenizer it loses case and spacing, and it reads its markers
    from text, as the one that the weights were trained with. Only ``decode``
    differs: spaces before punctuation are taken out.
    """

    pad_id, begin_id, end_id = 0, VOCABULARY - 2, VOCABULARY - 1

    def encode(self, text: str, context: int) -> list[int]:
        ids: list[int] = []
        for run in _runs(_words(text)):
            if run == [_BEGIN] or run == [_END]:
                ids.append(self.begin_id if run == [_BEGIN] else self.end_id)
            else:
                ids += self._tokenizer.encode(run, is_pretokenized=True).ids
        return [self.begin_id, *ids[: context - 2], self.end_id]

    def batch(self, texts: Sequence[str], context: int) -> TokenBatch:
        return pad_batch([self.encode(text, context) for text in texts], self.pad_id)

    def decode(self, ids: Iterable[int]) -> str:
        return tidy(super().decode(ids))


def _words(text: str) -> list[str]:
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
    run: list[str] = []
    for word in words:
        if word in (_BEGIN, _END):
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


def is_clip(tokenizer: Tokenizer) -> bool:
    """True where ``tokenizer.json`` holds CLIP's merges."""
    return getattr(tokenizer.model, "end_of_word_suffix", None) == SUFFIX


@lru_cache(maxsize=1)
def clip_tokenizer() -> ClipTokenizer:
    """CLIP's tokenizer from open_clip's data file.

    Raises:
        UserError: open_clip is not installed or its file is damaged.
    """
    return ClipTokenizer(_build(_read_merges(data_file())))


def data_file() -> Path:
    """Where open_clip keeps CLIP's merges; open_clip itself is not imported."""
    spec = find_spec("open_clip")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _DATA
        if path.is_file():
            return path
    raise UserError(
        "CLIP's vocabulary is missing.",
        "It comes with open_clip, which is not installed here.",
        "Install it: pip install open_clip_torch",
    )


def _read_merges(path: Path) -> list[tuple[str, str]]:
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(
            f"CLIP's vocabulary {path} cannot be read.", f"{error}.", "Install open_clip again."
        ) from error
    pairs = [tuple(line.split()) for line in lines[1 : _MERGES + 1]]
    if len(pairs) != _MERGES or any(len(pair) != 2 for pair in pairs):
        raise UserError(
            f"CLIP's vocabulary {path} cannot be used.",
            "It does not hold the merges that CLIP has.",
            "Install open_clip again.",
        )
    return [(first, second) for first, second in pairs]


def _build(merges: list[tuple[str, str]]) -> Tokenizer:
    alphabet = _byte_letters()
    pieces = [*alphabet, *(letter + SUFFIX for letter in alphabet)]
    pieces += [first + second for first, second in merges]
    pieces += [_BEGIN, _END]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    model: Any = models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=SUFFIX)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    space = chr(256 + ord(" "))  # the letter of the byte
    tokenizer.decoder = decoders.Sequence([decoders.Replace(SUFFIX, space), decoders.ByteLevel()])
    return tokenizer


def _byte_letters() -> list[str]:
    """The 256 letters that stand for bytes, in CLIP's order: printable ones first."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printable)
    return [chr(code) for code in (*printable, *range(256, 256 + others))]
