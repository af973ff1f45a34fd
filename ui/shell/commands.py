"""The slots of the actions about the library, the photo under the cursor and the window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMainWindow

from cocadesk.protocol.values import GroupLabel
from ui.kit import desktop
from ui.kit.actions import Actions, ActionSet, Slots
from ui.kit.app_theme import AppTheme
from ui.kit.dialogs import DialogHost
from ui.library.care import CareCommands
from ui.library.folder_commands import FolderCommands
from ui.library.forgetting import Forgetting
from ui.library.group_commands import GroupCommands
from ui.library.notices import LibraryNotices
from ui.library.queries import QueryCommands
from ui.library.tasks import Tasks
from ui.library.watching import WatchSettings
from ui.shell.layout import WindowWidgets
from ui.shell.likeness import LikenessCommands
from ui.shell.pages import PageSwitcher
from ui.shell.session import LibrarySession
from ui.shell.shortcuts import ShortcutsHelp


class LibraryCommands(QObject):
    """Folders, searches and the grid."""

    def __init__(
        self,
        widgets: WindowWidgets,
        session: LibrarySession,
        switcher: PageSwitcher,
        dialogs: DialogHost,
    ) -> None:
        super().__init__(widgets)
        link, tracker = session.link, session.tracker
        tasks = Tasks(link, dialogs, widgets.notice)
        self._forgetting = Forgetting(tasks, widgets.notice)
        self.folders = FolderCommands(link, tracker, dialogs, self._forgetting, widgets.notice)
        self._care = CareCommands(tasks, widgets.library)
        self.moving = self._care.moving
        self.watch = WatchSettings(link, widgets.notice)
        notices = LibraryNotices(link, tracker, widgets.library.line, self._care.check)
        self._care.mended.connect(notices.refresh)
        self._grid = widgets.grid
        self.queries = QueryCommands(
            link, session.browser, session.model, session.names, widgets.query_parts(), widgets
        )
        self._likeness = LikenessCommands(widgets, session, switcher)
        self.queries.mouse.follow(widgets.grid.viewport(), widgets.empty)
        self._browser = session.browser
        self.groups = GroupCommands(session.browser, widgets.grid, tracker, widgets.notice)
        widgets.detail.kin_wanted.connect(self.show_group)
        self._tracker = session.tracker
        self._switcher = switcher

    def slots(self) -> Slots:
        """The slots of the actions about the library."""
        return {
            Actions.ADD_FOLDER: self._add_folder,
            **self.folders.slots(),
            **self._care.slots(),
            **self.watch.slots(),
            **self.groups.slots(),
            **self.queries.slots(),
            **self._likeness.slots(),
            Actions.FORGET_PHOTO: self._forget_photo,
            Actions.RESCAN: partial(self._tracker.index, ()),
            Actions.SHOW_ALL: self.show_all,
            Actions.NEXT: partial(self._grid.step, 1),
            Actions.PREVIOUS: partial(self._grid.step, -1),
            Actions.SELECT_ALL: self._select_all,
            Actions.BIGGER: partial(self._resize, 1),
            Actions.SMALLER: partial(self._resize, -1),
        }

    def mark_settings(self, actions: ActionSet) -> None:
        """Lets the actions that are settings have a check mark while they are on."""
        for came, action in (
            (self.watch.watching_came, Actions.WATCH_FOLDERS),
            (self.watch.waiting_came, Actions.WAIT_ON_BATTERY),
            (self.groups.collapse_came, Actions.COLLAPSE),
            (self.groups.bursts_came, Actions.COLLAPSE_BURSTS),
        ):
            came.connect(actions[action].setChecked)
        self.groups.announce()

    def show_all(self) -> None:
        """Everything, in the order that such lists have."""
        self._switcher.to_library()
        self.queries.show_all()
        self._grid.setFocus()

    def search(self, text: str) -> None:
        """The results of a text, e.g. one that a model has learned."""
        self._switcher.to_library()
        self.queries.open(text)
        self._grid.setFocus()

    def search_tag(self, tag: str) -> None:
        """The results of a tag as words: what is tagged so comes first."""
        self._switcher.to_library()
        self.queries.type(tag)

    def show_group(self, key: str, name: str, label: GroupLabel = GroupLabel.BURST) -> None:
        """The media that are alike to one, so closely or closer."""
        self._switcher.to_library()
        self._browser.group(key, name, label)
        self._grid.setFocus()

    def show_keys(self, keys: list[str], name: str) -> None:
        """These media, e.g. those that were chosen on a map."""
        self._switcher.to_library()
        self.queries.show_keys(keys, name)
        self._grid.setFocus()

    def _add_folder(self) -> None:
        folder = desktop.ask_for_folder(self._grid.window())
        if folder is not None:
            self._tracker.index([folder])

    def _forget_photo(self) -> None:
        """The selection, else the photo under the cursor."""
        current = self._grid.current_key()
        is_one = current is not None and not self._grid.isVisible()  # in the large view
        selected = [] if is_one else self._grid.selected_keys()
        keys = selected or ([] if current is None else [current])
        if keys:
            self._forgetting.media(keys)

    def _select_all(self) -> None:
        self._switcher.to_library()
        self._grid.selectAll()

    def _resize(self, by: int) -> None:
        self._grid.set_size_step(self._grid.size_step + by)


@dataclass(frozen=True, slots=True)
class Level:
    """One of the levels that Esc leaves, the innermost that is open first."""

    is_open: Callable[[], bool]
    close: Callable[[], object]


class WindowCommands(QObject):
    """The window itself: focus, going back, full screen, palette and help."""

    def __init__(
        self,
        window: QMainWindow,
        actions: ActionSet,
        widgets: WindowWidgets,
        close_views: Callable[[], object],
        dialogs: DialogHost,
        app_theme: AppTheme,
        levels: Sequence[Level],
    ) -> None:
        super().__init__(window)
        self._window = window
        self._actions = actions
        self._search = widgets.search
        self._palette = widgets.palette
        self._close_views = close_views
        self._dialogs = dialogs
        self._app_theme = app_theme
        self._levels = levels

    def slots(self) -> Slots:
        """The slots of the actions about the window."""
        return {
            Actions.FOCUS_SEARCH: self._focus_search,
            Actions.STEP_BACK: self._step_back,
            Actions.FULL_SCREEN: self._full_screen,
            Actions.APPEARANCE: self._app_theme.toggle,
            Actions.PALETTE: self._palette.open,
            Actions.HELP: self._help,
            Actions.QUIT: self._window.close,
        }

    def _focus_search(self) -> None:
        self._close_views()
        self._search.setFocus()
        self._search.selectAll()

    def _step_back(self) -> None:
        for level in self._levels:
            if level.is_open():
                level.close()
                return

    def _full_screen(self) -> None:
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def _help(self) -> None:
        self._dialogs.open(lambda parent: ShortcutsHelp(self._actions, parent))
