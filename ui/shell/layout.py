"""The window's widgets and where they lie."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QWidget

from ui.detail.large.view import LargeView
from ui.jobs.panel import JobsPanel, JobStrip
from ui.kit.actions import ActionSet
from ui.kit.layouts import in_column
from ui.kit.widgets import Notice
from ui.library.query_parts import QueryParts
from ui.library.search_box import SearchBox
from ui.shell.header import Header
from ui.shell.library_page import LibraryPage
from ui.shell.menus import CommandPalette, PhotoMenu, main_menu
from ui.shell.pages import PageTabs
from ui.shell.session import LibrarySession


class WindowWidgets(QObject):
    """The widgets of the window by name; Python keeps them as long as it lives."""

    def __init__(
        self,
        window: QMainWindow,
        actions: ActionSet,
        session: LibrarySession,
    ) -> None:
        super().__init__(window)
        self.actions = actions
        self.search = SearchBox()
        self.tabs = PageTabs(actions)
        menu = main_menu(actions, window)
        self.header = Header(self.tabs, self.search, actions, menu)
        self.library = LibraryPage(
            actions, session.model, session.thumbnails, session.frames, session.names
        )
        self.grid = self.library.grid
        self.empty = self.library.empty
        self.detail = self.library.detail
        self.results = self.library.results
        self.large = LargeView(actions, session.model, session.thumbnails, session.frames)
        self.strip = JobStrip()
        self.jobs = JobsPanel()
        self.page_stack = QStackedWidget()
        self.browse = QWidget()
        in_column(self.header, (self.page_stack, 1), self.jobs, self.strip, gap=0, of=self.browse)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.browse)
        self.stack.addWidget(self.large)
        window.setCentralWidget(self.stack)
        self.notice = Notice(window, self.page_stack)
        self.grid.reported.connect(self.notice.say)
        self.grid.typed.connect(lambda text: self._begin_search(actions, text))
        self.palette = CommandPalette(actions, window)
        self.photo_menu = PhotoMenu(actions, window, self.grid.current_row, self.notice.say)
        self.grid.menu_wanted.connect(self.photo_menu.show)
        self.large.menu_wanted.connect(self.photo_menu.show)
        self.page_stack.currentChanged.connect(self.detail.video.stop)

    def query_parts(self) -> QueryParts:
        """The widgets that show the question of the list."""
        return QueryParts(
            search=self.search,
            filters=self.library.filters,
            crumbs=self.library.crumbs,
            sort=self.results.sort,
            add_filter=self.results.add_filter,
            over=self.browse,
            grid=self.grid,
        )

    def _begin_search(self, actions: ActionSet, text: str) -> None:
        """Where letters are no keys, what is typed over the photos is a search."""
        if not actions.choices.has_letters and text.strip():
            self.search.setFocus()
            self.search.setText(text)
