"""The natural order of names, against a slow version of itself."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.library.texts import Texts
from cocadesk.search.natural import natural_ranks


def slow_key(text: str) -> bytes:
    """Bytes that sort as the text does: each number follows the count of its digits."""
    pieces = re.findall(rb"[0-9]+|[^0-9]", text.encode())
    return b"".join(
        _number(piece.lstrip(b"0") or b"0") if piece.isdigit() else piece for piece in pieces
    )


def _number(digits: bytes) -> bytes:
    length = len(digits)
    return (bytes([48 + length]) if length < 9 else bytes([57, min(length, 255)])) + digits


def in_order(names: list[str]) -> list[str]:
    """The names by their ranks."""
    ranks = natural_ranks(Texts.of(names))
    return [names[place] for place in np.argsort(ranks, kind="stable").tolist()]


def test_numbers_in_names_count_as_numbers() -> None:
    """What every file manager does."""
    wanted = [
        "img",
        "img2.jpg",
        "img10.jpg",
        "img010b.jpg",
        "img100.jpg",
        "imgs",
        "z 1 2",
        "z 1 10",
    ]
    assert in_order(sorted(wanted)) == wanted
    assert in_order(wanted[::-1]) == wanted


def test_letters_of_other_scripts_and_emoji_are_no_digits() -> None:
    """Bytes of UTF-8 are never taken apart."""
    assert in_order(["é10", "é2", "😀1", "😀01", ""]) == ["", "é2", "é10", "😀1", "😀01"]


texts = st.lists(st.text(st.sampled_from("ab0019 .é😀"), max_size=40), max_size=40)


@given(texts)
def test_ranks_are_those_of_the_slow_version(names: list[str]) -> None:
    """Equal names share a rank, whatever stands around them."""
    ranks = natural_ranks(Texts.of(names)).tolist()
    keys = [slow_key(name) for name in names]
    assert [sorted(ranks).index(rank) for rank in ranks] == [sorted(keys).index(k) for k in keys]


def test_very_long_numbers_are_compared_by_their_digits() -> None:
    """A hash of digits only is a number as well."""
    longest = ["9" * 30, "1" + "0" * 30, "1" * 31, "8" * 254]
    assert in_order(longest[::-1]) == longest
