"""The words of many texts are found as a loop over the texts would find them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.library.paths import fold
from cocadesk.library.texts import Texts
from cocadesk.library.word_index import WordIndex, WordMatch
from cocadesk.library.words import is_unspaced, words_of

LETTERS = "aabbcAB1 _-.,'äÄéßøλ東京タワー한“”\u0301\u00a0"
TEXT = st.text(st.sampled_from(LETTERS), max_size=12) | st.text(max_size=8)


def slow_codes(texts: list[str], word: str, match: WordMatch) -> set[int]:
    """The same word by word."""

    def fits(own: str) -> bool:
        if is_unspaced(word):
            return word in own
        return own == word or (match is WordMatch.STARTS and own.startswith(word))

    return {n for n, text in enumerate(texts) if any(map(fits, words_of(text)))}


@given(st.lists(st.lists(TEXT, max_size=5), max_size=4), TEXT, st.sampled_from(WordMatch))
def test_growing_texts_hold_what_a_loop_finds(
    batches: list[list[str]], query: str, match: WordMatch
) -> None:
    """Whatever the script, and however often texts were added."""
    texts, all_texts = Texts.of([]), list[str]()
    for batch in batches:
        folded = [fold(text) for text in batch]
        all_texts += folded
        texts = Texts.joined([texts, Texts.of(folded)])
        index = WordIndex.of(texts)
        assert index.count == len(all_texts)
        for word in {*words_of(query), *(w for text in folded for w in words_of(text))}:
            found = index.codes(word, match)
            assert set(found.tolist()) == slow_codes(all_texts, word, match), word


def test_only_what_is_new_is_gone_through() -> None:
    """The parts of before are kept until they are small beside what came."""
    texts = Texts.of(f"img {n}" for n in range(1000))
    first = WordIndex.of(texts)
    more = Texts.joined([texts, Texts.of(["one more"])])
    second = WordIndex.of(more)
    assert second._parts[0] is first._parts[0]
    assert second.codes("more").tolist() == [1000]
    assert WordIndex.of(more) is second
    assert first.codes("more").tolist() == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ida's 2nd Party_day", ["ida", "s", "2nd", "party", "day"]),
        ("Ein Münchner in Œuvre, Straße", ["ein", "munchner", "in", "œuvre", "strasse"]),
        ("東京タワーTokyo", ["東京タワー", "tokyo"]),
        ("Ελλάδα — Ёлка", ["ελλαδα", "елка"]),
        ("ﬁne Ｗｉｄｅ", ["fine", "wide"]),
        ("", []),
    ],
)
def test_case_and_accents_do_not_count(text: str, words: list[str]) -> None:
    """Words are compared without them."""
    assert words_of(text) == words


def test_a_text_of_many_megabytes_is_read_to_some_length() -> None:
    """A file may say anything."""
    index = WordIndex.of(Texts.of(["a" * (5 << 20), "bee", "sea " * (2 << 20), "dee"]))
    assert np.array_equal(index.codes("dee"), [3])
    assert np.array_equal(index.codes("sea"), [2])
    assert np.array_equal(index.codes("bee"), [1])
