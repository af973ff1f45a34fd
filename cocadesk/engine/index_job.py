"""The index as a job of the engine."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cocadesk.annotations.progress import AnnotationProgress
from cocadesk.engine.conversions import sentence, to_failures, to_value
from cocadesk.engine.handlers import EngineContext, RequestHandler, Restart
from cocadesk.engine.job_steps import JobFactory, JobOutcome, JobStep, Legs, Steps, relayed
from cocadesk.engine.switch_orders import awaited_sources
from cocadesk.errors import UserError, kept, tr, tr_count
from cocadesk.indexing.types import (
    Again,
    IndexOptions,
    IndexProgress,
    IndexReport,
    IndexStage,
    IndexTally,
)
from cocadesk.library.paths import is_under
from cocadesk.protocol import values
from cocadesk.protocol.calls import Call
from cocadesk.protocol.job_values import RayValue
from cocadesk.protocol.messages import JobReply, RowsChanged, StartIndex
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobReport, ReadAgain

if TYPE_CHECKING:
    from cocadesk.indexing.ray_workers import RayWorkers
    from cocadesk.indexing.types import ReembedReport
    from cocadesk.model.backend import Backend

STAGES = {
    IndexStage.SCAN: tr("Looking for photos and videos"),
    IndexStage.COMPARE: tr("Comparing with what is known"),
    IndexStage.METADATA: tr("Reading details again"),
    IndexStage.EMBED: tr("Reading photos and videos"),
    IndexStage.FINISH: tr("Tidying up"),
}


_MOST_PLACES, _MOST_FILES = 200, 1000
"""More folders or files are not counted: such an index is long."""


class IndexSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The folders to index; none means all that the library knows.

    Files that were changed less than ``settle_s`` ago are left: somebody may be writing them.
    ``is_retry``: of what failed before, only the files among ``folders`` are read again.
    With ``ray``, workers of Ray read them.
    """

    folders: tuple[WirePath, ...] = ()
    again: ReadAgain = ReadAgain.NOTHING
    settle_s: float = 0.0
    is_retry: bool = False
    ray: RayValue | None = None


class IndexHandler(RequestHandler):
    """Starts index jobs and makes their steps."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library
        self._legs = Legs(IndexTally)

    def works(self) -> Mapping[JobKind, JobFactory]:
        """The index."""
        return {JobKind.INDEX: self.steps}

    def restarts(self) -> Mapping[JobKind, Restart]:
        """Failed files are read by an index of these alone; those of a switch too."""
        of_files = partial(index_again, self._context)
        return {JobKind.INDEX: Restart(of_files=of_files)}

    def _start(self, body: StartIndex, call: Call) -> JobReply:
        """A job on these folders.

        Raises:
            UserError: one of them is not there and was never added, or none is known;
                Ray is asked for and not installed.
        """
        if body.ray is not None:
            from cocadesk.indexing.ray_cluster import require_ray

            require_ray()
        folders = body.folders
        known = [root.path for root in self._library.roots.all()]
        for folder in folders:
            path = folder.to_bytes()
            is_known = any(is_under(os.path.realpath(path), root) for root in known)
            if not os.path.lexists(path) and not is_known:
                raise UserError(
                    tr("There is no folder {folder}.", folder=folder.text),
                    "",
                    tr("Check its name."),
                )
        if not folders and not known:
            raise UserError(
                tr("There is no folder to look through."), "", tr("Add a folder first.")
            )
        names = [Path(folder.text).name or folder.text for folder in folders]
        shown, more = ", ".join(names[:3]), len(names) - 3
        title = kept("Adding {names}", names=shown)
        if more > 0:
            title = kept("Adding {names} and {number} more", names=shown, number=more)
        elif not names:
            title = kept("Looking for new photos and videos")
        spec = IndexSpec(folders=folders, again=body.again, ray=body.ray)
        items = files_in(folder.to_bytes() for folder in folders) if folders else None
        return self._context.queue(JobKind.INDEX, title, spec, items=items)

    def steps(self, spec: str) -> Steps:
        """The job of a spec; see ``cocadesk.engine.job_steps.JobFactory``."""
        from cocadesk.indexing.index import index_steps

        wanted = msgspec.json.decode(spec, type=IndexSpec)
        roots = [path.to_bytes() for path in wanted.folders]
        roots = roots or [root.path for root in self._library.roots.all()]
        yield JobStep(stage=tr("Waiting for the model"), done=0)
        backend = self._context.model.searching().backend
        try:
            options = IndexOptions(
                again=Again.NAMED if wanted.is_retry else Again(wanted.again),
                is_careful=self._context.crash_guard.is_careful,
                settle_s=wanted.settle_s,
                rest=self._context.power.rest,
            )
            tally = self._legs.of_running(self._context.jobs().all(), JobKind.INDEX)
            with self._workers(wanted.ray, backend) as pool:
                steps = index_steps(
                    self._library, backend, roots, pool=pool, options=options, tally=tally
                )
                report = yield from relayed(steps, _published(self._context, backend))
                notes = tuple(pool.notes) if pool else ()
        finally:
            self._context.publish(RowsChanged())
        return _outcome(report, (yield from update_steps(self._context)), notes)

    def _workers(
        self, wanted: RayValue | None, backend: Backend
    ) -> AbstractContextManager[RayWorkers | None]:
        """The workers of Ray that read for an index; none unless they are wanted."""
        if wanted is None:
            return nullcontext()
        from cocadesk.indexing.ray_cluster import RayOptions
        from cocadesk.indexing.ray_workers import RayWorkers

        return RayWorkers(
            self._context.model.opener(),
            backend.info().image_id,
            RayOptions(workers=wanted.workers, address=wanted.address),
        )


def index_again(context: EngineContext, _spec: str, paths: Sequence[bytes]) -> JobReply:
    """A job that reads these files alone, also where they have not changed.

    One of them may be a whole folder, e.g. of a disk that was away: what is new in it is read,
    and no other file that failed.
    """
    files = tuple(map(WirePath.of, paths))
    what = Path(files[0].text).name
    if len(files) > 1:
        what = tr_count(len(files), "{n} file", "{n} files")
    spec = IndexSpec(folders=files, is_retry=True)
    return context.queue(
        JobKind.INDEX, tr("Trying {what} again", what=what), spec, items=files_in(paths)
    )


def files_in(places: Iterable[bytes]) -> int | None:
    """The number of files at these places (folders or files); None where it is not small.

    A few folders are looked through, no more: who asks waits for it.
    """
    left, files, looked_at = list(places), 0, 0
    while left:
        looked_at += 1
        try:
            with os.scandir(left.pop()) as listing:
                for entry in listing:
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    else:
                        files += 1
                    if files > _MOST_FILES or looked_at + len(left) > _MOST_PLACES:
                        return None
        except OSError:
            files += 1  # a file, or a place that is not there: soon done with
    return files


def update_steps(context: EngineContext) -> Generator[JobStep, None, ReembedReport]:
    """Vectors of all media by a newer starter than the library's, which is the library's then.

    Searches find what is read by then: the model of before is gone and can't answer.
    Nothing is done where none is awaited, nor any more once a person has chosen another,
    which answers already or has a job of its own that waits for the end of this one.
    """
    from cocadesk.indexing.reembed import reembed_steps
    from cocadesk.indexing.types import ReembedReport

    opened = context.model.opened()
    if not context.model.awaits_vectors():
        return ReembedReport()
    options = IndexOptions(is_careful=context.crash_guard.is_careful, rest=context.power.rest)
    published, is_wanted = _published(context, opened.backend), True

    def step(progress: IndexProgress) -> JobStep:
        nonlocal is_wanted
        # Here and not in ``is_wanted``, which is asked under the lock of the library's writer:
        # who holds that of the jobs waits for it.
        is_wanted = awaited_sources(context.jobs()) <= {opened.source}
        return published(progress)

    steps = reembed_steps(
        context.library,
        opened.backend,
        source=opened.source,
        options=options,
        is_wanted=lambda: is_wanted and context.model.awaits_vectors(),
    )
    try:
        return (yield from relayed(steps, step))
    finally:
        context.publish(RowsChanged())


def _published(context: EngineContext, backend: Backend) -> Callable[[IndexProgress], JobStep]:
    """The job after each step; windows hear of the rows that it has committed."""
    written: tuple[int, bytes | None] = (0, None)

    def step(progress: IndexProgress) -> JobStep:
        nonlocal written
        if (now := (progress.commits, progress.current_path)) != written:
            written = now
            context.publish(RowsChanged())
        stage = STAGES[progress.stage]
        if progress.stage is IndexStage.EMBED:
            stage = stage_of(backend, context.power.said_of(stage))
        return job_step(progress, stage)

    return step


PREPARING = tr("Preparing the model for this computer, only this once")


def stage_of(backend: Backend, stage: str, *, captions: bool = False) -> str:
    """The stage of a job that computes with a model; at first the model itself takes a while."""
    info = backend.info()
    is_ready = info.is_prepared and (info.are_captions_prepared or not captions)
    return stage if is_ready else PREPARING


def job_step(
    progress: IndexProgress | AnnotationProgress, stage: str, report: JobReport | None = None
) -> JobStep:
    """A job of this program after a step; ``report`` names what it could not do so far."""
    path = getattr(progress, "video_path", None) or progress.current_path
    current = WirePath.of(path).text if path else ""
    return to_value(progress, JobStep, stage=stage, current=current, report=report)


def _outcome(
    report: IndexReport, updated: ReembedReport, notes: tuple[str, ...] = ()
) -> JobOutcome:
    known = {failed.path for failed in report.failed}
    failed = [*report.failed, *(one for one in updated.unreadable if one.path not in known)]
    message = _sentence(report)
    if updated.filled:
        again = kept("Read again with the improved model: {number}.", number=f"{updated.filled:,}")
        message = f"{message} {again}"
    message = " ".join((message, *notes))
    return JobOutcome(
        message=message,
        report=to_value(report, values.IndexReport, failed=to_failures(failed), notes=notes),
        failed=len(failed),
    )


def _sentence(report: IndexReport) -> str:
    others = report.unchanged or report.refreshed or report.moved or report.missing
    is_news = report.indexed or not (others or report.offline)
    return sentence(
        kept("{media} added", media=_photos_and_videos(report)) if is_news else kept("Nothing new"),
        (report.unchanged, kept("already known")),
        (report.refreshed, kept("whose details were read again")),
        (report.moved, kept("moved")),
        (report.missing, kept("gone")),
        (report.offline, kept("on a disk that is not connected")),
        (len(report.failed), kept("could not be read")),
    )


def _photos_and_videos(report: IndexReport) -> str:
    """The media that were added, each kind only where there is one ("3 photos and 1 video")."""
    photos, videos = report.indexed - report.videos, report.videos
    of_photos, of_videos = f"{photos:,}", f"{videos:,}"
    if not videos:
        return kept("1 photo") if photos == 1 else kept("{number} photos", number=of_photos)
    if not photos:
        return kept("1 video") if videos == 1 else kept("{number} videos", number=of_videos)
    if photos == 1:
        return (
            kept("1 photo and 1 video")
            if videos == 1
            else kept("1 photo and {number} videos", number=of_videos)
        )
    if videos == 1:
        return kept("{number} photos and 1 video", number=of_photos)
    return kept("{number} photos and {videos} videos", number=of_photos, videos=of_videos)
