"""The fake engine's human annotations: set, undone, redone, logged; all in memory."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.fake_engine.rows import WHEN, FakeContext, as_written, in_style
from cocadesk.protocol.calls import Call
from cocadesk.protocol.captions import USUAL_WRITING
from cocadesk.protocol.messages import (
    AnnotationsChanged,
    AnnotationsReply,
    Describe,
    Description,
    GetHistory,
    GetUndoState,
    History,
    RedoAnnotations,
    ReplyBody,
    RowsChanged,
    SetAnnotations,
    UndoAnnotations,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import CaptionStyle, EditValue, Row, TagValue

PERSON = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanAnnotations:
    """All that a person says of one medium."""

    caption: str | None = None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    rating: int | None = None
    flag: str | None = None
    favourite: bool = False
    hidden: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The albums (their media's keys in order) and saved searches, by name.

    ``apart`` are pairs of media that do not belong together, ``best`` the best of their groups.
    """

    albums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    searches: Mapping[str, str] = field(default_factory=dict)
    apart: frozenset[frozenset[str]] = frozenset()
    best: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One command: annotations by key, files by path and lists, each as before and after.

    ``listed`` are the media that came into an album, left it or moved in it.
    """

    title: str
    annotations: Mapping[str, tuple[HumanAnnotations, HumanAnnotations]] = field(
        default_factory=dict
    )
    files: Mapping[WirePath, tuple[str | None, str | None]] = field(default_factory=dict)
    lists: tuple[Lists, Lists] | None = None
    listed: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The media that it changes."""
        return (*self.annotations, *self.listed)


class FakeAnnotations:
    """Annotations and the files beside photos, with one undo stack for both."""

    def __init__(self, context: FakeContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._human: defaultdict[str, HumanAnnotations] = defaultdict(HumanAnnotations)
        self._done: list[Batch] = []
        self._undone: list[Batch] = []
        self._history: defaultdict[str, list[EditValue]] = defaultdict(list)
        self.files: dict[WirePath, str] = {}
        self.lists = Lists()

    def row(self, key: str) -> Row:
        """The row with its annotations as they are now."""
        row = self._context.media[key].row
        shown, human = self._description(key), self._human[key]
        return replace(
            row,
            caption=shown.caption,
            caption_by_person=shown.caption_by_person,
            caption_score=score_of(key) if shown.caption and not shown.caption_by_person else None,
            tags=shown.tags,
            stars=human.rating or 0,
            flag=human.flag or "none",
            favourite=human.favourite,
            hidden=human.hidden,
            state="missing" if self._context.media[key].is_missing else row.state,
        )

    def searchable_words(self, key: str) -> set[str]:
        """All words that a search can find this medium by."""
        medium, human = self._context.media[key], self._human[key]
        tags = {tag.tag for tag in medium.tags} - set(human.removed) | set(human.added)
        return set(self.caption_of(key).lower().split()) | {tag.lower() for tag in tags}

    def caption_of(self, key: str) -> str:
        """The human caption, else the machine's."""
        style = self._context.described.get(key, CaptionStyle.SENTENCE)
        writing = self._context.writings.get(key, USUAL_WRITING)
        made = as_written(in_style(self._context.media[key].caption, style), writing)
        human = self._human[key].caption
        return made if human is None else human

    def human_of(self, key: str) -> HumanAnnotations:
        """All that a person says of one medium."""
        return self._human[key]

    def commit(self, batch: Batch) -> AnnotationsReply:
        """Applies a new batch; what was undone before is forgotten."""
        with self._lock:
            self._undone.clear()
            self._done.append(batch)
            self._apply(batch, is_undo=False)
        return self._tell(batch)

    def unchanged(self) -> AnnotationsReply:
        """The answer to a command that changes nothing."""
        return self._reply(())

    def _description(self, key: str) -> Description:
        medium, human = self._context.media[key], self._human[key]
        is_described = key in self._context.described
        by_person = tuple(TagValue(tag=tag, by_person=True) for tag in human.added)
        given = medium.tags if is_described else ()
        others = tuple(t for t in given if t.tag not in human.added + human.removed)
        return Description(
            key=key,
            caption=self.caption_of(key) if human.caption is not None or is_described else None,
            caption_by_person=human.caption is not None,
            tags=by_person + others,
        )

    def _describe(self, body: Describe, call: Call) -> ReplyBody:
        self._context.medium(body.key)
        self._context.describe(body.key, writing=body.writing)
        return self._description(body.key)

    def _set(self, body: SetAnnotations, call: Call) -> ReplyBody:
        if body.caption and body.no_caption:
            raise UserError(
                "A photo can't have a caption and none at once.", "", "Leave one of the two out."
            )
        changes: dict[str, tuple[HumanAnnotations, HumanAnnotations]] = {}
        for key in body.keys:
            self._context.medium(key)
            old = self._human[key]
            new = _changed(old, body)
            if new != old:
                changes[key] = (old, new)
        if not changes:
            return self.unchanged()
        return self.commit(Batch(title=_title(body, len(changes)), annotations=changes))

    def _undo(self, body: UndoAnnotations, call: Call) -> ReplyBody:
        return self._move(self._done, self._undone, is_undo=True)

    def _redo(self, body: RedoAnnotations, call: Call) -> ReplyBody:
        return self._move(self._undone, self._done, is_undo=False)

    def _move(self, source: list[Batch], target: list[Batch], *, is_undo: bool) -> ReplyBody:
        with self._lock:
            if not source:
                return self._reply(())
            batch = source.pop()
            target.append(batch)
            self._apply(batch, is_undo=is_undo)
        return self._tell(batch)

    def _state(self, body: GetUndoState, call: Call) -> ReplyBody:
        return self._reply(())

    def _get_history(self, body: GetHistory, call: Call) -> ReplyBody:
        self._context.medium(body.key)
        return History(key=body.key, edits=tuple(self._history[body.key]))

    def _apply(self, batch: Batch, *, is_undo: bool) -> None:
        for key, (old, new) in batch.annotations.items():
            before, after = (new, old) if is_undo else (old, new)
            self._human[key] = after
            self._history[key].extend(_edits(before, after))
        if batch.lists is not None:
            self.lists = batch.lists[0 if is_undo else 1]
        for path, (had, has) in batch.files.items():
            text = had if is_undo else has
            if text is None:
                self.files.pop(path, None)
            else:
                self.files[path] = text

    def _tell(self, batch: Batch) -> AnnotationsReply:
        reply = self._reply(batch.keys, title=batch.title, files=len(batch.files))
        if batch.keys:
            self._context.publish(RowsChanged(keys=batch.keys))
        self._context.publish(
            AnnotationsChanged(undo_title=reply.undo_title, redo_title=reply.redo_title)
        )
        return reply

    def _reply(
        self, changed: tuple[str, ...], *, title: str = "", files: int = 0
    ) -> AnnotationsReply:
        return AnnotationsReply(
            changed=changed,
            count=len(changed),
            title=title,
            undo_title=self._done[-1].title if self._done else "",
            redo_title=self._undone[-1].title if self._undone else "",
            files=files,
        )


def _changed(old: HumanAnnotations, body: SetAnnotations) -> HumanAnnotations:
    caption = old.caption if body.caption is None else (body.caption.strip() or None)
    caption = "" if body.no_caption else caption
    added = [tag for tag in old.added if tag not in body.remove_tags]
    added += [tag for tag in body.add_tags if tag not in added]
    removed = [tag for tag in old.removed if tag not in body.add_tags]
    removed += [tag for tag in body.remove_tags if tag not in removed]
    return HumanAnnotations(
        caption=caption,
        added=tuple(added),
        removed=tuple(removed),
        rating=old.rating if body.rating is None else body.rating,
        flag=body.flag or old.flag,
        favourite=old.favourite if body.favourite is None else body.favourite,
        hidden=old.hidden if body.hidden is None else body.hidden,
    )


def score_of(key: str) -> float:
    """How sure the model is of the caption of a medium: made up, another one for each."""
    return round(0.15 + 0.8 * (int(key[4:]) * 37 % 97) / 97, 3)


def _title(body: SetAnnotations, count: int) -> str:
    things = "1 photo" if count == 1 else f"{count} photos"
    if body.no_caption:
        return f"No caption on {things}"
    if body.caption is not None:
        return f"Caption of {things}" if body.caption else f"Taking the caption from {things}"
    if body.add_tags:
        return f"Tag “{', '.join(body.add_tags)}” for {things}"
    if body.rating is not None:
        return f"{body.rating or 'No'} star{'' if body.rating == 1 else 's'} on {things}"
    if body.flag is not None:
        return f"{body.flag.capitalize()} flag on {things}"
    if body.favourite is not None:
        return f"{'Favourite' if body.favourite else 'No favourite'} mark on {things}"
    if body.hidden is not None:
        return f"{'Hiding' if body.hidden else 'No hiding'} of {things}"
    return f"Removing the tag “{', '.join(body.remove_tags)}” from {things}"


def _edits(before: HumanAnnotations, after: HumanAnnotations) -> list[EditValue]:
    made = []
    for name, old, new in (
        ("caption", before.caption or "", after.caption or ""),
        ("tags added", ", ".join(before.added), ", ".join(after.added)),
        ("tags removed", ", ".join(before.removed), ", ".join(after.removed)),
        ("rating", _text(before.rating), _text(after.rating)),
        ("flag", before.flag or "", after.flag or ""),
        ("favourite", "yes" if before.favourite else "", "yes" if after.favourite else ""),
        ("hidden", "yes" if before.hidden else "", "yes" if after.hidden else ""),
    ):
        if old != new:
            made.append(EditValue(when=WHEN, who=PERSON, field=name, old=old, new=new))
    return made


def _text(rating: int | None) -> str:
    return "" if rating is None else str(rating)
