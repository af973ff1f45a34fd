"""The trainer as a child process of the engine: started, read, stopped; its lines as events."""

from __future__ import annotations

import logging
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cocadesk.engine.job_steps import JobStep
from cocadesk.engine.teaching.runs import LOG
from cocadesk.errors import UserError, tr
from cocadesk.protocol.launch import engine_environment
from cocadesk.protocol.values import RunValue, TeachPoint, WorkState
from cocadesk.trainer_messages import STOPPED, Findings, Stage

EVENT_EVERY_S = 0.2
STAGES: dict[str, str] = {
    Stage.LOOK: tr("Looking at the photos"),
    Stage.FEATURES: tr("Reading the photos"),
    Stage.TRIAL: tr("Trial run on a part of the photos"),
    Stage.TRAIN: tr("Learning"),
    Stage.MEASURE: tr("Measuring"),
    Stage.SAVE: tr("Saving"),
}
_OPTIONS = ("--json-lines", "--end-with-stdin")
_SAVE_LIMIT_S = 30.0
_READER_LIMIT_S = 10.0
_LOG_LINES = 20

_log = logging.getLogger(__name__)


class Trouble(msgspec.Struct, frozen=True):
    """The sentences of a UserError in the trainer."""

    what: str
    why: str = ""
    what_to_do: str = ""


class TrainerLine(WorkState, frozen=True):
    """One line of the trainer's output: progress, perhaps with a point, or findings."""

    point: TeachPoint | None = None
    found: Findings | None = None
    error: Trouble | None = None


class TrainerChild:
    """One run of ``python -P -m trainer VERB FOLDER --json-lines --end-with-stdin``.

    It ends with the engine, however that ends: the pipe to its stdin breaks. For
    use by one thread; ``kill`` may be called by any.

    Raises:
        UserError: it cannot be started.
    """

    def __init__(self, verb: str, folder: Path, *, module: str) -> None:
        self._log_file = folder / LOG
        self._lines: queue.SimpleQueue[TrainerLine | None] = queue.SimpleQueue()
        try:
            with self._log_file.open("ab") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", module, verb, folder, *_OPTIONS],
                    env=_environment(),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
        except OSError as error:
            raise UserError(
                tr("The trainer could not be started."),
                f"{error.strerror or error}.",
                tr("Make room on the disk and in memory, then try again."),
            ) from error
        self._reader = threading.Thread(target=self._read, name="trainer-lines", daemon=True)
        self._reader.start()

    def lines(self, wait_s: float) -> Iterator[TrainerLine | None]:
        """Its lines as they come; None after each ``wait_s`` without one. Ends with it.

        Raises:
            UserError: it has ended with an error, in its own words where it left some.
        """
        trouble: Trouble | None = None
        while True:
            try:
                line = self._lines.get(timeout=wait_s)
            except queue.Empty:
                yield None
                continue
            if line is None:
                break
            trouble = line.error or trouble
            yield line
        code = self._process.wait()
        if code not in (0, STOPPED):
            raise self._failure(code, trouble)

    @property
    def was_stopped(self) -> bool:
        """True where it has ended before its work was done, with its state saved."""
        return self._process.poll() == STOPPED

    def stop(self) -> None:
        """Lets it save its state and end; twice is once."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_SAVE_LIMIT_S)
            except subprocess.TimeoutExpired:
                _log.warning("the trainer did not save in %.0f s: ending it", _SAVE_LIMIT_S)
        self.kill()

    def kill(self) -> None:
        """Ends it at once; its last saved state stays."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._reader.join(_READER_LIMIT_S)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for data in self._process.stdout:
            try:
                self._lines.put(msgspec.json.decode(data, type=TrainerLine))
            except msgspec.MsgspecError as error:
                _log.warning("a line of the trainer is not understood (%s): %r", error, data)
        self._lines.put(None)

    def _failure(self, code: int, trouble: Trouble | None) -> UserError:
        if trouble is not None:
            return UserError(trouble.what, trouble.why, trouble.what_to_do)
        try:
            last = self._log_file.read_text("utf-8", "replace").strip().splitlines()
        except OSError:
            last = []
        _log.error("the trainer ended with %d:\n%s", code, "\n".join(last[-_LOG_LINES:]))
        return UserError(
            tr("The trainer ended unexpectedly."),
            _how_it_ended(code, last[-1] if last else ""),
            tr(
                "The model in use is as it was. Its log says more: {log_file}",
                log_file=self._log_file,
            ),
        )


def _environment() -> dict[str, str]:
    """Ours, without the limit that suits the engine's small products (protocol.launch)."""
    environment = engine_environment()
    if environment.get("OPENBLAS_NUM_THREADS") == "1":
        del environment["OPENBLAS_NUM_THREADS"]
    return environment


def _how_it_ended(code: int, last_line: str) -> str:
    if code == -9:
        return tr("The system has killed it; most often memory has run out.")
    if code < 0:
        return tr("Signal {signal} ended it.", signal=-code)
    return (
        tr("It said: {last_line}", last_line=last_line)
        if last_line
        else tr("Its exit code was {code}.", code=code)
    )


class TrainerEvents:
    """Turns the trainer's lines into events about the run, a few a second."""

    def __init__(
        self, run: RunValue, publish: Callable[[RunValue, tuple[TeachPoint, ...]], None]
    ) -> None:
        self._run = replace(run, points=())
        self._publish = publish
        self._points: list[TeachPoint] = []
        self._is_changed = False
        self._published_s = 0.0

    def feed(self, line: TrainerLine, counts: tuple[int, int]) -> RunValue:
        """The run after this line; ``counts`` are its photos and captions."""
        if counts[0] != self._run.photos:
            self._run = replace(self._run, photos=counts[0], captions=counts[1])
            self._is_changed = True
        if line.stage in (Stage.TRIAL, Stage.TRAIN):
            self._run = replace(self._run, step=line.done, steps=line.total or 0)
            self._is_changed = True
        if line.point is not None:
            self._points.append(line.point)
            self._is_changed = True
        return self._run

    def flush(self, *, is_last: bool = False) -> None:
        """Publishes what has changed, a few times a second; at the end at once."""
        is_due = is_last or time.monotonic() - self._published_s >= EVENT_EVERY_S
        if self._is_changed and is_due:
            self._publish(self._run, tuple(self._points))
            self._points.clear()
            self._is_changed = False
            self._published_s = time.monotonic()


def job_step(line: TrainerLine) -> JobStep | None:
    """A line as a step of the job; None for one that is no progress."""
    if not line.stage:
        return None
    return JobStep(**line.fields() | {"stage": STAGES.get(line.stage, line.stage)})
