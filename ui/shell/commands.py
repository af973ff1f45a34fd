"""What each action does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu

from cocadesk.protocol.values import Row
from ui.kit import desktop
from ui.kit.actions import Do
from ui.shell.dialogs import ShortcutsHelp
from ui.shell.pages import Page

if TYPE_CHECKING:
    from ui.shell.window import MainWindow

PHOTO_MENU: tuple[Do, ...] = (
    Do.OPEN_LARGE,
    Do.MORE_LIKE_THIS,
    Do.SHOW_IN_FOLDER,
    Do.COPY_PATH,
    Do.COPY_CAPTION,
)
WORDS_MENU: tuple[Do, ...] = (
    Do.EDIT_CAPTION,
    Do.ACCEPT_CAPTION,
    Do.ADD_TAG,
    Do.HISTORY,
    Do.CAPTION_SELECTION,
    Do.WRITE_CAPTIONS,
)


class Commands(QObject):
    """The slots of the window's actions."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._parts = window.parts

    def slots(self) -> dict[Do, Callable[[], None]]:
        """The work of every action."""
        window, parts = self._window, self._parts
        return {
            Do.ADD_FOLDER: self._add_folder,
            Do.LOOK_AGAIN: self._look_again,
            Do.FOCUS_SEARCH: self._focus_search,
            Do.SHOW_ALL: self._show_all,
            Do.MORE_LIKE_THIS: self._more_like_this,
            Do.OPEN_LARGE: window.open_large,
            Do.TOGGLE_LARGE: self._toggle_large,
            Do.NEXT: self._next,
            Do.PREVIOUS: self._previous,
            Do.STEP_BACK: self._step_back,
            Do.SHOW_IN_FOLDER: self._show_in_folder,
            Do.COPY_PATH: self._copy_path,
            Do.COPY_CAPTION: self._copy_caption,
            Do.TOGGLE_DETAIL: window.toggle_detail,
            Do.BIGGER: self._bigger,
            Do.SMALLER: self._smaller,
            Do.FULL_SCREEN: self._full_screen,
            Do.APPEARANCE: window.look.toggle,
            Do.PALETTE: parts.palette.open,
            Do.PLAY: self._play,
            Do.NEXT_MOMENT: lambda: parts.detail.film.strip.step(1),
            Do.PREVIOUS_MOMENT: lambda: parts.detail.film.strip.step(-1),
            Do.HELP: self._help,
            Do.QUIT: self._quit,
        }

    def show_photo_menu(self, where: object) -> None:
        """The menu of the photo under the pointer."""
        assert isinstance(where, QPoint)
        menu = QMenu(self._window)
        for do in PHOTO_MENU:
            menu.addAction(self._window.commands_set[do])
        menu.addSeparator()
        for do in WORDS_MENU:
            menu.addAction(self._window.commands_set[do])
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _row(self) -> Row | None:
        """The row under the cursor, as the grid or the inspector has it."""
        key = self._parts.grid.current_key()
        if key is None:
            return None
        row = self._window.inspector.row
        return row if row is not None and row.key == key else self._window.model.known_row(key)

    def _add_folder(self) -> None:
        folder = desktop.ask_for_folder(self._window)
        if folder is not None:
            self._window.work.index([folder])

    def _look_again(self) -> None:
        self._window.work.index([])

    def _focus_search(self) -> None:
        self._window.close_large()
        self._parts.search.setFocus()
        self._parts.search.selectAll()

    def _show_all(self) -> None:
        self._window.turner.to_library()
        if self._parts.search.query():
            self._parts.search.set_query("")
        else:
            self._window.browser.search("")
        self._parts.grid.setFocus()

    def _more_like_this(self) -> None:
        row = self._row()
        if row is not None:
            self._window.turner.to_library()
            self._window.browser.similar(row.key, row.name)

    def _toggle_large(self) -> None:
        if self._window.is_large:
            self._window.close_large()
        else:
            self._window.open_large()

    def _next(self) -> None:
        self._parts.grid.step(1)

    def _previous(self) -> None:
        self._parts.grid.step(-1)

    def _step_back(self) -> None:
        """One level: palette, large view, jobs, another page, full screen, a film, the search."""
        window = self._window
        if self._parts.palette.isVisible():
            self._parts.palette.hide()
        elif window.is_large:
            window.close_large()
        elif self._parts.jobs.isVisible():
            window.jobs.close()
        elif window.turner.page is not Page.LIBRARY:
            window.turner.to_library()
        elif window.isFullScreen():
            window.showNormal()
        elif self._parts.detail.film.is_open:
            self._parts.detail.film.stop()
        else:
            self._show_all()

    def _play(self) -> None:
        """Films play in the detail."""
        self._window.turner.to_library()
        if not self._window.wants_detail:
            self._window.toggle_detail()
        self._parts.detail.film.toggle()

    def _show_in_folder(self) -> None:
        row = self._row()
        if row is not None:
            desktop.show_in_folder(row.path.to_str())

    def _copy_path(self) -> None:
        row = self._row()
        if row is not None:
            desktop.copy_text(row.path.text)
            self._parts.notice.say("Path copied")

    def _copy_caption(self) -> None:
        caption = self._parts.detail.caption.text()
        if caption:
            desktop.copy_text(caption)
            self._parts.notice.say("Caption copied")
        else:
            self._parts.notice.say("This photo has no caption yet")

    def _bigger(self) -> None:
        self._parts.grid.set_size_step(self._parts.grid.size_step + 1)

    def _smaller(self) -> None:
        self._parts.grid.set_size_step(self._parts.grid.size_step - 1)

    def _full_screen(self) -> None:
        if self._window.isFullScreen():
            self._window.showNormal()
        else:
            self._window.showFullScreen()

    def _help(self) -> None:
        self._window.open_dialog(ShortcutsHelp(self._window, self._window.look.theme))

    def _quit(self) -> None:
        self._window.close()
