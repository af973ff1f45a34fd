"""Editing captions and tags of the photo under the cursor and of the selection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import History
from ui.annotations.caption_field import CaptionField
from ui.annotations.dialogs import HistoryDialog
from ui.annotations.editor import AnnotationEditor, Feedback, FeedbackAction
from ui.annotations.ratings import RatingCommands
from ui.annotations.suggestions import SuggestionCommands
from ui.annotations.tag_chips import TagChips
from ui.annotations.tag_text import TagText
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import Notice
from ui.library.grid import Grid


@dataclass(frozen=True, slots=True)
class WordFields:
    """Where caption and tags of the photo under the cursor are edited.

    ``is_there``: these are the ones to edit in now; ``show`` brings them into sight, and
    gives False where no photo is there to edit.
    """

    field: CaptionField
    chips: TagChips
    is_there: Callable[[], bool]
    show: Callable[[], bool]


class AnnotationCommands(QObject):
    """Joins the fields, the grid's selection and the editor.

    Of the ``places`` to edit in, the first that is there is used.
    """

    def __init__(
        self,
        editor: AnnotationEditor,
        places: Sequence[WordFields],
        grid: Grid,
        notice: Notice,
        dialogs: DialogHost,
    ) -> None:
        super().__init__(dialogs)
        self._editor = editor
        self._places = tuple(places)
        self._grid = grid
        self._notice = notice
        self._dialogs = dialogs
        for place in places:
            place.field.saved.connect(self._save_caption)
            place.field.accepted.connect(self._accept_shown)
            place.field.closed.connect(grid.take_focus)
            place.chips.accepted.connect(self._accept_tag)
            place.chips.rejected.connect(self._remove_tag)
            TagText(place.chips, grid, self._add_tag)
            place.chips.closed.connect(grid.take_focus)
            place.chips.complete_with(editor.known_tags)
        self._ratings = RatingCommands(editor, grid)
        self._suggestions = SuggestionCommands(editor, self._targets)
        editor.feedback.connect(self._show_feedback)
        editor.history_came.connect(self._show_history)

    def slots(self) -> Slots:
        """The slots of the actions about captions, tags, stars and flags."""
        return {
            **self._ratings.slots(),
            **self._suggestions.slots(),
            Actions.EDIT_CAPTION: self._edit_caption,
            Actions.ACCEPT_CAPTION: self._accept_caption,
            Actions.ADD_TAG: self._begin_tag,
            Actions.UNDO: self._editor.undo,
            Actions.REDO: self._editor.redo,
            Actions.HISTORY: self._ask_history,
        }

    def _place(self) -> WordFields:
        return next(place for place in self._places if place.is_there())

    def _edit_caption(self) -> None:
        place = self._place()
        if place.show():
            place.field.begin()

    def _save_caption(self, key: str, caption: str) -> None:
        row = self._grid.results.known_row(key)
        if not caption and row is not None and row.caption and not row.caption_by_person:
            self._editor.set([key], tr("Suggested caption rejected"), no_caption=True)
            return
        text = tr("Caption saved") if caption else tr("Caption removed")
        self._editor.set([key], text, caption=caption)

    def _accept_caption(self) -> None:
        """Of several selected photos all captions, else that of the one that is shown."""
        if len(self._targets()) > 1:
            self._suggestions.accept_captions()
        else:
            self._accept_shown()

    def _accept_shown(self) -> None:
        row = self._grid.current_row()
        if row is None:
            return
        if not row.caption:
            self._notice.say(tr("This photo has no caption to accept yet"))
        elif row.caption_by_person:
            self._notice.say(tr("This caption is already yours"))
        else:
            self._editor.set([row.key], tr("Caption accepted"), caption=row.caption)

    def _begin_tag(self) -> None:
        place = self._place()
        if place.show():
            place.chips.begin()

    def _accept_tag(self, tag: str) -> None:
        keys = self._targets()
        text = tr_count(
            len(keys), "Tag “{tag}” accepted", "Tag “{tag}” accepted for {n} photos", tag=tag
        )
        self._editor.set(keys, text, add=[tag])

    def is_typing(self) -> bool:
        """True where a caption or a tag is being typed."""
        return any(p.field.is_editing or p.chips.field.text() for p in self._places)

    def _add_tag(self, keys: list[str], tag: str) -> None:
        text = tr_count(len(keys), "Tag “{tag}” added", "Tag “{tag}” added for {n} photos", tag=tag)
        self._editor.set(keys, text, add=[tag])

    def _remove_tag(self, tag: str) -> None:
        keys = self._targets()
        text = tr_count(
            len(keys), "Tag “{tag}” removed", "Tag “{tag}” removed for {n} photos", tag=tag
        )
        self._editor.set(keys, text, remove=[tag])

    def _targets(self) -> list[str]:
        """The selection where that is several photos, else the one that is shown."""
        shown = self._place().field.key
        if shown and not self._grid.isVisible():
            return [shown]
        selected = self._grid.selected_keys()
        return selected if not shown or len(selected) > 1 else [shown]

    def _ask_history(self) -> None:
        row = self._grid.current_row()
        if row is not None:
            self._editor.ask_history(row.key)

    def _show_history(self, answer: History) -> None:
        row = self._grid.current_row()
        if row is not None and row.key == answer.key:
            self._dialogs.open(lambda parent: HistoryDialog(row.name, answer.edits, parent))

    def _show_feedback(self, said: Feedback) -> None:
        again = self._editor.redo if said.offer is FeedbackAction.REDO else self._editor.undo
        self._notice.say(said.text, said.offer.value, again)
