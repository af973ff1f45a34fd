"""Keys in little memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.protocol.messages import Keys
from ui.library.key_list import KeyList
from ui.library.stretches import GrowingList

TEXTS = st.lists(st.text("ab\u00e9\u4e00", min_size=1, max_size=5), unique=True, max_size=30)


@given(TEXTS, TEXTS, st.data())
def test_it_is_a_list_whatever_is_put_in_and_taken_out(
    first: list[str], more: list[str], data: st.DataObject
) -> None:
    """Keys of any length and script; shapes move with them."""
    more = [key for key in more if key not in first]
    keys = KeyList(first, bytes(range(1, len(first) + 1)))
    place = data.draw(st.integers(0, len(first)))
    keys.insert(place, more)
    plain = first[:place] + more + first[place:]
    shapes = [*range(1, place + 1), *[0] * len(more), *range(place + 1, len(first) + 1)]
    start = data.draw(st.integers(0, len(plain)))
    count = data.draw(st.integers(0, len(plain) - start))
    keys.delete(start, count)
    del plain[start : start + count], shapes[start : start + count]
    assert list(keys) == plain
    assert list(keys.shapes) == shapes
    assert keys.texts(start, start + count) == plain[start : start + count]
    for number, key in enumerate(plain):
        assert (keys[number], keys.place_of(key)) == (key, number)
    assert keys.place_of("another key") is None


def test_a_key_that_lies_across_two_others_is_not_found() -> None:
    """Bytes alone would find it."""
    keys = KeyList(["abab", "abcd"])
    assert keys.place_of("ababcd"[2:6]) == 1
    assert keys.place_of("babc") is None
    with pytest.raises(IndexError):
        keys[2]


def test_open_groups_take_their_members_with_their_shapes() -> None:
    """A member that stands elsewhere in the list goes from there."""
    keys = KeyList("abcd", b"\1\2\3\4")
    arranged = keys.arranged({"b": ("d", "x"), "gone": ("y",)})
    assert list(arranged) == ["a", "b", "d", "x", "c"]
    assert list(arranged.shapes) == [1, 2, 4, 0, 3]


def test_a_list_that_moves_between_two_stretches_has_no_key_twice() -> None:
    """Newcomers at its top push keys into the next stretch."""
    growing = GrowingList()
    growing.add(Keys(keys=("a", "b", "c"), total=5, shapes=b"\1\2\3"))
    assert growing.due() == (0, 3)
    growing.add(Keys(keys=("c", "d"), offset=3, total=6, shapes=b"\3\4"))
    assert growing.due() is None
    growing.add(Keys(keys=("e",), offset=5, total=6, shapes=b"\5"))
    assert growing.due() == (3, 5)
    assert list(growing.keys) == ["a", "b", "c", "d", "e"]
    assert list(growing.keys.shapes) == [1, 2, 3, 4, 5]
    assert growing.is_whole
