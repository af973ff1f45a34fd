"""Care of the library in the window: checked, repaired, backed up, restored, exported."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from cocadesk.protocol.messages import (
    BackUpLibrary,
    CareReport,
    CheckLibrary,
    ExportLibrary,
    RepairLibrary,
    RequestBody,
    RestoreLibrary,
)
from cocadesk.protocol.paths import WirePath
from ui.kit import desktop
from ui.kit.actions import Actions, Slots
from ui.kit.translation import tr, tr_count
from ui.library.moving import MoveCommands
from ui.library.tasks import TaskDialog, Tasks

BACKUPS = tr("Backups (*.zip)")
REPAIR = tr(
    "CocaDesk reads every file of the library, sets damaged parts back to their newest state "
    "that can be read, and makes again what can be made again. This can take some minutes."
)
FILES_STAY = tr("Your photos and videos are not touched.")
RESTORE = tr(
    "CocaDesk brings your captions, tags and folders back from a backup. "
    "What you have changed since then stays as it is."
)
NEWEST = tr(
    "Without a file, the newest backup is used. CocaDesk writes one every day that it is in use."
)


class CareCommands(QObject):
    """Asks where that is needed, lets the engine work, and tells what it found and did.

    ``mended``: a repair or a restore has ended. ``moving`` moves it to another folder.
    """

    mended = Signal()

    def __init__(self, tasks: Tasks, window: QWidget) -> None:
        super().__init__(tasks)
        self._tasks = tasks
        self._window = window
        self.moving = MoveCommands(tasks, window)

    def slots(self) -> Slots:
        """The slots of the actions about the library as a whole."""
        return {
            Actions.CHECK_LIBRARY: self.check,
            Actions.REPAIR_LIBRARY: self._repair,
            Actions.BACK_UP_LIBRARY: self._back_up,
            Actions.RESTORE_LIBRARY: self._restore,
            Actions.EXPORT_LIBRARY: self._export,
            **self.moving.slots(),
        }

    def check(self) -> None:
        """Reads every file of the library and tells what is wrong."""
        dialog = self._tasks.open(tr("Check the library"))
        dialog.agreed.connect(self._repair)
        on_done = partial(_tell_problems, dialog)
        self._run(dialog, tr("Reading every file of the library…"), CheckLibrary(), on_done)

    def _repair(self) -> None:
        dialog = self._tasks.open(tr("Repair the library"))
        dialog.ask(REPAIR, tr("Repair"), small_print=FILES_STAY)
        on_done = partial(self._tell_repaired, dialog)
        dialog.agreed.connect(
            lambda: self._run(dialog, tr("Repairing the library…"), RepairLibrary(), on_done)
        )

    def _tell_repaired(self, dialog: TaskDialog, report: CareReport) -> None:
        self.mended.emit()
        if report.problems and not report.done:
            dialog.tell(tr("This could not be repaired:"), report.problems)
        elif report.problems:
            sentence = tr("Not everything could be repaired. This was done, and this is left:")
            still = [tr("Still wrong: {problem}", problem=problem) for problem in report.problems]
            dialog.tell(sentence, [*report.done, *still])
        elif report.done:
            dialog.tell(tr("The library has been repaired. This was done:"), report.done)
        else:
            dialog.tell(tr("There was nothing to repair."))

    def _back_up(self) -> None:
        name = tr("CocaDesk backup {day}.zip", day=date.today().isoformat())
        chosen = desktop.ask_where_to_save(self._window, tr("Back up the library"), name)
        if chosen is None:
            return
        dialog = self._tasks.open(tr("Back up the library"))
        body = BackUpLibrary(path=WirePath.of(chosen))
        sentence = tr("Your captions, tags, folders and settings are in this file:")
        small_print = tr("Photos and videos are not part of it.")
        on_done = partial(_tell_written, dialog, sentence, small_print)
        self._run(dialog, tr("Writing the backup…"), body, on_done)

    def _restore(self) -> None:
        dialog = self._tasks.open(tr("Restore from a backup"))
        dialog.ask(
            RESTORE, tr("Use the newest backup"), small_print=NEWEST, other=tr("Choose a file…")
        )
        dialog.agreed.connect(lambda: self._restore_from(dialog, None))
        dialog.other_wanted.connect(lambda: self._choose_backup(dialog))

    def _choose_backup(self, dialog: TaskDialog) -> None:
        chosen = desktop.ask_for_file(dialog, tr("Choose a backup"), BACKUPS)
        if chosen is not None:
            self._restore_from(dialog, WirePath.of(chosen))

    def _restore_from(self, dialog: TaskDialog, path: WirePath | None) -> None:
        def on_done(report: CareReport) -> None:
            self.mended.emit()
            dialog.tell(tr("The backup has been restored:"), report.done)

        self._run(dialog, tr("Restoring the backup…"), RestoreLibrary(path=path), on_done)

    def _export(self) -> None:
        title = tr("Choose a folder for the exported files")
        chosen = desktop.ask_for_folder(self._window, title)
        if chosen is None:
            return
        dialog = self._tasks.open(tr("Export the library"))
        body = ExportLibrary(folder=WirePath.of(chosen))
        sentence = tr("Other programs can read your library from these files:")
        small_print = tr(
            "They are Parquet tables of all photos and videos with their captions and tags, "
            "and of every change to these."
        )
        on_done = partial(_tell_written, dialog, sentence, small_print)
        self._run(dialog, tr("Writing the files…"), body, on_done)

    def _run(
        self,
        dialog: TaskDialog,
        working: str,
        body: RequestBody,
        on_done: Callable[[CareReport], None],
    ) -> None:
        self._tasks.run(dialog, working, body, CareReport, on_done)


def _tell_problems(dialog: TaskDialog, report: CareReport) -> None:
    if report.problems:
        sentence = tr_count(len(report.problems), "{n} problem found:", "{n} problems found:")
        dialog.tell(sentence, report.problems, go_on=tr("Repair…"), small_print=FILES_STAY)
    else:
        dialog.tell(tr("All is well. Every file of the library could be read."))


def _tell_written(dialog: TaskDialog, sentence: str, small_print: str, report: CareReport) -> None:
    lines = [path.text for path in report.paths]
    dialog.tell(sentence, lines, small_print=small_print)
