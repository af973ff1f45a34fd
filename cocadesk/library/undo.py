"""The stacks of undo and redo, read from the log of edits alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple


class BatchMark(NamedTuple):
    """A batch of the log, and the batch that it takes back (None for a new command)."""

    batch: str
    undoes: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A command on one of the two stacks.

    ``origin`` is its own batch, ``last`` the newest batch that did or took back
    the same: the one that the next undo or redo names in ``undoes``.
    """

    origin: str
    last: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoState:
    """The two stacks, the next one last, and all batches that are taken back now."""

    undo: tuple[Step, ...] = ()
    redo: tuple[Step, ...] = ()
    taken_back: frozenset[str] = frozenset()


def undo_state(marks: Iterable[BatchMark]) -> UndoState:
    """The stacks after ``marks``, the batches of a log in the order of their first rows.

    A redo is the taking back of an undo, so one rule serves both. A new command
    empties the redo stack. A mark that takes back anything but the top of a stack
    comes from no command of this program and changes nothing.
    """
    undo: list[Step] = []
    redo: list[Step] = []
    takes_back: dict[str, str] = {}
    for mark in marks:
        if mark.undoes is None:
            undo.append(Step(origin=mark.batch, last=mark.batch))
            redo.clear()
            continue
        for stack, other in ((undo, redo), (redo, undo)):
            if stack and stack[-1].last == mark.undoes:
                other.append(Step(origin=stack.pop().origin, last=mark.batch))
                takes_back[mark.undoes] = mark.batch
                break
    return UndoState(undo=tuple(undo), redo=tuple(redo), taken_back=_taken_back(takes_back))


def _taken_back(takes_back: dict[str, str]) -> frozenset[str]:
    """The batches whose effect is gone: taken back by one that itself stands."""
    gone: set[str] = set()
    # A batch is taken back by a later one, so from the end each answer is known.
    for batch, by in reversed(takes_back.items()):
        if by not in gone:
            gone.add(batch)
    return frozenset(gone)
