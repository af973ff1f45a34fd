"""What each action does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from cocadesk.protocol.values import Row
from ui.kit import desktop
from ui.kit.actions import ActionId
from ui.shell.dialogs import ShortcutsHelp
from ui.shell.pages import Page

if TYPE_CHECKING:
    from ui.shell.window import MainWindow

PHOTO_MENU: tuple[ActionId, ...] = (
    ActionId.OPEN_LARGE,
    ActionId.MORE_LIKE_THIS,
    ActionId.SHOW_IN_FOLDER,
    ActionId.COPY_PATH,
    ActionId.COPY_CAPTION,
)
WORDS_MENU: tuple[ActionId, ...] = (
    ActionId.EDIT_CAPTION,
    ActionId.ACCEPT_CAPTION,
    ActionId.ADD_TAG,
    ActionId.HISTORY,
    ActionId.CAPTION_SELECTION,
    ActionId.WRITE_CAPTIONS,
)


class Commands(QObject):
    """The slots of the window's actions."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._widgets = window.widgets

    def slots(self) -> dict[ActionId, Callable[[], None]]:
        """The work of every action."""
        window, parts = self._window, self._widgets
        return {
            ActionId.ADD_FOLDER: self._add_folder,
            ActionId.RESCAN: self._look_again,
            ActionId.FOCUS_SEARCH: self._focus_search,
            ActionId.SHOW_ALL: self._show_all,
            ActionId.MORE_LIKE_THIS: self._more_like_this,
            ActionId.OPEN_LARGE: window.open_large,
            ActionId.TOGGLE_LARGE: self._toggle_large,
            ActionId.NEXT: self._next,
            ActionId.PREVIOUS: self._previous,
            ActionId.STEP_BACK: self._step_back,
            ActionId.SHOW_IN_FOLDER: self._show_in_folder,
            ActionId.COPY_PATH: self._copy_path,
            ActionId.COPY_CAPTION: self._copy_caption,
            ActionId.TOGGLE_DETAIL: window.toggle_detail,
            ActionId.BIGGER: self._bigger,
            ActionId.SMALLER: self._smaller,
            ActionId.FULL_SCREEN: self._full_screen,
            ActionId.APPEARANCE: window.app_theme.toggle,
            ActionId.PALETTE: parts.palette.open,
            ActionId.PLAY: self._play,
            ActionId.NEXT_MOMENT: lambda: parts.detail.video.strip.step(1),
            ActionId.PREVIOUS_MOMENT: lambda: parts.detail.video.strip.step(-1),
            ActionId.HELP: self._help,
            ActionId.QUIT: self._quit,
        }

    def show_photo_menu(self, where: object) -> None:
        """The menu of the photo under the pointer."""
        assert isinstance(where, QPoint)
        menu = QMenu(self._window)
        for do in PHOTO_MENU:
            menu.addAction(self._window.action_set[do])
        menu.addSeparator()
        for do in WORDS_MENU:
            menu.addAction(self._window.action_set[do])
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _row(self) -> Row | None:
        """The row under the cursor, as the grid or the inspector has it."""
        key = self._widgets.grid.current_key()
        if key is None:
            return None
        row = self._window.inspector.row
        return row if row is not None and row.key == key else self._window.model.known_row(key)

    def _add_folder(self) -> None:
        folder = desktop.ask_for_folder(self._window)
        if folder is not None:
            self._window.tracker.index([folder])

    def _look_again(self) -> None:
        self._window.tracker.index([])

    def _focus_search(self) -> None:
        self._window.close_large()
        self._widgets.search.setFocus()
        self._widgets.search.selectAll()

    def _show_all(self) -> None:
        self._window.switcher.to_library()
        if self._widgets.search.query():
            self._widgets.search.set_query("")
        else:
            self._window.browser.search("")
        self._widgets.grid.setFocus()

    def _more_like_this(self) -> None:
        row = self._row()
        if row is not None:
            self._window.switcher.to_library()
            self._window.browser.similar(row.key, row.name)

    def _toggle_large(self) -> None:
        if self._window.is_large:
            self._window.close_large()
        else:
            self._window.open_large()

    def _next(self) -> None:
        self._widgets.grid.step(1)

    def _previous(self) -> None:
        self._widgets.grid.step(-1)

    def _step_back(self) -> None:
        """One level: palette, large view, jobs, another page, full screen, a video, the search."""
        window = self._window
        if self._widgets.palette.isVisible():
            self._widgets.palette.hide()
        elif window.is_large:
            window.close_large()
        elif self._widgets.jobs.isVisible():
            window.jobs.close()
        elif window.switcher.page is not Page.LIBRARY:
            window.switcher.to_library()
        elif window.isFullScreen():
            window.showNormal()
        elif self._widgets.detail.video.is_open:
            self._widgets.detail.video.stop()
        else:
            self._show_all()

    def _play(self) -> None:
        """Videos play in the detail."""
        self._window.switcher.to_library()
        if not self._window.wants_detail:
            self._window.toggle_detail()
        self._widgets.detail.video.toggle()

    def _show_in_folder(self) -> None:
        row = self._row()
        if row is not None:
            desktop.show_in_folder(row.path.to_str())

    def _copy_path(self) -> None:
        row = self._row()
        if row is not None:
            desktop.copy_text(row.path.text)
            self._widgets.notice.say("Path copied")

    def _copy_caption(self) -> None:
        caption = self._widgets.detail.caption.text()
        if caption:
            desktop.copy_text(caption)
            self._widgets.notice.say("Caption copied")
        else:
            self._widgets.notice.say("There is no caption to copy yet")

    def _bigger(self) -> None:
        self._widgets.grid.set_size_step(self._widgets.grid.size_step + 1)

    def _smaller(self) -> None:
        self._widgets.grid.set_size_step(self._widgets.grid.size_step - 1)

    def _full_screen(self) -> None:
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def _help(self) -> None:
        self._window.open_dialog(ShortcutsHelp(self._window, self._window.app_theme.theme))

    def _quit(self) -> None:
        self._window.close()
