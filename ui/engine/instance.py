"""One window a library: a second start brings the first one's window to the front."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from cocadesk.protocol.endpoint import UNIX_PATH_MAX_BYTES, library_name, run_folder

ANSWER_MS = 1500
_HERE = b"here\n"


class WindowAddress(QObject):
    """Tells other starts of the program that a library's window is open.

    ``raise_wanted``: another start asks for the window. Where the address can't be taken, a
    second start opens a window of its own, which does no harm.
    """

    raise_wanted = Signal()

    def __init__(self, library: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._on_connection)
        name = _address(library)
        QLocalServer.removeServer(name)  # of a window that was killed: a living one has answered
        self._server.listen(name)

    def close(self) -> None:
        """Gives the address up."""
        self._server.close()

    def _on_connection(self) -> None:
        socket = self._server.nextPendingConnection()
        socket.disconnected.connect(socket.deleteLater)
        socket.write(_HERE)
        socket.flush()
        self.raise_wanted.emit()


def raise_open_window(library: Path) -> bool:
    """Brings the window that is open on the library to the front; False where none answers."""
    socket = QLocalSocket()
    socket.connectToServer(_address(library))
    if not socket.waitForConnected(ANSWER_MS):
        return False
    is_here = socket.waitForReadyRead(ANSWER_MS) and bytes(socket.readAll().data()) == _HERE
    socket.abort()
    return is_here


def _address(library: Path) -> str:
    """A socket beside the engine's address, or a name of the system's where that is too long."""
    name = f"{library_name(library)}.window"
    path = os.fspath(run_folder() / name)
    is_long = len(os.fsencode(path)) > UNIX_PATH_MAX_BYTES
    return f"cocadesk-{name}" if sys.platform == "win32" or is_long else path
