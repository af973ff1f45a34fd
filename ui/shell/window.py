"""The main window: builds its parts, wires them, and draws itself from its state."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow

from cocadesk.errors import UserError
from ui.annotations.selection_tags import SelectionTags
from ui.detail.presenter import DetailPresenter
from ui.engine.link import EngineLink, LinkState
from ui.kit import desktop
from ui.kit.actions import Actions, ActionSet
from ui.kit.app_theme import AppTheme
from ui.kit.dialogs import DialogHost
from ui.kit.timers import single_shot
from ui.kit.translation import tr
from ui.library.empty_states import reading_of
from ui.shell.controllers import Controllers, WindowParts
from ui.shell.large_mode import LargeMode
from ui.shell.layout import WindowWidgets
from ui.shell.libraries import shown_name
from ui.shell.pages import PAGES, PageContext, Pages, PageSwitcher
from ui.shell.session import LibrarySession
from ui.shell.state import Drawing, WindowState

LEAVE_MS = 3000
UNSAVED = tr(
    "Some changes are not saved: the engine is away, and they could not be written to disk. "
    "Wait for it, or close again to leave without them."
)


class MainWindow(QMainWindow):
    """The program's window on one library; ``link`` leads to its engine.

    ``library_wanted``: the person opens another one, whose folder it carries.
    """

    library_wanted = Signal(object)

    def __init__(self, link: EngineLink, app_theme: AppTheme) -> None:
        super().__init__()
        name = shown_name(link.library)
        self.setWindowTitle(f"{name} – CocaDesk" if name else "CocaDesk")
        self.setAcceptDrops(True)
        self.setMinimumSize(720, 480)
        self.resize(1280, 800)
        self.session = LibrarySession(link, self)
        self.action_set = ActionSet(self, [page.action for page in PAGES])
        self.widgets = WindowWidgets(self, self.action_set, self.session)
        self.dialogs = DialogHost(self)
        self._is_leaving = False
        self._is_warned = False
        self._leave = single_shot(self, self.close, LEAVE_MS)
        self._create_controllers()
        self._controllers = Controllers(self._parts(app_theme))
        self.side_bar = self._controllers.browsing
        self.action_set.bind(*self._controllers.slots())
        self.addActions(self.action_set.all())
        self._state: WindowState | None = None
        self._drawings = self._list_drawings()
        self._wire_engine()
        self._wire_refresh()
        self.refresh()
        self._controllers.libraries.wanted.connect(self.library_wanted)
        self._controllers.memory.restore()
        self.widgets.library.setFocus()

    def _create_controllers(self) -> None:
        session, widgets = self.session, self.widgets
        self.large = LargeMode(
            widgets, self.action_set, lambda: self._controllers.looking.medium.show_detail()
        )
        context = PageContext(
            library=widgets.library,
            actions=self.action_set,
            session=session,
            search=self.search,
            show_group=lambda key, name: self._controllers.library.show_group(key, name),
            build_settings=lambda: self._controllers.build_settings(),
            show_keys=lambda keys, name: self._controllers.library.show_keys(keys, name),
            notice=widgets.notice,
        )
        self.switcher = PageSwitcher(widgets.page_stack, widgets.tabs, context)
        self.switcher.leaving.connect(self.large.close)
        self.presenter = DetailPresenter(
            widgets.detail,
            widgets.large,
            session.inspector,
            session.editor,
            session.model,
            session.thumbnails,
            session.neighbours,
        )
        self._selection_tags = SelectionTags(session.link, widgets.grid, session.model, self)
        self._selection_tags.reported.connect(widgets.detail.show_shared)

    def _parts(self, app_theme: AppTheme) -> WindowParts:
        return WindowParts(
            window=self,
            actions=self.action_set,
            session=self.session,
            widgets=self.widgets,
            switcher=self.switcher,
            large=self.large,
            dialogs=self.dialogs,
            app_theme=app_theme,
            search=self.search,
        )

    def search(self, text: str) -> None:
        """Shows the results of a text in the library."""
        self._controllers.library.search(text)

    def keep(self) -> None:
        """Keeps size, place and panes as they are now, e.g. for the window after this one."""
        self._controllers.memory.keep()

    def come_to_front(self) -> None:
        """Another start of the program asks for this window."""
        if self.isMinimized():
            self.showNormal()
        self.raise_()
        self.activateWindow()
        self.widgets.notice.say(tr("CocaDesk is open already"))

    def add_folders(self, folders: list[str]) -> None:
        """Starts to index folders, e.g. dropped ones."""
        self.session.tracker.index(folders)

    # The engine ---------------------------------------------------------------------

    def _wire_engine(self) -> None:
        link, session, widgets = self.session.link, self.session, self.widgets
        link.state_changed.connect(self._tell_link)
        link.restarted.connect(self._tell_restart)
        link.event_received.connect(self.presenter.on_event)
        session.tracker.failed.connect(self._tell_error)
        widgets.search.query_changed.connect(self._on_query)
        widgets.search.leave_down.connect(widgets.grid.take_focus)
        session.browser.reported.connect(self._tell_error)
        session.inspector.full_failed.connect(self._tell_error)
        session.model.modelReset.connect(self._on_reset)
        widgets.grid.selectionModel().currentChanged.connect(self._on_current)
        compare = self._controllers.looking.compare
        compare.view.moved.connect(self._on_current)
        compare.toggled.connect(self._on_current)
        widgets.empty.button.clicked.connect(self._on_empty_button)
        widgets.results.fold.clicked.connect(self.session.browser.fold.toggle)

    def _tell_link(self, state: object) -> None:
        link, notice = self.session.link, self.widgets.notice
        if state is LinkState.LOST:
            notice.say(tr("The engine has stopped. Starting it again…"), stays=True)
        elif state is LinkState.FAILED and self.session.model.rowCount():  # else the middle says it
            problem = link.problem or UserError(tr("The engine could not start."))
            notice.say(str(problem), tr("Try again"), link.open, stays=True)

    def _tell_restart(self) -> None:
        self.widgets.notice.say(tr("The engine is back."))

    def _tell_error(self, error: object) -> None:
        self.widgets.notice.say(str(error))

    def _on_query(self) -> None:
        self.switcher.to_library()

    def _on_reset(self) -> None:
        if not self.session.model.rowCount():
            self.presenter.show(None)

    def _on_current(self) -> None:
        self.presenter.show(self.widgets.grid.current_key())

    def _on_empty_button(self) -> None:
        link, browser = self.session.link, self.session.browser
        if link.state is LinkState.FAILED:
            link.open()
        elif browser.listing.rest:
            browser.fold.toggle()
        elif (hint := self._controllers.queries.hints.hint) is not None:
            self._controllers.queries.remove_term(hint.term)
        elif browser.listing.is_filtered:
            self.action_set[Actions.SHOW_ALL].trigger()
        elif browser.listing.problem is not None:
            browser.ask_again()
        else:
            self.action_set[Actions.ADD_FOLDER].trigger()

    # The state ----------------------------------------------------------------------

    def _wire_refresh(self) -> None:
        """Everything after which the state may be another, last of all that hear of it."""
        session, widgets = self.session, self.widgets
        for signal in (
            session.link.state_changed,
            session.browser.settled,
            self._controllers.queries.changed,
            self._controllers.queries.hints.changed,
            session.tracker.job_changed,
            session.tracker.listed,
            session.editor.titles_changed,
            self.presenter.shown,
            self.switcher.switched,
            self.large.toggled,
            self._controllers.looking.compare.toggled,
            self._controllers.looking.review.toggled,
            widgets.grid.selected,
            widgets.grid.selectionModel().currentChanged,
            widgets.library.detail_toggled,
            widgets.detail.field.begun,
            widgets.detail.field.closed,
            self._controllers.first.model_changed,
        ):
            signal.connect(self.refresh)

    def refresh(self) -> None:
        """Draws what differs from the state that was drawn last."""
        new, old = self._read_state(), self._state
        self._state = new
        for drawing in self._drawings:
            drawing.update(new, old)

    def _read_state(self) -> WindowState:
        session, widgets = self.session, self.widgets
        row = widgets.grid.current_row()
        return WindowState(
            link=session.link.state,
            link_problem=session.link.problem,
            listing=session.browser.listing,
            hint=self._controllers.queries.hints.hint,
            can_go_back=self._controllers.queries.can_go_back,
            can_go_forward=self._controllers.queries.can_go_forward,
            active_jobs=len(session.tracker.active()),
            reading=reading_of(session.tracker.active()),
            is_model_loading=self._controllers.first.is_model_loading,
            current=widgets.grid.current_key(),
            can_play=widgets.detail.video.plays(row),
            selected=widgets.grid.selected_count(),
            is_library_shown=self.switcher.page is Pages.LIBRARY,
            is_large=self.large.is_open,
            is_comparing=self._controllers.looking.compare.is_open,
            is_reviewing=self._controllers.looking.review.is_open,
            page_given=self.switcher.given,
            wants_detail=widgets.library.wants_detail,
            is_editing=widgets.detail.field.is_editing,
            undo_title=session.editor.undo_title,
            redo_title=session.editor.redo_title,
        )

    def _list_drawings(self) -> tuple[Drawing[Any], ...]:
        widgets, actions = self.widgets, self.action_set
        return (
            Drawing(lambda state: state.given, actions.update_enabled),
            Drawing(lambda state: state.undo_text, actions[Actions.UNDO].setText),
            Drawing(lambda state: state.redo_text, actions[Actions.REDO].setText),
            Drawing(lambda state: state.headlines, widgets.results.say),
            Drawing(lambda state: state.fold_text, widgets.results.say_fold),
            Drawing(lambda state: state.note, widgets.library.say_note),
            Drawing(lambda state: state.shows_results_line, widgets.results.setVisible),
            Drawing(lambda state: state.selected, widgets.detail.say_many),
            Drawing(lambda state: state.empty, widgets.library.show_empty),
            Drawing(lambda state: state.shows_detail, widgets.detail.setVisible),
        )

    # Qt -----------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Keeps the notice at the foot."""
        super().resizeEvent(event)
        self.widgets.notice.place()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802
        """Accepts folders of this computer, but not our own photos."""
        if desktop.local_paths(event.mimeData()) and event.source() is None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: N802
        """Indexes dropped folders."""
        folders = desktop.local_paths(event.mimeData())
        if folders:
            event.acceptProposedAction()
            self.add_folders(folders)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Saves what is being typed, and leaves the engine once it has taken all edits."""
        self.widgets.detail.field.save()
        self.widgets.large.words.finish()
        self._controllers.looking.review.close()
        if self._must_wait_to_close():
            event.ignore()
            return
        self._controllers.memory.close()
        self.widgets.detail.video.stop()
        self.widgets.large.video.stop()
        self.widgets.large.photo.close_reader()
        self.session.close()
        super().closeEvent(event)

    def _must_wait_to_close(self) -> bool:
        """True where edits are on their way to the engine; they are waited for, not for long.

        What is left is kept for the next window; closing again leaves what can't be kept.
        """
        editor, link = self.session.editor, self.session.link
        is_on_its_way = not editor.is_settled() and link.state is LinkState.CONNECTED
        if is_on_its_way and not self._is_leaving:
            self._is_leaving = True
            editor.idle.connect(self.close)
            self._leave.start()
            return True
        if editor.keep_unsent() or self._is_warned:
            return False
        self._is_warned = True
        self.widgets.notice.say(UNSAVED, stays=True)
        return True
