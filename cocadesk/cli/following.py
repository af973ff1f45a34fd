"""A job of the engine, followed to its end with its progress on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cocadesk.cli.guard import StoppedError
from cocadesk.cli.report import Report, duration
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.protocol.client import EngineClient
    from cocadesk.protocol.messages import JobReply, Progress
    from cocadesk.protocol.values import JobAction, JobValue


def follow(
    engine: EngineClient, job: JobValue, report: Report, *, on_interrupt: JobAction
) -> JobReply:
    """The job's end; Ctrl-C pauses or cancels it and ends the command.

    Raises:
        StoppedError: somebody cancelled or paused it.
        UserError: it failed; its own sentence.
    """
    from cocadesk.protocol.messages import ControlJob, JobReply, WatchJob
    from cocadesk.protocol.values import JobState

    with report.progress() as display:
        task = display.add_task(job.title, total=None, numbers="", left="")

        def show(now: Progress) -> None:
            total = "" if now.total is None else f" of {now.total:,}"
            left = "" if now.seconds_left is None else f"{duration(now.seconds_left)} left"
            display.update(
                task,
                description=now.stage or job.title,
                completed=now.done,
                total=now.total,
                numbers=f"{now.done:,}{total}" if now.done or now.total else "",
                left=left,
            )

        try:
            end = engine.ask(WatchJob(job_id=job.id), JobReply, on_progress=show)
        except KeyboardInterrupt:
            engine.ask(ControlJob(job_id=job.id, action=on_interrupt), JobReply)
            raise
    if end.job.state is JobState.CANCELLED:
        raise StoppedError
    if end.job.state is not JobState.DONE:
        raise UserError(f"{job.title}: this did not succeed.", end.job.message, "")
    return end
