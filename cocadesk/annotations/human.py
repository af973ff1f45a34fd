"""Captions, tags, stars and flags of people: set, undone, redone, all through the log."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from cocadesk.annotations.history import PastEdit, Step, UndoStacks, UndoState, past_edits
from cocadesk.annotations.progress import SkippedFile
from cocadesk.annotations.sidecar_journal import (
    FileWriter,
    net_changes,
    planned_states,
)
from cocadesk.annotations.sidecars import FileState
from cocadesk.annotations.text import caption_of, joined_tags, same_tag, tag_of
from cocadesk.annotations.titles import title_of
from cocadesk.errors import UserError, tr
from cocadesk.library.edits import FILE_FIELD, NO_WORDS, PERSON, projected
from cocadesk.library.library import Library
from cocadesk.library.marks import Flag
from cocadesk.library.rows import ALBUM, SAVED_SEARCH, BatchMark, Edit, MediaRow, new_key

CAPTION = "human_caption"
ADDED = "human_tags_added"
REMOVED = "human_tags_removed"
MAX_STARS = 5

_SET = (CAPTION, ADDED, REMOVED, "human_rating", "human_flag", "human_favourite", "human_hidden")

_GONE = tr("This photo or video is no longer in the library.")


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationChange:
    """The outcome of a command: changed media by key, files written, files skipped.

    ``changes_lists``: media came into lists or left them, since they are hidden or no longer.
    """

    keys: tuple[str, ...] = ()
    title: str = ""
    files: int = 0
    skipped: tuple[SkippedFile, ...] = ()
    changes_lists: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoTitles:
    """Titles of the next undo and redo; empty where there is none."""

    undo: str = ""
    redo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotationEdit:
    """A person's caption, tags, stars, flag, favourite mark and hiding, tidied when this is made.

    None leaves a thing as it is. An empty ``caption`` removes the person's; adding a tag
    that a machine gave accepts it, removing one rejects it. ``rating`` 0 and the flag
    NONE hide what the file says. ``no_caption`` is kept as an empty caption of the person's,
    which stands before any of a machine's as all that people say does.

    Raises:
        UserError: the caption or a tag is too long, a tag is empty or both added and
            removed, there shall be a caption and none, or there are no such stars.
    """

    caption: str | None = None
    no_caption: bool = False
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    rating: int | None = None
    flag: Flag | None = None
    favourite: bool | None = None
    hidden: bool | None = None

    def __post_init__(self) -> None:
        add = joined_tags((), list(map(tag_of, self.add_tags)), ())
        remove = joined_tags((), list(map(tag_of, self.remove_tags)), ())
        both = set(map(same_tag, add)) & set(map(same_tag, remove))
        if both:
            raise UserError(
                tr("The tag {sorted} can't be added and removed at once.", sorted=sorted(both)[0]),
                "",
                tr("Leave one of the two out."),
            )
        if self.rating is not None and not 0 <= self.rating <= MAX_STARS:
            raise UserError(
                tr("There is no rating of {rating}.", rating=self.rating),
                "",
                tr("Give 1 to 5 stars, or 0 for none."),
            )
        if self.caption is not None:
            object.__setattr__(self, "caption", caption_of(self.caption))
        if self.caption and self.no_caption:
            raise UserError(
                tr("A photo can't have a caption and none at once."),
                "",
                tr("Leave one of the two out."),
            )
        object.__setattr__(self, "add_tags", add)
        object.__setattr__(self, "remove_tags", remove)

    def applied_to(self, row: MediaRow) -> MediaRow:
        """The row as it is after this edit."""
        if self.caption is not None:
            row = replace(row, human_caption=self.caption or None)
        if self.no_caption:
            row = replace(row, human_caption="")
        if self.rating is not None:
            row = replace(row, human_rating=self.rating)
        if self.flag is not None:
            row = replace(row, human_flag=self.flag.value)
        if self.favourite is not None:
            row = replace(row, human_favourite=self.favourite or None)
        if self.hidden is not None:
            row = replace(row, human_hidden=self.hidden or None)
        if self.add_tags or self.remove_tags:
            known = {same_tag(tag): tag for tag in _tags_of(row)}
            add = [known.get(same_tag(tag), tag) for tag in self.add_tags]
            remove = [known.get(same_tag(tag), tag) for tag in self.remove_tags]
            row = replace(
                row,
                human_tags_added=joined_tags(row.human_tags_added, add, remove),
                human_tags_removed=joined_tags(row.human_tags_removed, remove, add),
            )
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A person's yes (``accepts``) or no to what a machine suggested of media.

    A suggested caption is one that no person has said anything about; suggested tags are those
    that no person has added or removed. A rejected caption is an empty one of the person's, and
    rejected tags are among the removed ones: neither comes back with the next job.
    """

    accepts: bool
    captions: bool = True
    tags: bool = True

    def applied_to(self, row: MediaRow) -> MediaRow:
        """The row as it is after this decision; the same one where nothing is suggested."""
        if self.captions and row.human_caption is None and row.machine_caption:
            caption = caption_of(row.machine_caption) if self.accepts else ""
            row = replace(row, human_caption=caption)
        suggested = tuple(tag.tag for tag in row.tags[len(row.human_tags_added) :])
        if self.tags and suggested:
            return AnnotationEdit(
                add_tags=suggested if self.accepts else (),
                remove_tags=() if self.accepts else suggested,
            ).applied_to(row)
        return row


class Command:
    """A command in the making: its edits share batch and time."""

    def __init__(self, *, batch: str = "", undoes: str | None = None) -> None:
        self._batch, self._when, self._undoes = batch or new_key(), datetime.now(UTC), undoes

    def edit(self, key: str, field: str, old: str, new: str, *, who: str = PERSON) -> Edit:
        """One entry of the log; ``old`` and ``new`` as JSON."""
        return Edit(
            batch=self._batch,
            undoes=self._undoes,
            key=key,
            who=who,
            when=self._when,
            field=field,
            old=old,
            new=new,
        )

    def write(self, key: str, old: FileState, new: FileState) -> Edit:
        """The entry of a file that is written beside a photo."""
        return self.edit(key, FILE_FIELD, old.to_json(), new.to_json(), who=new.by or PERSON)

    def nothing(self, key: str) -> Edit:
        """An entry that changes nothing: the log knows of an undo that found nothing to do."""
        state = FileState(path=b"", data=None)
        return self.write(key, state, state)


@dataclass(slots=True)
class _Cached:
    """The stacks and titles of one version of the log, and the first ``count`` of its ``marks``."""

    version: int = -1
    marks: list[BatchMark] = field(default_factory=list)
    count: int = 0
    stacks: UndoStacks = field(default_factory=UndoStacks)
    state: UndoState = field(default_factory=UndoState)
    titles: UndoTitles = field(default_factory=UndoTitles)


class HumanAnnotations:
    """All that people say of the media in one library; of the one process that writes it.

    Any thread. Making it finishes the files that a killed writer had in hand.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._files = FileWriter(library)
        self._cached = _Cached()
        self.lock = threading.RLock()
        if library.is_writer:
            self._files.recover()

    def set(self, keys: Sequence[str], edit: AnnotationEdit | Decision) -> AnnotationChange:
        """Applies an edit to these media, as one batch.

        A value that is already there is no entry of the log, and a command that changes
        nothing is no batch.

        Raises:
            UserError: none of the media exists.
        """
        with self.lock:
            rows = self._library.media.rows(list(dict.fromkeys(keys)))
            if keys and not rows:
                raise UserError(_GONE)
            command = Command()
            edits = [
                command.edit(row.key, name, _to_json(old), _to_json(new))
                for row in rows
                for name, old, new in _differences(row, edit.applied_to(row))
            ]
            return self.record(edits)

    def record(self, edits: Sequence[Edit]) -> AnnotationChange:
        """Records the edits of one command; none is no command."""
        with self.lock:
            self._library.edits.record(edits)
            if not edits:
                return AnnotationChange()
            return AnnotationChange(
                keys=_media(edits),
                title=title_of(self._library, edits),
                changes_lists=_changes_lists(edits),
            )

    def undo(self) -> AnnotationChange:
        """Takes the last command back whole, files included; nothing where there is none."""
        return self._revert(is_undo=True)

    def redo(self) -> AnnotationChange:
        """Repeats the command that was last undone; nothing where there is none."""
        return self._revert(is_undo=False)

    def state(self) -> UndoState:
        """The stacks, derived from the log."""
        return self._current().state

    def titles(self) -> UndoTitles:
        """The commands that can be undone and redone next."""
        return self._current().titles

    def history(self, key: str) -> list[PastEdit]:
        """All edits and files of one medium, oldest first.

        Raises:
            UserError: there is no such medium.
        """
        if not self._library.media.rows([key]):
            raise UserError(_GONE)
        edits, taken_back = self._library.edits.of_keys([key]), self.state().taken_back
        return past_edits(edits, taken_back, self._library.albums.name_ever)

    def write(self, edits: Sequence[Edit]) -> list[SkippedFile]:
        """Records and writes files of one batch; gives those that were skipped."""
        with self.lock:
            return self._files.apply(edits)

    def _current(self) -> _Cached:
        with self.lock:
            version = self._library.edits.version()
            if self._cached.version != version:
                marks = self._library.edits.marks()
                if marks is not self._cached.marks:  # else it has only become longer
                    self._cached = _Cached(marks=marks)
                cached, end = self._cached, len(marks)
                cached.stacks.add(marks[cached.count : end])
                cached.version, cached.count, state = version, end, cached.stacks.state()
                cached.state = state
                cached.titles = UndoTitles(
                    undo=self._title(state.undo), redo=self._title(state.redo)
                )
            return self._cached

    def _title(self, stack: Sequence[Step]) -> str:
        if not stack:
            return ""
        return title_of(self._library, self._library.edits.of_batch(stack[-1].origin))

    def _revert(self, *, is_undo: bool) -> AnnotationChange:
        """Brings back the state before the last command (``is_undo``), or after the last undone."""
        with self.lock:
            state = self.state()
            steps = state.undo if is_undo else state.redo
            if not steps:
                return AnnotationChange()
            origin = self._library.edits.of_batch(steps[-1].origin)
            command = Command(undoes=steps[-1].last)
            files, skipped = planned_states(net_changes(origin), is_undo=is_undo)
            edits = [command.write(change.key, change.before, change.after) for change in files]
            edits += self._reverted_edits(origin, command, is_undo=is_undo)
            refused = self._files.apply(edits or [command.nothing(origin[0].key)])
            return AnnotationChange(
                keys=_media(e for e in edits if e.old != e.new),
                title=title_of(self._library, origin),
                files=len(files) - len(refused),
                skipped=(*skipped, *refused),
                changes_lists=_changes_lists(edits),
            )

    def _reverted_edits(
        self, origin: Sequence[Edit], command: Command, *, is_undo: bool
    ) -> list[Edit]:
        """All but files before (or after) a command, where it is as the command left it."""
        net: dict[tuple[str, str], tuple[str, str]] = {}
        for edit in origin:
            if edit.field != FILE_FIELD:
                place = (edit.key, edit.field)
                net[place] = (net.get(place, (edit.old, ""))[0], edit.new)
        stored = projected(self._library.edits.of_keys({key for key, _ in net}))
        edits = []
        for (key, name), (before, after) in net.items():
            start, end = (after, before) if is_undo else (before, after)
            current = json.loads(_to_json(stored.get(key, {}).get(name, NO_WORDS.get(name))))
            if current == json.loads(start) != json.loads(end):
                edits.append(command.edit(key, name, start, end))
        return edits


def _changes_lists(edits: Iterable[Edit]) -> bool:
    return any(edit.field == "human_hidden" for edit in edits)


def _media(edits: Iterable[Edit]) -> tuple[str, ...]:
    """The media among the keys of edits, each once."""
    lists = (ALBUM, SAVED_SEARCH)
    return tuple(dict.fromkeys(edit.key for edit in edits if edit.field not in lists))


def _differences(before: MediaRow, after: MediaRow) -> Iterator[tuple[str, object, object]]:
    """The human columns that differ: name, old and new value."""
    for name in _SET:
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield name, old, new


def _tags_of(row: MediaRow) -> list[str]:
    """Every tag that the row knows; the person's spelling last, so that it wins."""
    machine = [tag.tag for tag in row.machine_tags]
    return [*machine, *row.human_tags_removed, *row.human_tags_added]


def _to_json(value: object) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)
