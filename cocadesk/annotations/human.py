"""Words that people own: set, undone, redone and looked up, all through the log of edits."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cocadesk.annotations.history import PastEdit, past_edits, title_of
from cocadesk.annotations.sidecar_journal import (
    FileWriter,
    SkippedFile,
    net_changes,
    planned_states,
)
from cocadesk.annotations.sidecars import PERSON, FileState
from cocadesk.annotations.text import caption_of, same_tag, tag_of
from cocadesk.errors import UserError
from cocadesk.library import Edit, Library, MediaRow, new_key
from cocadesk.library.edits import FILE_FIELD, NO_WORDS, projected
from cocadesk.library.undo import Step, UndoState, undo_state

CAPTION = "human_caption"
ADDED = "human_tags_added"
REMOVED = "human_tags_removed"

_GONE = "This photo or video is no longer in the library."


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationChange:
    """What a command has changed: media by key, files written, files left alone."""

    keys: tuple[str, ...] = ()
    title: str = ""
    files: int = 0
    kept: tuple[SkippedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoTitles:
    """What the next undo and redo would do, in words; empty where nothing."""

    undo: str = ""
    redo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationEdit:
    """What a person wants said of media; see ``HumanAnnotations.set``."""

    caption: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()

    def tidied(self) -> AnnotationEdit:
        """The same in the form that is kept.

        Raises:
            UserError: a tag is empty or too long, or both wanted and not wanted.
        """
        add = _joined((), list(map(tag_of, self.add_tags)), ())
        remove = _joined((), list(map(tag_of, self.remove_tags)), ())
        both = set(map(same_tag, add)) & set(map(same_tag, remove))
        if both:
            raise UserError(
                f"The tag {sorted(both)[0]} can't be added and removed at once.",
                "",
                "Leave one of the two out.",
            )
        caption = None if self.caption is None else caption_of(self.caption)
        return AnnotationEdit(caption=caption, add_tags=add, remove_tags=remove)


@dataclass(slots=True)
class _Cached:
    """The stacks and titles of one version of the log."""

    version: int = -1
    state: UndoState = field(default_factory=UndoState)
    titles: UndoTitles = field(default_factory=UndoTitles)


class HumanAnnotations:
    """The human words of one library; of the one process that writes it. Any thread.

    Making it finishes what a killed writer had in hand.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._files = FileWriter(library)
        self._cached = _Cached()
        self.lock = threading.RLock()
        if library.is_writer:
            self._files.recover()

    def set(self, keys: Sequence[str], wish: AnnotationEdit) -> AnnotationChange:
        """Says what a person says of these media, as one batch.

        ``caption`` None leaves it, an empty one takes the person's caption away.
        Adding a tag that a machine gave accepts it; removing one rejects it.
        What is so already is no edit, and a command that changes nothing is no batch.

        Raises:
            UserError: none of the media is there, or the words cannot be kept.
        """
        wish = wish.tidied()
        with self.lock:
            rows = self._library.media.rows(list(dict.fromkeys(keys)))
            if keys and not rows:
                raise UserError(_GONE)
            batch, now = new_key(), datetime.now(UTC)
            edits = [
                Edit(
                    batch=batch,
                    key=row.key,
                    who=PERSON,
                    when=now,
                    field=name,
                    old=_to_json(getattr(row, name)),
                    new=_to_json(value),
                )
                for row in rows
                for name, value in _wanted(row, wish).items()
                if getattr(row, name) != value
            ]
            self._library.edits.record(edits)
            if not edits:
                return AnnotationChange()
            changed = tuple(dict.fromkeys(edit.key for edit in edits))
            return AnnotationChange(keys=changed, title=title_of(self._library, edits))

    def undo(self) -> AnnotationChange:
        """Takes the last command back whole, files included; nothing where there is none."""
        with self.lock:
            steps = self.state().undo
            return self._turn(steps[-1], is_undo=True) if steps else AnnotationChange()

    def redo(self) -> AnnotationChange:
        """Does again what was last undone; nothing where there is nothing."""
        with self.lock:
            steps = self.state().redo
            return self._turn(steps[-1], is_undo=False) if steps else AnnotationChange()

    def state(self) -> UndoState:
        """The stacks, derived from the log."""
        return self._current().state

    def titles(self) -> UndoTitles:
        """What could be undone and redone next."""
        return self._current().titles

    def history(self, key: str) -> list[PastEdit]:
        """All words and files of one medium, oldest first.

        Raises:
            UserError: there is no such medium.
        """
        if not self._library.media.rows([key]):
            raise UserError(_GONE)
        return past_edits(self._library.edits.of_keys([key]), self.state().taken_back)

    def write(self, edits: Sequence[Edit]) -> list[SkippedFile]:
        """Records and writes files of one batch; gives those that were kept."""
        with self.lock:
            return self._files.apply(edits)

    def is_taken_back(self, batch: str) -> bool:
        """Whether a person has undone this batch."""
        return batch in self.state().taken_back

    def _current(self) -> _Cached:
        with self.lock:
            version = self._library.edits.version()
            if self._cached.version != version:
                state = undo_state(self._library.edits.marks())
                titles = UndoTitles(undo=self._title(state.undo), redo=self._title(state.redo))
                self._cached = _Cached(version, state, titles)
            return self._cached

    def _title(self, stack: Sequence[Step]) -> str:
        if not stack:
            return ""
        return title_of(self._library, self._library.edits.of_batch(stack[-1].origin))

    def _turn(self, step: Step, *, is_undo: bool) -> AnnotationChange:
        """Brings back what was before a command (``is_undo``), or after it."""
        origin = self._library.edits.of_batch(step.origin)
        batch, now = new_key(), datetime.now(UTC)
        wanted, kept = planned_states(net_changes(origin), is_undo=is_undo)
        edits = [
            Edit(
                batch=batch,
                undoes=step.last,
                key=change.key,
                who=change.after.by or PERSON,
                when=now,
                field=FILE_FIELD,
                old=change.before.to_json(),
                new=change.after.to_json(),
            )
            for change in wanted
        ]
        edits += self._turned_words(origin, is_undo=is_undo, batch=batch, now=now, step=step)
        if not edits:
            edits = [_marker(origin[0], step, batch, now)]
        refused = self._files.apply(edits)
        changed = tuple(dict.fromkeys(e.key for e in edits if e.old != e.new))
        return AnnotationChange(
            keys=changed,
            title=title_of(self._library, origin),
            files=len(wanted) - len(refused),
            kept=(*kept, *refused),
        )

    def _turned_words(
        self, origin: Sequence[Edit], *, is_undo: bool, batch: str, now: datetime, step: Step
    ) -> list[Edit]:
        """The words before (or after) a command, where they still are as it left them."""
        net: dict[tuple[str, str], tuple[str, str]] = {}
        for edit in origin:
            if edit.field != FILE_FIELD:
                place = (edit.key, edit.field)
                net[place] = (net.get(place, (edit.old, ""))[0], edit.new)
        said = projected(self._library.edits.of_keys({key for key, _ in net}))
        edits = []
        for (key, name), (before, after) in net.items():
            start, end = (after, before) if is_undo else (before, after)
            current = json.loads(_to_json(said.get(key, {}).get(name, NO_WORDS[name])))
            if current == json.loads(start) != json.loads(end):
                edits.append(
                    Edit(
                        batch=batch,
                        undoes=step.last,
                        key=key,
                        who=PERSON,
                        when=now,
                        field=name,
                        old=start,
                        new=end,
                    )
                )
        return edits


def _wanted(row: MediaRow, wish: AnnotationEdit) -> dict[str, object]:
    """The human columns of ``row`` after the wish, those that it speaks of."""
    wanted: dict[str, object] = {}
    if wish.caption is not None:
        wanted[CAPTION] = wish.caption or None
    if wish.add_tags or wish.remove_tags:
        known = {same_tag(tag): tag for tag in _tags_of(row)}
        add = [known.get(same_tag(tag), tag) for tag in wish.add_tags]
        remove = [known.get(same_tag(tag), tag) for tag in wish.remove_tags]
        wanted[ADDED] = _joined(row.human_tags_added, add, remove)
        wanted[REMOVED] = _joined(row.human_tags_removed, remove, add)
    return wanted


def _tags_of(row: MediaRow) -> list[str]:
    """Every tag that the row knows; the person's spelling last, so that it wins."""
    machine = [tag.tag for tag in row.machine_tags]
    return [*machine, *row.human_tags_removed, *row.human_tags_added]


def _joined(has: Sequence[str], more: Sequence[str], fewer: Sequence[str]) -> tuple[str, ...]:
    """``has`` and ``more`` without ``fewer``, each once in its first spelling."""
    gone = set(map(same_tag, fewer))
    joined: dict[str, str] = {}
    for tag in (*(tag for tag in has if same_tag(tag) not in gone), *more):
        joined.setdefault(same_tag(tag), tag)
    return tuple(joined.values())


def _to_json(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def _marker(first: Edit, step: Step, batch: str, now: datetime) -> Edit:
    """A row that changes nothing, so that the log knows of an undo that found nothing to do."""
    nothing = FileState(path=b"", data=None).to_json()
    return Edit(
        batch=batch,
        undoes=step.last,
        key=first.key,
        who=PERSON,
        when=now,
        field=FILE_FIELD,
        old=nothing,
        new=nothing,
    )
