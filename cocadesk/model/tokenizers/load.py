"""The tokenizer of a checkpoint, by the kind of its file."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models

from cocadesk.errors import UserError, tr
from cocadesk.model.tokenizers.byte_pairs import CLIP_SUFFIX, BpeTokenizer, ClipTokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.tokenizers.word_pieces import WordPieceTokenizer


def load_tokenizer(path: Path) -> TextTokenizer:
    """Reads a file of ``TextTokenizer.to_json``'s text.

    Raises:
        UserError: it is missing, or no tokenizer of ours.
    """
    try:
        return _of_kind(Tokenizer.from_str(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            tr("The tokenizer {path} cannot be read.", path=path), f"{error}."
        ) from error
    except Exception as error:  # tokenizers raises plain Exception on foreign JSON
        if isinstance(error, UserError):
            raise
        raise UserError(
            tr("The tokenizer {path} cannot be used.", path=path), f"{error}."
        ) from error


def _of_kind(tokenizer: Tokenizer) -> TextTokenizer:
    if getattr(tokenizer.model, "end_of_word_suffix", None) == CLIP_SUFFIX:
        return ClipTokenizer(tokenizer)
    if isinstance(tokenizer.model, models.WordPiece):
        return WordPieceTokenizer(tokenizer)
    return BpeTokenizer(tokenizer)
