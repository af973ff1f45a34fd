"""An edit of captions and tags, by itself: tidied when made, applied to a row."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cocadesk.annotations.human import AnnotationEdit
from cocadesk.annotations.text import MAX_CAPTION_LETTERS
from cocadesk.errors import UserError
from cocadesk.library.rows import MediaRow, Tag

ROW = MediaRow(
    key="k",
    root=b"/p",
    path=b"/p/a.jpg",
    size_bytes=1,
    mtime_ns=1,
    file_hash="h",
    picture_hash="p",
    machine_caption="a machine's",
    machine_tags=(Tag(tag="Dog", score=0.9),),
    human_tags_added=("Grandma",),
    human_tags_removed=("Cat",),
)


def after(
    row: MediaRow = ROW, **edit: object
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Caption, added and removed tags of ``row`` after an edit."""
    done = AnnotationEdit(**edit).applied_to(row)  # type: ignore[arg-type]
    assert replace(done, human_caption=None, human_tags_added=(), human_tags_removed=()) == replace(
        row, human_caption=None, human_tags_added=(), human_tags_removed=()
    ), "an edit touches human columns only"
    return done.human_caption, done.human_tags_added, done.human_tags_removed


def test_an_edit_is_tidied_when_it_is_made() -> None:
    """One line, tidy spaces, each tag once in its first spelling."""
    edit = AnnotationEdit(
        caption="  two\n lines ", add_tags=("red  barn", "Red Barn", "x"), remove_tags=("\ty",)
    )
    assert edit == AnnotationEdit(
        caption="two lines", add_tags=("red barn", "x"), remove_tags=("y",)
    )


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        ({"add_tags": ("",)}, "at least one letter"),
        ({"remove_tags": (" \n",)}, "at least one letter"),
        ({"add_tags": ("x" * 300,)}, "too long"),
        ({"caption": "x" * (MAX_CAPTION_LETTERS + 1)}, "too long"),
        ({"add_tags": ("Straße",), "remove_tags": ("STRASSE",)}, "added and removed at once"),
    ],
)
def test_an_edit_that_cannot_be_stored_is_never_made(edit: dict[str, object], what: str) -> None:
    """So nothing that holds one needs to ask again."""
    with pytest.raises(UserError, match=what):
        AnnotationEdit(**edit)  # type: ignore[arg-type]


def test_an_edit_of_nothing_changes_nothing() -> None:
    """The row is the same, not a copy that looks like it."""
    assert AnnotationEdit().applied_to(ROW) is ROW


def test_a_caption_replaces_and_an_empty_one_removes() -> None:
    """None leaves it as it is."""
    captioned = replace(ROW, human_caption="mine")
    assert after(captioned, caption="other")[0] == "other"
    assert after(captioned, caption="  ")[0] is None
    assert after(captioned, add_tags=("x",))[0] == "mine"


@pytest.mark.parametrize(
    ("edit", "added", "removed"),
    [
        ({"add_tags": ("dog",)}, ("Grandma", "Dog"), ("Cat",)),
        ({"add_tags": ("CAT",)}, ("Grandma", "Cat"), ()),
        ({"add_tags": ("grandma",)}, ("Grandma",), ("Cat",)),
        ({"remove_tags": ("GRANDMA",)}, (), ("Cat", "Grandma")),
        ({"remove_tags": ("cat",)}, ("Grandma",), ("Cat",)),
        ({"remove_tags": ("dog",)}, ("Grandma",), ("Cat", "Dog")),
        ({"add_tags": ("new",), "remove_tags": ("grandma",)}, ("new",), ("Cat", "Grandma")),
    ],
)
def test_tags_move_between_added_and_removed_without_regard_to_case(
    edit: dict[str, object], added: tuple[str, ...], removed: tuple[str, ...]
) -> None:
    """The spelling that the row knows stays: the person's, else the machine's."""
    assert after(**edit) == (None, added, removed)


def test_the_same_edit_again_changes_nothing_more() -> None:
    """Caption and tags alike."""
    edit = AnnotationEdit(caption="mine", add_tags=("dog", "new"), remove_tags=("grandma",))
    once = edit.applied_to(ROW)
    assert edit.applied_to(once) == once
