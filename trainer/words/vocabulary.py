"""The starter's tokenizer: the sentence model's pieces, ordered by how often captions have them.

Common pieces come first, so that the captioner may score the first few thousand alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import torch
from tokenizers import Tokenizer
from torch import Tensor

from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.tokenizers.word_pieces import WordPieceTokenizer, word_piece_tokenizer
from trainer.words.sentence_model import BEGIN, END, MASK, PAD, UNKNOWN

#: Our markers, in the order of their ids, and the pieces whose rows they start from. The last
#: three stand before a caption and say its style.
MARKERS = {
    "<pad>": PAD,
    "<begin>": BEGIN,
    "<end>": END,
    UNKNOWN: UNKNOWN,
    "<short>": "short",
    "<sentence>": "sentence",
    "<alt text>": "description",
}
#: The ids that stand after the beginning of a caption and say its style.
SHORT, SENTENCE, ALT_TEXT = (
    list(MARKERS).index(m) for m in ("<short>", "<sentence>", "<alt text>")
)
_CHUNK = 4096


def build_tokenizer(pieces: Tokenizer, texts: Iterable[str]) -> WordPieceTokenizer:
    """A tokenizer with the pieces of another, the commonest first."""
    counts: Counter[int] = Counter()
    for chunk in _chunks(texts):
        for encoding in pieces.encode_batch(chunk, add_special_tokens=False):
            counts.update(encoding.ids)
    known = pieces.get_vocab()
    markers = {PAD, BEGIN, END, MASK, UNKNOWN}
    used = [p for p in known if p not in markers and not p.startswith("[unused")]
    used.sort(key=lambda piece: (-counts[known[piece]], known[piece]))
    return word_piece_tokenizer([*MARKERS, *used])


def table_rows(tokenizer: TextTokenizer, pieces: Tokenizer) -> Tensor:
    """(V,) int64: the rows of the sentence model's table that a tokenizer's ids start from."""
    known = pieces.get_vocab()
    rows = known | {ours: known.get(theirs, known[UNKNOWN]) for ours, theirs in MARKERS.items()}
    found = torch.zeros(tokenizer.vocabulary, dtype=torch.int64)
    for piece, row in rows.items():
        number = tokenizer.id_of(piece)
        if number is not None:
            found[number] = row
    return found


def _chunks(texts: Iterable[str]) -> Iterable[list[str]]:
    chunk: list[str] = []
    for text in texts:
        chunk.append(text)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    yield chunk
