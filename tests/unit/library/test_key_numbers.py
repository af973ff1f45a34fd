"""Keys and the numbers that stand for them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.library import key_numbers
from cocadesk.library.key_numbers import KeyList, KeyNumbers, KeySet

KEYS = st.lists(st.text("ABC1", min_size=1, max_size=3), max_size=10)


@given(first=KEYS, later=KEYS, asked=KEYS)
def test_a_key_has_one_number_for_ever(
    first: list[str], later: list[str], asked: list[str]
) -> None:
    """Those of a file first, then those that come, each once."""
    first = list(dict.fromkeys(first))
    keys = KeyNumbers(np.array([key.encode() for key in first], "S3"))
    known = list(dict.fromkeys([*first, *later]))
    assert keys.add(later).tolist() == [known.index(key) for key in later]
    assert [keys.key(number) for number in range(len(keys))] == known
    assert keys.keys_of(np.arange(len(keys))) == known
    assert keys.keys_of(np.arange(len(first))) == first
    for _ in range(2):  # what was asked for lately is found in another way
        assert keys.numbers(asked).tolist() == [
            known.index(key) if key in known else -1 for key in asked
        ]


def test_of_keys_asked_for_lately_few_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a key that came after it was asked for in vain gets its number."""
    monkeypatch.setattr(key_numbers, "_RECENT", 8)
    monkeypatch.setattr(key_numbers, "_KEPT_AT_ONCE", 2)
    names = [f"k{number:02}" for number in range(20)]
    keys = KeyNumbers(np.array([name.encode() for name in names[:15]]))
    assert keys.numbers(names).tolist() == [*range(15), *[-1] * 5]
    for name in names[:15]:
        assert keys.keys_of(keys.numbers([name])) == [name]
        assert len(keys._recent) <= 9
    assert keys.add(names[12:]).tolist() == list(range(12, 20))
    assert keys.numbers(names[::-1]).tolist() == list(range(20))[::-1]


@given(first=KEYS, later=st.lists(KEYS, max_size=3))
def test_numbers_can_be_had_in_the_order_of_their_keys(
    first: list[str], later: list[list[str]]
) -> None:
    """Also after more have come, however often it was asked before."""
    keys = KeyNumbers(np.array([key.encode() for key in dict.fromkeys(first)], "S3"))
    for some in [[], *later]:
        keys.add(some)
        ordered = keys.in_key_order().tolist()
        assert sorted(ordered) == list(range(len(keys)))
        names = [keys.key(number) for number in ordered]
        assert names == sorted(names)


def test_a_set_of_keys_is_made_when_it_is_asked_for() -> None:
    """It knows what it holds by a mask; keys that came later are not in it."""
    keys = KeyNumbers(np.array([b"b", b"a", b"c"]))
    some = KeySet(keys, np.array([True, False, True]))
    keys.add(["d"])
    assert set(some) == {"b", "c"} == some & {"a", "b", "c", "d"}
    assert (len(some), "b" in some, "a" in some, "d" in some, 7 in some) == (2, 1, 0, 0, 0)
    assert some.those_of(["d", "c", "x", "a", "b"]) == ["c", "b"]


def test_a_list_of_keys_is_a_sequence() -> None:
    """In the order of its numbers."""
    keys = KeyList(KeyNumbers(np.array([b"b", b"a", b"c"])), np.array([2, 0, 1]))
    assert (list(keys), keys[1:], keys[-1], len(keys)) == (["c", "b", "a"], ["b", "a"], "a", 3)
