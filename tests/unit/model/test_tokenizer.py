"""The tokenizer: any text round-trips, markers are never read from text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.errors import UserError
from cocadesk.model.tokenizers.byte_pairs import train_tokenizer
from cocadesk.model.tokenizers.captions import clean_caption
from cocadesk.model.tokenizers.load import load_tokenizer
from tests.support.tiny_model import tiny_tokenizer

TOKENIZER = tiny_tokenizer()


@given(st.text(max_size=60))
def test_any_unicode_text_round_trips(text: str) -> None:
    """There is no unknown token: encode then decode gives the text back."""
    text = text.encode("utf-8", "ignore").decode()
    assert TOKENIZER.decode(TOKENIZER.encode(text, 4096)) == text


@pytest.mark.parametrize("text", ["<end>", "<pad> a <begin> dog <end> runs", "🐶 日本\u200d\x00"])
def test_marker_texts_are_plain_text(text: str) -> None:
    """A caption that says "<end>" does not end."""
    ids = TOKENIZER.encode(text, 256)
    assert ids.count(TOKENIZER.end_id) == 1
    assert TOKENIZER.decode(ids) == text


def test_a_long_caption_is_cut_and_still_ends() -> None:
    """The end marker is kept at the context's last place."""
    ids = TOKENIZER.encode("dog " * 200, 40)
    assert len(ids) == 40
    assert ids[-1] == TOKENIZER.end_id


def test_a_word_has_the_same_tokens_at_any_place() -> None:
    """A query "dog" is what training saw inside sentences."""
    alone = TOKENIZER.encode("dog", 40)[1:-1]
    inside = TOKENIZER.encode("a brown dog", 40)
    assert inside[-1 - len(alone) : -1] == alone


def test_a_batch_is_padded_to_its_longest() -> None:
    """The mask marks exactly what is not padding."""
    batch = TOKENIZER.batch(["a", "a brown dog runs"], 40)
    assert batch.valid_BT.sum(1).tolist() == [
        len(TOKENIZER.encode("a", 40)),
        len(TOKENIZER.encode("a brown dog runs", 40)),
    ]
    assert (batch.tokens_BT[~batch.valid_BT] == TOKENIZER.pad_id).all()


def test_a_tokenizer_survives_its_file_and_a_foreign_file_is_named(tmp_path: Path) -> None:
    """Same ids after loading; JSON that is no tokenizer gives a sentence."""
    path = tmp_path / "tokenizer.json"
    path.write_text(TOKENIZER.to_json(), "utf-8")
    assert load_tokenizer(path).encode("a dog", 40) == TOKENIZER.encode("a dog", 40)
    path.write_text('{"version": "1.0"}')
    with pytest.raises(UserError, match="cannot be used"):
        load_tokenizer(path)
    with pytest.raises(UserError, match="cannot be read"):
        load_tokenizer(tmp_path / "absent.json")


def test_a_vocabulary_without_room_for_the_bytes_is_refused() -> None:
    """256 bytes and three markers are the least."""
    with pytest.raises(UserError, match="too small"):
        train_tokenizer(["a dog"], 200)


def test_captions_are_cleaned_to_one_composed_line() -> None:
    """Line breaks and doubled blanks go, accents are composed."""
    assert clean_caption(" cafe\u0301\n\n au   lait ") == "café au lait"
