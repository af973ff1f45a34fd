"""All tags of the library with their numbers; each is shown, renamed, merged and removed here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHeaderView, QLineEdit, QMenu, QPushButton, QTreeView, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    AnnotationsChanged,
    AnnotationsReply,
    ListTags,
    RemoveTag,
    RenameTag,
    RequestBody,
    RowsChanged,
    Tags,
    TagUse,
)
from ui.engine.link import EngineLink
from ui.kit.actions import without_argument
from ui.kit.dialogs import DialogHost
from ui.kit.layouts import STRETCH, in_column, in_row
from ui.kit.page_parts import TickBox, headed
from ui.kit.theme import GAP_L, GAP_M
from ui.kit.timers import single_shot
from ui.kit.translation import grouped, tr, tr_count
from ui.kit.widgets import Notice, button, keeps_key, label
from ui.vocabulary.tag_dialogs import NameTagDialog, RemoveTagDialog, TagDialog
from ui.vocabulary.tag_table import Column, TagTable

INTRO = tr(
    "All tags of your photos and videos: those that you gave, and those that CocaDesk suggests. "
    "Renaming, merging and removing changes everything that has the tag, and can be undone."
)
SOON_MS = 400
NUMBER_PX = 110
OWN_KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Delete, Qt.Key.Key_Return, Qt.Key.Key_Enter)


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsContext:
    """What the tags need of a window; ``show`` shows the results of a filter."""

    link: EngineLink
    show: Callable[[str], None]
    undo: Callable[[], None]
    notice: Notice


class _Table(QTreeView):
    """The table; its keys are not the window's. ``pressed_key`` carries those of its own."""

    pressed_key = Signal(object)

    def event(self, event: QEvent) -> bool:
        """Keeps keys of its own away from the window's shortcuts."""
        return keeps_key(event, OWN_KEYS) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Hands on the keys that mean something here."""
        if event.key() in OWN_KEYS:
            self.pressed_key.emit(Qt.Key(event.key()))
        else:
            super().keyPressEvent(event)


class LibraryTags(QWidget):
    """Follows what changes while it is to be seen."""

    def __init__(self, context: TagsContext) -> None:
        super().__init__()
        self._context = context
        self._dialogs = DialogHost(self)
        self._wanted = ""
        self._is_asked = False
        self._then: QPushButton | None = None
        self.table = TagTable(self)
        self.view = _Table()
        self.field = QLineEdit()
        self.only_own = TickBox(tr("Only tags of mine"))
        self.state = label("", "muted")
        self.state.setAccessibleName(tr("How many tags"))
        self.problem = label("", "problem", wraps=True)
        self.problem.hide()
        self.show_button = button(tr("Show photos"), "primary", on_click=self._show)
        self.rename = button(tr("Rename…"), on_click=self._rename)
        self.merge = button(tr("Merge into…"), on_click=partial(self._rename, is_merge=True))
        self.remove = button(tr("Remove everywhere…"), on_click=self._remove)
        self._soon = single_shot(self, self.ask, SOON_MS)
        self._build()
        context.link.connected.connect(self._on_connected)
        context.link.event_received.connect(self._on_event)

    def ask(self) -> None:
        """Asks for the tags and their numbers as they are now."""
        if not self._is_asked:
            self._is_asked = True
            self._context.link.ask(ListTags(), Tags, self._on_tags, on_failed=self._on_failed)

    def chosen(self) -> TagUse | None:
        """The tag under the cursor."""
        return self.table.use_at(self.view.currentIndex().row())

    def choose(self, tag: str) -> None:
        """Puts the cursor on a tag, where it is shown."""
        row = self.table.row_of(tag)
        if row >= 0:
            index = self.table.index(row, 0)
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index)

    def begin(self, tag: str, what: QPushButton) -> None:
        """Does one of the things that its buttons do, to a tag, once all tags are here."""
        self._wanted, self._then = tag, what
        self.field.clear()
        self.only_own.setChecked(False)
        self.ask()

    def menu(self) -> QMenu:
        """All that can be done with the tag under the cursor."""
        made = QMenu(self)
        for part in (self.show_button, self.rename, self.merge, self.remove):
            made.addAction(part.text()).triggered.connect(without_argument(part.click))
        return made

    # Building -----------------------------------------------------------------------------

    def _build(self) -> None:
        self.field.setPlaceholderText(tr("Find a tag"))
        self.field.setAccessibleName(tr("Find a tag"))
        self.field.setClearButtonEnabled(True)
        self.field.textChanged.connect(self._look)
        self.field.returnPressed.connect(self.view.setFocus)
        self.only_own.toggled.connect(self._look)
        view = self.view
        view.setModel(self.table)
        view.setAccessibleName(tr("Tags of the library"))
        view.setRootIsDecorated(False)
        view.setAlternatingRowColors(True)
        view.setUniformRowHeights(True)
        view.setSortingEnabled(True)
        view.sortByColumn(Column.OWN, Qt.SortOrder.DescendingOrder)
        head = view.header()
        head.setStretchLastSection(False)
        head.setSectionResizeMode(Column.TAG, QHeaderView.ResizeMode.Stretch)
        head.setMinimumSectionSize(NUMBER_PX)
        head.setResizeContentsPrecision(0)  # the rows that are seen: there may be thousands
        for column in (Column.OWN, Column.SUGGESTED):
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        view.customContextMenuRequested.connect(self._show_menu)
        view.doubleClicked.connect(self._show)
        view.pressed_key.connect(self._on_key)
        view.selectionModel().currentChanged.connect(self._update)
        self.table.modelReset.connect(self._update)
        verbs = (self.show_button, self.rename, self.merge, self.remove)
        side = in_column(*verbs, STRETCH, gap=8)
        in_column(
            headed(tr("Tags"), INTRO),
            in_row((self.field, 1), self.only_own, gap=GAP_M),
            (in_row((self.view, 1), side, gap=GAP_L), 1),
            self.state,
            self.problem,
            gap=GAP_M,
            of=self,
        )
        self._update()

    # What a person does -------------------------------------------------------------------

    def _look(self) -> None:
        chosen = self.chosen()
        self.table.look_for(self.field.text(), is_own=self.only_own.isChecked())
        self.choose(chosen.tag if chosen else "")
        if self.chosen() is None and self.table.rowCount():
            self.view.setCurrentIndex(self.table.index(0, 0))

    def _on_key(self, key: Qt.Key) -> None:
        if key is Qt.Key.Key_F2:
            self._rename()
        elif key is Qt.Key.Key_Delete:
            self._remove()
        else:
            self._show()

    def _show_menu(self, where: QPoint) -> None:
        if self.chosen() is not None:
            menu = self.menu()
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.view.viewport().mapToGlobal(where))

    def _show(self) -> None:
        use = self.chosen()
        if use is not None:
            self._context.show(use.term)

    def _rename(self, *, is_merge: bool = False) -> None:
        use = self.chosen()
        if use is None:
            return
        dialog = self._dialogs.open(
            lambda parent: NameTagDialog(use, self.table.all, parent, is_merge=is_merge)
        )

        def go() -> None:
            body = RenameTag(
                tag=use.tag, name=dialog.name, with_suggested=dialog.suggested.isChecked()
            )
            self._change(dialog, body, dialog.name)

        dialog.agreed.connect(go)

    def _remove(self) -> None:
        use = self.chosen()
        if use is None:
            return
        dialog = self._dialogs.open(partial(RemoveTagDialog, use))

        def go() -> None:
            body = RemoveTag(tag=use.tag, with_suggested=dialog.suggested.isChecked())
            self._change(dialog, body, "")

        dialog.agreed.connect(go)

    def _change(self, dialog: TagDialog, body: RequestBody, then: str) -> None:
        """Sends a change; its dialog closes where it was taken, or says why not."""

        def on_done(answer: AnnotationsReply) -> None:
            dialog.accept()
            if answer.title:
                self._context.notice.say(answer.title, tr("Undo"), self._context.undo)
            else:
                self._context.notice.say(tr("Nothing has changed"))
            self._wanted = then
            self.ask()

        def on_failed(error: UserError) -> None:
            dialog.say(str(error))

        self._context.link.ask(body, AnnotationsReply, on_done, on_failed=on_failed)

    # What the engine tells ------------------------------------------------------------------

    def _on_connected(self) -> None:
        self._is_asked = False
        if self.isVisible():
            self.ask()

    def _on_event(self, body: object) -> None:
        is_change = isinstance(body, RowsChanged | AnnotationsChanged)
        if is_change and self.isVisible() and not self._soon.isActive():
            self._soon.start()

    def _on_tags(self, answer: Tags) -> None:
        self._is_asked = False
        chosen = self.chosen()
        wanted, self._wanted = self._wanted or (chosen.tag if chosen else ""), ""
        self.table.put(answer.tags)
        self.choose(wanted)
        if self.chosen() is None and self.table.rowCount():
            self.view.setCurrentIndex(self.table.index(0, 0))
        self.problem.hide()
        then, self._then = self._then, None
        if then is not None and wanted and self.table.row_of(wanted) >= 0:
            then.click()

    def _on_failed(self, error: UserError) -> None:
        self._is_asked = False
        self.problem.setText(str(error))
        self.problem.show()

    def _update(self) -> None:
        for part in (self.show_button, self.rename, self.merge, self.remove):
            part.setEnabled(self.chosen() is not None)
        uses, shown = self.table.all, self.table.rowCount()
        own = sum(1 for use in uses if use.all_own)
        text = tr(
            "{tags}: {own} of yours, {others} only suggested",
            tags=tr_count(len(uses), "{n} tag", "{n} tags"),
            own=grouped(own),
            others=grouped(len(uses) - own),
        )
        if shown != len(uses):
            text = tr("{shown} of {tags}", shown=grouped(shown), tags=text)
        self.state.setText(text if uses else tr("No photo or video has a tag yet."))
