"""The engine's side of the socket, for the real engine and for the fake one."""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cocadesk.protocol.calls import Call, Handler
from cocadesk.protocol.connection import Connection
from cocadesk.protocol.endpoint import (
    Endpoint,
    Transport,
    default_transport,
    new_socket_path,
    read_endpoint,
    remove_endpoint,
    remove_socket,
    write_endpoint,
)
from cocadesk.protocol.messages import (
    PROTOCOL_VERSION,
    Event,
    EventBody,
    Hello,
    Ok,
    Refused,
    Request,
    StopEngine,
    Welcome,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Priority

LINGER_S = 120.0
_LINGER_CHECK_S = 0.5
_LANE_THREADS = {Priority.INTERACTIVE: 2, Priority.VISIBLE: 2, Priority.BATCH: 1}

_log = logging.getLogger(__name__)


class EngineServer:
    """Listens for clients of one library and hands their requests to a handler.

    Each priority has its own threads, so that a query never waits behind a
    batch. ``run`` blocks; ``publish`` and ``stop`` may be called by any thread.
    """

    def __init__(
        self,
        handler: Handler,
        library: Path,
        *,
        transport: Transport | None = None,
        linger_s: float = LINGER_S,
    ) -> None:
        self._handler = handler
        self._library = library
        self._transport = transport or default_transport()
        self._linger_s = linger_s
        self._token = secrets.token_urlsafe(32)
        self._lanes = {
            priority: ThreadPoolExecutor(count, thread_name_prefix=f"engine-{priority}")
            for priority, count in _LANE_THREADS.items()
        }
        self._connections: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped: asyncio.Event | None = None
        self._must_stop = False
        self._interactive = 0
        self._interactive_lock = threading.Lock()
        self._is_quiet = threading.Event()
        self._is_quiet.set()
        self.ready = threading.Event()
        self.endpoint: Endpoint | None = None

    def run(self) -> None:
        """Serves until ``stop``, ``StopEngine`` or the end of the lingering."""
        try:
            asyncio.run(self._serve())
        finally:
            for lane in self._lanes.values():
                lane.shutdown(wait=True, cancel_futures=True)

    def stop(self) -> None:
        """Ends ``run`` soon; clients see the connection close."""
        self._must_stop = True
        loop, stopped = self._loop, self._stopped
        if loop is not None and stopped is not None and not loop.is_closed():
            loop.call_soon_threadsafe(stopped.set)

    def publish(self, body: EventBody) -> None:
        """Tells every client that asked for events; cheap and from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._publish_now, body)

    def wait_until_quiet(self, limit_s: float) -> bool:
        """Blocks while a person waits for an answer; True once nobody does."""
        return self._is_quiet.wait(limit_s)

    def _publish_now(self, body: EventBody) -> None:
        for connection in self._connections:
            if connection.wants_events:
                connection.send(Event(body=body))

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopped = asyncio.Event()
        if self._must_stop:
            return
        server, endpoint = await self._listen()
        self.endpoint = endpoint
        write_endpoint(self._library, endpoint)
        linger = asyncio.create_task(self._end_when_unused())
        self.ready.set()
        try:
            await self._stopped.wait()
        finally:
            linger.cancel()
            server.close()
            remove_endpoint(self._library, endpoint)
            await asyncio.gather(*(c.close() for c in list(self._connections)))

    async def _listen(self) -> tuple[asyncio.Server, Endpoint]:
        stale = read_endpoint(self._library)
        if stale is not None:
            remove_socket(stale)
        address, port = "127.0.0.1", 0
        if self._transport is Transport.UNIX:
            address = os.fspath(new_socket_path())
            server = await asyncio.start_unix_server(self._on_client, path=address)
            Path(address).chmod(0o600)
        else:
            server = await asyncio.start_server(self._on_client, host=address, port=0)
            port = server.sockets[0].getsockname()[1]
        return server, Endpoint(
            protocol=PROTOCOL_VERSION,
            transport=self._transport,
            address=address,
            port=port,
            token=self._token,
            pid=os.getpid(),
            library=WirePath.of(self._library).text,
        )

    async def _end_when_unused(self) -> None:
        unused_since = time.monotonic()
        while True:
            await asyncio.sleep(min(_LINGER_CHECK_S, self._linger_s))
            if self._connections or self._handler.is_busy():
                unused_since = time.monotonic()
            elif time.monotonic() - unused_since >= self._linger_s and self._stopped is not None:
                _log.info("no client and no job for %.0f s: ending", self._linger_s)
                self._stopped.set()
                return

    async def _on_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self._connections.add(connection)
        try:
            if await self._greet(connection):
                await connection.serve(self._on_request)
        finally:
            self._connections.discard(connection)
            await connection.close()

    async def _greet(self, connection: Connection) -> bool:
        hello = await connection.read_hello()
        if hello is None:
            return False
        refusal = self._refusal(hello)
        if refusal is not None:
            connection.send(refusal)
            await connection.flush()
            return False
        identity = self._handler.identity()
        connection.wants_events = hello.events
        connection.send(
            Welcome(
                protocol=PROTOCOL_VERSION,
                library_id=identity.library_id,
                schema=identity.schema,
                engine_pid=os.getpid(),
            )
        )
        return True

    def _refusal(self, hello: Hello) -> Refused | None:
        if not hmac.compare_digest(hello.token.encode(), self._token.encode()):
            return Refused(what="The engine refused the connection.", why="The token is wrong.")
        if hello.protocol != PROTOCOL_VERSION:
            return Refused(
                what="The engine of this library is of another version of CocaDesk.",
                why=f"It speaks protocol {PROTOCOL_VERSION}, this program {hello.protocol}.",
                what_to_do="Close all windows of CocaDesk and open one again.",
            )
        return None

    def _on_request(self, request: Request, call: Call, connection: Connection) -> None:
        if isinstance(request.body, StopEngine):
            call.finish(Ok())
            assert self._loop is not None
            self._loop.create_task(self._stop_after(connection))
            return
        if request.priority is Priority.INTERACTIVE:
            self._count_interactive(+1)
        future = self._lanes[request.priority].submit(self._answer, request, call)
        if request.priority is Priority.INTERACTIVE:
            future.add_done_callback(lambda _done: self._count_interactive(-1))

    async def _stop_after(self, connection: Connection) -> None:
        await connection.flush()
        self.stop()

    def _count_interactive(self, change: int) -> None:
        with self._interactive_lock:
            self._interactive += change
            if self._interactive:
                self._is_quiet.clear()
            else:
                self._is_quiet.set()

    def _answer(self, request: Request, call: Call) -> None:
        if not call.is_finished:
            name = type(request.body).__name__
            call.answer(lambda: self._handler.answer(request.body, call), name)
