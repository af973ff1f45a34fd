"""``cocadesk index``: photos of folders into the library, with progress and time left."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from cocadesk.cli import session
from cocadesk.cli.guard import OK, SOME_FAILED
from cocadesk.cli.interrupt import Interrupt
from cocadesk.cli.options import Options
from cocadesk.cli.report import Failed, Report, duration, failed_fields, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.indexing import IndexProgress, IndexReport


def index(options: Options, report: Report, folders: Sequence[str]) -> int:
    """Indexes the folders and prints what became of their files."""
    roots = existing_roots(folders)
    with session.writing_library(options) as library, session.open_model(options) as backend:
        from cocadesk.indexing import index_steps

        outcome = _run(index_steps(library, backend, roots), report)
    failed = [Failed(path=item.path, reason=item.reason) for item in outcome.failed]
    if report.as_json:
        report.document(
            {
                "indexed": outcome.indexed,
                "unchanged": outcome.unchanged,
                "failed": failed_fields(failed),
                "seconds": round(outcome.seconds, 3),
                "moved": outcome.moved,
                "copied": outcome.copied,
                "missing": outcome.missing,
                "offline": outcome.offline,
            }
        )
    else:
        report.line(_summary(outcome))
    report.failures(failed)
    return SOME_FAILED if failed else OK


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


_STAGES = {"scan": "Looking for files", "embed": "Reading photos", "finish": "Tidying up"}


def _run(steps: Generator[IndexProgress, None, IndexReport], report: Report) -> IndexReport:
    """Drives the job step by step; Ctrl-C ends it between two steps, with all commits kept."""
    with Interrupt(report) as interrupt, report.progress() as display:
        task = display.add_task(_STAGES["scan"], total=None, numbers="", left="")
        try:
            while True:
                progress = next(steps)
                interrupt.check()
                display.update(
                    task,
                    description=_STAGES.get(progress.stage.value, progress.stage.value),
                    completed=progress.done,
                    total=progress.total,
                    numbers=_numbers(progress),
                    left=_left(progress.seconds_left),
                )
        except StopIteration as end:
            outcome: IndexReport = end.value
            return outcome
        finally:
            steps.close()


def _numbers(progress: IndexProgress) -> str:
    total = "" if progress.total is None else f" of {progress.total:,}"
    failed = f", {progress.failed:,} failed" if progress.failed else ""
    return f"{progress.done:,}{total}{failed}"


def _left(seconds: float | None) -> str:
    return f"{duration(seconds)} left" if seconds is not None else ""


def _summary(outcome: IndexReport) -> str:
    parts = [f"{outcome.indexed:,} indexed", f"{outcome.unchanged:,} unchanged"]
    for count, word in (
        (outcome.moved, "moved"),
        (outcome.copied, "copied"),
        (outcome.missing, "missing"),
        (outcome.offline, "offline"),
        (len(outcome.failed), "failed"),
    ):
        if count:
            parts.append(f"{count:,} {word}")
    return f"{', '.join(parts)} in {outcome.seconds:.1f} s."
