"""A small engine with made-up rows: for the window's tests and its designers.

``python -P -m cocadesk.fake_engine --library DIR`` serves it like a real one.
It speaks the whole protocol; nothing is read but its own pictures.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from cocadesk.errors import UserError
from cocadesk.fake_engine.handler_list import FakeHandlers
from cocadesk.fake_engine.jobs import FakeJobs
from cocadesk.fake_engine.library import LIBRARY_ID
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call, Identity, answer_to, answers_of
from cocadesk.protocol.endpoint import Transport
from cocadesk.protocol.messages import ReplyBody, RequestBody
from cocadesk.protocol.server import LINGER_S, EngineServer
from cocadesk.protocol.values import Row


class FakeEngine:
    """Answers every request from a list of made-up media, in memory.

    ``step_s`` is how long a step of its jobs takes.
    A context manager: serves on a thread of its own while it is open.
    """

    def __init__(
        self,
        library: Path,
        *,
        media: int = 60,
        step_s: float = 0.0,
        transport: Transport | None = None,
        linger_s: float = LINGER_S,
    ) -> None:
        self.server = EngineServer(self, library, transport=transport, linger_s=linger_s)
        self._jobs = FakeJobs(step_s=step_s, publish=self.server.publish)
        context = FakeContext(library=library, jobs=self._jobs, publish=self.server.publish)
        handlers = FakeHandlers(context)
        self._annotations = handlers.annotations
        self._answers = answers_of(*handlers.all)
        self._never_answers = set[type[Any]]()
        self._refusals = dict[type[Any], UserError]()
        self._thread = threading.Thread(target=self.server.run, name="fake-engine")
        if media:
            handlers.media.fill(library / "Photos", media)

    def __enter__(self) -> FakeEngine:
        self._thread.start()
        self.server.ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the server and the jobs."""
        self._jobs.close()
        self.server.stop()
        if self._thread.ident is not None:
            self._thread.join()

    def identity(self) -> Identity:
        return Identity(library_id=LIBRARY_ID, schema="1")

    def is_busy(self) -> bool:
        return self._jobs.is_busy()

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """Answers any request; see ``Handler``."""
        kind = type(body)
        if kind in self._never_answers:
            return None
        if kind in self._refusals:
            raise self._refusals[kind]
        return answer_to(body, self._answers)(body, call)

    def never_answer(self, *kinds: type[Any]) -> None:
        """Leaves requests of these types waiting from now on."""
        self._never_answers.update(kinds)

    def refuse(self, kind: type[Any], error: UserError) -> None:
        """Fails requests of this type with that error from now on."""
        self._refusals[kind] = error

    def row(self, key: str) -> Row:
        """The row of a medium as it is now."""
        return self._annotations.row(key)
