"""A server whose answers a test writes down: the wire alone, with no engine behind it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from cocadesk.protocol.calls import Call, Identity
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import ReplyBody, RequestBody
from cocadesk.protocol.server import LINGER_S, EngineServer

Answer: TypeAlias = Callable[[Any, Call], ReplyBody | None]


class ScriptedEngine:
    """A ``Handler`` of the given answers; what it was asked stands in ``asked``."""

    def __init__(self, answers: Mapping[type[Any], Answer]) -> None:
        self.answers = dict(answers)
        self.asked: list[RequestBody] = []
        self.busy = False

    def identity(self) -> Identity:
        return Identity(library_id="scripted", schema="7")

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """The written answer; a request without one is a bug of the test."""
        self.asked.append(body)
        return self.answers[type(body)](body, call)

    def is_busy(self) -> bool:
        return self.busy


@contextmanager
def serving(
    library: Path, engine: ScriptedEngine, *, linger_s: float = LINGER_S
) -> Iterator[EngineServer]:
    """The engine's server, on a thread of its own until the block ends."""
    server = EngineServer(engine, library, linger_s=linger_s)
    thread = threading.Thread(target=server.run, name="scripted-engine")
    thread.start()
    try:
        assert server.ready.wait(10)
        yield server
    finally:
        server.stop()
        thread.join(10)
    assert not thread.is_alive()


def connect(server: EngineServer, *, events: bool = False) -> EngineClient:
    """A new client of a server."""
    assert server.endpoint is not None
    return EngineClient(server.endpoint, events=events)
