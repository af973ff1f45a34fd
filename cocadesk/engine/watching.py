"""Folders that are watched while the engine is there: changes in them become index jobs."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.index_job import IndexSpec
from cocadesk.engine.job_order import is_short
from cocadesk.engine.job_records import Job
from cocadesk.errors import UserError, kept, tr
from cocadesk.indexing.watching import Changes, Looks, WatchPace
from cocadesk.library.paths import is_under
from cocadesk.media.excludes import Excludes
from cocadesk.media.scanning import is_passed_over
from cocadesk.media.watching import FolderWatch
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import WatchFolders, Watching
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    IndexReport,
    JobKind,
    JobState,
    JobValue,
    ModelState,
    WatchedFolder,
)

UNWATCHED = tr("Folders are watched while a window is open.")
OFF = tr("Watching is turned off.")
STOPPED = tr(
    "Reading it was stopped or is paused. Start that job again, or look for new photos, and it is "
    "watched again."
)
ON_BATTERY = tr("mains power: the computer runs on its battery")
_HELD_KINDS = frozenset({JobKind.INDEX, JobKind.SWITCH_MODEL, JobKind.CAPTION, JobKind.GROUP})
_END_S = 5.0
_KEPT = 10
"""So many of the jobs that began by themselves are remembered."""

_log = logging.getLogger(__name__)


class WatchHandler(RequestHandler):
    """Answers about watching, and holds long jobs on battery where that is wanted."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library
        self._watcher: FolderWatcher | None = None

    def start(self, pace: WatchPace) -> None:
        """Begins to watch, where that is not turned off."""
        self._watcher = FolderWatcher(self._context, pace)
        self._context.job_listeners.append(self._watcher.on_job)
        self._watcher.start()

    def close(self) -> None:
        """Ends watching."""
        if self._watcher is not None:
            self._watcher.close()

    def why_held(self, job: Job) -> str:
        """What a job waits for on battery; empty where it may run."""
        is_long = job.value.kind in _HELD_KINDS and not is_short(job)
        waits = self._library.manifest.waits_on_battery and is_long
        return ON_BATTERY if waits and self._context.power.is_on_battery() else ""

    def _watch(self, body: WatchFolders, call: Call) -> Watching:
        if body.is_on is not None or body.waits_on_battery is not None:
            self._library.set_watching(body.is_on, waits_on_battery=body.waits_on_battery)
            self._context.jobs().reconsider()
            if self._watcher is not None:
                self._watcher.look_now()
        manifest = self._library.manifest
        reasons = {} if self._watcher is None else self._watcher.reasons
        held = set() if self._watcher is None else self._watcher.held()
        missing = OFF if not manifest.watches else UNWATCHED
        return Watching(
            is_on=manifest.watches,
            waits_on_battery=manifest.waits_on_battery,
            folders=tuple(
                WatchedFolder(
                    path=WirePath.of(root.path),
                    why_not=STOPPED
                    if manifest.watches and root.path in held
                    else reasons.get(root.path, missing),
                )
                for root in self._library.roots.all()
            ),
        )


class FolderWatcher:
    """A thread that gathers changes in the library's roots and queues index jobs for them.

    One at a time: what changes meanwhile is gathered for the next. After one that failed
    there is none until a person has indexed, and none for a root whose index a person has
    stopped or paused: it would go on with just that. ``watch`` makes what listens to the system.
    """

    def __init__(
        self,
        context: EngineContext,
        pace: WatchPace,
        *,
        watch: Callable[[Callable[[bytes], None]], FolderWatch] = FolderWatch,
    ) -> None:
        self._context = context
        self._library = context.library
        self._own = os.path.realpath(os.fsencode(context.library.folder))
        self._watch = watch(self._on_change)
        self._pace = pace
        self._changes = Changes(pace)
        self._looks = Looks(pace)
        self._moved = threading.Condition()
        self._excludes: dict[bytes, Excludes] = {}
        self._are_roots_stale = True
        self._is_closed = False
        self._job: JobValue | None = None
        self._ended: list[str] = []
        self._job_roots: list[bytes] = []
        self._job_began_s = 0.0
        self.reasons: dict[bytes, str] = {}
        """By root why its changes are not told, or nothing."""
        self._thread = threading.Thread(target=self._run, name="watching", daemon=True)

    def start(self) -> None:
        """Begins; every root is looked at once, for what has changed before."""
        self._thread.start()

    def close(self) -> None:
        """Ends the thread."""
        with self._moved:
            self._is_closed = True
            self._moved.notify_all()
        # A disk that does not answer must not keep the engine from ending.
        self._thread.join(timeout=_END_S)

    def look_now(self) -> None:
        """The settings, or the roots, may be others now."""
        with self._moved:
            self._are_roots_stale = True
            self._moved.notify_all()

    def on_job(self, job: JobValue) -> None:
        """A job has moved; on any thread."""
        if job.kind is not JobKind.INDEX:
            return
        with self._moved:
            # Roots come with an index, and go with what is forgotten when none runs.
            self._are_roots_stale = True
            if self._job is not None and job.id == self._job.id:
                self._job = job
            elif job.state is JobState.DONE:
                self._ended.append(job.id)
            if job.state.is_final:
                self._moved.notify_all()

    def _on_change(self, path: bytes) -> None:
        """Something may have changed at ``path``; on the system's thread."""
        with self._moved:
            root = next((r for r in self._excludes if is_under(path, r)), None)
            if root is None or is_under(path, self._own) or is_passed_over(path, root):
                return
            if not self._excludes[root].covers(path):
                self._changes.note(root, time.monotonic())
                self._moved.notify_all()

    def _run(self) -> None:
        try:
            while self._wait():
                try:
                    self._look()
                except (UserError, OSError) as error:  # e.g. a full disk: the next look tries again
                    _log.warning("folders could not be looked at: %s", error)
        finally:
            self._watch.close()

    def _wait(self) -> bool:
        """Blocks until there may be something to do; False at the end."""
        with self._moved:
            if not self._is_closed and not self._are_roots_stale:
                due_s = self._changes.wait_s(time.monotonic()) if self._job is None else None
                tick_s = self._pace.tick_s
                # What is due by now could not begin: the model is not open yet, or can't be.
                self._moved.wait(min(due_s or tick_s, tick_s))
            return not self._is_closed

    def _look(self) -> None:
        if not self._library.manifest.watches:
            self._stop_watching()
            return
        roots = self._roots()
        moved = self._looks.came_or_went(roots)
        if moved or list(self.reasons) != roots:
            self.reasons = self._watch.watch(roots)
        now_s = time.monotonic()
        with self._moved:
            for root in moved:
                self._changes.note(root, now_s)
        self._end_of_job()
        may_begin = self._job is None and self._may_begin()
        self._note_other_indexes(now_s)  # only now: one may have ended since the last look
        if may_begin:
            with self._moved:
                due = {*self._changes.take(now_s), *self._looks.due(self.reasons, now_s)}
            if due:
                due -= self.held()
            if due:
                self._begin(sorted(due))

    def _may_begin(self) -> bool:
        """True where the model is open, no index is, and the last did not fail by itself."""
        if self._context.model.value().state is not ModelState.READY:
            return False
        indexes = [job for job in self._context.jobs().all() if job.kind is JobKind.INDEX]
        if any(job.state in (JobState.QUEUED, JobState.RUNNING) for job in indexes):
            return False
        last = next((job for job in indexes if job.state.is_final), None)
        return last is None or not (last.is_background and last.state is JobState.FAILED)

    def held(self) -> set[bytes]:
        """The roots whose last index a person has stopped or paused; on any thread.

        What is due in them is dropped: the index that frees them looks at it, too.
        """
        jobs, roots = self._context.jobs(), [root.path for root in self._library.roots.all()]
        held, left = set[bytes](), set(roots)
        for job in jobs.all():  # the newest first
            if not left:
                break
            is_held = job.state in (JobState.CANCELLED, JobState.PAUSED)
            if job.kind is not JobKind.INDEX or not (is_held or job.state is JobState.DONE):
                continue
            spec = msgspec.json.decode(jobs.spec(job.id), type=IndexSpec)
            places = [os.path.realpath(folder.to_bytes()) for folder in spec.folders]
            if spec.is_retry:
                continue  # of single files
            covered = {
                root
                for root in left
                if not places
                or any(
                    is_under(root, place) or (is_held and is_under(place, root)) for place in places
                )
            }
            held |= covered if is_held else set()
            left -= covered
        return held

    def _stop_watching(self) -> None:
        with self._moved:
            self._are_roots_stale = False
            self._changes.forget(list(self._excludes))
            self._excludes = {}
        if self.reasons:
            self._watch.watch(())
            self.reasons = {}
            self._looks.forget()

    def _roots(self) -> list[bytes]:
        """The roots as they are now; read again only where they may be others."""
        with self._moved:
            is_stale, self._are_roots_stale = self._are_roots_stale, False
        if is_stale:
            found = {
                root.path: Excludes({root.path: root.excludes})
                for root in self._library.roots.all()
            }
            with self._moved:
                self._changes.forget(self._excludes.keys() - found.keys())
                self._excludes = found
        return list(self._excludes)

    def _begin(self, roots: list[bytes]) -> None:
        """Queues the job that looks at these roots."""
        folders = tuple(map(WirePath.of, roots))
        spec = IndexSpec(folders=folders, settle_s=self._pace.quiet_s)
        names = [Path(folder.text).name or folder.text for folder in spec.folders]
        title = kept("Looking at changes in {names}", names=names[0])
        if more := len(names) - 1:
            title = kept(
                "Looking at changes in {names} and {number} more", names=names[0], number=more
            )
        text = msgspec.json.encode(spec).decode()
        self._job_roots, self._job_began_s = roots, time.monotonic()
        jobs = self._context.jobs()
        job = jobs.add(JobKind.INDEX, title, text, is_background=True)
        with self._moved:
            self._job = job
        latest = jobs.get(job.id)  # never under our lock: ``on_job`` comes under theirs
        with self._moved:
            if latest.state.is_final:
                self._job = latest

    def _note_other_indexes(self, now_s: float) -> None:
        """Roots that a person has indexed were looked at by that, or by what an engine left.

        That a look of an earlier engine ended here tells nothing of a file that it waited for.
        """
        with self._moved:
            ended, self._ended = self._ended, []
        jobs = self._context.jobs()
        for job_id in ended:
            with contextlib.suppress(UserError):  # it was forgotten since
                spec = msgspec.json.decode(jobs.spec(job_id), type=IndexSpec)
                folders = [folder.to_bytes() for folder in spec.folders]
                self._looks.note(folders or self.reasons, now_s)
                report = jobs.report(job_id)
                if isinstance(report, IndexReport) and report.unsettled:
                    with self._moved:
                        for root in folders:
                            self._changes.note(root, now_s)

    def _end_of_job(self) -> None:
        """Takes note of a job that has ended; one without news is forgotten."""
        job = self._job
        if job is None or not job.state.is_final:
            return
        jobs = self._context.jobs()
        report = jobs.report(job.id)
        now_s = time.monotonic()
        self._looks.note(self._job_roots, now_s, now_s - self._job_began_s)
        with self._moved:
            self._job = None
            if isinstance(report, IndexReport) and report.unsettled:
                for root in self._job_roots:
                    self._changes.note(root, now_s)
        if job.state is JobState.DONE:
            is_news = isinstance(report, IndexReport) and has_news(report)
            old = [one.id for one in jobs.all() if one.is_background and one.state.is_final]
            jobs.drop([*old[_KEPT:], *([] if is_news else [job.id])])


def has_news(report: IndexReport) -> bool:
    """True where an index has found anything that was not known."""
    return bool(report.indexed or report.moved or report.copied or report.refreshed)
