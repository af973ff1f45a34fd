"""Requests to move the library to another folder, and to remove its old copy."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.errors import UserError, grouped, tr
from cocadesk.library.moving import LibraryMove, MoveState, remove_old_copy
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    CareReport,
    LibraryMoved,
    MoveLibrary,
    RemoveOldLibrary,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import WorkState

USUAL_NAME = "library"
NEW_NAME = "CocaDesk library"
TELL_EVERY_S = 0.2
JOB_RUNS = tr("While a job works, the library can't be moved.")
WAIT_FOR_JOB_S = 0.5


class MoveHandler(RequestHandler):
    """Copies the library while it is in use, and lets the copy count while nobody writes."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library

    def _move(self, body: MoveLibrary, call: Call) -> None:
        self._context.run_long(call, lambda: self._moved(body, call), name="move the library")

    def _remove_old(self, body: RemoveOldLibrary, call: Call) -> None:
        def removed() -> CareReport:
            return CareReport(done=tuple(remove_old_copy(self._library.folder)))

        self._context.run_long(call, removed, name="remove the old library")

    def _moved(self, body: MoveLibrary, call: Call) -> LibraryMoved:
        """The new place, after a whole copy.

        Raises:
            UserError: it can't be moved there, or a job runs.
            CallCancelledError: nobody wants it any more; nothing has changed.
        """
        with self._context.jobs().at_rest(JOB_RUNS), self._library.writing():
            pass  # said before anything is copied
        folder = self._library.folder
        told = _Told(call)
        move = LibraryMove(folder, place_in(body.folder, folder), told.tell)
        try:
            move.copy()
            with self._at_rest(call), self._library.writing():
                move.copy()
                call.check()
                move.switch()
        except BaseException:
            move.abandon()
            raise
        return LibraryMoved(
            folder=WirePath.of(move.to), old=WirePath.of(folder), size_bytes=move.size_bytes
        )

    @contextlib.contextmanager
    def _at_rest(self, call: Call) -> Iterator[None]:
        """No job works meanwhile; one that has begun during the copy is waited for."""
        with contextlib.ExitStack() as stack:
            while True:
                try:
                    stack.enter_context(self._context.jobs().at_rest(JOB_RUNS))
                    break
                except UserError:
                    call.progress(WorkState(stage=tr("Waiting for the end of a job")))
                    call.check()
                    time.sleep(WAIT_FOR_JOB_S)
            yield


class _Told:
    """Tells a client how far a move is, a few times a second, and whether it is still wanted."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._told_s = 0.0
        self._begun_s = time.monotonic()

    def tell(self, state: MoveState) -> None:
        """See ``LibraryMove``."""
        self._call.check()
        now_s = time.monotonic()
        if now_s - self._told_s < TELL_EVERY_S and state.files < state.all_files:
            return
        self._told_s = now_s
        done_mb, all_mb = (grouped(round(n / 1e6)) for n in (state.done_bytes, state.all_bytes))
        self._call.progress(
            WorkState(
                stage=tr("Copying and comparing, {done} of {all} MB", done=done_mb, all=all_mb),
                done=state.files,
                total=state.all_files,
                seconds_left=self._seconds_left(state, now_s),
            )
        )

    def _seconds_left(self, state: MoveState, now_s: float) -> float | None:
        """At the speed so far; None while nothing can be said."""
        if not state.done_bytes:
            return None
        left_bytes = state.all_bytes - state.done_bytes
        return (now_s - self._begun_s) / state.done_bytes * left_bytes


def place_in(chosen: WirePath, library: Path) -> Path:
    """The new folder: the chosen one, or in a folder that is there one of the library's name."""
    folder = Path(os.path.abspath(os.fsdecode(chosen.to_bytes())))  # noqa: PTH100 - keeps links
    if not folder.is_dir():
        return folder
    return folder / (NEW_NAME if library.name == USUAL_NAME else library.name)
