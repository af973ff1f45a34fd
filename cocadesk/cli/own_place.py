"""Where commands on human words work: a library of ours, or one that an engine writes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cocadesk.cli import session
from cocadesk.cli.guard import StoppedError
from cocadesk.cli.options import Options
from cocadesk.cli.report import Report, duration, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.library import Library
    from cocadesk.protocol.client import EngineClient
    from cocadesk.protocol.messages import JobReply, RequestBody


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPlace:
    """The library, to read; ``engine`` writes it where one runs, else we do."""

    library: Library
    engine: EngineClient | None = None


@contextlib.contextmanager
def place_for_own_words(options: Options) -> Iterator[OwnPlace]:
    """The library, through its engine where one runs.

    Raises:
        UserError: there is no library, or another program writes it.
    """
    from cocadesk.library import Library
    from cocadesk.protocol.launch import running_engine

    session.check_library(options)
    engine = running_engine(options.library, name=session.CLIENT_NAME)
    if engine is None:
        with Library.open(options.library, create=False) as library:
            yield OwnPlace(library=library)
        return
    with engine, session.reading_library(options) as library:
        yield OwnPlace(library=library, engine=engine)


def member_keys(library: Library, paths: Sequence[str]) -> list[str]:
    """The keys of these photos.

    Raises:
        UserError: one of them is not in the library.
    """
    wanted = dict.fromkeys(absolute(path) for path in paths)
    known = {row.path: row.key for row in library.media.rows_by_path(list(wanted))}
    for path in wanted:
        if path not in known:
            raise _unknown(path)
    return [known[path] for path in wanted]


def absolute(path: str) -> bytes:
    """A path as the library names it; links stay as given."""
    return os.path.abspath(os.fsencode(path))  # noqa: PTH100


def keys_below(library: Library, paths: Sequence[str]) -> list[str]:
    """The keys of these photos and of all photos in these folders.

    Raises:
        UserError: one of them names nothing in the library.
    """
    from cocadesk.search import keys_in_scope

    keys: dict[str, None] = {}
    for path in map(absolute, paths):
        found = keys_in_scope(library, (), [path])
        if not found:
            raise _unknown(path)
        keys.update(dict.fromkeys(found))
    return list(keys)


def follow(engine: EngineClient, body: RequestBody, report: Report) -> JobReply:
    """Starts a job and shows it to its end; Ctrl-C cancels it.

    Raises:
        StoppedError: somebody cancelled it.
        UserError: it failed; the engine's own sentence.
    """
    from cocadesk.protocol.messages import ControlJob, JobReply, Progress, WatchJob
    from cocadesk.protocol.values import JobAction, JobState

    with report.progress() as display:
        job = engine.ask(body, JobReply).job
        task = display.add_task(job.title, total=None, numbers="", left="")

        def show(now: Progress) -> None:
            total = "" if now.total is None else f" of {now.total:,}"
            display.update(
                task,
                description=now.stage,
                completed=now.done,
                total=now.total,
                numbers=f"{now.done:,}{total}",
                left="" if now.seconds_left is None else f"{duration(now.seconds_left)} left",
            )

        try:
            end = engine.ask(WatchJob(job_id=job.id), JobReply, on_progress=show)
        except KeyboardInterrupt:
            engine.ask(ControlJob(job_id=job.id, action=JobAction.CANCEL), JobReply)
            raise
    if end.job.state is JobState.CANCELLED:
        raise StoppedError
    if end.job.state is not JobState.DONE:
        raise UserError("It could not be done.", end.job.message)
    return end


def _unknown(path: bytes) -> UserError:
    return UserError(
        f"{shown(path)} is not in the library.", "", "Add it first: cocadesk index FOLDER."
    )
