"""The engine's handlers: each answers the requests of one part of the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from cocadesk.engine.crash_guard import CrashGuard
from cocadesk.engine.job_steps import JobFactory
from cocadesk.engine.loaded_model import ModelHolder
from cocadesk.engine.power import Power
from cocadesk.engine.scheduler import Scheduler
from cocadesk.library.library import Library
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import EventBody, JobReply, ReplyBody
from cocadesk.protocol.values import JobKind, JobValue

TRAINER = "trainer"


class RunLong(Protocol):
    """Finishes a call with what ``work`` gives, at once or on a thread of its own."""

    def __call__(self, call: Call, work: Callable[[], ReplyBody], *, name: str) -> object: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    """The ways to do a job of some kind once more.

    ``renewed`` gives the order (JSON) with which one that has failed or was stopped starts
    again, from its value and its order. ``of_files`` queues a job for some files alone, from
    the order; None where such jobs are not about files.
    """

    renewed: Callable[[JobValue, str], str] = lambda _job, spec: spec
    of_files: Callable[[str, Sequence[bytes]], JobReply] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext:
    """Shared by the handlers. ``jobs`` gives the scheduler once the engine is built.

    ``job_listeners`` hear every move of a job, on the thread that made it and under
    the scheduler's lock: they must be quick. ``trainer`` is the module that teaching
    runs as a child process. ``unkept`` says why captions and tags cannot be stored,
    where the library is open to be read only. ``restarts``: by the kind of job. ``power`` is
    what the computer runs on.
    """

    library: Library
    model: ModelHolder
    jobs: Callable[[], Scheduler]
    publish: Callable[[EventBody], None]
    run_long: RunLong
    trainer: str = TRAINER
    unkept: str = ""
    crash_guard: CrashGuard
    job_listeners: list[Callable[[JobValue], None]] = field(default_factory=list)
    restarts: dict[JobKind, Restart] = field(default_factory=dict)
    power: Power = field(default_factory=Power)

    def queue(
        self, kind: JobKind, title: str, spec: msgspec.Struct, *, items: int | None = None
    ) -> JobReply:
        """The job of an order; see ``Scheduler.add``."""
        text = msgspec.json.encode(spec).decode()
        return JobReply(job=self.jobs().add(kind, title, text, items=items))


class RequestHandler:
    """A part of the engine with its own requests (see ``answers_of``) and jobs."""

    def works(self) -> Mapping[JobKind, JobFactory]:
        """The kinds of jobs that this handler does; none unless it says so."""
        return {}

    def restarts(self) -> Mapping[JobKind, Restart]:
        """The ways to do its jobs once more; without one, the same order counts again."""
        return {}

    def close(self) -> None:
        """Frees what the handler holds; after the last job and request."""
