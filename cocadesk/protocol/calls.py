"""Requests while they are answered: one call, and the calls that follow a job."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from inspect import getmembers, isfunction, signature
from typing import Any, Protocol, TypeAlias, get_type_hints

from cocadesk.errors import UserError, disk_error, tr
from cocadesk.protocol.messages import (
    Cancelled,
    Done,
    EngineMessage,
    Failed,
    JobReply,
    Partial,
    Progress,
    ReplyBody,
    RequestBody,
)
from cocadesk.protocol.values import Value, WorkState

_log = logging.getLogger(__name__)


class Identity(Value, frozen=True):
    """The library that an engine serves."""

    library_id: str
    schema: str


class CallCancelledError(Exception):
    """Raised in a handler whose client no longer wants the answer."""


class Call:
    """Answers one request; any thread may call its methods.

    After the final answer everything else is ignored, so a late worker does
    no harm. ``is_unwanted`` is asked at each check whether to stop.
    """

    def __init__(
        self,
        request_id: int,
        send: Callable[[EngineMessage], None],
        is_unwanted: Callable[[], bool] = lambda: False,
    ) -> None:
        self.id = request_id
        self._is_unwanted = is_unwanted
        self._send = send
        self._lock = threading.Lock()
        self._is_finished = False
        self._cancelled = threading.Event()

    @property
    def is_finished(self) -> bool:
        return self._is_finished

    def check(self) -> None:
        """Raises ``CallCancelledError`` once nobody wants the answer; call it often."""
        if self._cancelled.is_set() or self._is_unwanted():
            raise CallCancelledError

    def progress(self, state: WorkState) -> None:
        """Sends the state of the work; cheap, since a slow client gets the latest only."""
        if not self._is_finished:
            self._send(Progress(id=self.id, **state.fields()))

    def partial(self, body: ReplyBody) -> None:
        """Sends a part of the answer; parts are never dropped."""
        if not self._is_finished:
            self._send(Partial(id=self.id, body=body))

    def finish(self, body: ReplyBody) -> None:
        """The answer of a handler that returned None before."""
        self.end(Done(id=self.id, body=body))

    def answer(self, work: Callable[[], ReplyBody | None], name: str) -> None:
        """Finishes with what ``work`` gives (None: later); its errors become the answer."""
        try:
            reply = work()
        except CallCancelledError:
            self.cancel()
        except Exception as error:  # noqa: BLE001 - a bug in one answer must not end the engine
            told = error if isinstance(error, UserError) else disk_error(error)
            if told is not None:
                self._fail(told.what, told.why, told.what_to_do)
                return
            _log.exception("answering %s failed", name)
            self._fail(
                tr("The engine met an error in the program."),
                f"{type(error).__name__}: {error}",
                tr("The engine's log says more."),
                is_bug=True,
            )
        else:
            if reply is not None:
                self.finish(reply)

    def _fail(self, what: str, why: str, what_to_do: str, *, is_bug: bool = False) -> None:
        self.end(Failed(id=self.id, what=what, why=why, what_to_do=what_to_do, is_bug=is_bug))

    def cancel(self) -> None:
        """Ends the call at the client's wish; the answer is ``Cancelled``."""
        self._cancelled.set()
        self.end(Cancelled(id=self.id))

    def end(self, message: EngineMessage) -> None:
        """Sends the final message, once."""
        with self._lock:
            if self._is_finished:
                return
            self._is_finished = True
        self._send(message)


Answer: TypeAlias = Callable[[Any, Call], ReplyBody | None]
"""Answers one type of request; see ``Handler.answer``. Any thread."""


def answers_of(*handlers: object) -> dict[type[Any], Answer]:
    """The methods of the handlers that answer requests, by the request's type.

    They are the ones that take a ``body`` and a ``call``; the type stands at ``body``.
    """
    return {
        get_type_hints(method)["body"]: getattr(handler, name)
        for handler in handlers
        for name, method in getmembers(type(handler), isfunction)
        if list(signature(method).parameters) == ["self", "body", "call"]
    }


def answer_to(body: RequestBody, answers: Mapping[type[Any], Answer]) -> Answer:
    """The method that answers a request.

    Raises:
        UserError: there is none, as with a newer program's request.
    """
    try:
        return answers[type(body)]
    except KeyError:
        raise UserError(
            tr("This engine does not know that request."), type(body).__name__
        ) from None


class JobWatchers:
    """Passes a job's progress to its watchers, and its end; any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: dict[str, list[Call]] = {}

    def add(self, call: Call, reply: JobReply) -> None:
        """The call follows the job from its state ``reply`` on."""
        if not reply.job.state.is_final:
            with self._lock:
                self._calls.setdefault(reply.job.id, []).append(call)
        _tell(call, reply)

    def tell(self, reply: JobReply) -> None:
        """The job has moved, or ended."""
        with self._lock:
            calls = [c for c in self._calls.get(reply.job.id, ()) if not c.is_finished]
            if reply.job.state.is_final:
                self._calls.pop(reply.job.id, None)
            else:
                self._calls[reply.job.id] = calls
        for call in calls:
            _tell(call, reply)


def _tell(call: Call, reply: JobReply) -> None:
    if reply.job.state.is_final:
        call.finish(reply)
    else:
        call.progress(reply.job)


class Handler(Protocol):
    """The part of an engine, real or fake, that a server needs."""

    def identity(self) -> Identity:
        """The library that is served."""

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """Answers on a worker thread; None: ``call.finish`` comes later.

        Raises:
            UserError: sent to the client as ``Failed``.
            CallCancelledError: from ``call.check``.
        """

    def is_busy(self) -> bool:
        """True while a job runs, so that the engine must not end."""
