"""The window's connection to its engine: starts it, joins it, survives it."""

from __future__ import annotations

import math
import subprocess
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from cocadesk.errors import UserError, tr
from cocadesk.protocol.endpoint import log_file, read_endpoint
from cocadesk.protocol.launch import ENGINE_MODULE, start_engine, start_failure
from cocadesk.protocol.messages import (
    PROTOCOL_VERSION,
    Cancel,
    Cancelled,
    Done,
    EngineMessage,
    Event,
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
from ui.engine.socket import SocketPipe

POLL_MS = 100
RETRY_MS = 3000
START_LIMIT_S = 60.0
QUICK_DEATH_S = 5.0
MAX_QUICK_DEATHS = 3
SLICE_S = 0.008
"""So long messages are taken, half a frame; others that have come wait until it is painted."""
Answer = TypeVar("Answer", bound=ReplyBody)


class LinkState(Enum):
    """The states of the connection."""

    STARTING = "starting"
    CONNECTED = "connected"
    LOST = "lost"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class _Waiting:
    answer: type[ReplyBody]
    on_done: Callable[[ReplyBody], None]
    on_failed: Callable[[UserError], None] | None
    on_progress: Callable[[Progress], None] | None
    on_partial: Callable[[ReplyBody], None] | None


class Ticket:
    """A request under way; ``cancel`` also silences its answer."""

    def __init__(self, link: EngineLink, request_id: int) -> None:
        self._link = link
        self._id = request_id

    def cancel(self) -> None:
        """Gives the answer up; safe to call late or twice."""
        self._link.cancel(self._id)


class EngineLink(QObject):
    """Sends requests and hands answers to callbacks on the GUI thread.

    When the connection ends, unanswered requests are forgotten without a
    call: whoever needs them asks again on ``connected``.
    """

    state_changed = Signal(object)
    connected = Signal(object)
    event_received = Signal(object)
    restarted = Signal()

    def __init__(
        self,
        library: Path,
        *,
        module: str = ENGINE_MODULE,
        extra: Sequence[str] = (),
        starts_engine: bool = True,
    ) -> None:
        """``module`` and ``extra`` are the engine's and its arguments, for the next start.

        Without ``starts_engine`` it waits for one that somebody else starts.
        """
        super().__init__()
        self.library = library
        self.module = module
        self.extra = tuple(extra)
        self._starts_engine = starts_engine
        self._pipe: SocketPipe | None = None
        self._reader = FrameReader()
        self._come: deque[bytes] = deque()
        self._waiting: dict[int, _Waiting] = {}
        self._next_id = 1
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._connected_s = 0.0
        self._quick_deaths = 0
        self._was_connected = False
        self._is_closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._try)
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self._take_some)
        self.state = LinkState.STARTING
        self.problem: UserError | None = None

    @property
    def is_asking(self) -> bool:
        """True where an answer is still to come."""
        return bool(self._waiting)

    def open(self) -> None:
        """Joins the library's engine, and starts one where none answers."""
        self._quick_deaths = 0
        self._process = None
        self._set_state(LinkState.STARTING)
        self._try()

    def close(self) -> None:
        """Leaves the engine; it lingers and then ends by itself."""
        self._is_closed = True
        self._timer.stop()
        self._waiting.clear()
        self._drop_pipe()

    def ask(
        self,
        body: RequestBody,
        answer: type[Answer],
        on_done: Callable[[Answer], None],
        *,
        on_failed: Callable[[UserError], None] | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_partial: Callable[[Answer], None] | None = None,
        priority: Priority = Priority.INTERACTIVE,
    ) -> Ticket:
        """Sends a request; without a connection it is dropped like a lost one.

        One that is too long for a message fails like any other, a little later.
        """
        request_id = self._next_id
        self._next_id += 1
        if self.state is LinkState.CONNECTED and self._pipe is not None:
            try:
                message = encode(Request(id=request_id, body=body, priority=priority))
            except ProtocolError:
                if on_failed is not None:
                    QTimer.singleShot(0, self, lambda: on_failed(_too_much()))
                return Ticket(self, request_id)
            self._waiting[request_id] = _Waiting(
                answer=answer,
                on_done=on_done,  # type: ignore[arg-type]
                on_failed=on_failed,
                on_progress=on_progress,
                on_partial=on_partial,  # type: ignore[arg-type]
            )
            self._pipe.write(message)
        return Ticket(self, request_id)

    def cancel(self, request_id: int) -> None:
        """See ``Ticket.cancel``."""
        if self._waiting.pop(request_id, None) is not None and self._pipe is not None:
            self._pipe.write(encode(Cancel(id=request_id)))

    # Finding and starting -----------------------------------------------------------

    def _try(self) -> None:
        if self._is_closed or self._pipe is not None:
            return
        endpoint = read_endpoint(self.library)
        if endpoint is None:
            self._start_or_wait()
            return
        self._reader = FrameReader()
        pipe = SocketPipe(endpoint, self)
        pipe.opened.connect(self._on_opened)
        pipe.received.connect(self._on_received)
        pipe.ended.connect(self._on_ended)
        self._pipe = pipe
        pipe.open()

    def _start_or_wait(self) -> None:
        if not self._starts_engine:
            self._timer.start(POLL_MS)
            return
        if self._process is None:
            try:
                self._process = start_engine(self.library, module=self.module, extra=self.extra)
            except UserError as error:
                self._fail(error)
                return
            self._started_s = time.monotonic()
        elif self._process.poll() is not None:
            self._process = None
            self._fail(start_failure(self.library))
            return
        elif time.monotonic() - self._started_s > START_LIMIT_S:
            self._fail(
                UserError(
                    tr("The engine did not start in time."),
                    "",
                    tr("See {log_file}", log_file=log_file(self.library)),
                )
            )
            return
        self._timer.start(POLL_MS)

    def _fail(self, problem: UserError) -> None:
        self.problem = problem
        self._set_state(LinkState.FAILED)
        self._timer.start(RETRY_MS)

    # The connection -----------------------------------------------------------------

    def _on_opened(self) -> None:
        assert self._pipe is not None
        hello = Hello(
            protocol=PROTOCOL_VERSION,
            token=self._pipe.endpoint.token,
            client="window",
            events=True,
        )
        self._pipe.write(encode(hello))

    def _on_received(self, data: bytes) -> None:
        self._guarded(lambda: self._come.extend(self._reader.feed(data)))
        if not self._rest.isActive():
            self._take_some()

    def _take_some(self, limit_s: float = SLICE_S) -> None:
        """Takes messages that have come, in their order; those left a little later."""
        end_s = time.perf_counter() + limit_s
        while self._come and time.perf_counter() < end_s:
            self._guarded(lambda: self._take(decode_engine_message(self._come.popleft())))
        if self._come:
            self._rest.start()

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except ProtocolError as error:
            self._drop_pipe()
            self._fail(
                UserError(
                    tr("The engine sent a message that this window does not understand."),
                    str(error),
                    tr("Close all windows of CocaDesk and open one again."),
                )
            )

    def _take(self, message: EngineMessage) -> None:
        if isinstance(message, Welcome):
            self._on_welcome(message)
        elif isinstance(message, Refused):
            self._drop_pipe()
            self._fail(UserError(message.what, message.why, message.what_to_do))
        elif isinstance(message, Event):
            self.event_received.emit(message.body)
        elif isinstance(message, Progress):
            waiting = self._waiting.get(message.id)
            if waiting is not None and waiting.on_progress is not None:
                waiting.on_progress(message)
        elif isinstance(message, Partial):
            waiting = self._waiting.get(message.id)
            is_wanted = waiting is not None and isinstance(message.body, waiting.answer)
            if is_wanted and waiting is not None and waiting.on_partial is not None:
                waiting.on_partial(message.body)
        else:
            self._finish(message)

    def _finish(self, message: Done | Failed | Cancelled) -> None:
        waiting = self._waiting.pop(message.id, None)
        if waiting is None or isinstance(message, Cancelled):
            return
        if isinstance(message, Failed):
            if waiting.on_failed is not None:
                waiting.on_failed(UserError(message.what, message.why, message.what_to_do))
        elif isinstance(message.body, waiting.answer):
            waiting.on_done(message.body)

    def _on_welcome(self, welcome: Welcome) -> None:
        self.problem = None
        self._connected_s = time.monotonic()
        is_again = self._was_connected
        self._was_connected = True
        self._set_state(LinkState.CONNECTED)
        self.connected.emit(welcome)
        if is_again:
            self.restarted.emit()

    def _on_ended(self) -> None:
        self._take_some(math.inf)  # what it said last counts
        was_connected = self.state is LinkState.CONNECTED
        self._drop_pipe()
        self._waiting.clear()
        if self._is_closed:
            return
        if was_connected:
            quick = time.monotonic() - self._connected_s < QUICK_DEATH_S
            self._quick_deaths = self._quick_deaths + 1 if quick else 0
            self._process = None
            if self._quick_deaths >= MAX_QUICK_DEATHS:
                self._quick_deaths = 0
                self._fail(start_failure(self.library))
                return
            self._set_state(LinkState.LOST)
            self._timer.start(POLL_MS)
        else:
            self._on_no_answer()

    def _on_no_answer(self) -> None:
        """An address is there but nobody listens: stale, or not yet listening."""
        if self._process is not None and self._process.poll() is not None:
            self._process = None
        if self._process is None:
            self._start_or_wait()
        else:
            self._timer.start(POLL_MS)

    def _drop_pipe(self) -> None:
        if self._pipe is not None:
            pipe, self._pipe = self._pipe, None
            pipe.close()
        self._come.clear()

    def _set_state(self, state: LinkState) -> None:
        if state is not self.state or state is LinkState.FAILED:
            self.state = state
            self.state_changed.emit(state)


def _too_much() -> UserError:
    return UserError(
        tr("This is too much at once."),
        tr("The engine takes about a million photos, or 32 MB, in one request."),
        tr("Choose fewer photos and do it in parts."),
    )
