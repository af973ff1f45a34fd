"""The engine without its server: handlers, jobs and model of one open library."""

from __future__ import annotations

from collections.abc import Callable

from cocadesk.engine.crash_guard import CrashGuard
from cocadesk.engine.handler_list import Handlers
from cocadesk.engine.handlers import TRAINER, EngineContext, RunLong
from cocadesk.engine.job_records import Job
from cocadesk.engine.loaded_model import ModelHolder
from cocadesk.engine.scheduler import Scheduler
from cocadesk.library.library import Library
from cocadesk.protocol.calls import Call, answer_to, answers_of
from cocadesk.protocol.messages import EventBody, JobChanged, ReplyBody, RequestBody, RowsChanged
from cocadesk.protocol.values import JobValue


class EngineCore:
    """Answers requests from library, model and jobs; any thread may ask.

    ``publish`` gets every event; ``wait_until_quiet`` blocks while a person waits for
    an answer; ``run_long`` does the work of an answer that takes long. ``trainer`` and
    ``unkept``: see ``EngineContext``. ``watching`` follows the library's folders once it is
    started.
    """

    def __init__(
        self,
        library: Library,
        model: ModelHolder,
        *,
        publish: Callable[[EventBody], None],
        run_long: RunLong,
        wait_until_quiet: Callable[[float], bool] = lambda _limit_s: True,
        trainer: str = TRAINER,
        unkept: str = "",
    ) -> None:
        self._model = model
        self._publish = publish
        self._wait_until_quiet = wait_until_quiet
        self._scheduler: Scheduler | None = None
        self._context = context = EngineContext(
            library=library,
            model=model,
            jobs=self.jobs,
            publish=self._tell,
            run_long=run_long,
            crash_guard=CrashGuard(library),
            trainer=trainer,
            unkept=unkept,
        )
        self._handlers = handlers = Handlers(context)
        self.watching = handlers.watching
        for handler in handlers.all:
            context.restarts.update(handler.restarts())
        self._answers = answers_of(*handlers.all)

    def answer(self, body: RequestBody, call: Call) -> ReplyBody | None:
        """Answers any request; see ``cocadesk.protocol.calls.Handler``."""
        return answer_to(body, self._answers)(body, call)

    def update_model(self) -> None:
        """Begins what an update of the program asks for, once the model is open."""
        self._handlers.models.switcher.update()

    def jobs(self) -> Scheduler:
        """The jobs of the library, read from it when they are first asked for."""
        if self._scheduler is None:
            works = {
                kind: steps
                for handler in self._handlers.all
                for kind, steps in handler.works().items()
            }
            self._scheduler = Scheduler(
                self._context.library.jobs,
                works,
                on_change=self._on_job,
                wait_until_quiet=self._wait_until_quiet,
                witness=self._context.crash_guard,
                hold=self._why_held,
            )
        return self._scheduler

    def _why_held(self, job: Job) -> str:
        if self._scheduler is None:
            return ""  # the jobs are being read
        return self._handlers.models.why_held(job) or self.watching.why_held(job)

    def close(self) -> None:
        """Ends jobs after the step in hand and frees what handlers and model hold."""
        self.watching.close()
        if self._scheduler is not None:
            self._scheduler.close()
        for handler in self._handlers.all:
            handler.close()
        self._model.close()

    def _tell(self, event: EventBody) -> None:
        if isinstance(event, RowsChanged) and not event.keys:
            self._handlers.library.forget_order()
        self._publish(event)

    def _on_job(self, job: JobValue) -> None:
        if self._scheduler is None:
            return  # it is set aside while the jobs are read: nobody watches it yet
        self._context.publish(JobChanged(job=job))
        for listener in self._context.job_listeners:
            listener(job)
        self._handlers.jobs.tell(job)
