"""What the actions about words do, and what is said when they are done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from cocadesk.protocol.messages import History, ListRoots, Roots, WritePlan
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Row, Scope
from ui.annotations.dialogs import CaptionDialog, HistoryDialog, WriteDialog
from ui.annotations.editor import Feedback, FeedbackAction
from ui.annotations.scopes import ScopeChoice, choices
from ui.annotations.selection_tags import SelectionTags
from ui.kit.actions import ActionId
from ui.kit.texts import count
from ui.shell.pages import Page

if TYPE_CHECKING:
    from ui.shell.window import MainWindow


class AnnotationCommands(QObject):
    """Joins the detail's words, the grid's selection and the engine's answers."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._detail = window.widgets.detail
        self._words = window.editor
        self._roots: tuple[WirePath, ...] = ()
        self._write_dialog: WriteDialog | None = None
        detail = self._detail
        self._shared = SelectionTags(window.link, window.widgets.grid, window.model, self)
        self._shared.reported.connect(detail.show_shared)
        detail.caption_kept.connect(self._on_caption)
        detail.field.accepted.connect(self._accept)
        detail.field.closed.connect(self._back_to_grid)
        detail.chips.accepted.connect(self._accept_tag)
        detail.chips.rejected.connect(self._reject_tag)
        detail.chips.added.connect(self._add_tag)
        detail.chips.closed.connect(self._back_to_grid)
        window.editor.shown.connect(self._on_shown)
        window.editor.settled.connect(self._on_settled)
        window.editor.said.connect(self._on_said)
        window.editor.titles_changed.connect(self._on_titles)
        window.editor.vocabulary_came.connect(detail.chips.set_vocabulary)
        window.editor.history_came.connect(self._on_history)
        window.tracker.plan_came.connect(self._on_plan)
        window.tracker.failed.connect(self._on_no_plan)

    def slots(self) -> dict[ActionId, Callable[[], None]]:
        """The work of the actions about words."""
        return {
            ActionId.EDIT_CAPTION: self._edit,
            ActionId.ACCEPT_CAPTION: self._accept,
            ActionId.ADD_TAG: self._begin_tag,
            ActionId.UNDO: self._words.undo,
            ActionId.REDO: self._words.redo,
            ActionId.HISTORY: self._history,
            ActionId.SELECT_ALL: self._select_all,
            ActionId.CAPTION_SELECTION: self._caption_selection,
            ActionId.CAPTION_FOLDER: self._caption_folder,
            ActionId.WRITE_CAPTIONS: self._write,
        }

    def on_connected(self) -> None:
        """A new engine: asks for its folders, and sends what the last one did not answer."""
        self._words.on_connected()
        self._window.link.ask(ListRoots(), Roots, self._on_roots)

    # The photo under the cursor -----------------------------------------------------

    def _row(self) -> Row | None:
        key = self._window.widgets.grid.current_key()
        row = self._window.inspector.row
        if key is None:
            return None
        return row if row is not None and row.key == key else self._window.model.known_row(key)

    def _show_detail(self) -> bool:
        """Words are changed where they are seen; False where no photo is."""
        self._window.switcher.to_library()
        if self._window.widgets.grid.current_key() is None:
            return False
        if not self._window.wants_detail:
            self._window.toggle_detail()
        return True

    def _edit(self) -> None:
        if self._show_detail():
            self._detail.field.begin()

    def _on_caption(self, key: object, caption: str) -> None:
        text = "Caption saved" if caption else "Caption removed"
        self._words.set([str(key)], text, caption=caption)

    def _accept(self) -> None:
        row = self._row()
        if self._window.switcher.page is not Page.LIBRARY or row is None:
            return
        if not row.caption:
            self._say("This photo has no caption to accept yet")
        elif row.caption_by_person:
            self._say("This caption is already yours")
        else:
            self._words.set([row.key], "Caption accepted", caption=row.caption)

    def _begin_tag(self) -> None:
        if self._show_detail():
            self._detail.chips.begin()

    def _accept_tag(self, tag: str) -> None:
        self._set_tag(tag, f"Tag “{tag}” accepted")

    def _add_tag(self, tag: str) -> None:
        self._set_tag(tag, f"Tag “{tag}” added")

    def _set_tag(self, tag: str, text: str) -> None:
        keys = self._keys()
        self._words.set(keys, f"{text}{_for(keys)}", add=[tag])

    def _reject_tag(self, tag: str) -> None:
        keys = self._keys()
        self._words.set(keys, f"Tag “{tag}” removed{_for(keys)}", remove=[tag])

    def _keys(self) -> list[str]:
        """The selection where it holds the photo that is seen, else that photo."""
        grid = self._window.widgets.grid
        current = self._detail.key
        selected = grid.selected_keys()
        if current is None or (current in selected and len(selected) > 1):
            return selected
        return [current]

    def _history(self) -> None:
        row = self._row()
        if row is not None:
            self._words.ask_history(row.key)

    def _on_history(self, answer: object) -> None:
        assert isinstance(answer, History)
        row = self._row()
        if row is not None and row.key == answer.key:
            window = self._window
            window.open_dialog(
                HistoryDialog(row.name, answer.edits, window, window.app_theme.theme)
            )

    def _back_to_grid(self) -> None:
        if self._window.switcher.page is Page.LIBRARY and not self._window.is_large:
            self._window.widgets.grid.setFocus()

    # What the engine says -----------------------------------------------------------

    def _on_shown(self, rows: object) -> None:
        assert isinstance(rows, tuple)
        self._window.model.set_rows(rows)
        for row in rows:
            self._window.inspector.show_soon(row)

    def _on_settled(self, keys: object) -> None:
        assert isinstance(keys, tuple)
        if keys:
            self._window.model.refresh_rows(keys)
        if self._window.inspector.key in keys:
            self._window.inspector.look_at_words()

    def _on_said(self, said: object) -> None:
        assert isinstance(said, Feedback)
        notice = self._window.widgets.notice
        if said.offer is FeedbackAction.NOTHING:
            notice.say(said.text)
        else:
            notice.say(said.text, said.offer.value, self._slot(said.offer))

    def _slot(self, offer: FeedbackAction) -> Callable[[], None]:
        return self._words.redo if offer is FeedbackAction.REDO else self._words.undo

    def _on_titles(self) -> None:
        words, actions = self._words, self._window.action_set
        actions[ActionId.UNDO].setText(f"Undo: {words.undo_title}" if words.undo_title else "Undo")
        actions[ActionId.REDO].setText(f"Redo: {words.redo_title}" if words.redo_title else "Redo")
        self._window.refresh()

    def _on_roots(self, answer: Roots) -> None:
        self._roots = tuple(root.path for root in answer.roots)

    # Many photos --------------------------------------------------------------------

    def _select_all(self) -> None:
        self._window.switcher.to_library()
        self._window.widgets.grid.selectAll()

    def _choices(self) -> list[ScopeChoice]:
        selected = () if self._is_all_selected() else self._window.widgets.grid.selected_keys()
        return choices(self._row(), selected, self._roots)

    def _first(self, made: list[ScopeChoice]) -> int:
        """What is offered first: several selected photos, else the photo's folder."""
        if self._window.widgets.grid.selected_count() > 1:
            return len(made) - 1 if self._is_all_selected() else 0
        return next((n for n, choice in enumerate(made) if choice.scope.folders), 0)

    def _is_all_selected(self) -> bool:
        is_everything = self._window.widgets.grid.selected_count() == self._window.model.rowCount()
        return is_everything and not self._window.browser.is_filtered

    def _caption_selection(self) -> None:
        is_all = self._is_all_selected()
        keys = () if is_all else tuple(self._window.widgets.grid.selected_keys())
        if is_all or keys:
            self._window.tracker.caption(Scope(keys=keys), again=False)

    def _caption_folder(self) -> None:
        made = self._choices()
        folder = next((n for n, choice in enumerate(made) if choice.scope.folders), 0)
        dialog = CaptionDialog(made, folder, self._window, self._window.app_theme.theme)
        dialog.start_wanted.connect(self._on_caption_start)
        self._window.open_dialog(dialog)

    def _on_caption_start(self, scope: object, again: bool) -> None:
        self._window.tracker.caption(scope, again=again)  # type: ignore[arg-type]

    def _write(self) -> None:
        made = self._choices()
        first = self._first(made)
        dialog = WriteDialog(made, first, self._window, self._window.app_theme.theme)
        dialog.plan_wanted.connect(self._on_plan_wanted)
        dialog.write_wanted.connect(self._on_write)
        dialog.rejected.connect(self._window.tracker.forget_plan)
        self._write_dialog = dialog
        self._window.open_dialog(dialog)
        dialog.ask()

    def _on_plan_wanted(self, scope: object, overwrite: bool) -> None:
        self._window.tracker.plan_write(scope, overwrite=overwrite)  # type: ignore[arg-type]

    def _on_write(self, scope: object, overwrite: bool) -> None:
        self._window.tracker.write(scope, overwrite=overwrite)  # type: ignore[arg-type]

    def _on_plan(self, plan: object) -> None:
        assert isinstance(plan, WritePlan)
        if self._write_dialog is not None and self._window.dialog is self._write_dialog:
            self._write_dialog.show_plan(plan)

    def _on_no_plan(self, error: object) -> None:
        if self._write_dialog is not None and self._window.dialog is self._write_dialog:
            self._write_dialog.show_problem(str(error))

    def _say(self, text: str) -> None:
        self._window.widgets.notice.say(text)


def _for(keys: list[str]) -> str:
    return f" for {count(len(keys), 'photo')}" if len(keys) > 1 else ""
