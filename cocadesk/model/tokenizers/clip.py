"""CLIP's vocabulary from open_clip's data file, without importing open_clip.

(That would import torch and torchvision.) A checkpoint keeps it in its own
``tokenizer.json``, so that it does not need the file again.
"""

from __future__ import annotations

import gzip
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from cocadesk.errors import UserError, tr
from cocadesk.model.tokenizers.byte_pairs import (
    CLIP_BEGIN,
    CLIP_END,
    CLIP_SUFFIX,
    ClipTokenizer,
)

VOCABULARY = 49_408
_DATA = "bpe_simple_vocab_16e6.txt.gz"
#: 256 bytes, the same at a word's end, the merges, and two markers.
_MERGES = VOCABULARY - 2 * 256 - 2


@lru_cache(maxsize=1)
def clip_tokenizer() -> ClipTokenizer:
    """CLIP's tokenizer from open_clip's data file.

    Raises:
        UserError: open_clip is not installed or its file is damaged.
    """
    return ClipTokenizer(_build(_read_merges(data_file())))


def data_file() -> Path:
    """The file of CLIP's merges in open_clip's package; open_clip itself is not imported."""
    spec = find_spec("open_clip")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / _DATA
        if path.is_file():
            return path
    raise UserError(
        tr("CLIP's vocabulary is missing."),
        tr("It comes with open_clip, which is not installed here."),
        tr("Install it: pip install open_clip_torch"),
    )


def _read_merges(path: Path) -> list[tuple[str, str]]:
    try:
        lines = gzip.decompress(path.read_bytes()).decode("utf-8").split("\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(
            tr("CLIP's vocabulary {path} cannot be read.", path=path),
            f"{error}.",
            tr("Install open_clip again."),
        ) from error
    pairs = [tuple(line.split()) for line in lines[1 : _MERGES + 1]]
    if len(pairs) != _MERGES or any(len(pair) != 2 for pair in pairs):
        raise UserError(
            tr("CLIP's vocabulary {path} cannot be used.", path=path),
            tr("It does not hold the merges that CLIP has."),
            tr("Install open_clip again."),
        )
    return [(first, second) for first, second in pairs]


def _build(merges: list[tuple[str, str]]) -> Tokenizer:
    alphabet = _byte_letters()
    pieces = [*alphabet, *(letter + CLIP_SUFFIX for letter in alphabet)]
    pieces += [first + second for first, second in merges]
    pieces += [CLIP_BEGIN, CLIP_END]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    model: Any = models.BPE(vocab=vocabulary, merges=merges, end_of_word_suffix=CLIP_SUFFIX)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    space = chr(256 + ord(" "))  # the letter of the byte
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace(CLIP_SUFFIX, space), decoders.ByteLevel()]
    )
    return tokenizer


def _byte_letters() -> list[str]:
    """The 256 letters that stand for bytes, in CLIP's order: printable ones first."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printable)
    return [chr(code) for code in (*printable, *range(256, 256 + others))]
