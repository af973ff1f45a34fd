"""The system's bin: files are moved there, and taken back where it tells where they lie."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QFile, QObject, Qt, Signal

from cocadesk.errors import UserError
from cocadesk.protocol.paths import printable
from ui.kit.translation import tr


@dataclass(frozen=True, slots=True)
class Binned:
    """A file that went into the bin; ``there`` is where it lies now, where the system tells."""

    path: str
    there: str = ""


@dataclass(frozen=True, slots=True)
class BinReport:
    """The files that were moved, and by their paths the sentences of those that were not."""

    done: tuple[Binned, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()

    @property
    def can_take_back(self) -> bool:
        """True where the system has told where all of them lie."""
        return bool(self.done) and all(one.there for one in self.done)


def move_to_bin(path: str) -> Binned:
    """Moves one file into the bin of its disk.

    Raises:
        UserError: it isn't there, or its disk has no bin.
    """
    name = printable(Path(path).name)
    if not os.path.lexists(path):
        raise UserError(
            tr("{name} is not in its place.", name=name), tr("It was moved or deleted.")
        )
    file = QFile(path)
    if not file.moveToTrash():
        raise UserError(
            tr("{name} could not be moved to the bin.", name=name),
            tr("Its folder may be read-only, or its disk may have no bin."),
            tr("Nothing was deleted. Show it in its folder to decide there."),
        )
    there = file.fileName()
    return Binned(path, there if there != path else "")


def take_back(binned: Binned) -> None:
    """Puts a file back into its place.

    Raises:
        UserError: it is no longer in the bin, its place is taken, or its folder is gone.
    """
    name = printable(Path(binned.path).name)
    there, path = Path(binned.there), Path(binned.path)
    if not binned.there or not os.path.lexists(there):
        raise UserError(
            tr("{name} is no longer in the bin.", name=name),
            "",
            tr("Look for it in the bin itself."),
        )
    if os.path.lexists(path):
        raise UserError(
            tr("{name} could not be put back.", name=name),
            tr("Another file is in its place by now."),
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(there, path)
    except OSError as error:
        raise UserError(
            tr("{name} could not be put back.", name=name), f"{error.strerror or error}."
        ) from error
    note = there.parent.parent / "info" / f"{there.name}.trashinfo"  # of the desktops' bins
    with contextlib.suppress(OSError):
        note.unlink(missing_ok=True)


class BinWork(QObject):
    """Moves files on a thread of its own; ``ended`` carries a ``BinReport``."""

    ended = Signal(object)
    _done = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._done.connect(self.ended, Qt.ConnectionType.QueuedConnection)

    def move(self, groups: Sequence[Sequence[str]]) -> None:
        """The files of one medium go together: where one can't go, the others stay or come back."""
        self._start(lambda: _moved(groups))

    def take_back(self, files: Sequence[Binned]) -> None:
        """Puts files back, the last one first."""
        self._start(lambda: _back(files))

    def _start(self, work: Callable[[], BinReport]) -> None:
        # No loop may hold this object: the window may be closed meanwhile.
        def run() -> None:
            report = work()
            with contextlib.suppress(RuntimeError):
                self._done.emit(report)

        threading.Thread(target=run, name="bin", daemon=True).start()


def _moved(groups: Sequence[Sequence[str]]) -> BinReport:
    done: list[Binned] = []
    failed: list[tuple[str, str]] = []
    for paths in groups:
        moved: list[Binned] = []
        for path in paths:
            try:
                moved.append(move_to_bin(path))
            except UserError as error:
                failed.append((path, str(error)))
                moved = _still_there(moved)
                break
        done += moved
    return BinReport(tuple(done), tuple(failed))


def _still_there(moved: Sequence[Binned]) -> list[Binned]:
    """Half a medium is of no use: takes its files back; gives those that stay in the bin."""
    back = set(_back(moved).done)
    return [binned for binned in moved if binned not in back]


def _back(files: Sequence[Binned]) -> BinReport:
    done: list[Binned] = []
    failed: list[tuple[str, str]] = []
    for binned in reversed(files):
        try:
            take_back(binned)
            done.append(binned)
        except UserError as error:
            failed.append((binned.path, str(error)))
    return BinReport(tuple(done), tuple(failed))
