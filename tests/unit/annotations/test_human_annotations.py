"""Captions and tags of people: set, undone, redone, remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.annotations.human import AnnotationEdit, UndoTitles
from cocadesk.errors import UserError
from cocadesk.library.rows import Tag
from tests.support.annotated_library import MODEL, AnnotatedCase, annotated_library, reopened


def said(case: AnnotatedCase, name: str) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """A person's caption, tags added and tags removed of a photo."""
    row = case.row(name)
    return row.human_caption, row.human_tags_added, row.human_tags_removed


def test_a_caption_is_kept_tidied_and_an_empty_one_takes_it_away(tmp_path: Path) -> None:
    """The machine's shows again where the person's is gone."""
    with annotated_library(tmp_path) as case:
        case.machine_captions()
        change = case.annotations.set([case.key("a.jpg")], AnnotationEdit(caption="  my\n dog "))
        assert (change.keys, change.title) == ((case.key("a.jpg"),), "Caption of a.jpg")
        assert case.row("a.jpg").caption == "my dog"
        case.annotations.set([case.key("a.jpg")], AnnotationEdit(caption=" "))
        assert case.row("a.jpg").human_caption is None
        assert case.row("a.jpg").caption == "a machine's a"


def test_many_photos_are_one_command(tmp_path: Path) -> None:
    """Only those that change count; one undo takes all of them back."""
    with annotated_library(tmp_path) as case:
        case.annotations.set([case.key("a.jpg")], AnnotationEdit(add_tags=("dog",)))
        change = case.annotations.set(case.keys(), AnnotationEdit(add_tags=("dog",)))
        assert set(change.keys) == {case.key("b.jpg"), case.key("c.jpg")}
        assert change.title == "Tags of 2 photos"
        case.annotations.undo()
        assert [said(case, name)[1] for name in ("a.jpg", "b.jpg", "c.jpg")] == [("dog",), (), ()]


def test_accepting_and_rejecting_a_machines_tag(tmp_path: Path) -> None:
    """Case does not count, the spelling that is known stays, rejected tags stay away."""
    with annotated_library(tmp_path) as case:
        key = case.key("a.jpg")
        tags = [Tag(tag="dog", score=0.9), Tag(tag="Beach", score=0.8)]
        case.library.media.set_tags({key: tags}, MODEL)
        case.annotations.set([key], AnnotationEdit(add_tags=("Dog",), remove_tags=("beach",)))
        assert said(case, "a.jpg") == (None, ("dog",), ("Beach",))
        assert case.row("a.jpg").tags == (Tag(tag="dog", score=1.0),)
        case.library.media.set_tags({key: [Tag(tag="BEACH", score=1.0)]}, "another-model")
        assert case.row("a.jpg").tags == (Tag(tag="dog", score=1.0),)
        case.annotations.set([key], AnnotationEdit(add_tags=("Beach",)))
        assert said(case, "a.jpg") == (None, ("dog", "Beach"), ())


def test_what_is_so_already_is_no_command(tmp_path: Path) -> None:
    """It neither fills the undo stack nor empties the redo stack."""
    with annotated_library(tmp_path) as case:
        key = case.key("a.jpg")
        case.annotations.set([key], AnnotationEdit(caption="mine"))
        case.annotations.set([key], AnnotationEdit(caption="other"))
        case.annotations.undo()
        assert case.annotations.set([key], AnnotationEdit(caption="mine")).keys == ()
        assert case.annotations.titles() == UndoTitles(
            undo="Caption of a.jpg", redo="Caption of a.jpg"
        )
        assert len(case.library.edits.all()) == 3


def test_undo_brings_back_exactly_what_was_and_survives_restarts(tmp_path: Path) -> None:
    """Three commands, back to the beginning and forth again, each in a new process's library."""
    states = []
    with annotated_library(tmp_path) as case:
        edits = [
            AnnotationEdit(caption="first", add_tags=("x", "y")),
            AnnotationEdit(remove_tags=("x",)),
            AnnotationEdit(caption="second"),
        ]
        states.append(said(case, "a.jpg"))
        for edit in edits:
            case.annotations.set([case.key("a.jpg")], edit)
            states.append(said(case, "a.jpg"))
    for expected in states[-2::-1]:
        with reopened(tmp_path) as case:
            assert case.annotations.undo().title
            assert said(case, "a.jpg") == expected
    for expected in states[1:]:
        with reopened(tmp_path) as case:
            assert case.annotations.redo().title
            assert said(case, "a.jpg") == expected
    with reopened(tmp_path) as case:
        assert case.annotations.titles().redo == ""
        assert case.annotations.redo().title == ""


def test_a_new_command_forgets_what_could_be_redone(tmp_path: Path) -> None:
    """As in every editor; the log still remembers."""
    with annotated_library(tmp_path) as case:
        key = case.key("a.jpg")
        case.annotations.set([key], AnnotationEdit(caption="one"))
        case.annotations.undo()
        case.annotations.set([key], AnnotationEdit(caption="two"))
        assert case.annotations.redo().title == ""
        assert case.row("a.jpg").human_caption == "two"
        assert "one" in [edit.new for edit in case.annotations.history(key)]


def test_history_says_who_when_and_what_was_undone(tmp_path: Path) -> None:
    """Oldest first; what was taken back is marked, also the undo itself after a redo."""
    with annotated_library(tmp_path) as case:
        key = case.key("a.jpg")
        case.annotations.set([key], AnnotationEdit(caption="one", add_tags=("x", "y")))
        case.annotations.undo()
        edits = case.annotations.history(key)
        assert [(e.who, e.field, e.old, e.new, e.is_undone) for e in edits] == [
            ("person", "caption", "", "one", True),
            ("person", "tags added", "", "x, y", True),
            ("person", "caption", "one", "", False),
            ("person", "tags added", "x, y", "", False),
        ]
        case.annotations.redo()
        undone = [edit.is_undone for edit in case.annotations.history(key)]
        assert undone == [False, False, True, True, False, False]
        with pytest.raises(UserError, match="no longer in the library"):
            case.annotations.history("gone")


def test_edits_that_cannot_be_are_refused(tmp_path: Path) -> None:
    """Nothing is recorded then."""
    with annotated_library(tmp_path) as case:
        with pytest.raises(UserError, match="added and removed"):
            case.annotations.set(
                case.keys(), AnnotationEdit(add_tags=("dog",), remove_tags=("Dog",))
            )
        with pytest.raises(UserError, match="no longer in the library"):
            case.annotations.set(["gone"], AnnotationEdit(caption="x"))
        assert case.library.edits.all() == []
        change = case.annotations.set(
            ["gone", case.key("a.jpg")], AnnotationEdit(add_tags=("x", "X"))
        )
        assert change.keys == (case.key("a.jpg"),)
        assert said(case, "a.jpg")[1] == ("x",)
