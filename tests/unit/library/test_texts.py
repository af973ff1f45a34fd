"""Many texts at once are compared as Python compares each of them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.library.texts import Texts

LETTERS = st.text("abä🐶\0", max_size=6)
SOME = st.lists(LETTERS, max_size=12)


@given(texts=SOME, wanted=LETTERS)
def test_texts_are_compared_as_one_by_one(texts: list[str], wanted: str) -> None:
    """Equal, holding and beginning; no text runs into the next one."""
    many = Texts.of(texts)
    assert many.equal(wanted).tolist() == [text == wanted for text in texts]
    assert many.containing(wanted).tolist() == [wanted in text for text in texts]
    assert many.starting(wanted).tolist() == [text.startswith(wanted) for text in texts]


@given(texts=SOME, more=SOME, places=st.lists(st.integers(0, 11), max_size=8))
def test_texts_are_a_sequence(texts: list[str], more: list[str], places: list[int]) -> None:
    """Joined, picked and sliced like a list; the bytes of others are not among those picked."""
    many = Texts.joined([Texts.of(texts), Texts.of(more)])
    assert list(many) == [*texts, *more]
    assert many[1:3] == [*texts, *more][1:3]
    places = [place for place in places if place < len(many)]
    some = many.some(np.array(places, np.intp))
    assert list(some) == [[*texts, *more][place] for place in places]
    assert some.data.tobytes() == "".join(some).encode()


def test_a_text_over_the_end_of_a_piece_is_found() -> None:
    """Long tables are looked through in pieces."""
    texts = Texts.of(["x" * ((1 << 22) - 2), "needle", "x" * 9])
    assert texts.containing("needle").tolist() == [False, True, False]
    assert texts.containing("xn").tolist() == [False, False, False]
