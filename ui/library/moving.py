"""The library moved to another folder or disk from the window, and its old copy removed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    CareReport,
    GetInfo,
    Info,
    LibraryMoved,
    MoveLibrary,
    Ok,
    Progress,
    RemoveOldLibrary,
    StopEngine,
)
from cocadesk.protocol.paths import WirePath
from ui.engine.link import LinkState, Ticket
from ui.kit import desktop
from ui.kit.actions import Actions, Slots
from ui.kit.translation import tr
from ui.library.tasks import TaskDialog, Tasks

CHOOSE = tr("Choose the folder or disk for the library")
ASK = tr(
    "CocaDesk copies the library to {place}, compares every file with the "
    "copy, and then works with the copy. Your photos and videos stay where "
    "they are."
)
OLD_STAYS = tr("The old copy stays until you remove it. Stopped before the end, nothing changes.")
WORKS_ON = tr("You can close this and go on working; the window opens anew when the copy is whole.")
STARTING = tr("The engine is still starting. Try again in a few seconds.")
LOST = tr("The engine stopped before the library was moved; it is where it was. Try again.")
REMOVE = tr(
    "The library was moved here from {place}. Remove the old copy there? Look "
    "first whether all is as it was."
)
REMOVE_SMALL = tr("Your photos and videos are not touched, and the library itself stays.")


class MoveCommands(QObject):
    """Asks where to, follows the copy, and tells when the library is in its new place.

    ``old`` is the folder of the copy that a move has left, where there is one. ``moved`` carries
    the new folder; ``old_came``: ``old`` is another now.
    """

    moved = Signal(object)
    old_came = Signal()

    def __init__(self, tasks: Tasks, window: QWidget) -> None:
        super().__init__(tasks)
        self._link = link = tasks.link
        self._tasks = tasks
        self._notice = tasks.notice
        self._window = window
        self.old: WirePath | None = None
        self._ticket: Ticket | None = None
        self._dialog: TaskDialog | None = None
        link.state_changed.connect(self._on_state)
        link.connected.connect(self._ask)

    def slots(self) -> Slots:
        """The slots of the actions about the library's place."""
        return {
            Actions.MOVE_LIBRARY: self._choose,
            Actions.REMOVE_OLD_LIBRARY: self._remove_old,
        }

    def learn_old(self, old: WirePath | None) -> None:
        """Where the old copy of the library is; None: there is none."""
        if old != self.old:
            self.old = old
            self.old_came.emit()

    def _ask(self) -> None:
        self._link.ask(GetInfo(), Info, lambda info: self.learn_old(info.moved_from))

    def _choose(self) -> None:
        if self._ticket is not None:
            self._follow(self._tasks.open(tr("Move the library")))
            return
        chosen = desktop.ask_for_folder(self._window, CHOOSE)
        if chosen is None:
            return
        dialog = self._tasks.open(tr("Move the library"))
        path = WirePath.of(chosen)
        dialog.ask(ASK.format(place=path.text), tr("Move"), small_print=OLD_STAYS)
        dialog.agreed.connect(partial(self._start, dialog, path))

    def _start(self, dialog: TaskDialog, folder: WirePath) -> None:
        if self._link.state is not LinkState.CONNECTED:
            dialog.tell(STARTING)
            return
        self._follow(dialog)
        self._ticket = self._link.ask(
            MoveLibrary(folder=folder),
            LibraryMoved,
            self._on_moved,
            on_failed=self._on_failed,
            on_progress=self._on_progress,
        )

    def _follow(self, dialog: TaskDialog) -> None:
        """The dialog that shows how far the move is."""
        self._dialog = dialog
        dialog.work(tr("Copying the library…"), stop=tr("Stop"), small_print=WORKS_ON)
        dialog.other_wanted.connect(self._stop)

    def _on_progress(self, now: Progress) -> None:
        if self._dialog is not None and self._tasks.stands(self._dialog):
            self._dialog.show_progress(now)

    def _stop(self) -> None:
        if self._ticket is not None:
            self._ticket.cancel()
            self._end(tr("The move was stopped. The library is where it was."))

    def _on_failed(self, error: UserError) -> None:
        self._end(str(error))

    def _end(self, sentence: str) -> None:
        dialog, self._dialog, self._ticket = self._dialog, None, None
        if dialog is not None and self._tasks.stands(dialog):
            dialog.tell(sentence)
        else:
            self._notice.say(sentence)

    def _on_moved(self, moved: LibraryMoved) -> None:
        """The engine of the old place ends; the new place gets a window in place of this one."""
        self._ticket = None
        new = Path(moved.folder.to_str())
        self._notice.say(tr("The library is in {folder} now", folder=moved.folder.text), stays=True)
        self._link.ask(StopEngine(), Ok, lambda _ok: self.moved.emit(new))

    def _on_state(self, state: object) -> None:
        """A request is lost with its engine."""
        if self._ticket is not None and state is not LinkState.CONNECTED:
            self._end(LOST)

    # The old copy --------------------------------------------------------------------

    def _remove_old(self) -> None:
        if self.old is None:
            self._notice.say(tr("There is no old copy of this library"))
            return
        dialog = self._tasks.open(tr("Remove the old copy"))
        dialog.ask(
            REMOVE.format(place=self.old.text),
            tr("Remove"),
            small_print=REMOVE_SMALL,
            is_for_good=True,
        )
        dialog.agreed.connect(partial(self._removing, dialog))

    def _removing(self, dialog: TaskDialog) -> None:
        def on_done(report: CareReport) -> None:
            self.learn_old(None)
            dialog.tell(" ".join(report.done))

        self._tasks.run(
            dialog, tr("Removing the old copy…"), RemoveOldLibrary(), CareReport, on_done
        )
