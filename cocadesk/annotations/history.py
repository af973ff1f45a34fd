"""The log of edits: a medium's history in plain words, undo and redo."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from cocadesk.annotations.sidecars import FileState
from cocadesk.library.edits import FILE_FIELD, album_of, apart_from
from cocadesk.library.rows import BatchMark, Edit

_FIELDS = {
    "human_caption": "caption",
    "human_tags_added": "tags added",
    "human_tags_removed": "tags removed",
    "human_rating": "rating",
    "human_flag": "flag",
    "human_favourite": "favourite",
    "human_hidden": "hidden",
    FILE_FIELD: "file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEdit:
    """One entry of the log for people; ``old`` and ``new`` are empty where nothing was.

    ``is_undone`` where it was taken back, and that was not taken back in turn.
    """

    when: datetime
    who: str
    field: str
    old: str
    new: str
    is_undone: bool


def past_edits(
    edits: Iterable[Edit], taken_back: Collection[str], album_name: Callable[[str], str] = str
) -> list[PastEdit]:
    """The entries that say something, in their order; ``album_name`` gives that of an id."""
    past = [
        PastEdit(
            when=edit.when,
            who=edit.who,
            field=_field_name(edit.field),
            old=_shown(edit.field, edit.old, album_name),
            new=_shown(edit.field, edit.new, album_name),
            is_undone=edit.batch in taken_back,
        )
        for edit in edits
    ]
    # An undo that found nothing to do, or another place in the same album.
    return [one for one in past if one.old != one.new]


def _field_name(field: str) -> str:
    if album_of(field):
        return "album"
    return "set apart" if apart_from(field) else _FIELDS.get(field, field)


def _shown(field: str, text: str, album_name: Callable[[str], str]) -> str:
    if field == FILE_FIELD:
        return FileState.from_json(text).text
    value = json.loads(text)
    if value is None:
        return ""
    if album := album_of(field):
        return album_name(album)
    if value is True:
        return "yes"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


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


class UndoStacks:
    """The two stacks after ``marks``, the batches of a log in the order of their first rows.

    A redo is the taking back of an undo, so one rule serves both. A new command
    empties the redo stack. A mark that takes back anything but the top of a stack
    comes from no command of this program and changes nothing.
    """

    def __init__(self, marks: Iterable[BatchMark] = ()) -> None:
        self._undo: list[Step] = []
        self._redo: list[Step] = []
        self._takes_back: dict[str, str] = {}
        self.add(marks)

    def add(self, marks: Iterable[BatchMark]) -> None:
        """Bring the stacks forward by these marks, which come after those before."""
        for mark in marks:
            if mark.undoes is None:
                self._undo.append(Step(origin=mark.batch, last=mark.batch))
                self._redo.clear()
                continue
            for stack, other in ((self._undo, self._redo), (self._redo, self._undo)):
                if stack and stack[-1].last == mark.undoes:
                    other.append(Step(origin=stack.pop().origin, last=mark.batch))
                    self._takes_back[mark.undoes] = mark.batch
                    break

    def state(self) -> UndoState:
        """The stacks as they are now."""
        return UndoState(
            undo=tuple(self._undo),
            redo=tuple(self._redo),
            taken_back=_taken_back(self._takes_back),
        )


def _taken_back(takes_back: dict[str, str]) -> frozenset[str]:
    """The batches whose effect is gone: taken back by one that itself stands."""
    gone: set[str] = set()
    # A batch is taken back by a later one, so from the end each answer is known.
    for batch, by in reversed(takes_back.items()):
        if by not in gone:
            gone.add(batch)
    return frozenset(gone)
