"""The stacks of undo and redo follow from the log alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cocadesk.annotations.history import Step, UndoStacks, UndoState
from cocadesk.library.rows import BatchMark

COMMANDS = st.lists(st.sampled_from(["new", "undo", "redo"]), max_size=40)


class Editor:
    """A person's document and a plain memory of its states, with the log that they leave."""

    def __init__(self) -> None:
        self.marks: list[BatchMark] = []
        self.past: list[str] = []
        self.future: list[str] = []

    def do(self, command: str) -> None:
        """One command; an undo or redo of nothing leaves no mark."""
        batch = f"b{len(self.marks)}"
        state = UndoStacks(self.marks).state()
        if command == "new":
            self.marks.append(BatchMark(batch, None))
            self.past.append(batch)
            self.future.clear()
        elif command == "undo" and self.past:
            self.marks.append(BatchMark(batch, state.undo[-1].last))
            self.future.append(self.past.pop())
        elif command == "redo" and self.future:
            self.marks.append(BatchMark(batch, state.redo[-1].last))
            self.past.append(self.future.pop())


@given(COMMANDS)
def test_the_stacks_are_those_of_any_editor(commands: list[str]) -> None:
    """Last in, first out; a new command forgets what could be redone."""
    editor = Editor()
    for command in commands:
        editor.do(command)
        state = UndoStacks(editor.marks).state()
        assert [step.origin for step in state.undo] == editor.past
        assert [step.origin for step in state.redo] == editor.future


@given(COMMANDS)
def test_what_is_taken_back_is_what_no_longer_stands(commands: list[str]) -> None:
    """A command stands while it is on the undo stack, also after undo and redo."""
    editor = Editor()
    for command in commands:
        editor.do(command)
    gone = UndoStacks(editor.marks).state().taken_back
    origins = {mark.batch for mark in editor.marks if mark.undoes is None}
    assert origins - gone == set(editor.past)


@given(COMMANDS, st.integers(0, 40))
def test_a_log_that_ends_early_gives_the_stacks_of_that_time(
    commands: list[str], length: int
) -> None:
    """Nothing but the log is needed: a restart changes nothing."""
    editor, states = Editor(), [UndoStacks([]).state()]
    for command in commands:
        before = len(editor.marks)
        editor.do(command)
        if len(editor.marks) > before:
            states.append(UndoStacks(editor.marks).state())
    cut = min(length, len(editor.marks))
    assert UndoStacks(editor.marks[:cut]).state() == states[cut]


@given(COMMANDS, st.lists(st.integers(0, 40), max_size=3))
def test_stacks_that_are_brought_forward_are_those_of_the_whole_log(
    commands: list[str], cuts: list[int]
) -> None:
    """However often they are looked at in between."""
    editor = Editor()
    for command in commands:
        editor.do(command)
    stacks, done = UndoStacks(), 0
    for cut in [*sorted(cuts), len(editor.marks)]:
        stacks.add(editor.marks[done:cut])
        done = max(done, cut)
        assert stacks.state() == UndoStacks(editor.marks[:done]).state()


def test_a_mark_that_takes_back_what_is_not_on_top_changes_nothing() -> None:
    """Such a log comes from no command of this program."""
    marks = [BatchMark("a", None), BatchMark("b", None), BatchMark("x", "a"), BatchMark("y", "?")]
    steps = (Step(origin="a", last="a"), Step(origin="b", last="b"))
    assert UndoStacks(marks).state() == UndoState(undo=steps)
