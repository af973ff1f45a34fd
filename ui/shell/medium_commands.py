"""The slots of the actions about the photo or video under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QUrl
from PySide6.QtGui import QGuiApplication

from cocadesk.errors import UserError
from cocadesk.protocol.messages import GetRows, Rows
from cocadesk.protocol.values import Row
from ui.annotations.ratings import targets
from ui.kit import desktop
from ui.kit.actions import Actions, Slots
from ui.kit.dialogs import DialogHost
from ui.kit.translation import grouped, tr, tr_count
from ui.library.bin import BinCommands, files_of, step_off
from ui.library.tasks import Tasks
from ui.shell.layout import WindowWidgets
from ui.shell.pages import PageSwitcher
from ui.shell.session import LibrarySession

MOST_COPIED = 2000
"""Photos at once: as many as can be dragged."""


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
                raise UserError(
                    tr("{name} is not there now.", name=name), tr("Its disk may be away.")
                )
            act(path)
        except UserError as error:
            self._notice.say(str(error))

    def _on_file(self, act: Callable[[str], object]) -> None:
        row = self._grid.current_row()
        if row is not None:
            self.on_file(row.path.to_str(), act)

    def _copy_picture(self) -> None:
        """All files, to paste them elsewhere; of one photo its picture in the screen's size too."""
        keys = targets(self._grid)
        if len(keys) > MOST_COPIED:
            self._notice.say(
                tr(
                    "Only {most_copied} can be copied at once; select fewer photos",
                    most_copied=grouped(MOST_COPIED),
                )
            )
            return
        known = {k: row for k in keys if (row := self._session.model.known_row(k)) is not None}
        missing = tuple(key for key in keys if key not in known)

        def on_rows(answer: Rows) -> None:
            known.update((row.key, row) for row in answer.rows)
            self._copy([known[key] for key in keys if key in known])

        if missing:
            self._session.link.ask(GetRows(keys=missing), Rows, on_rows, on_failed=self._tell)
        elif known:
            self._copy(list(known.values()))

    def _copy(self, rows: Sequence[Row]) -> None:
        files = [path for row in rows for path in files_of(row)]
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(path) for path in files])
        inspector = self._session.inspector
        path = inspector.picture_path if [row.key for row in rows] == [inspector.key] else None
        picture = self._session.previews.pixmap(path, path) if path else None
        said = tr_count(len(files), "{n} file copied", "{n} files copied")
        if picture is not None and not picture.isNull():
            data.setImageData(picture.toImage())
            said = tr_count(len(files), "Picture and file copied", "Picture and {n} files copied")
        QGuiApplication.clipboard().setMimeData(data)
        self._notice.say(said)

    def _tell(self, error: UserError) -> None:
        self._notice.say(str(error))

    def _copy_path(self) -> None:
        row = self._grid.current_row()
        if row is not None:
            desktop.copy_text(row.path.text)
            self._notice.say(tr("Path copied"))

    def _copy_caption(self) -> None:
        caption = self._detail.field.caption
        if caption:
            desktop.copy_text(caption)
            self._notice.say(tr("Caption copied"))
        else:
            self._notice.say(tr("There is no caption to copy yet"))

    def _hide(self) -> None:
        """Hides what is chosen; where the one under the cursor is hidden, shows all of it."""
        keys, row = targets(self._grid), self._grid.current_row()
        if not keys:
            return
        is_hidden = row is not None and row.hidden
        photos = tr_count(len(keys), "{n} photo", "{n} photos")
        if is_hidden:
            self._session.editor.set(
                keys, tr("No longer hidden: {photos}", photos=photos), hidden=False
            )
            return
        step_off(self._grid, keys)
        self._session.editor.set(
            keys,
            tr("Hidden: {photos}. The search hidden:yes shows them", photos=photos),
            hidden=True,
        )

    def _move_to_bin(self) -> None:
        keys = targets(self._grid)
        if keys:
            self._bin.ask(keys)
