"""Editing captions and tags of the photo under the cursor and of the selection."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import History
from ui.annotations.caption_field import CaptionField
from ui.annotations.dialogs import HistoryDialog
from ui.annotations.editor import AnnotationEditor, Feedback, FeedbackAction
from ui.annotations.ratings import RatingCommands
from ui.annotations.tag_chips import TagChips
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.texts import count
from ui.kit.widgets import Notice
from ui.library.grid import Grid


class AnnotationCommands(QObject):
    """Joins the detail's fields, the grid's selection and the editor.

    ``show_detail`` brings the fields into sight; False where no photo is there to edit.
    """

    def __init__(
        self,
        editor: AnnotationEditor,
        field: CaptionField,
        chips: TagChips,
        grid: Grid,
        notice: Notice,
        dialogs: DialogHost,
        show_detail: Callable[[], bool],
    ) -> None:
        super().__init__(dialogs)
        self._editor = editor
        self._field = field
        self._chips = chips
        self._grid = grid
        self._notice = notice
        self._dialogs = dialogs
        self._show_detail = show_detail
        field.saved.connect(self._save_caption)
        field.accepted.connect(self._accept_caption)
        field.closed.connect(grid.take_focus)
        chips.accepted.connect(self._accept_tag)
        chips.rejected.connect(self._remove_tag)
        chips.added.connect(self._add_tag)
        chips.closed.connect(grid.take_focus)
        self._ratings = RatingCommands(editor, grid)
        editor.feedback.connect(self._show_feedback)
        editor.vocabulary_came.connect(chips.field.set_vocabulary)
        editor.history_came.connect(self._show_history)

    def slots(self) -> Slots:
        """The slots of the actions about captions, tags, stars and flags."""
        return {
            **self._ratings.slots(),
            Actions.EDIT_CAPTION: self._edit_caption,
            Actions.ACCEPT_CAPTION: self._accept_caption,
            Actions.ADD_TAG: self._begin_tag,
            Actions.UNDO: self._editor.undo,
            Actions.REDO: self._editor.redo,
            Actions.HISTORY: self._ask_history,
        }

    def _edit_caption(self) -> None:
        if self._show_detail():
            self._field.begin()

    def _save_caption(self, key: str, caption: str) -> None:
        text = "Caption saved" if caption else "Caption removed"
        self._editor.set([key], text, caption=caption)

    def _accept_caption(self) -> None:
        row = self._grid.current_row()
        if row is None:
            return
        if not row.caption:
            self._notice.say("This photo has no caption to accept yet")
        elif row.caption_by_person:
            self._notice.say("This caption is already yours")
        else:
            self._editor.set([row.key], "Caption accepted", caption=row.caption)

    def _begin_tag(self) -> None:
        if self._show_detail():
            self._chips.begin()

    def _accept_tag(self, tag: str) -> None:
        keys = self._targets()
        self._editor.set(keys, f"Tag “{tag}” accepted{_for(keys)}", add=[tag])

    def _add_tag(self, tag: str) -> None:
        keys = self._targets()
        self._editor.set(keys, f"Tag “{tag}” added{_for(keys)}", add=[tag])

    def _remove_tag(self, tag: str) -> None:
        keys = self._targets()
        self._editor.set(keys, f"Tag “{tag}” removed{_for(keys)}", remove=[tag])

    def _targets(self) -> list[str]:
        """The selection where it holds the photo that is shown, else that photo."""
        shown = self._field.key
        selected = self._grid.selected_keys()
        if not shown or (shown in selected and len(selected) > 1):
            return selected
        return [shown]

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


def _for(keys: list[str]) -> str:
    return f" for {count(len(keys), 'photo')}" if len(keys) > 1 else ""
