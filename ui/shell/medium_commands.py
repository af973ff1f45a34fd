"""The slots of the actions about the photo or video under the cursor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QUrl
from PySide6.QtGui import QGuiApplication

from cocadesk.errors import UserError
from ui.annotations.ratings import targets
from ui.kit import desktop
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.texts import count
from ui.library.bin import BinCommands, step_off
from ui.library.tasks import Tasks
from ui.shell.layout import WindowWidgets
from ui.shell.pages import PageSwitcher
from ui.shell.session import LibrarySession


class MediumCommands(QObject):
    """Opens, shows, copies, hides it, or moves it into the system's bin."""

    def __init__(
        self,
        widgets: WindowWidgets,
        session: LibrarySession,
        switcher: PageSwitcher,
        dialogs: DialogHost,
    ) -> None:
        super().__init__(widgets)
        self._library = widgets.library
        self._grid = widgets.grid
        self._detail = widgets.detail
        self._notice = widgets.notice
        self._switcher = switcher
        self._session = session
        tasks = Tasks(session.link, dialogs, widgets.notice)
        self._bin = BinCommands(tasks, session.link, widgets.grid, session.model, widgets.notice)

    def slots(self) -> Slots:
        """The slots of the actions about one medium."""
        return {
            Actions.OPEN_FILE: lambda: self._on_file(desktop.open_in_program),
            Actions.SHOW_IN_FOLDER: lambda: self._on_file(desktop.show_in_folder),
            Actions.COPY_PICTURE: self._copy_picture,
            Actions.COPY_PATH: self._copy_path,
            Actions.COPY_CAPTION: self._copy_caption,
            Actions.HIDE: self._hide,
            Actions.MOVE_TO_BIN: self._move_to_bin,
            Actions.PUT_BACK: self._bin.take_back,
            Actions.TOGGLE_DETAIL: self._library.toggle_detail,
        }

    def show_detail(self) -> bool:
        """Brings the detail into sight; False where no photo is under the cursor."""
        self._switcher.to_library()
        return self._library.show_detail()

    def on_file(self, path: str, act: Callable[[str], object]) -> None:
        """Does something with a file; what hinders it is told."""
        try:
            if not Path(path).exists():
                name = Path(path).name
                raise UserError(f"{name} is not there now.", "Its disk may be away.")
            act(path)
        except UserError as error:
            self._notice.say(str(error))

    def _on_file(self, act: Callable[[str], object]) -> None:
        row = self._grid.current_row()
        if row is not None:
            self.on_file(row.path.to_str(), act)

    def _copy_picture(self) -> None:
        """The files, to paste them elsewhere; of one photo its picture in the screen's size too."""
        keys = targets(self._grid)
        rows = [row for key in keys if (row := self._session.model.known_row(key)) is not None]
        if not rows:
            return
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(row.path.to_str()) for row in rows])
        path = self._session.inspector.picture_path
        picture = self._session.previews.pixmap(path, path) if path else None
        said = f"{count(len(rows), 'file')} copied"
        if len(rows) == 1 and picture is not None and not picture.isNull():
            data.setImageData(picture.toImage())
            said = "Picture and file copied"
        QGuiApplication.clipboard().setMimeData(data)
        self._notice.say(said)

    def _copy_path(self) -> None:
        row = self._grid.current_row()
        if row is not None:
            desktop.copy_text(row.path.text)
            self._notice.say("Path copied")

    def _copy_caption(self) -> None:
        caption = self._detail.field.caption
        if caption:
            desktop.copy_text(caption)
            self._notice.say("Caption copied")
        else:
            self._notice.say("There is no caption to copy yet")

    def _hide(self) -> None:
        """Hides what is chosen; where the one under the cursor is hidden, shows all of it."""
        keys, row = targets(self._grid), self._grid.current_row()
        if not keys:
            return
        is_hidden = row is not None and row.hidden
        photos = count(len(keys), "photo")
        if is_hidden:
            self._session.editor.set(keys, f"No longer hidden: {photos}", hidden=False)
            return
        step_off(self._grid, keys)
        self._session.editor.set(
            keys, f"Hidden: {photos}. The search hidden:yes shows them", hidden=True
        )

    def _move_to_bin(self) -> None:
        keys = targets(self._grid)
        if keys:
            self._bin.ask(keys)
