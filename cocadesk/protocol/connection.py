"""One client as the server sees it: reads requests, writes answers in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    Cancel,
    ClientMessage,
    EngineMessage,
    Failed,
    FinalMessage,
    Hello,
    Request,
)
from cocadesk.protocol.outbox import EVENT_INTERVAL_S, Outbox
from cocadesk.protocol.wire import (
    MAX_FRAME_BYTES,
    MAX_HELLO_BYTES,
    FrameReader,
    ProtocolError,
    decode_client_message,
    encode,
    request_id,
)

HELLO_LIMIT_S = 5.0
MAX_CALLS = 1000
_CHUNK_BYTES = 1 << 16

_log = logging.getLogger(__name__)

RequestSink = Callable[[Request, Call, "Connection"], None]


class Connection:
    """Lives on the server's loop; ``send_from_thread`` alone is for others."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.wants_events = False
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader(MAX_HELLO_BYTES)
        self._outbox = Outbox()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._calls: dict[int, Call] = {}
        self._sender = self._loop.create_task(self._send_waiting())
        self._serving: asyncio.Task[None] | None = None

    async def read_hello(self) -> Hello | None:
        """The greeting, or None where none came in time or it was no greeting."""
        try:
            async with asyncio.timeout(HELLO_LIMIT_S):
                while data := await self._reader.read(_CHUNK_BYTES):
                    for payload in self._frames.feed(data):
                        message = decode_client_message(payload)
                        self._frames.max_bytes = MAX_FRAME_BYTES
                        return message if isinstance(message, Hello) else None
        except (TimeoutError, ProtocolError, OSError) as error:
            _log.warning("a client did not greet: %s", error)
        return None

    async def serve(self, sink: RequestSink) -> None:
        """Hands every request to ``sink`` until the client leaves."""
        self._serving = asyncio.current_task()
        try:
            self._take(b"", sink)
            while data := await self._reader.read(_CHUNK_BYTES):
                self._take(data, sink)
        except ProtocolError as error:
            _log.warning("a client broke the protocol: %s", error)
        except OSError as error:
            _log.info("a client went away: %s", error)
        except asyncio.CancelledError:
            _log.debug("closing a client")
        finally:
            for call in list(self._calls.values()):
                call.cancel()

    def send(self, message: EngineMessage) -> None:
        """Queues a message; on the loop's thread."""
        self._outbox.put(message)
        self._idle.clear()
        self._wake.set()

    def send_from_thread(self, message: EngineMessage) -> None:
        """Queues a message; from any thread, also after the loop has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._send_answer, message)

    async def flush(self) -> None:
        """Waits until everything that is queued has been written."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(2.0):
                await self._idle.wait()

    async def close(self) -> None:
        """Ends the connection; safe to call twice."""
        if self._serving is not None and self._serving is not asyncio.current_task():
            self._serving.cancel()
        self._sender.cancel()
        self._writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await self._sender
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _take(self, data: bytes, sink: RequestSink) -> None:
        for payload in self._frames.feed(data):
            try:
                message = decode_client_message(payload)
            except ProtocolError as error:
                self._refuse(payload, error)
            else:
                self._handle(message, sink)

    def _refuse(self, payload: bytes, error: ProtocolError) -> None:
        """Tells who asked that nothing was done: a lost connection would have it asked again."""
        number = request_id(payload)
        if number is None or number in self._calls:
            raise error
        _log.warning("a client asked for something that is no request: %s", error)
        what = "The engine does not understand what it was asked."
        self.send(Failed(id=number, what=what, why=str(error)))

    def _handle(self, message: ClientMessage, sink: RequestSink) -> None:
        if isinstance(message, Cancel):
            call = self._calls.get(message.id)
            if call is not None:
                call.cancel()
        elif isinstance(message, Request):
            if message.id in self._calls or len(self._calls) >= MAX_CALLS:
                self.send(
                    Failed(id=message.id, what="The engine has too many requests of this client.")
                )
                return
            call = Call(message.id, self.send_from_thread)
            self._calls[message.id] = call
            sink(message, call, self)
        else:
            raise ProtocolError("a second greeting")

    def _send_answer(self, message: EngineMessage) -> None:
        if isinstance(message, FinalMessage):
            self._calls.pop(message.id, None)
        self.send(message)

    async def _send_waiting(self) -> None:
        """Writes results at once, the latest progress and events 20 times a second."""
        next_latest_s = 0.0
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox.has_results or self._outbox.has_latest:
                batch = self._outbox.take_results()
                now_s = self._loop.time()
                if self._outbox.has_latest and now_s >= next_latest_s:
                    batch += self._outbox.take_latest()
                    next_latest_s = now_s + EVENT_INTERVAL_S
                if batch:
                    self._writer.write(b"".join(encode(message) for message in batch))
                    await self._writer.drain()
                else:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(next_latest_s - now_s):
                            await self._wake.wait()
                    self._wake.clear()
            self._idle.set()
