"""Captions and tags of people are tidied before they are stored."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.annotations.text import MAX_CAPTION_LETTERS, caption_of, one_line, tag_of
from cocadesk.errors import UserError


@pytest.mark.parametrize(
    ("given_text", "kept"),
    [
        ("  a dog\n\ton a  beach \r\n", "a dog on a beach"),
        ("Ma\u0308dchen", "Mädchen"),
        ("one\u2028two\u00a0three\x0bfour", "one two three four"),
        ("bell\x07 and nul\0", "bell and nul"),
        ("lost \ud800 half", "lost ? half"),
        ("👩\u200d👧 family", "👩\u200d👧 family"),
        ("", ""),
    ],
)
def test_text_becomes_one_tidy_line(given_text: str, kept: str) -> None:
    """Spaces, line ends, controls and letters in pieces are put in order, joiners stay."""
    assert one_line(given_text) == kept


# Code points rather than ``st.text``, whose table of all letters takes seconds to make.
any_text = st.lists(st.integers(0, 0x3000) | st.integers(0, 0x10FFFF), max_size=30).map(
    lambda points: "".join(map(chr, points))
)


@settings(max_examples=60)
@given(any_text)
def test_a_tidy_line_stays_as_it_is(text: str) -> None:
    """Tidying twice is tidying once, in NFC, on one line, storable as UTF-8."""
    tidy = one_line(text)
    assert one_line(tidy) == tidy
    assert len(tidy.splitlines()) <= 1
    assert tidy == unicodedata.normalize("NFC", tidy)
    assert tidy.encode("utf-8").decode() == tidy


def test_what_cannot_be_kept_is_refused_in_a_sentence() -> None:
    """Empty tags and endless captions."""
    for tag in ("", " \n", "\0"):
        with pytest.raises(UserError, match="at least one letter"):
            tag_of(tag)
    with pytest.raises(UserError, match="too long"):
        tag_of("x" * 300)
    assert caption_of("y" * MAX_CAPTION_LETTERS)
    with pytest.raises(UserError, match="too long"):
        caption_of("y" * (MAX_CAPTION_LETTERS + 1))
