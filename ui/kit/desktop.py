"""The desktop's services in one place, so that tests can replace them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from cocadesk.errors import UserError
from cocadesk.protocol.paths import printable
from cocadesk.resources import resource_path
from ui.kit.preferences import Preference
from ui.kit.translation import tr

LAST_FOLDER = Preference("last-folder", "")


def show_in_folder(path: str) -> None:
    """Opens the file's folder, with the file selected where the system can.

    Raises:
        UserError: the desktop has no program that shows folders.
    """
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", path])
    elif sys.platform == "win32":
        subprocess.Popen(["explorer", "/select,", os.path.normpath(path)])
    else:
        _open(Path(path).parent, tr("The folder could not be opened."))


def open_file(path: str) -> None:
    """Opens the file in the program that the system has for it, if it has one."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(path))


def open_in_program(path: str) -> None:
    """Opens the file in the program that the system has for it.

    Raises:
        UserError: it has none.
    """
    _open(Path(path), tr("{name} could not be opened.", name=printable(Path(path).name)))


def _open(path: Path, failed: str) -> None:
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(os.fspath(path))):
        raise UserError(
            failed, tr("The desktop has no program for it."), tr("Copy the path instead.")
        )


def open_credits() -> None:
    """Opens the list of the photographers of the sample photos."""
    open_file(os.fspath(resource_path("samples", "CREDITS.md")))


def samples_folder() -> str:
    """The folder of the sample photos that ship with the program."""
    return os.fspath(resource_path("samples", "photos"))


def copy_text(text: str) -> None:
    """Puts the text on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def ask_for_folder(parent: QWidget, title: str = tr("Add a folder of photos")) -> str | None:
    """A folder that the person chooses, or None."""
    chosen = QFileDialog.getExistingDirectory(parent, title, _last_folder())
    return _noted(chosen, os.fspath(Path(chosen).parent))


def ask_for_file(parent: QWidget, title: str, kinds: str) -> str | None:
    """A file of these kinds (``Text files (*.txt)``) that the person chooses, or None."""
    chosen, _kind = QFileDialog.getOpenFileName(parent, title, _last_folder(), kinds)
    return _noted(chosen, os.fspath(Path(chosen).parent))


def ask_where_to_save(parent: QWidget, title: str, name: str) -> str | None:
    """A path to save a file under; the person has agreed to replace one. None: not at all."""
    place = os.fspath(Path(_last_folder(), name))
    chosen, _kind = QFileDialog.getSaveFileName(parent, title, place)
    return _noted(chosen, os.fspath(Path(chosen).parent))


def local_paths(data: QMimeData) -> list[str]:
    """Files and folders of this computer that are being dragged, those that exist."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if Path(path).exists()]


def _last_folder() -> str:
    """The folder of what was chosen last, while it is there; dialogs begin in it."""
    folder = LAST_FOLDER.read()
    return folder if folder and Path(folder).is_dir() else ""


def _noted(chosen: str, folder: str) -> str | None:
    if not chosen:
        return None
    LAST_FOLDER.write(folder)
    return chosen
