"""A blocking client for the command line and for tests; standard library only."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from typing import Self, TypeVar

from cocadesk.errors import UserError
from cocadesk.protocol.endpoint import Endpoint, Transport
from cocadesk.protocol.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Cancelled,
    Done,
    EngineMessage,
    Event,
    EventBody,
    Failed,
    Hello,
    Partial,
    Progress,
    Refused,
    ReplyBody,
    Request,
    RequestBody,
    Welcome,
)
from cocadesk.protocol.values import Priority
from cocadesk.protocol.wire import FrameReader, ProtocolError, decode_engine_message, encode

Answer = TypeVar("Answer", bound=ReplyBody)


class EngineGoneError(ConnectionError):
    """The engine ended or was killed while we were connected."""


class RequestCancelledError(Exception):
    """The request was cancelled before it was done."""


class EngineClient:
    """One connection to a running engine; for use by one thread.

    Raises:
        ConnectionError: nobody listens there.
        UserError: the engine refused us, in its own words.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        name: str = "client",
        events: bool = False,
        timeout_s: float = 15.0,
        protocol: int = PROTOCOL_VERSION,
    ) -> None:
        self._reader = FrameReader()
        self._inbox: deque[EngineMessage] = deque()
        self._events: deque[EventBody] = deque()
        self._next_id = 1
        self._socket = _connect(endpoint, timeout_s)
        try:
            self._send(Hello(protocol=protocol, token=endpoint.token, client=name, events=events))
            self.welcome = self._read_welcome()
        except BaseException:
            self._socket.close()
            raise

    def ask(
        self,
        body: RequestBody,
        answer: type[Answer],
        *,
        priority: Priority = Priority.INTERACTIVE,
        on_progress: Callable[[Progress], None] = lambda _now: None,
        on_partial: Callable[[ReplyBody], None] = lambda _part: None,
        timeout_s: float | None = None,
    ) -> Answer:
        """Sends a request and waits for its answer.

        ``timeout_s`` bounds the wait for each message, not for the whole.

        Raises:
            UserError: the engine could not do it, in its own words.
            EngineGoneError: the connection ended.
            TimeoutError: nothing came for ``timeout_s``.
        """
        self._socket.settimeout(timeout_s)
        request_id = self.send(body, priority=priority)
        try:
            return self._await_answer(request_id, answer, on_progress, on_partial)
        except KeyboardInterrupt:
            self._send(Cancel(id=request_id))
            raise

    def _await_answer(
        self,
        request_id: int,
        answer: type[Answer],
        on_progress: Callable[[Progress], None],
        on_partial: Callable[[ReplyBody], None],
    ) -> Answer:
        while True:
            message = self._next_message()
            if isinstance(message, Event):
                self._events.append(message.body)
            elif not isinstance(message, Welcome | Refused) and message.id == request_id:
                if isinstance(message, Progress):
                    on_progress(message)
                elif isinstance(message, Partial):
                    on_partial(message.body)
                else:
                    return answer_of(message, answer)

    def send(self, body: RequestBody, *, priority: Priority = Priority.INTERACTIVE) -> int:
        """Sends a request without waiting; its id is for ``receive`` and ``cancel``."""
        request_id = self._next_id
        self._next_id += 1
        self._send(Request(id=request_id, body=body, priority=priority))
        return request_id

    def cancel(self, request_id: int) -> None:
        """Asks the engine to stop working on a request."""
        self._send(Cancel(id=request_id))

    def receive(self, timeout_s: float | None = None) -> EngineMessage:
        """The next message, whatever it is.

        Raises:
            EngineGoneError: the connection ended.
            TimeoutError: nothing came.
        """
        self._socket.settimeout(timeout_s)
        return self._next_message()

    def next_event(self, timeout_s: float | None = None) -> EventBody:
        """The next event; answers to requests sent before must be taken already."""
        while not self._events:
            message = self.receive(timeout_s)
            if isinstance(message, Event):
                self._events.append(message.body)
        return self._events.popleft()

    def close(self) -> None:
        """Leaves the engine; it goes on without us."""
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read_welcome(self) -> Welcome:
        message = self._next_message()
        if isinstance(message, Refused):
            raise UserError(message.what, message.why, message.what_to_do)
        if not isinstance(message, Welcome):
            raise ProtocolError("the engine did not greet us")
        return message

    def _send(self, message: Hello | Request | Cancel) -> None:
        try:
            self._socket.sendall(encode(message))
        except (BrokenPipeError, ConnectionError) as error:
            raise EngineGoneError("the engine has ended") from error

    def _next_message(self) -> EngineMessage:
        while not self._inbox:
            try:
                data = self._socket.recv(1 << 16)
            except TimeoutError:
                raise
            except OSError as error:
                raise EngineGoneError("the engine has ended") from error
            if not data:
                raise EngineGoneError("the engine has ended")
            self._inbox.extend(decode_engine_message(p) for p in self._reader.feed(data))
        return self._inbox.popleft()


def answer_of(message: Done | Failed | Cancelled, answer: type[Answer]) -> Answer:
    """The body of a final message.

    Raises:
        UserError: the request failed.
        RequestCancelledError: it was cancelled.
        ProtocolError: the body is of another kind.
    """
    if isinstance(message, Failed):
        raise UserError(message.what, message.why, message.what_to_do)
    if isinstance(message, Cancelled):
        raise RequestCancelledError("the request was cancelled")
    if not isinstance(message.body, answer):
        raise ProtocolError(f"{type(message.body).__name__} came instead of {answer.__name__}")
    return message.body


def _connect(endpoint: Endpoint, timeout_s: float) -> socket.socket:
    if endpoint.transport is Transport.TCP:
        return socket.create_connection((endpoint.address, endpoint.port), timeout=timeout_s)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        link.settimeout(timeout_s)
        link.connect(endpoint.address)
    except BaseException:
        link.close()
        raise
    return link
