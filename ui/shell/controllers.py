"""The controllers of a window: each does some of the actions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtWidgets import QMainWindow

from ui.annotations.albums import AlbumCommands
from ui.annotations.commands import AnnotationCommands, WordFields
from ui.annotations.jobs import AnnotationJobs
from ui.jobs.commands import JobCommands
from ui.kit.actions import Actions, ActionSet, Slots
from ui.kit.app_theme import AppTheme
from ui.kit.dialogs import DialogHost
from ui.kit.page_parts import Page
from ui.library.grid_look import GridLook
from ui.shell.browsing import BrowsingCommands, BrowsingParts
from ui.shell.commands import Level, LibraryCommands, WindowCommands
from ui.shell.first_minute import FirstMinute
from ui.shell.large_mode import LargeMode
from ui.shell.layout import WindowWidgets
from ui.shell.looking import Looking
from ui.shell.memory import WindowMemory
from ui.shell.pages import Pages, PageSwitcher
from ui.shell.session import LibrarySession


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowParts:
    """The parts of a window that controllers are built from; ``search`` shows a text's results."""

    window: QMainWindow
    actions: ActionSet
    session: LibrarySession
    widgets: WindowWidgets
    switcher: PageSwitcher
    large: LargeMode
    dialogs: DialogHost
    app_theme: AppTheme
    search: Callable[[str], None]


class Controllers:
    """Builds them from the parts of a window; every action belongs to one of them."""

    def __init__(self, parts: WindowParts) -> None:
        session, widgets, dialogs = parts.session, parts.widgets, parts.dialogs
        grid, notice, detail = widgets.grid, widgets.notice, widgets.detail
        self._parts = parts
        self.jobs = JobCommands(session.tracker, widgets.strip, widgets.jobs, dialogs)
        self.jobs.closed.connect(grid.take_focus)
        self.library = LibraryCommands(widgets, session, parts.switcher, dialogs)
        self.queries = self.library.queries
        self._wire_mouse()
        detail.chips.opened.connect(self.library.search_tag)
        self.library.mark_settings(parts.actions)
        self.look = GridLook(grid, parts.actions)
        self.looking = Looking(
            parts.window, parts.actions, widgets, session, parts.switcher, parts.large, dialogs
        )
        self.jobs.opened.connect(self.looking.close)
        self.annotations = AnnotationCommands(
            session.editor,
            (
                self.looking.words,
                WordFields(
                    detail.field, detail.chips, lambda: True, self.looking.medium.show_detail
                ),
            ),
            grid,
            notice,
            dialogs,
        )
        session.browser.waits = lambda: self.annotations.is_typing() or self.looking.review.is_open
        self.albums = AlbumCommands(
            session.link, session.editor, grid, session.browser, notice, dialogs, parts.search
        )
        self.annotation_jobs = AnnotationJobs(
            session.link, session.tracker, session.editor, grid, session.browser, notice, dialogs
        )
        self.browsing = BrowsingCommands(
            widgets,
            session,
            BrowsingParts(
                albums=self.albums,
                jobs=self.annotation_jobs,
                folders=self.library.folders,
                switcher=parts.switcher,
                search=parts.search,
            ),
        )
        self.window = WindowCommands(
            parts.window,
            parts.actions,
            widgets,
            self.looking.close,
            dialogs,
            parts.app_theme,
            self._list_levels(),
        )
        self.first = FirstMinute(parts.window, session, widgets.empty, notice, parts.actions)
        self.libraries = self.first.libraries
        self.library.moving.moved.connect(self.libraries.open_moved)
        self.libraries.offer_recent(widgets.header.menu.menu())
        self.memory = WindowMemory(parts.window, widgets, session, parts.switcher)

    def slots(self) -> Sequence[Slots]:
        """The slots of all actions, one mapping a controller."""
        controllers = (
            self.jobs,
            self.library,
            self.look,
            self.looking,
            self.annotations,
            self.albums,
            self.annotation_jobs,
            self.browsing,
            self.window,
            self.libraries,
            self._parts.switcher,
        )
        return [controller.slots() for controller in controllers]

    def build_settings(self) -> Page:
        """The page of settings; it is imported when it is first shown."""
        from ui.shell.settings.page import SettingsContext, SettingsPage

        parts = self._parts
        return SettingsPage(
            SettingsContext(
                link=parts.session.link,
                tracker=parts.session.tracker,
                actions=parts.actions,
                app_theme=parts.app_theme,
                notice=parts.widgets.notice,
                folders=self.library.folders,
                watch=self.library.watch,
                libraries=self.libraries,
                moving=self.library.moving,
                forget_searches=self._forget_searches,
            )
        )

    def _forget_searches(self) -> None:
        """What was asked here, what is shown of it, and what is kept of it on disk."""
        self.queries.forget()
        self.memory.forget_searches()

    def _wire_mouse(self) -> None:
        self.queries.mouse.follow(self._parts.window)
        self.queries.mouse.stepped.connect(self._step)

    def _step(self, by: int) -> None:
        """A mouse's button does what the action does, where that makes sense."""
        self._parts.actions[Actions.GO_BACK if by < 0 else Actions.GO_FORWARD].trigger()

    def _list_levels(self) -> tuple[Level, ...]:
        """The levels that Esc leaves, one at a time; the last one is a search."""
        parts = self._parts
        palette, video = parts.widgets.palette, parts.widgets.detail.video
        return (
            Level(palette.isVisible, palette.hide),
            Level(lambda: self.looking.slides.is_running, self.looking.slides.stop),
            Level(lambda: self.looking.review.is_open, self.looking.review.close),
            Level(lambda: self.looking.compare.is_open, self.looking.compare.close),
            Level(lambda: self.looking.where.is_open, self.looking.where.close),
            Level(lambda: parts.large.is_open, parts.large.close),
            Level(lambda: self.jobs.is_open, self.jobs.close),
            Level(lambda: parts.switcher.page is not Pages.LIBRARY, parts.switcher.step_back),
            Level(parts.window.isFullScreen, parts.window.showNormal),
            Level(lambda: video.is_open, video.stop),
            Level(self.queries.has_text, self.queries.clear_text),
            Level(lambda: True, self.library.show_all),
        )
