"""Engines as commands use them: found, opened or started, and their jobs followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cocadesk.cli.errors import StoppedError
from cocadesk.cli.options import Options
from cocadesk.cli.report import Report, duration, size
from cocadesk.cli.threads import free_other_threads
from cocadesk.engine import local
from cocadesk.engine.local import Access, AnyEngine
from cocadesk.errors import UserError, grouped, tr
from cocadesk.locations import durable_source
from cocadesk.protocol.client import EngineClient
from cocadesk.protocol.messages import (
    ControlJob,
    GetInfo,
    Info,
    JobReply,
    RequestBody,
    WatchJob,
)
from cocadesk.protocol.paths import printable
from cocadesk.protocol.values import JobAction, JobState, JobValue

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from rich import progress

    from cocadesk.engine.job_steps import JobStep
    from cocadesk.model.backend import Backend
    from cocadesk.protocol.values import WorkState

CLIENT_NAME = "command line"
STOPPING = tr("Stopping after this step; press Ctrl-C again to stop at once.")


def open_engine(options: Options, report: Report, access: Access = Access.READ) -> AnyEngine:
    """The library's running engine, else one in this process; see ``engine.local``."""
    own = local.LocalEngine(
        options.library,
        model=options.model,
        access=access,
        open_model=lambda source: _open_source(options, source),
        on_stopping=lambda: report.note(STOPPING),
    )
    return local.running_or(own, name=CLIENT_NAME)


def started_engine(options: Options) -> EngineClient:
    """The engine of this library, started where none runs; it makes a missing library.

    Raises:
        UserError: it cannot start, or it serves another model than the one asked for.
    """
    from cocadesk.protocol.launch import connect_or_start

    chosen = () if options.model is None else ("--model", options.model)
    client = connect_or_start(options.library, name=CLIENT_NAME, extra=chosen)
    if options.model is not None:
        serving = client.ask(GetInfo(), Info).model.source
        if durable_source(serving) != durable_source(options.model):
            client.close()
            raise UserError(
                tr("This library is open with another model ({serving}).", serving=serving),
                tr("One engine serves a library, with one model at a time."),
                tr(
                    "Leave --model out, or switch first: cocadesk model use {model}.",
                    model=options.model,
                ),
            )
    return client


def open_model(options: Options) -> Backend:
    """The chosen model, else the library's own, in this process.

    Raises:
        UserError: it cannot be opened.
    """
    return _open_source(options, options.model or local.library_source(options.library))


def _open_source(options: Options, source: str) -> Backend:
    free_other_threads()
    if source == options.model:
        _fetch_where_absent(options, source)
    return local.open_source(options.library, options.model, source)


def _fetch_where_absent(options: Options, source: str) -> None:
    """Fetches a model of the hub that is not here, and shows how far that is."""
    from cocadesk.engine.model_fetching import asked_to_wait
    from cocadesk.model.checkpoints import hub
    from cocadesk.model.checkpoints.fetching import find_snapshot

    if not hub.is_of_hub(source) or hub.is_here(hub.parse_repository(source)):
        return
    with Report(as_json=options.as_json).progress() as display:
        title = tr("Fetching {source}", source=source)
        task = display.add_task(title, total=None, numbers="", left="")

        def show(done: int, total: int) -> None:
            numbers = tr("{done} of {total}", done=size(done), total=size(total))
            display.update(task, description=title, completed=done, total=total, numbers=numbers)

        def show_wait(seconds: float) -> None:
            display.update(task, description=asked_to_wait(seconds))

        find_snapshot(source, fetch=True, report=show, on_wait=show_wait)


def do_job(engine: AnyEngine, body: RequestBody, report: Report) -> JobReply:
    """Starts a job and follows it to its end; see ``follow``."""
    return follow(engine, engine.ask(body, JobReply).job, report)


def follow(
    engine: AnyEngine, job: JobValue, report: Report, on_interrupt: JobAction = JobAction.CANCEL
) -> JobReply:
    """The end of a job, shown with its progress; Ctrl-C cancels or pauses it.

    Raises:
        StoppedError: somebody else cancelled it.
        UserError: it failed; its own sentence.
    """
    title = printable(job.title)
    with report.progress() as display:
        task = display.add_task(title, total=None, numbers="", left="")
        try:
            end = engine.ask(
                WatchJob(job_id=job.id),
                JobReply,
                on_progress=lambda now: show_progress(display, task, now, title),
            )
        except KeyboardInterrupt:
            engine.ask(ControlJob(job_id=job.id, action=on_interrupt), JobReply)
            raise
    if end.job.state is JobState.CANCELLED:
        raise StoppedError
    if end.job.state is not JobState.DONE:
        raise UserError(tr("{title}: this did not succeed.", title=job.title), end.job.message)
    return end


def do_steps(steps: Generator[JobStep, None, str], report: Report) -> str:
    """Does work step by step in this process, shown with its progress; its last sentence.

    Raises:
        UserError: it failed.
    """
    with report.progress() as display:
        task = display.add_task("", total=None, numbers="", left="")
        try:
            while True:
                show_progress(display, task, next(steps), "")
        except StopIteration as end:
            said: str = end.value
            return said
        finally:
            steps.close()


def show_progress(
    display: progress.Progress, task: progress.TaskID, now: WorkState, title: str
) -> None:
    """Shows how far long work is: stage, numbers and the time left."""
    shown: Callable[[int], str] = size if now.is_bytes else grouped
    numbers = shown(now.done)
    if now.total is not None:
        numbers = tr("{done} of {total}", done=numbers, total=shown(now.total))
    if now.failed:
        numbers = tr("{numbers}, {failed} failed", numbers=numbers, failed=grouped(now.failed))
    display.update(
        task,
        description=now.stage or title,
        completed=now.done,
        total=now.total,
        numbers=numbers if now.done or now.total else "",
        left=""
        if now.seconds_left is None
        else tr("{duration} left", duration=duration(now.seconds_left)),
    )
