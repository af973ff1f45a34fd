"""Qt's sockets behind one face: a Unix socket here, loopback TCP on Windows."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QHostAddress, QLocalSocket, QTcpSocket

from cocadesk.protocol.endpoint import Endpoint, Transport


class SocketPipe(QObject):
    """Bytes to and from an engine; ``ended`` comes once, however it ends."""

    opened = Signal()
    received = Signal(object)
    ended = Signal()

    def __init__(self, endpoint: Endpoint, parent: QObject) -> None:
        super().__init__(parent)
        self.endpoint = endpoint
        self._has_ended = False
        self._socket: QLocalSocket | QTcpSocket
        if endpoint.transport is Transport.UNIX:
            self._socket = QLocalSocket(self)
        else:
            self._socket = QTcpSocket(self)
        self._socket.connected.connect(self.opened)
        self._socket.readyRead.connect(self._on_ready)
        self._socket.disconnected.connect(self._on_end)
        self._socket.errorOccurred.connect(self._on_end)

    def open(self) -> None:
        """Starts to connect; ``opened`` or ``ended`` follows."""
        if isinstance(self._socket, QLocalSocket):
            self._socket.connectToServer(self.endpoint.address)
        else:
            self._socket.connectToHost(QHostAddress(self.endpoint.address), self.endpoint.port)

    def write(self, data: bytes) -> None:
        """Queues bytes; nothing once the connection has ended."""
        if not self._has_ended:
            self._socket.write(data)

    def close(self) -> None:
        """Ends the connection without a signal and frees the socket."""
        self._has_ended = True
        self._socket.flush()
        self._socket.abort()
        self.deleteLater()

    def _on_ready(self) -> None:
        if not self._has_ended:
            self.received.emit(bytes(self._socket.readAll().data()))

    def _on_end(self) -> None:
        if not self._has_ended:
            self._has_ended = True
            self.ended.emit()
