"""Teaching: looking at a source, runs as jobs, and what becomes of their models."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from cocadesk.engine.handlers import Answer, EngineContext
from cocadesk.engine.model_switch import ModelSwitcher, switch_source
from cocadesk.engine.run_in_thread import run_in_thread
from cocadesk.engine.scheduler import JobFactory, JobOutcome, JobStep, Steps
from cocadesk.engine.teaching.preview import DatasetPreview
from cocadesk.engine.teaching.runs import KEPT, RUN_PREFIX, RunRecord, RunStore
from cocadesk.engine.teaching.spec import build_spec, check_source, count_taught
from cocadesk.engine.teaching.trainer_events import TrainerEvents, job_step, sentence
from cocadesk.engine.teaching.trainer_process import TrainerChild
from cocadesk.errors import UserError
from cocadesk.library import new_key
from cocadesk.model.source import resolve_source
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    DecideRun,
    GetRun,
    JobReply,
    ListRuns,
    PreviewDataset,
    Run,
    RunChanged,
    Runs,
    StartTeach,
)
from cocadesk.protocol.values import (
    JobKind,
    JobState,
    JobValue,
    RunState,
    RunValue,
    TeachMethod,
    TeachPoint,
    TeachSource,
)

LINE_WAIT_S = 0.25

_log = logging.getLogger(__name__)


class TeachSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A teach job: which run it is."""

    run: str


class TeachingHandler:
    """Teaching runs of one library."""

    def __init__(self, parts: EngineContext, changer: ModelSwitcher) -> None:
        self._parts = parts
        self._changer = changer
        self._book = RunStore(parts.library.runs_folder)
        self._looker = DatasetPreview(parts)
        self._starting = threading.Lock()
        self._deciding = threading.Lock()
        self._live: dict[str, RunValue] = {}
        parts.job_listeners.append(self._on_job)

    def answers(self) -> Mapping[type[Any], Answer]:
        """Who answers which request."""
        return {
            PreviewDataset: self._inspect,
            StartTeach: self._start,
            GetRun: self._get,
            ListRuns: self._list,
            DecideRun: self._decide,
        }

    def works(self) -> Mapping[JobKind, JobFactory]:
        """The teaching run."""
        return {JobKind.TEACH: self._steps}

    def close(self) -> None:
        """Ends whoever still looks at a source."""
        self._looker.close()

    # Requests -----------------------------------------------------------------------

    def _inspect(self, body: PreviewDataset, call: Call) -> None:
        check_source(body.source)
        run_in_thread(
            call, lambda: self._looker.look(body.source, body.method, call), name="inspect"
        )

    def _start(self, body: StartTeach, call: Call) -> JobReply:
        check_source(body.source)
        with self._starting:
            job = self._open_job(body.source, body.method) or self._failed_job(body)
            return JobReply(job=job or self._begin(body))

    def _open_job(self, source: TeachSource, method: TeachMethod) -> JobValue | None:
        """The job that teaches just this already, if one is under way."""
        for job in self._parts.jobs().all():
            if job.kind is JobKind.TEACH and not job.state.is_final:
                record = self._book.get(job.id)
                if (record.source, record.method) == (source, method):
                    return job
        return None

    def _failed_job(self, body: StartTeach) -> JobValue | None:
        """The last run, begun again at its last saved state, where it taught this and failed."""
        record = next(iter(self._book.all()), None)
        if record is None or (record.source, record.method) != (body.source, body.method):
            return None
        record = self._settled(record)
        is_same_model = record.model == self._parts.model.source
        if record.state is not RunState.FAILED or not is_same_model:
            return None
        return self._queue(record) if self._book.has_state(record.id) else None

    def _queue(self, record: RunRecord) -> JobValue:
        spec = msgspec.json.encode(TeachSpec(run=record.id)).decode()
        title = f"Learning from {record.title}"
        job = self._parts.jobs().add(JobKind.TEACH, title, spec, job_id=record.id)
        self._publish(self._book.value(record))
        return job

    def _begin(self, body: StartTeach) -> JobValue:
        model = self._parts.model
        model.opened()
        source = model.source
        title = body.title or _title(body.source)
        resolved = resolve_source(source, self._parts.library.runs_folder)
        lesson = build_spec(
            self._parts.library, body.source, body.method, model=resolved, title=title
        )
        if lesson.is_empty:
            raise UserError(
                "There is nothing to learn from.",
                "No photo of the library has words of yours that could teach.",
                "Write captions or add tags first, or choose a folder.",
            )
        record = RunRecord(
            id=new_key(),
            title=title,
            method=body.method,
            source=body.source,
            model=source,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            reembed_seconds=self._looker.reembed_seconds(body.source, body.method),
        )
        self._book.create(record, msgspec.json.encode(lesson.spec))
        return self._queue(record)

    def _get(self, body: GetRun, call: Call) -> Run:
        return Run(run=self._value(self._settled(self._book.get(body.run_id)), with_points=True))

    def _list(self, body: ListRuns, call: Call) -> Runs:
        records = [self._settled(record) for record in self._book.all()]
        runs = tuple(self._value(record) for record in records)
        return Runs(runs=runs, own_words=count_taught(self._parts.library))

    def _decide(self, body: DecideRun, call: Call) -> Run:
        with self._deciding:
            record = self._settled(self._book.get(body.run_id))
            record = self._keep(record) if body.keep else self._discard(record)
        value = self._book.value(record)
        self._publish(value)
        return Run(run=replace(value, points=self._book.points(record.id)))

    # Deciding -----------------------------------------------------------------------

    def _keep(self, record: RunRecord) -> RunRecord:
        _check_finished(record)
        if not self._book.has_model(record.id):
            raise UserError(
                "This run's model is gone.",
                f"{self._book.folder(record.id)} has no checkpoint.",
                "Teach again.",
            )
        job = self._changer.use(f"{RUN_PREFIX}{record.id}")
        message = KEPT if job.state is JobState.DONE else _TO_COME
        return self._book.change(record.id, state=RunState.KEPT, message=message)

    def _discard(self, record: RunRecord) -> RunRecord:
        _check_finished(record, or_failed=True)
        if self._parts.model.source == f"{RUN_PREFIX}{record.id}":
            raise UserError(
                "This run's model is the one in use.",
                "",
                "Let another answer first: cocadesk model use starter.",
            )
        self._book.drop_model(record.id)
        return self._book.change(
            record.id, state=RunState.DISCARDED, message="Its model was thrown away."
        )

    # The job ------------------------------------------------------------------------

    def _steps(self, spec: str) -> Steps:
        """A teaching run as steps (see ``JobFactory``); closing it lets the trainer save."""
        run_id = msgspec.json.decode(spec, type=TeachSpec).run
        record = self._book.change(run_id, state=RunState.RUNNING, message="")
        yield JobStep(stage="Starting", done=0)
        follower = TrainerEvents(self._book.value(record, with_points=True), self._publish)
        child = TrainerChild("teach", self._book.folder(run_id))
        step = JobStep(stage="Starting", done=0)
        try:
            for line in child.lines(LINE_WAIT_S):
                if line is not None:
                    step = job_step(line) or step
                    record = self._book.counted(record)
                    self._live[run_id] = follower.take(line, record)
                follower.tell()
                yield step
        except GeneratorExit:
            self._end_child(run_id, child)
            raise
        finally:
            child.stop()
            follower.flush()
            self._live.pop(run_id, None)
        return self._finish(run_id, child)

    def _end_child(self, run_id: str, child: TrainerChild) -> None:
        """Cancelled: at once. Paused, or the engine ends: with its state saved."""
        if self._parts.jobs().get(run_id).state is JobState.CANCELLED:
            child.kill()
            self._book.drop_model(run_id)
        else:
            child.stop()

    def _finish(self, run_id: str, child: TrainerChild) -> JobOutcome:
        result = self._book.result(run_id)
        if child.was_stopped or result is None:
            raise UserError(
                "The trainer ended before the run was finished.",
                "Somebody stopped it; its last state is kept.",
                "Teach again.",
            )
        message = sentence(result)
        record = self._book.change(run_id, state=RunState.WAITING, message=message)
        value = self._book.value(record)
        self._publish(value)
        return JobOutcome(message=message, report=value)

    def _on_job(self, job: JobValue) -> None:
        """A run whose job has been cancelled or has failed is over; on any thread."""
        try:
            if job.kind is JobKind.SWITCH_MODEL and job.state is JobState.DONE:
                self._note_switched(job)
            elif job.kind is JobKind.TEACH and job.state in _OVER:
                record = self._book.get(job.id)
                if record.state is RunState.RUNNING:
                    self._publish(self._book.value(self._settle(record, job)))
        except (UserError, OSError) as error:  # it is settled when somebody looks at it
            _log.warning("the run of job %s is not noted: %s", job.id, error)

    def _note_switched(self, job: JobValue) -> None:
        source = switch_source(self._parts.jobs().spec(job.id))
        for record in self._book.all():
            is_its = f"{RUN_PREFIX}{record.id}" == source
            if is_its and record.state is RunState.KEPT and record.message != KEPT:
                self._publish(self._book.value(self._book.change(record.id, message=KEPT)))

    def _settled(self, record: RunRecord) -> RunRecord:
        """The record, made true where an engine died between an act and its noting."""
        is_used = self._parts.model.source == f"{RUN_PREFIX}{record.id}"
        if record.state is RunState.WAITING and is_used:
            return self._book.change(record.id, state=RunState.KEPT, message=KEPT)
        if record.state is not RunState.RUNNING:
            return record
        jobs = {job.id: job for job in self._parts.jobs().all()}
        job = jobs.get(record.id)
        if job is not None and not job.state.is_final:
            return record
        return self._settle(record, job)

    def _settle(self, record: RunRecord, job: JobValue | None) -> RunRecord:
        if job is None or job.state is JobState.CANCELLED:
            self._book.drop_model(record.id)
            state, message = RunState.DISCARDED, "It was stopped."
        elif job.state is JobState.FAILED:
            state, message = RunState.FAILED, job.message
        else:
            state, message = RunState.WAITING, job.message
        return self._book.change(record.id, state=state, message=message)

    # Values -------------------------------------------------------------------------

    def _value(self, record: RunRecord, *, with_points: bool = False) -> RunValue:
        value = self._book.value(record, with_points=with_points)
        live = self._live.get(record.id)
        if live is None:
            return value
        return replace(value, step=live.step, steps=live.steps)

    def _publish(self, run: RunValue, points: tuple[TeachPoint, ...] = ()) -> None:
        self._parts.publish(RunChanged(run=run, points=points))


_OVER = (JobState.CANCELLED, JobState.FAILED)
_TO_COME = "Search goes on with the old model until all photos are read for this one."


def _check_finished(record: RunRecord, *, or_failed: bool = False) -> None:
    if record.state is RunState.RUNNING:
        raise UserError("This run is not finished.", "", "Wait until it is done, or cancel it.")
    if record.state is RunState.DISCARDED:
        raise UserError("This run was discarded.", "Its model is gone.", "Teach again.")
    if record.state is RunState.FAILED and not or_failed:
        raise UserError("This run has failed.", record.message, "Teach again.")


def _title(source: TeachSource) -> str:
    names = [Path(folder.text).name or folder.text for folder in source.folders]
    if source.keys:
        names.append(f"{len(source.keys)} chosen photos")
    elif source.uses_library:
        names.append("the library's words")
    return " and ".join(names)
