"""``cocadesk index``: photos and videos of folders into the library, with the time left."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from cocadesk.cli import session
from cocadesk.cli.guard import OK, SOME_FAILED, StoppedError
from cocadesk.cli.interrupt import Interrupt
from cocadesk.cli.options import Options
from cocadesk.cli.report import Failed, Report, duration, failed_fields, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.indexing import IndexProgress, IndexReport
    from cocadesk.protocol.client import EngineClient
    from cocadesk.protocol.messages import JobReply


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an index did, here or in the engine; counts of files, ``videos`` of the indexed."""

    indexed: int
    videos: int
    unchanged: int
    moved: int
    copied: int
    missing: int
    offline: int
    failed: tuple[Failed, ...]
    seconds: float


def index(options: Options, report: Report, folders: Sequence[str]) -> int:
    """Indexes the folders and prints what became of their files.

    Where an engine has the library open, it does the work and we follow its job.
    """
    roots = existing_roots(folders)
    engine = session.running_engine(options)
    outcome = _follow(engine, roots, report) if engine else _index(options, roots, report)
    if report.as_json:
        report.document(
            {
                "indexed": outcome.indexed,
                "unchanged": outcome.unchanged,
                "failed": failed_fields(outcome.failed),
                "seconds": round(outcome.seconds, 3),
                "moved": outcome.moved,
                "copied": outcome.copied,
                "missing": outcome.missing,
                "offline": outcome.offline,
                "videos": outcome.videos,
            }
        )
    else:
        report.line(summary(outcome))
    report.failures(outcome.failed)
    return SOME_FAILED if outcome.failed else OK


def existing_roots(folders: Sequence[str]) -> list[bytes]:
    """The folders (or files) as absolute paths, each once.

    Raises:
        UserError: one of them is not there: nothing is read on a mistyped name.
    """
    roots: dict[bytes, None] = {}
    for folder in folders:
        path = os.path.abspath(os.fsencode(folder))  # noqa: PTH100 - bytes; links stay as given
        if not os.path.lexists(path):
            raise UserError(
                f"There is no folder {shown(path)}.", "", "Check the name; nothing was read."
            )
        roots[path] = None
    return list(roots)


def _index(options: Options, roots: Sequence[bytes], report: Report) -> Outcome:
    """Indexes in this process."""
    from cocadesk.indexing import index_steps

    with session.writing_library(options) as library, session.open_model(options) as backend:
        session.remember_source(library, backend, options)
        done = _run(index_steps(library, backend, roots), report)
    return Outcome(
        indexed=done.indexed,
        videos=done.videos,
        unchanged=done.unchanged,
        moved=done.moved,
        copied=done.copied,
        missing=done.missing,
        offline=done.offline,
        failed=tuple(Failed(path=item.path, reason=item.reason) for item in done.failed),
        seconds=done.seconds,
    )


_STAGES = {
    "scan": "Looking for photos and videos",
    "embed": "Reading photos and videos",
    "finish": "Tidying up",
}


def _run(steps: Generator[IndexProgress, None, IndexReport], report: Report) -> IndexReport:
    """Drives the job step by step; Ctrl-C ends it between two steps, with all commits kept."""
    with Interrupt(report) as interrupt, report.progress() as display:
        task = display.add_task(_STAGES["scan"], total=None, numbers="", left="")
        try:
            while True:
                progress = next(steps)
                interrupt.check()
                stage = _STAGES.get(progress.stage.value, progress.stage.value)
                display.update(task, **_shown(stage, progress))
        except StopIteration as end:
            outcome: IndexReport = end.value
            return outcome
        finally:
            steps.close()


def _follow(engine: EngineClient, roots: Sequence[bytes], report: Report) -> Outcome:
    """Lets the engine index, and shows its job; Ctrl-C cancels the job."""
    from cocadesk.protocol.messages import ControlJob, JobReply, StartIndex, WatchJob
    from cocadesk.protocol.paths import WirePath
    from cocadesk.protocol.values import JobAction

    folders = tuple(WirePath.of(root) for root in roots)
    with engine, report.progress() as display:
        job = engine.ask(StartIndex(folders=folders), JobReply).job
        task = display.add_task(job.title, total=None, numbers="", left="")
        try:
            end = engine.ask(
                WatchJob(job_id=job.id),
                JobReply,
                on_progress=lambda now: display.update(task, **_shown(now.stage, now)),
            )
        except KeyboardInterrupt:
            engine.ask(ControlJob(job_id=job.id, action=JobAction.CANCEL), JobReply)
            raise
    return _outcome_of(end)


def _outcome_of(end: JobReply) -> Outcome:
    """The engine's report of a job.

    Raises:
        StoppedError: somebody cancelled the job.
        UserError: it failed; the engine's own sentence.
    """
    from cocadesk.protocol.values import IndexReport, JobState

    if end.job.state is JobState.CANCELLED:
        raise StoppedError
    done = end.report
    if end.job.state is not JobState.DONE or not isinstance(done, IndexReport):
        raise UserError("The folders could not be indexed.", end.job.message, "")
    return Outcome(
        indexed=done.indexed,
        videos=done.videos,
        unchanged=done.unchanged,
        moved=done.moved,
        copied=done.copied,
        missing=done.missing,
        offline=done.offline,
        failed=tuple(Failed(path=f.path.to_bytes(), reason=f.reason) for f in done.failed),
        seconds=done.seconds,
    )


class _Progress(Protocol):
    """What a step of the indexer and a message of the engine have in common."""

    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int | None: ...
    @property
    def failed(self) -> int: ...
    @property
    def seconds_left(self) -> float | None: ...


def _shown(stage: str, progress: _Progress) -> dict[str, Any]:
    """The fields of the progress display."""
    total = "" if progress.total is None else f" of {progress.total:,}"
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    left = progress.seconds_left
    return {
        "description": stage,
        "completed": progress.done,
        "total": progress.total,
        "numbers": f"{progress.done:,}{total}{failed}",
        "left": "" if left is None else f"{duration(left)} left",
    }


def summary(outcome: Outcome) -> str:
    """One line of what an index has done."""
    videos = f" ({outcome.videos:,} of them videos)" if outcome.videos else ""
    parts = [f"{outcome.indexed:,} indexed{videos}", f"{outcome.unchanged:,} unchanged"]
    for count, word in (
        (outcome.moved, "moved"),
        (outcome.copied, "copied"),
        (outcome.missing, "missing"),
        (outcome.offline, "offline"),
        (len(outcome.failed), "failed"),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    if parts == ["0 indexed", "0 unchanged"]:
        return "No photos or videos were found there."
    return f"{', '.join(parts)} in {outcome.seconds:.1f} s."
