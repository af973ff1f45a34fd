"""A library's own tags: kept in its folder, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.annotations import (
    has_own_vocabulary,
    library_vocabulary,
    load_vocabulary,
    set_own_vocabulary,
    tags_mark,
)
from cocadesk.errors import UserError


def test_own_tags_take_the_place_of_the_shipped_ones_and_go_again(tmp_path: Path) -> None:
    """Tidied and each once, as in a file; none brings the shipped ones back."""
    assert library_vocabulary(tmp_path).tags == load_vocabulary().tags
    assert not has_own_vocabulary(tmp_path)
    set_own_vocabulary(tmp_path, [" red  barn ", "Dog", "dog", "two\nlines", ""])
    assert library_vocabulary(tmp_path).tags == ("red barn", "Dog", "two lines")
    assert (tmp_path / "vocabulary.txt").read_text("utf-8") == "red barn\nDog\ntwo lines\n"
    assert has_own_vocabulary(tmp_path)
    set_own_vocabulary(tmp_path, [])
    assert library_vocabulary(tmp_path).tags == load_vocabulary().tags


@pytest.mark.parametrize("tags", [["#hash"], ["  ", ""], ["x" * 300]])
def test_tags_that_cannot_be_used_leave_the_old_ones(tmp_path: Path, tags: list[str]) -> None:
    """A sentence, and the last good state is kept."""
    set_own_vocabulary(tmp_path, ["dog"])
    with pytest.raises(UserError):
        set_own_vocabulary(tmp_path, tags)
    assert library_vocabulary(tmp_path).tags == ("dog",)


def test_a_file_that_a_person_has_broken_is_named(tmp_path: Path) -> None:
    """The shipped words do not silently take its place."""
    (tmp_path / "vocabulary.txt").write_bytes(b"caf\xe9\n")
    with pytest.raises(UserError, match=r"vocabulary\.txt"):
        library_vocabulary(tmp_path)


def test_tags_are_marked_by_model_and_words(tmp_path: Path) -> None:
    """So that it can be told whether they would come out the same."""
    own = set_own_vocabulary(tmp_path, ["dog", "cat"])
    other = set_own_vocabulary(tmp_path, ["cat", "dog"])
    assert tags_mark("m-1", load_vocabulary()) == "m-1"
    assert tags_mark("m-1", own).startswith("m-1+")
    assert len({tags_mark("m-1", own), tags_mark("m-1", other), tags_mark("m-2", own)}) == 3
