"""Several libraries in one program: open another one, make a new one, the recent ones."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMainWindow, QMenu

from cocadesk.errors import UserError
from cocadesk.locations import LIBRARY_VARIABLE, library_folder
from cocadesk.protocol.endpoint import library_name
from cocadesk.protocol.paths import printable
from ui.kit import desktop
from ui.kit.actions import Actions, Slots, without_argument
from ui.kit.plain_text import button_text
from ui.kit.preferences import Preference, carry_over
from ui.kit.translation import tr
from ui.kit.widgets import Notice

RECENT: Preference[list[str]] = Preference("recent-libraries", [], of=str)
MOST = 8
MANIFEST = "library.json"
NEW_NAME = "CocaDesk library"
SAMPLES_NAME = "CocaDesk samples"
OPEN_TITLE = tr("Choose a library's folder")
NEW_TITLE = tr("Choose a folder for the new library")


class Libraries(QObject):
    """Leads to other libraries; ``wanted`` carries the folder of one that is to be opened."""

    wanted = Signal(object)

    def __init__(self, window: QMainWindow, library: Path, notice: Notice) -> None:
        super().__init__(window)
        self._window = window
        self._notice = notice
        self.current = library
        self.has_samples = library == samples_library()
        if not self.has_samples:
            note_recent(library)

    def slots(self) -> Slots:
        """The slots of the actions about libraries."""
        return {
            Actions.OPEN_LIBRARY: self._choose,
            Actions.NEW_LIBRARY: self._create,
        }

    def recent(self) -> list[Path]:
        """Other libraries that were open before and are there, the last one first."""
        others = (Path(text) for text in RECENT.read())
        return [path for path in others if path != self.current and is_library(path)]

    def offer_recent(self, menu: QMenu) -> None:
        """Puts the recent ones into a menu."""
        part = menu.addMenu(tr("Recent libraries"))
        part.aboutToShow.connect(lambda: self.fill_menu(part))

    def fill_menu(self, menu: QMenu) -> None:
        """Offers the recent ones, each time the menu is opened."""
        menu.clear()
        for path in self.recent():
            entry = menu.addAction(button_text(f"{path.name}  ({path.parent})"))
            entry.triggered.connect(without_argument(partial(self.open, path)))
        if menu.isEmpty():
            menu.addAction(tr("No other library yet")).setEnabled(False)

    def open(self, folder: Path) -> None:
        """Opens the library of a folder in place of this one; a moved one in its new place."""
        try:
            place = library_folder(str(folder))
        except UserError as error:
            self._notice.say(str(error))
            return
        if place == self.current:
            self._notice.say(tr("This library is open already"))
        else:
            self.wanted.emit(place)

    def open_moved(self, new: Path) -> None:
        """The library is in another folder now, and with it what is remembered of it."""
        carry_over(library_name(self.current), library_name(new))
        RECENT.write([text for text in RECENT.read() if text != str(self.current)])
        note_recent(new)
        self.wanted.emit(new)

    def open_samples(self) -> None:
        """Opens the library of the sample photos, which is made where it is not there."""
        self.open(samples_library())

    def open_usual(self) -> None:
        """Opens the library that was open last beside the samples."""
        self.open(next(iter(self.recent()), usual_library()))

    def _choose(self) -> None:
        chosen = desktop.ask_for_folder(self._window, OPEN_TITLE)
        if chosen is not None:
            try:
                self.open(library_in(Path(chosen)))
            except UserError as error:
                self._notice.say(str(error), tr("New library…"), self._create)

    def _create(self) -> None:
        chosen = desktop.ask_for_folder(self._window, NEW_TITLE)
        if chosen is not None:
            try:
                self.open(place_for_new(Path(chosen)))
            except UserError as error:
                self._notice.say(str(error))


def is_library(folder: Path) -> bool:
    """True where a library is; a folder that can't be read is none."""
    try:
        return (folder / MANIFEST).is_file()
    except OSError:
        return False


def library_in(folder: Path) -> Path:
    """The library of a folder that was chosen, or the one right in it.

    Raises:
        UserError: there is none.
    """
    for place in (folder, folder / NEW_NAME, folder / "library"):
        if is_library(place):
            return place
    raise UserError(
        tr("There is no library in {folder}.", folder=printable(str(folder))),
        tr(
            "A library is the folder that CocaDesk made, with a file library.json in it; "
            "folders of photos are added to one."
        ),
    )


def place_for_new(folder: Path) -> Path:
    """The folder in which a library can be made: the chosen one, or one in it that is new.

    Raises:
        UserError: it can't be looked into, or is taken.
    """
    try:
        is_empty = not folder.exists() or not any(folder.iterdir())
    except OSError as error:
        raise UserError(
            tr("No library can be made in {folder}.", folder=printable(str(folder))),
            tr("The reason: {reason}.", reason=error.strerror or error),
            tr("Choose another folder."),
        ) from error
    if is_empty:
        return folder
    place = folder / NEW_NAME
    if place.exists():
        raise UserError(
            tr("There is a library in {folder} already.", folder=printable(str(folder))),
            "",
            tr("Choose another folder, or open that library."),
        )
    return place


def usual_library() -> Path:
    """The library of a person who never chose another."""
    return library_folder(must_be_there=False).expanduser().absolute()


def samples_library() -> Path:
    """The folder of the library of the sample photos, beside the usual one."""
    return usual_library().parent / SAMPLES_NAME


def start_library(named: str) -> Path:
    """The library of a start: the named one, else that of the last window, while it is there.

    Raises:
        UserError: the address can't be one of a library.
    """
    usual = library_folder(named, must_be_there=False).expanduser().absolute()
    if named or os.environ.get(LIBRARY_VARIABLE):
        return usual
    last = next((Path(text) for text in RECENT.read()), usual)
    return last if is_library(last) else usual


def is_away(library: Path) -> bool:
    """True where a library was open before and is not there now, e.g. on a disk that is away."""
    return not is_library(library) and str(library) in RECENT.read()


def was_moved(library: Path, to: Path) -> bool:
    """True where the library is in the other folder now."""
    return library != to and library_folder(str(library), must_be_there=False) == to


def note_recent(library: Path) -> None:
    """Puts a library first among the recent ones."""
    others = [text for text in RECENT.read() if text != str(library)]
    RECENT.write([str(library), *others][:MOST])


def shown_name(library: Path) -> str:
    """The name of a library in titles; nothing for the one that everybody has."""
    return "" if library == usual_library() else printable(library.name or str(library))
