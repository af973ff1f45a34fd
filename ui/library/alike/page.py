"""The page of same pictures: groups by label, the best of each, and some side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QStackedWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import Groups, Rows
from cocadesk.protocol.values import GroupLabel, JobKind, JobValue
from ui.annotations.editor import AnnotationEditor
from ui.engine.link import EngineLink, LinkState
from ui.engine.tracker import JobTracker
from ui.kit.actions import Action, Actions, ActionSet, Requires
from ui.kit.image_loader import ImageLoader
from ui.kit.layouts import in_column
from ui.kit.page_parts import Page
from ui.kit.widgets import EmptyView
from ui.library.alike.comparing import Comparing
from ui.library.alike.head import TITLE, GroupsHead, empty_state
from ui.library.alike.members import Member
from ui.library.alike.model import GroupsModel
from ui.library.alike.requests import GroupRequests
from ui.library.alike.table import GroupsTable
from ui.library.alike.verbs import GroupVerbs, VerbBar, rating_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsContext:
    """All that the page is built from; ``show_group`` shows a medium's group in the library."""

    link: EngineLink
    tracker: JobTracker
    editor: AnnotationEditor
    actions: ActionSet
    thumbnails: ImageLoader
    previews: ImageLoader
    show_group: Callable[[str, str], None]


class GroupsPage(Page):
    """The table of groups and what can be done on it; compares some in its place."""

    def __init__(self, context: GroupsContext) -> None:
        super().__init__()
        self.setAccessibleName(TITLE)
        self._context = context
        self.requests = GroupRequests(context.link, self)
        self.model = GroupsModel(self)
        self.table = GroupsTable(self.model, context.thumbnails)
        self.comparing = Comparing(self.requests, context.thumbnails, context.previews, self)
        self._verbs = GroupVerbs(context.editor)
        self._waiting = 0
        self._has_come = False
        self._problem: UserError | None = None
        self.head = GroupsHead()
        self.verbs = VerbBar(context.actions)
        self.empty = EmptyView()
        self.stack = QStackedWidget()
        for part in (self.empty, self.table, self.comparing.view):
            self.stack.addWidget(part)
        in_column(self.head, self.verbs, (self.stack, 1), gap=0, of=self)
        self._wire_parts()
        self._wire_engine()
        self._draw()

    # Page ---------------------------------------------------------------------------

    @property
    def given(self) -> frozenset[Requires]:
        """A group is met where a member is under the cursor."""
        has_member = self.table.current_member() is not None
        return frozenset((Requires.GROUP,)) if has_member else frozenset()

    def on_shown(self) -> None:
        """Asks for the groups as they are now."""
        for job in self._context.tracker.active():
            self._on_job(job)
        self._refresh()
        if self.is_comparing:
            self.comparing.view.setFocus()
        elif self.model.rowCount():
            self.table.setFocus()
        else:
            self.head.tabs[self.requests.label].setFocus()

    def step_back(self) -> bool:
        """From side by side back to the table."""
        was_comparing = self.is_comparing
        self._close_compare()
        return was_comparing

    def do(self, action: Action) -> None:
        """One of the actions of this page."""
        current = self._current()
        if action is Actions.COMPARE:
            (self._close_compare if self.is_comparing else self._open_compare)()
        elif action is Actions.REJECT_OTHERS:
            places = self.table.chosen_places()
            groups = [self.model.members(place) for place in places]
            self._verbs.reject_others(groups, sum(map(self.model.hidden, places)))
        elif current is None:
            return
        elif action is Actions.SET_BEST:
            self._verbs.mark_best(current)
        elif action is Actions.NOT_SAME:
            self._verbs.part(self._chosen())
        elif action is Actions.SHOW_GROUP:
            self._context.show_group(current.key, current.row.name)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Stars and flags by the keys of the grid, whose actions are off on this page."""
        action = rating_of(event, self._context.actions)
        if action is not None:
            self._verbs.rate(action, self._chosen())
        else:
            super().keyPressEvent(event)

    @property
    def is_comparing(self) -> bool:
        """True where some stand side by side."""
        return self.stack.currentWidget() is self.comparing.view

    # What a person does -------------------------------------------------------------

    def _wire_parts(self) -> None:
        self.head.chosen.connect(self.choose)
        self.head.again_wanted.connect(lambda: self._context.tracker.group(again=True))
        self.head.progress.control.connect(self._context.tracker.control)
        self.empty.button.clicked.connect(self._on_empty)
        self.table.opened.connect(self._open_compare)
        self.table.moved.connect(self.given_changed)
        self.table.menu_wanted.connect(self.verbs.show_menu)
        self.comparing.view.closed.connect(self._close_compare)

    def choose(self, shown: GroupLabel | None) -> None:
        """Groups of this label alone; None for all."""
        self._close_compare()
        self.requests.choose(shown)
        self.head.mark(shown)
        self._has_come = False
        self.model.forget()
        self.requests.ask(0)
        self._draw()

    def _on_empty(self) -> None:
        if self._context.link.state is LinkState.FAILED:
            self._context.link.open()
        elif self._problem is not None:
            self._refresh()
        else:
            self._context.tracker.group(again=not self._waiting)

    def _open_compare(self) -> None:
        """The selected ones of the group, or all of it where fewer than two are."""
        current = self.table.current_member()
        if current is None:
            return
        members = self.model.members(self.table.currentIndex().row())
        chosen = {member.key for member in self.table.chosen_members()}
        some = [member for member in members if member.key in chosen]
        self.comparing.open(some if len(some) > 1 else members, current.key)
        self.head.hide()
        self.stack.setCurrentWidget(self.comparing.view)
        self.comparing.view.setFocus()

    def _close_compare(self) -> None:
        if self.is_comparing:
            key = self.comparing.view.current
            self.stack.setCurrentWidget(self.table)
            self.comparing.close()
            self.head.show()
            self._draw()
            self.table.follow(key)
            self.table.setFocus()

    def _current(self) -> Member | None:
        view = self.comparing.view
        return view.current_member if self.is_comparing else self.table.current_member()

    def _chosen(self) -> list[Member]:
        """The members that the verbs are about."""
        if not self.is_comparing:
            return self.table.chosen_members()
        current = self._current()
        return [] if current is None else [current]

    # What the engine tells ----------------------------------------------------------

    def _wire_engine(self) -> None:
        requests, model, context = self.requests, self.model, self._context
        model.wanted.connect(requests.ask)
        requests.came.connect(self._on_came)
        requests.failed.connect(self._on_failed)
        requests.rows_came.connect(self._on_rows)
        requests.rows_changed.connect(self._on_rows_changed)
        requests.changed.connect(self._refresh)
        context.tracker.job_changed.connect(self._on_job)
        context.link.state_changed.connect(self._draw)
        context.editor.settled.connect(self._refresh)  # undo and redo too

    def _refresh(self) -> None:
        """What is on screen is asked for again, what is not when it comes there."""
        if not self.isVisible():
            return
        self.model.refresh()
        if not self.model.rowCount():
            self.requests.ask(0)

    def _on_came(self, answer: Groups) -> None:
        is_first, self._has_come, self._problem = not self._has_come, True, None
        self._waiting = answer.waiting
        self.model.take(answer)
        self.head.show_numbers(answer, self.requests.label)
        self._draw()
        if is_first:
            self._begin()
        else:
            self.table.follow()
        self._redraw_compare()
        self.given_changed.emit()

    def _begin(self) -> None:
        """Another list is read from its top, by whoever is on the page already."""
        self.table.go_to(0)
        focus = self.focusWidget()
        if self.isVisible() and (focus is None or focus in self.head.tabs.values()):
            self.table.setFocus()

    def _on_failed(self, error: UserError) -> None:
        self._problem = error
        self._draw()

    def _on_rows_changed(self, keys: tuple[str, ...]) -> None:
        if self.isVisible():
            self.requests.ask_rows(self.model.known(keys))

    def _on_rows(self, answer: Rows) -> None:
        self.model.set_rows(answer.rows)
        self._redraw_compare()

    def _on_job(self, job: JobValue) -> None:
        if job.kind is JobKind.GROUP:
            self.head.show_job(job)
            self._draw()

    # Drawing ------------------------------------------------------------------------

    def _redraw_compare(self) -> None:
        """Those side by side as they are now; once fewer than two are left, the table."""
        if self.is_comparing:
            members = self.model.members(self.table.currentIndex().row())
            if not self.comparing.update(members):
                self._close_compare()

    def _draw(self) -> None:
        has_groups = self.model.rowCount() > 0
        link = self._context.link
        is_connected = link.state is LinkState.CONNECTED
        self.head.draw(self._waiting, has_groups=has_groups, is_connected=is_connected)
        self.verbs.setVisible(has_groups)
        if not has_groups:
            empty = empty_state(
                link.problem if link.state is LinkState.FAILED else self._problem,
                self._waiting,
                has_come=self._has_come,
                is_working=self.head.is_working,
            )
            self.empty.say(empty.icon, empty.title, empty.text, empty.button)
        if not self.is_comparing or not has_groups:
            self.stack.setCurrentWidget(self.table if has_groups else self.empty)
