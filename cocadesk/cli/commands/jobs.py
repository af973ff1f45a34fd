"""``cocadesk jobs``: what is done, what waits for what, and what can be started again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cocadesk.cli.errors import OK, SOME_FAILED
from cocadesk.cli.options import Options, command
from cocadesk.cli.report import Report, duration, size
from cocadesk.cli.words import word
from cocadesk.errors import UserError, grouped, tr

if TYPE_CHECKING:
    from cocadesk.engine.local import AnyEngine
    from cocadesk.protocol.values import JobValue

_WIDTH = max(len(word(state)) for state in ("queued", "running", "paused", "failed", "cancelled"))


@command(takes_model=False)
def jobs(
    options: Options,
    report: Report,
    action: Annotated[
        Literal["list", "again", "retry", "pause", "resume", "stop"],
        typer.Argument(
            metavar=tr("ACTION"),
            help=tr(
                "List all; start a stopped or failed one again; retry the files that failed; "
                "pause, resume or stop one."
            ),
        ),
    ] = "list",
    job: Annotated[
        str, typer.Argument(metavar="ID", help=tr("The job, as the list names it."))
    ] = "",
) -> int:
    """List jobs with what each waits for, and start one again, retry, pause or stop it."""
    from cocadesk.cli.session import open_engine
    from cocadesk.engine.local import Access

    if action == "list":
        with open_engine(options, report) as engine:
            return _list(engine, report)
    if not job and action != "retry":
        raise UserError(
            tr("No job was named."),
            "",
            tr("Give its id: cocadesk jobs {action} ID.", action=action),
        )
    with open_engine(options, report, Access.WRITE) as engine:
        if action in ("again", "retry"):
            return _start(engine, action, job, report)
        return _control(engine, action, job, report)


def _list(engine: AnyEngine, report: Report) -> int:
    from cocadesk.protocol.messages import Jobs, ListJobs

    found = engine.ask(ListJobs(), Jobs).jobs
    report.document({"jobs": [_fields(job) for job in found]})
    for job in found:
        report.line(f"{job.id}  {word(job.state):<{_WIDTH}}  {job.title}{_how_far(job)}")
    if not found:
        report.line(tr("There are no jobs."))
    return OK


def _control(engine: AnyEngine, action: str, job_id: str, report: Report) -> int:
    from cocadesk.protocol.messages import ControlJob, JobReply
    from cocadesk.protocol.values import JobAction

    wanted = JobAction.CANCEL if action == "stop" else JobAction(action)
    job = engine.ask(ControlJob(job_id=job_id, action=wanted), JobReply).job
    report.document(_fields(job))
    report.line(f"{job.title}: {word(job.state)}.")
    return OK


def _start(engine: AnyEngine, action: str, job_id: str, report: Report) -> int:
    """Starts a job and follows it to its end."""
    from cocadesk.cli.session import follow
    from cocadesk.protocol.messages import ControlJob, JobReply, RequestBody, TryAgain
    from cocadesk.protocol.values import JobAction, JobState

    body: RequestBody = TryAgain(job_id=job_id)
    if action == "again":
        body = ControlJob(job_id=job_id, action=JobAction.AGAIN)
    job = engine.ask(body, JobReply).job
    if job.state is JobState.DONE:
        raise UserError(
            tr("{title}: this is done.", title=job.title),
            job.message,
            tr("Only others start again."),
        )
    job = follow(engine, job, report).job
    report.document(_fields(job))
    report.line(job.message)
    return SOME_FAILED if job.failed else OK


def _fields(job: JobValue) -> dict[str, Any]:
    return {
        "id": job.id,
        "kind": job.kind.value,
        "title": job.title,
        "state": job.state.value,
        "done": job.done,
        "total": job.total,
        "failed": job.failed,
        "seconds_left": job.seconds_left,
        "waits_for": job.waits_for,
        "message": job.message,
        "created": job.created,
        "finished": job.finished,
    }


def _how_far(job: JobValue) -> str:
    if job.waits_for:
        return ": " + tr("waits for {what}", what=job.waits_for)
    if job.state.is_final:
        return f": {job.message}" if job.message else ""
    shown = size if job.is_bytes else grouped
    parts = []
    if job.total:
        parts.append(tr("{done} of {total}", done=shown(job.done), total=shown(job.total)))
    if job.seconds_left is not None:
        parts.append(tr("{duration} left", duration=duration(job.seconds_left)))
    return ": " + ", ".join(parts) if parts else ""
