"""A small object store that speaks S3, in a process of its own, for libraries in one.

``python -m tests.support.object_store PORT`` is that process; it ends with its input.
"""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from cocadesk.library.object_store import ObjectStore
from cocadesk.library_uri import Credentials, parse_uri

KEYS = Credentials(key_id="test", secret="secret of the test")
VARIABLES = {
    "AWS_ACCESS_KEY_ID": KEYS.key_id,
    "AWS_SECRET_ACCESS_KEY": KEYS.secret,
    "AWS_REGION": "us-east-1",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The store's process and its address."""

    process: subprocess.Popen[str]
    endpoint: str

    def new_library(self, bucket: str = "") -> str:
        """The address of a library that is not made yet, in a bucket of its own."""
        bucket = bucket or f"photos-{uuid4().hex[:12]}"
        with urlopen(Request(f"{self.endpoint}/{bucket}", data=b"", method="PUT")):
            return f"s3://{bucket}/holiday?endpoint={self.endpoint}"

    def stop(self) -> None:
        """The machine of the store is cut off."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()


@contextmanager
def serving(port: int = 0, variables: Mapping[str, str] | None = None) -> Iterator[Server]:
    """An empty store, on any free port unless told."""
    pytest.importorskip("moto.server", reason="moto serves the object store of the tests")
    command = [sys.executable, "-P", "-m", "tests.support.object_store", str(port)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), **(variables or {})},
    )
    assert process.stdout is not None
    server = Server(process=process, endpoint=f"http://127.0.0.1:{int(process.stdout.readline())}")
    try:
        yield server
    finally:
        if process.poll() is None:
            server.stop()


class Line:
    """The way to a store, which can be cut and mended: passes bytes on in both directions."""

    def __init__(self, endpoint: str) -> None:
        self._to = ("127.0.0.1", int(endpoint.rpartition(":")[2]))
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = self._listener.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._serve()

    def cut(self) -> None:
        """All connections end, and none is taken any more."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._accepting.join()

    def mend(self) -> None:
        """Connections are taken again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._serve()

    def _serve(self) -> None:
        self._accepting = threading.Thread(target=self._accept, args=(self._listener,))
        self._accepting.start()

    def _accept(self, listener: socket.socket) -> None:
        passing = []
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._to)
                self._open += [near, far]
                for one, other in ((near, far), (far, near)):
                    passing.append(threading.Thread(target=_pass_on, args=(one, other)))
                    passing[-1].start()
        for thread in passing:
            thread.join()
        for connection in self._open:
            connection.close()
        self._open.clear()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    for end in (one, other):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def line_to(server: Server) -> Iterator[Line]:
    """A way to the store that the test can cut; it is cut in the end."""
    line = Line(server.endpoint)
    try:
        yield line
    finally:
        with suppress(OSError):
            line.cut()


def objects_of(address: str) -> dict[str, bytes]:
    """All objects of a library with their bytes."""
    store = ObjectStore(parse_uri(address), KEYS)
    return {name: store.read(name) for name in store.objects("")}


def main(port: str) -> None:
    """Serves until its input ends."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=int(port), verbose=False)
    server.start()
    sys.stdout.write(f"{server.get_host_and_port()[1]}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
