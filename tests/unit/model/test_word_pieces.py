"""Word pieces: every text has a spelling, and captions read as people write them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, normalizers

from cocadesk.errors import UserError
from cocadesk.model.tokenizers.load import load_tokenizer
from cocadesk.model.tokenizers.word_pieces import (
    UNKNOWN,
    WordPieceTokenizer,
    word_piece_tokenizer,
)
from tests.support.word_pieces import PIECES, WORDS

TOKENIZER = word_piece_tokenizer(PIECES)
_UNKNOWN_ID = PIECES.index(UNKNOWN)
_NAMES = ("🐶", "😀", "日", "წ", "ზორბლი", "zor🐶bli", "🐶🐶", "🐶😀", "😀🐶", "u+1f436", "+🐶+")


def _normal(text: str) -> str:
    return str(normalizers.BertNormalizer(lowercase=True).normalize_str(text))


def _round_trip(text: str) -> str:
    return TOKENIZER.decode(TOKENIZER.encode(text, 4096))


@pytest.mark.parametrize(
    "text",
    [
        "a man's t-shirt, and it's 3:30",
        'a sign that says "stop" (in red): 50% off!',
        "two 10 year olds, 3.5 km from st. louis at 7 a.m.",
        "the boys' dog doesn't like o'clock, black-and-white or 1/2",
        "1,000 people in 1990, 20 of them black & white",
        "#1 dad paid $5 or £6; why?!",
    ],
)
def test_a_decoded_caption_reads_as_people_write(text: str) -> None:
    """Pieces are joined, and spaces before punctuation are taken out."""
    assert _round_trip(text) == text


_CAPTIONS = st.lists(
    st.tuples(st.sampled_from(WORDS), st.sampled_from(["", "", "", ",", ":", ";", "'s", "!"])),
    min_size=1,
    max_size=12,
).map(lambda parts: " ".join(word + sign for word, sign in parts))


@given(_CAPTIONS, st.sampled_from([str.lower, str.upper, str.title]))
def test_any_english_caption_comes_back_in_lower_case(
    caption: str, case: Callable[[str], str]
) -> None:
    """Words, signs and spaces; only the case is lost."""
    assert _round_trip(case(caption)) == caption.lower()


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_no_character_of_any_text_is_lost(text: str) -> None:
    """All that the normaliser leaves comes back, but for spaces; nothing is unknown."""
    ids = TOKENIZER.encode(text, 4096)
    assert _UNKNOWN_ID not in ids
    decoded = TOKENIZER.decode(ids)
    assert "".join(decoded.split()) == "".join(_normal(text).split())
    assert _round_trip(decoded) == decoded


@given(st.lists(st.sampled_from([*"u+0123456789abcdef \U0001f436წ", "u+", "+1f436"])).map("".join))
def test_text_that_looks_like_a_spelling_is_only_text(text: str) -> None:
    """A caption that says "u+1f436" is no dog, beside dogs neither."""
    assert "".join(_round_trip(text).split()) == "".join(text.split())


def test_names_without_pieces_stay_different() -> None:
    """What people call a thing is not one unknown token."""
    assert len({tuple(TOKENIZER.encode(name, 64)) for name in _NAMES}) == len(_NAMES)
    assert [_round_trip(name).replace(" ", "") for name in _NAMES] == list(_NAMES)
    assert _round_trip("ზორბლი") == "ზორბლი", "a run of letters stays one word"


@pytest.mark.parametrize("text", ["<end>", "<pad> a <begin> dog [unk]", "<short>"])
def test_marker_texts_are_plain_text(text: str) -> None:
    """A caption that says "<end>" does not end."""
    ids = TOKENIZER.encode(text, 64)
    assert ids.count(TOKENIZER.end_id) == 1
    assert "".join(TOKENIZER.decode(ids).split()) == "".join(text.split())


def test_markers_and_odd_ids_of_a_network_are_no_text() -> None:
    """A style's marker, an unknown token and an id without a piece are left out."""
    dog = PIECES.index("dog")
    short = PIECES.index("<short>")
    assert TOKENIZER.decode([short, dog, _UNKNOWN_ID, len(PIECES) + 5]) == "dog"
    assert TOKENIZER.decode([PIECES.index("##s"), dog]) == "s dog"


@pytest.mark.parametrize("code", ["ffffff", "d800"])
def test_a_spelling_of_no_character_stays_as_it_is(code: str) -> None:
    """A network may write any digits."""
    digits = [code[0], *("##" + digit for digit in code[1:])]
    ids = [PIECES.index(piece) for piece in ("u", "+", *digits)]
    assert TOKENIZER.decode(ids) == f"u + {code}"


def test_a_very_long_word_is_cut_and_not_unknown() -> None:
    """Links and dumps of bytes are pasted as captions too."""
    word = "ab1c" * 300
    ids = TOKENIZER.encode(word, 4096)
    assert _UNKNOWN_ID not in ids
    assert TOKENIZER.decode(ids).replace(" ", "") == word


def test_a_lone_surrogate_is_no_error() -> None:
    """File names can bring one into a query."""
    assert TOKENIZER.encode("dog \ud800", 64)[:2] == TOKENIZER.encode("dog", 64)[:2]


def test_accents_and_case_change_no_id() -> None:
    """As in the sentence model whose pieces these are."""
    assert TOKENIZER.encode("Á DÓG", 64) == TOKENIZER.encode("a dog", 64)


def test_a_checkpoint_keeps_the_tokenizer_whole(tmp_path: Path) -> None:
    """Its file says that it holds word pieces, and which."""
    path = tmp_path / "tokenizer.json"
    path.write_text(TOKENIZER.to_json(), "utf-8")
    loaded = load_tokenizer(path)
    assert isinstance(loaded, WordPieceTokenizer)
    assert loaded.vocabulary == len(PIECES)
    text = "A dog's 🐶 u+1f436"
    assert loaded.encode(text, 64) == TOKENIZER.encode(text, 64)
    assert loaded.to_json() == TOKENIZER.to_json()


@pytest.mark.parametrize("piece", ["<end>", UNKNOWN, "u", "##f"])
def test_a_vocabulary_that_could_lose_a_text_is_refused(piece: str) -> None:
    """Markers, and the pieces that spell code points."""
    with pytest.raises(UserError, match="tokenizer cannot be used"):
        word_piece_tokenizer([other for other in PIECES if other != piece])


def test_pieces_that_stand_twice_are_refused() -> None:
    """The ids after the second one would be those of other rows."""
    with pytest.raises(ValueError, match="twice"):
        word_piece_tokenizer([*PIECES, "dog"])


@pytest.mark.parametrize("part", ["normalizer", "pre_tokenizer"])
def test_word_pieces_of_another_program_are_refused(tmp_path: Path, part: str) -> None:
    """Words that are found otherwise would have other ids."""
    foreign = Tokenizer.from_str(TOKENIZER.to_json())
    setattr(foreign, part, None)
    path = tmp_path / "tokenizer.json"
    path.write_text(foreign.to_str(), "utf-8")
    with pytest.raises(UserError, match="cannot be used") as caught:
        load_tokenizer(path)
    assert "as BERT does" in caught.value.why
