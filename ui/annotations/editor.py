"""Edits of captions and tags: sent to the engine in order, shown before it answers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsChanged,
    AnnotationsReply,
    DecideSuggestions,
    Flag,
    GetHistory,
    GetUndoState,
    History,
    RedoAnnotations,
    SetAnnotations,
    SetBest,
    SetNotSame,
    UndoAnnotations,
)
from cocadesk.protocol.values import Row, TagValue, changed
from ui.annotations.decisions import decided_row, said_of
from ui.annotations.known_tags import KnownTags
from ui.annotations.unsent import UnsentEdits
from ui.engine.link import EngineLink, LinkState
from ui.kit.translation import tr, tr_count

MOST_KEYS = 500_000
FEW_KEYS = 20_000
FROM_LAST_TIME = tr("Saved what waited since the window was closed")


class FeedbackAction(Enum):
    """The button of a notice about an edit."""

    NOTHING = ""
    UNDO = tr("Undo")
    REDO = tr("Redo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A sentence about what has been done, and the way back."""

    text: str
    offer: FeedbackAction = FeedbackAction.NOTHING


Decision: TypeAlias = SetBest | SetNotSame
ForMedia: TypeAlias = SetAnnotations | DecideSuggestions


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    body: Decision | ForMedia | UndoAnnotations | RedoAnnotations
    text: str = ""

    @property
    def is_step(self) -> bool:
        """True for undo and redo, which name no media."""
        return isinstance(self.body, UndoAnnotations | RedoAnnotations)

    @property
    def keys(self) -> tuple[str, ...]:
        """The media that it is about."""
        if isinstance(self.body, SetBest):
            return (self.body.key,)
        return self.body.keys if isinstance(self.body, ForMedia | SetNotSame) else ()


class AnnotationEditor(QObject):
    """Human annotations, one change after the other.

    ``shown`` gives rows as they will be, at once; ``settled`` the keys whose
    annotations should be asked for again, because the engine has answered or refused;
    ``idle`` comes when nothing waits any more. ``stepped`` carries the keys of media that an undo
    or redo has changed.
    Changes that an engine did not answer before it ended are sent to the next; those that
    are left when the window closes are kept in a file, for the next window.
    """

    shown = Signal(object)
    settled = Signal(object)
    idle = Signal()
    stepped = Signal(object)
    feedback = Signal(object)
    titles_changed = Signal()
    history_came = Signal(object)

    def __init__(
        self, link: EngineLink, row_of: Callable[[str], Row | None], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._link = link
        self._row_of = row_of
        self._unsent = UnsentEdits(link.library)
        self.known_tags = KnownTags(link, self)
        left = self._unsent.read()
        self._queue = deque(_Change(body=body, text=FROM_LAST_TIME) for body in left)
        self._is_kept = bool(left)
        self._is_waiting = False
        self.undo_title = ""
        self.redo_title = ""
        link.connected.connect(self._on_connected)
        link.event_received.connect(self._on_event)
        link.state_changed.connect(self._on_state)

    def set(
        self,
        keys: Sequence[str],
        text: str,
        *,
        caption: str | None = None,
        no_caption: bool = False,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        rating: int | None = None,
        flag: Flag | None = None,
        favourite: bool | None = None,
        hidden: bool | None = None,
    ) -> None:
        """Annotates these media; ``text`` tells the person that it was done (empty: nothing does).

        So many that one message can't hold them are sent in parts, each a step of its own.
        """
        body = SetAnnotations(
            keys=tuple(keys),
            caption=caption,
            no_caption=no_caption,
            add_tags=tuple(add),
            remove_tags=tuple(remove),
            rating=rating,
            flag=flag,
            favourite=favourite,
            hidden=hidden,
        )
        self.shown.emit(tuple(changed_row(row, body) for row in map(self._row_of, keys) if row))
        self._send_parts(body, text)

    def decide_suggestions(self, keys: Sequence[str], body: DecideSuggestions) -> None:
        """Accepts or rejects what is suggested for these; the ``body`` need not name them."""
        body = changed(body, keys=tuple(keys))
        self.shown.emit(tuple(decided_row(row, body) for row in map(self._row_of, keys) if row))
        self._send_parts(body, "")

    def _send_parts(self, body: ForMedia, text: str) -> None:
        parts = range(0, len(body.keys), MOST_KEYS) or range(1)
        for at in parts:
            part = body if len(parts) == 1 else changed(body, keys=body.keys[at : at + MOST_KEYS])
            said = text
            if len(parts) > 1:
                place = at // MOST_KEYS + 1
                said = tr(
                    "{text} (part {part} of {parts})", text=text, part=place, parts=len(parts)
                )
            self._send(_Change(body=part, text=said))

    def decide(self, body: Decision, text: str) -> None:
        """Says something of a group of same pictures; ``text`` tells that it was done."""
        self._send(_Change(body=body, text=text))

    def undo(self) -> None:
        """Takes the last change back."""
        self._send(_Change(body=UndoAnnotations()))

    def redo(self) -> None:
        """Does again what was undone last."""
        self._send(_Change(body=RedoAnnotations()))

    def is_settled(self) -> bool:
        """True where the engine has answered everything."""
        return not self._queue

    def keep_unsent(self) -> bool:
        """Keeps what no engine has taken yet in a file; False where it can't be written."""
        edits = [change.body for change in self._queue if not change.is_step]
        is_done = self._unsent.write(edits) if edits or self._is_kept else True
        self._is_kept = bool(edits)
        return is_done

    def ask_history(self, key: str) -> None:
        """``history_came`` follows."""
        self._link.ask(GetHistory(key=key), History, self.history_came.emit,
                       on_failed=self._on_lost)  # fmt: skip

    def _on_connected(self) -> None:
        """A new engine: it gets what the last one did not answer."""
        self._is_waiting = False
        # Doing a set twice equals doing it once; an undo may have been done.
        self._queue = deque(change for change in self._queue if not change.is_step)
        self._link.ask(GetUndoState(), AnnotationsReply, self._take_titles)
        self._next()

    def _on_state(self, state: object) -> None:
        """What an engine that is gone has not answered is kept at once."""
        if state is not LinkState.CONNECTED and self._queue:
            self.keep_unsent()

    def _on_event(self, body: object) -> None:
        """An edit, made here or elsewhere, changes what can be undone."""
        if isinstance(body, AnnotationsChanged):
            self._set_titles(body.undo_title, body.redo_title)

    def _send(self, change: _Change) -> None:
        self._queue.append(change)
        if self._link.state is not LinkState.CONNECTED:
            self.keep_unsent()
            self.feedback.emit(Feedback(text=tr("This is saved as soon as the engine is back.")))
        self._next()

    def _next(self) -> None:
        if self._is_waiting or not self._queue or self._link.state is not LinkState.CONNECTED:
            return
        self._is_waiting = True
        self._link.ask(
            self._queue[0].body, AnnotationsReply, self._on_done, on_failed=self._on_failed
        )

    def _on_done(self, answer: AnnotationsReply) -> None:
        change = self._queue.popleft()
        self._is_waiting = False
        self._take_titles(answer)
        is_own = isinstance(change.body, ForMedia)  # then what changed is part of its keys
        self._settle(change.keys if is_own else (*change.keys, *answer.changed))
        if change.is_step and answer.changed:
            self.stepped.emit(answer.changed)
        said = _feedback(change, answer)
        if said is not None:
            self.feedback.emit(said)
        self._go_on()

    def _on_failed(self, error: UserError) -> None:
        change = self._queue.popleft()
        self._is_waiting = False
        self.feedback.emit(Feedback(text=str(error)))
        self._settle(change.keys)
        self._go_on()

    def _go_on(self) -> None:
        if self._is_kept:
            self.keep_unsent()
        if not self._queue:
            self.idle.emit()
        self._next()

    def _settle(self, keys: Sequence[str]) -> None:
        """Edits that still wait for their turn stay as they are shown.

        Of very many, only those whose rows are here are told.
        """
        if len(keys) > FEW_KEYS:
            keys = [key for key in keys if self._row_of(key) is not None]
        told = dict.fromkeys(keys)
        for change in self._queue if told else ():
            for key in change.keys:
                told.pop(key, None)
        self.settled.emit(tuple(told))

    def _take_titles(self, answer: AnnotationsReply) -> None:
        self._set_titles(answer.undo_title, answer.redo_title)

    def _set_titles(self, undo: str, redo: str) -> None:
        self.undo_title, self.redo_title = undo, redo
        self.titles_changed.emit()

    def _on_lost(self, error: UserError) -> None:
        self.feedback.emit(Feedback(text=str(error)))


def changed_row(row: Row, body: SetAnnotations) -> Row:
    """The row as it will be once the engine has taken this edit.

    A suggestion that the human caption hid is not known here: it comes later.
    """
    if body.caption is not None:
        caption = body.caption.strip()
        row = changed(
            row, caption=caption or None, caption_by_person=bool(caption), caption_score=None
        )
    if body.no_caption:
        row = changed(row, caption="", caption_by_person=True, caption_score=None)
    row = changed(
        row,
        stars=row.stars if body.rating is None else body.rating,
        flag=body.flag or row.flag,
        favourite=row.favourite if body.favourite is None else body.favourite,
        hidden=row.hidden if body.hidden is None else body.hidden,
    )
    touched = set(body.add_tags) | set(body.remove_tags)
    if not touched:
        return row
    own = [tag for tag in row.tags if tag.by_person and tag.tag not in touched]
    own += [TagValue(tag=tag, by_person=True) for tag in body.add_tags]
    others = [tag for tag in row.tags if not tag.by_person and tag.tag not in touched]
    return changed(row, tags=tuple(own + others))


def _feedback(change: _Change, answer: AnnotationsReply) -> Feedback | None:
    """The sentence about an answer; None where nothing was changed."""
    if isinstance(change.body, DecideSuggestions):
        offer = FeedbackAction.UNDO if answer.changed else FeedbackAction.NOTHING
        return Feedback(text=said_of(change.body, len(answer.changed)) + change.text, offer=offer)
    if not change.is_step:
        is_said = bool(answer.changed) and bool(change.text)
        return Feedback(text=change.text, offer=FeedbackAction.UNDO) if is_said else None
    is_undo = isinstance(change.body, UndoAnnotations)
    if not answer.title and not answer.changed and not answer.files:
        return Feedback(
            text=tr("There is nothing to undo.") if is_undo else tr("There is nothing to redo.")
        )
    title = answer.title
    text = tr("Undone: {title}", title=title) if is_undo else tr("Redone: {title}", title=title)
    if answer.skipped:
        text += ". " + tr_count(
            len(answer.skipped), "{n} file changed since then and left as they are",
            "{n} files changed since then and left as they are",
        )  # fmt: skip
    return Feedback(text=text, offer=FeedbackAction.REDO if is_undo else FeedbackAction.UNDO)
