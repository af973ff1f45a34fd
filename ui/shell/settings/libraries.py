"""The sections on the library as a whole and on what is kept where."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from cocadesk.locations import cache_folder, log_file
from cocadesk.protocol.messages import Info
from ui.annotations.unsent import unsent_folder
from ui.kit import desktop
from ui.kit.actions import Action, Actions
from ui.kit.plain_text import button_text
from ui.kit.preferences import settings_file
from ui.kit.texts import file_size
from ui.kit.translation import tr, tr_count
from ui.kit.widgets import button
from ui.shell.settings.context import SettingsContext
from ui.shell.settings.rows import Section, SettingRow, buttons

NOTHING_LEAVES = tr(
    "Nothing leaves this computer: photos, captions, tags and searches stay "
    "here, nobody is told that you use CocaDesk, and nothing looks for "
    "updates. Only a model that you choose by its name is downloaded."
)


MOVE = tr(
    "To another folder or disk: everything is copied and compared, and only "
    "then the new place counts. Photos and videos stay where they are."
)
MOVED = tr(
    "It was moved here, and the old copy is still in {place}. Look whether all is as it was, and "
    "remove it then; until that the library can't be moved again."
)
MOVE_WORDS = tr("disk drive space full folder where place copy remove old")


class LibrarySection(Section):
    """Which library is open, where it is and how large; care, and others."""

    _measured = Signal(object)

    def __init__(self, context: SettingsContext) -> None:
        self._context = context
        self._folder = context.libraries.current
        self._counts = ""
        self._size = ""
        self._is_measuring = False
        self.which = SettingRow(
            tr("This library"),
            str(self._folder),
            show_button(self._folder, tr("Show the library's folder")),
            words=tr("where size which"),
        )
        self.place = SettingRow(tr("Move the library"), MOVE, words=MOVE_WORDS)
        self.remove_old = self._action_button(Actions.REMOVE_OLD_LIBRARY)
        self.move_button = self._action_button(Actions.MOVE_LIBRARY)
        self.place.add_below(buttons(self.move_button, self.remove_old))
        context.moving.old_came.connect(self._tell_old)
        self._tell_old()
        self.care = SettingRow(
            tr("Care"),
            tr(
                "Check reads every file of the library; a backup holds your captions, "
                "tags, folders and settings. CocaDesk writes one by itself every day that "
                "it is in use."
            ),
            words=tr("check repair restore export backup damaged"),
        )
        care = (
            Actions.CHECK_LIBRARY,
            Actions.REPAIR_LIBRARY,
            Actions.BACK_UP_LIBRARY,
            Actions.RESTORE_LIBRARY,
            Actions.EXPORT_LIBRARY,
        )
        self.care.add_below(buttons(*(self._action_button(action) for action in care[:3])))
        self.care.add_below(buttons(*(self._action_button(action) for action in care[3:])))
        self.others = SettingRow(
            tr("Other libraries"),
            tr("Each library has photos, captions and tags of its own; one is open at a time."),
            words=tr("open another new switch recent several"),
        )
        actions = (Actions.OPEN_LIBRARY, Actions.NEW_LIBRARY)
        self.others.add_below(buttons(*(self._action_button(action) for action in actions)))
        for path in context.libraries.recent()[:4]:
            self.others.add_below(self._recent(path))
        super().__init__(tr("Library"), self.which, self.place, self.care, self.others)
        self._measured.connect(self._on_measured, Qt.ConnectionType.QueuedConnection)

    def on_shown(self) -> None:
        """Measures the folder."""
        if not self._is_measuring:
            self._is_measuring = True
            threading.Thread(target=self._measure, name="library-size", daemon=True).start()

    def _measure(self) -> None:
        size = size_of(self._folder)
        try:
            self._measured.emit(size)
        except RuntimeError:  # the window was closed meanwhile
            return

    def _on_measured(self, size: object) -> None:
        self._is_measuring = False
        self._size = file_size(int(str(size)))
        self._say()

    def show_info(self, info: Info) -> None:
        """Tells how much is in it."""
        self._counts = tr(
            "{photos} and {videos}",
            photos=tr_count(info.counts.photos, "{n} photo", "{n} photos"),
            videos=tr_count(info.counts.videos, "{n} video", "{n} videos"),
        )
        self._say()

    def _tell_old(self) -> None:
        """Whether an old copy is left from a move."""
        old = self._context.moving.old
        self.remove_old.setVisible(old is not None)
        self.move_button.setVisible(old is None)
        self.place.say(MOVE if old is None else MOVED.format(place=old.text))

    def _say(self) -> None:
        parts = (str(self._folder), self._counts, self._size)
        self.which.say(" · ".join(part for part in parts if part))

    def _action_button(self, action: Action) -> QWidget:
        live = self._context.actions[action]
        made = button(action.text, on_click=live.trigger)
        made.setEnabled(live.isEnabled())
        live.enabledChanged.connect(made.setEnabled)
        return made

    def _recent(self, path: Path) -> QWidget:
        made = button(button_text(f"{path.name}  –  {path.parent}"), "link")
        made.clicked.connect(lambda: self._context.libraries.open(path))
        return buttons(made)


class PrivacySection(Section):
    """What is kept where, that nothing leaves, and forgetting searches."""

    def __init__(self, context: SettingsContext) -> None:
        self._context = context
        leaves = SettingRow(
            tr("Nothing leaves"), NOTHING_LEAVES, words=tr("telemetry network offline")
        )
        places = [
            place_row(
                tr("Captions, tags, thumbnails and vectors"),
                tr("In the library"),
                context.libraries.current,
                words=tr("store database"),
            ),
            place_row(
                tr("What can be made again, and models"),
                tr("In the cache"),
                cache_folder(),
                words=tr("cache temporary"),
            ),
            place_row(tr("Settings of the window"), tr("In one file"), Path(settings_file())),
            place_row(
                tr("What you said while the engine was away"),
                tr("Until it is sent, in the folder"),
                unsent_folder(),
                words=tr("unsent captions tags stars waiting edits"),
            ),
            place_row(tr("Errors of the program"), tr("In the log"), log_file()),
        ]
        clear = button(tr("Clear"), on_click=self._clear)
        clear.setAccessibleName(tr("Clear search history"))
        self.history = SettingRow(
            tr("Search history"),
            tr(
                "The last 50 searches of each library are remembered, and the list shown last. "
                "Clear forgets them, with the way back, and shows everything."
            ),
            clear,
            words=tr("clear forget queries"),
        )
        super().__init__(tr("Privacy"), leaves, *places, self.history)

    def _clear(self) -> None:
        self._context.forget_searches()
        self._context.notice.say(tr("The searches are forgotten"))


def place_row(title: str, where: str, path: Path, *, words: str = "") -> SettingRow:
    """A row on a place of files, with a way there."""
    shown = show_button(
        path if path.suffix == "" else path.parent, tr("Show: {title}", title=title)
    )
    return SettingRow(title, f"{where}: {path}", shown, words=" ".join((tr("stored where"), words)))


def show_button(folder: Path, name: str) -> QWidget:
    """A button that opens a folder, or what is there of its path."""

    def show() -> None:
        there = next((one for one in (folder, *folder.parents) if one.is_dir()), folder)
        desktop.open_file(str(there))

    made = button(tr("Show"), on_click=show)
    made.setAccessibleName(name)
    return made


def size_of(folder: Path) -> int:
    """The bytes of all files in a folder; what can't be read counts nothing."""
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size  # noqa: PTH118 - a million
            except OSError:
                continue
    return total
