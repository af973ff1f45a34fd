"""What the window asks of the desktop; one place, so that tests can replace it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget


def show_in_folder(path: str) -> None:
    """Opens the file's folder, with the file selected where the system can."""
    if sys.platform == "darwin":
        subprocess.Popen(["open", "-R", path])
    elif sys.platform == "win32":
        subprocess.Popen(["explorer", "/select,", os.path.normpath(path)])
    else:
        QDesktopServices.openUrl(QUrl.fromLocalFile(os.fspath(Path(path).parent)))


def copy_text(text: str) -> None:
    """Puts the text on the clipboard."""
    QGuiApplication.clipboard().setText(text)


def ask_for_folder(parent: QWidget) -> str | None:
    """A folder that the person chooses, or None."""
    chosen = QFileDialog.getExistingDirectory(parent, "Add a folder of photos")
    return chosen or None
