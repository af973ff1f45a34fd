"""The window's parts and where they lie."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMainWindow, QMenu, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from ui.detail.large_view import LargeView
from ui.detail.pane import WIDTH_PX, DetailPane
from ui.jobs.panel import JobsPanel
from ui.jobs.strip import JobStrip
from ui.kit.actions import ACTIONS, ActionId, ActionSet, Group
from ui.kit.image_loader import ImageLoader
from ui.kit.theme import Theme
from ui.kit.widgets import EmptyView, Notice
from ui.library.grid import CELL_SIZES_PX, Grid
from ui.library.results_model import ResultsModel
from ui.library.search_box import SearchBox
from ui.shell.dialogs import CommandPalette
from ui.shell.header import Header, ResultsLine
from ui.shell.pages import PageTabs

SUBMENUS = (Group.ANNOTATIONS, Group.VIEW)


class WindowWidgets:
    """Every widget of the window, by name; Python keeps them as long as it lives."""

    def __init__(
        self,
        window: QMainWindow,
        actions: ActionSet,
        model: ResultsModel,
        thumbnails: ImageLoader,
        frames: ImageLoader,
        theme: Theme,
    ) -> None:
        self.search = SearchBox(theme)
        self.menu = _build_menu(window, actions)
        self.tabs = PageTabs(actions)
        self.header = Header(self.tabs, self.search, actions, self.menu, theme)
        self.results = ResultsLine(actions, theme, len(CELL_SIZES_PX))
        self.grid = Grid(model, thumbnails, theme)
        self.empty = EmptyView(theme)
        self.detail = DetailPane(actions, frames, theme)
        self.large = LargeView(actions, theme)
        self.strip = JobStrip(theme)
        self.jobs = JobsPanel(theme)
        self.center = QStackedWidget()
        self.center.addWidget(self.empty)
        self.center.addWidget(self.grid)
        self.split = self._split()
        self.rooms = QStackedWidget()
        self.rooms.addWidget(self.split)
        self.browse = _column(self.header, self.rooms, self.jobs, self.strip, grows=self.rooms)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.browse)
        self.pages.addWidget(self.large)
        window.setCentralWidget(self.pages)
        self.notice = Notice(window, self.rooms)
        self.palette = CommandPalette(actions, window)

    def set_theme(self, theme: Theme) -> None:
        """Gives the parts that draw for themselves their new colours."""
        for part in (
            self.search,
            self.header,
            self.results,
            self.grid,
            self.empty,
            self.detail,
            self.strip,
            self.jobs,
        ):
            part.set_theme(theme)

    def _split(self) -> QSplitter:
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setHandleWidth(1)
        split.setChildrenCollapsible(False)
        split.addWidget(_column(self.results, self.center, grows=self.center))
        split.addWidget(self.detail)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 0)
        split.setSizes([1280 - WIDTH_PX, WIDTH_PX])
        return split


def _column(*parts: QWidget, grows: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for part in parts:
        column.addWidget(part, 1 if part is grows else 0)
    return made


def _build_menu(window: QMainWindow, actions: ActionSet) -> QMenu:
    """All actions but those of the photo and video, which have their own menu in the grid."""
    menu = QMenu(window)
    for group in Group:
        if group in (Group.PHOTO, Group.VIDEO):
            continue
        if not menu.isEmpty() and group is not Group.VIEW:
            menu.addSeparator()
        specs = [spec for spec in ACTIONS if spec.group is group]
        in_full = [
            spec
            for spec in specs
            if group not in SUBMENUS or spec.do in (ActionId.UNDO, ActionId.REDO)
        ]
        for spec in in_full:
            menu.addAction(actions[spec.do])
        if group in SUBMENUS:
            below = menu.addMenu(group.value)
            for spec in specs:
                if spec not in in_full:
                    below.addAction(actions[spec.do])
    return menu
