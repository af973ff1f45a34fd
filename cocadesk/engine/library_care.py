"""Care of the library: check, repair, backup, restore and export."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cocadesk.engine.groups import TITLE, GroupSpec
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.models import ids_of_starter
from cocadesk.errors import UserError, grouped, retold, tr
from cocadesk.library.backups import Restored
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    BackUpLibrary,
    CareReport,
    CheckLibrary,
    ExportLibrary,
    RepairLibrary,
    ReplyBody,
    RestoreLibrary,
    RowsChanged,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobKind, JobState, ModelState

_log = logging.getLogger(__name__)

_BRINGS = frozenset({JobKind.INDEX, JobKind.SWITCH_MODEL})
"""Jobs after which there is something to compare."""


class CareHandler(RequestHandler):
    """Looks after the library on threads of its own; a writer backs it up once a day.

    It looks for today's backup as it begins, every hour, as a window may stay open for
    weeks, and as it ends: on the first day there was nothing to keep before. Where nothing
    was written for a minute and no job runs, it tidies what was written before, and has what an
    index brought compared with all (``groups``). The base of searches is made beside jobs
    too: some go on for days.
    """

    def __init__(
        self, context: EngineContext, *, look_every_s: float = 3600.0, quiet_s: float = 60.0
    ) -> None:
        self._context = context
        self._library = context.library
        self._is_closed = threading.Event()
        self._watches: list[threading.Thread] = []
        if self._library.is_writer:
            self._library.care.back_up_daily()
            for watch, every_s in ((self._back_up_daily, look_every_s), (self._tidy, quiet_s)):
                thread = threading.Thread(
                    target=watch, args=(every_s,), name="library care", daemon=True
                )
                self._watches.append(thread)
                thread.start()

    def close(self) -> None:
        """Leaves a backup of today."""
        self._is_closed.set()
        if self._watches:
            self._library.stop_tidying()
            for watch in self._watches:
                watch.join()
            self._library.care.back_up_daily()

    def _back_up_daily(self, look_every_s: float) -> None:
        while not self._is_closed.wait(look_every_s):
            with self._library.writing():  # else it could keep what is being forgotten
                self._library.care.back_up_daily()

    def _tidy(self, quiet_s: float) -> None:
        """Tidy the tables and the files of searches, also those that a killed engine left."""
        seen: dict[str, int] | None = None
        tidied: dict[str, int] | None = None
        while not self._is_closed.wait(quiet_s):
            now = self._library.written()
            if now != tidied:
                is_quiet = now == seen and not self._context.jobs().is_busy(of_library=True)
                try:
                    self._tidy_now(is_quiet=is_quiet)
                except UserError as error:
                    _log.warning("the library is not tidied: %s", error)
                tidied = now if is_quiet else tidied
            seen = now

    def _tidy_now(self, *, is_quiet: bool) -> None:
        if is_quiet:
            self._library.tidy()
        self._library.renew_base()
        if is_quiet:
            self._library.keep_snapshot()
            self._compare_what_came()

    def _compare_what_came(self) -> None:
        """Queue a comparison, unless one was asked for since media last came."""
        jobs = self._context.jobs()
        every = jobs.all()  # the newest first
        came = [job.finished for job in every if job.kind in _BRINGS and job.state is JobState.DONE]
        asked = [job.finished for job in every if job.kind is JobKind.GROUP]
        if came and not any(not finished or finished >= max(came) for finished in asked):
            spec = msgspec.json.encode(GroupSpec()).decode()
            jobs.add(JobKind.GROUP, TITLE, spec, is_background=True)

    def _check(self, body: CheckLibrary, call: Call) -> None:
        def problems() -> CareReport:
            return CareReport(problems=self._problems())

        self._run(call, problems)

    def _problems(self) -> tuple[str, ...]:
        model = self._context.model.value()
        is_open = model.state is ModelState.READY
        image_id = model.image_id if is_open else ids_of_starter()[1]
        is_awaited = self._library.manifest.awaits(model.source, image_id)
        found = self._library.care.problems(awaited=image_id if is_awaited else "")
        return tuple(map(retold, found))

    def _repair(self, body: RepairLibrary, call: Call) -> None:
        def repaired() -> CareReport:
            done = self._library.care.repair()
            self._context.publish(RowsChanged())
            return CareReport(done=tuple(map(retold, done)), problems=self._problems())

        if self._context.jobs().is_busy(of_library=True):
            raise UserError(
                tr("The library can't be repaired while a job runs."),
                "",
                tr("Wait for the job, or pause it, and try again."),
            )
        self._run(call, repaired)

    def _back_up(self, body: BackUpLibrary, call: Call) -> None:
        def backed_up() -> CareReport:
            with self._library.writing() if self._library.is_writer else nullcontext():
                path = self._library.care.back_up(_path(body.path))
            return CareReport(paths=(WirePath.of(path),))

        self._run(call, backed_up)

    def _restore(self, body: RestoreLibrary, call: Call) -> None:
        def restored() -> CareReport:
            found = self._library.care.restore(_path(body.path))
            self._context.publish(RowsChanged())
            return CareReport(done=_sentences(found))

        self._run(call, restored)

    def _export(self, body: ExportLibrary, call: Call) -> None:
        def exported() -> CareReport:
            files = self._library.care.export(Path(os.fsdecode(body.folder.to_bytes())))
            return CareReport(paths=tuple(map(WirePath.of, files)))

        self._run(call, exported)

    def _run(self, call: Call, work: Callable[[], CareReport]) -> None:
        def timed() -> ReplyBody:
            started_s = time.monotonic()
            return replace(work(), seconds=round(time.monotonic() - started_s, 3))

        self._context.run_long(call, timed, name="library care")


def _path(path: WirePath | None) -> Path | None:
    return None if path is None else Path(os.fsdecode(path.to_bytes()))


def _sentences(found: Restored) -> tuple[str, ...]:
    """The outcome of a restore in words."""
    said = [tr("The library has all captions and tags of the backup already.")]
    if found.edits:
        said = [
            tr(
                "{edits} entries of people's captions and tags were restored.",
                edits=grouped(found.edits),
            )
        ]
    if found.newer:
        said.append(
            tr(
                "{newer} were changed after the backup; they stay as they are.",
                newer=grouped(found.newer),
            )
        )
    if found.waiting:
        said.append(
            tr(
                "{waiting} photos and videos wait for the next index.",
                waiting=grouped(found.waiting),
            )
        )
    if found.folders:
        said.append(tr("{folders} folders were added.", folders=grouped(found.folders)))
    if found.vocabulary_differs:
        said.append(tr("The library has other tags than the backup; they stay as they are."))
    return tuple(said)
