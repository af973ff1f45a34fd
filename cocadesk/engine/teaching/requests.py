"""Requests about teaching: previews of a source, runs as jobs, keeping or discarding models."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec.structs import replace

from cocadesk.engine.handlers import EngineContext, RequestHandler, Restart
from cocadesk.engine.job_steps import JobFactory, JobOutcome, JobStep, Steps
from cocadesk.engine.model_switch import ModelSwitcher
from cocadesk.engine.teaching.preview import DatasetPreview
from cocadesk.engine.teaching.run_state import RunReader
from cocadesk.engine.teaching.runs import Choice, RunRecord, RunStore
from cocadesk.engine.teaching.spec import build_spec, check_source, count_taught
from cocadesk.engine.teaching.trainer_process import TrainerChild, TrainerEvents, job_step
from cocadesk.errors import UserError, kept, tr
from cocadesk.library.rows import new_key
from cocadesk.library_uri import uri_of
from cocadesk.locations import RUN_PREFIX
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
    TeachPoint,
    TeachSource,
)

LINE_WAIT_S = 0.25
LEAVE_LIMIT_S = 60.0

_log = logging.getLogger(__name__)


class TeachJobSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The order of a teach job: the id of its run."""

    run: str


class TeachingHandler(RequestHandler):
    """Previews, runs and their models."""

    def __init__(self, parts: EngineContext, switcher: ModelSwitcher) -> None:
        self._parts = parts
        self._switcher = switcher
        self._store = RunStore(parts.library.runs_folder)
        self._reader = RunReader(parts, self._store)
        self._preview = DatasetPreview(parts)
        self._starting = threading.Lock()
        self._deciding = threading.Lock()
        self._live: dict[str, RunValue] = {}
        parts.job_listeners.append(self._on_job)

    def works(self) -> Mapping[JobKind, JobFactory]:
        """The teaching run."""
        return {JobKind.TEACH: self._steps}

    def restarts(self) -> Mapping[JobKind, Restart]:
        """A run that was stopped or has failed begins anew, or goes on from its saved state."""
        return {JobKind.TEACH: Restart(renewed=self._renewed)}

    def close(self) -> None:
        """Ends the previews that are still under way."""
        self._preview.close()

    # Requests -----------------------------------------------------------------------

    def _inspect(self, body: PreviewDataset, call: Call) -> None:
        check_source(body.source)
        self._parts.run_long(call, lambda: self._preview.run(body, call), name="inspect")

    def _start(self, body: StartTeach, call: Call) -> JobReply:
        check_source(body.source)
        self._check_place()
        with self._starting:
            job = self._open_job(body) or self._failed_job(body)
            return JobReply(job=job or self._begin(body))

    def _check_place(self) -> None:
        """Runs are large, and other machines would have to fetch the model that is in use."""
        if uri_of(self._parts.library.folder) is not None:
            raise UserError(
                tr("A library in an object store can't be taught."),
                tr(
                    "What a model learns is kept in the library's folder, which other machines "
                    "do not have."
                ),
                tr(
                    "Teach in a library on this disk, then use the folder of that run here "
                    "(cocadesk model use FOLDER)."
                ),
            )

    def _open_job(self, body: StartTeach) -> JobValue | None:
        """The job that teaches the same source already, if one is under way."""
        for job in self._parts.jobs().all():
            if job.kind is JobKind.TEACH and not job.state.is_final:
                record = self._store.get(job.id)
                if (record.source, record.method) == (body.source, body.method):
                    return job
        return None

    def _failed_job(self, body: StartTeach) -> JobValue | None:
        """The last run, begun again at its last saved state, where it taught this and failed."""
        record = next(iter(self._store.all()), None)
        if record is None or (record.source, record.method) != (body.source, body.method):
            return None
        model = self._parts.model
        in_use = model.source, model.settled().model_id
        is_same_model = (record.model, record.model_id) == in_use
        if self._reader.state(record) is not RunState.FAILED or not is_same_model:
            return None
        return self._queue(record) if self._store.has_state(record.id) else None

    def _queue(self, record: RunRecord) -> JobValue:
        spec = msgspec.json.encode(TeachJobSpec(run=record.id)).decode()
        title = kept("Learning from {record}", record=record.title)
        jobs = self._parts.jobs()
        if any(job.id == record.id and job.state.can_start_again for job in jobs.all()):
            job = jobs.again(record.id, spec)
        else:
            job = jobs.add(JobKind.TEACH, title, spec, job_id=record.id)
        self._publish(self._reader.value(record))
        return job

    def _renewed(self, job: JobValue, spec: str) -> str:
        """The order of a run that starts again.

        Raises:
            UserError: its model was deleted by its owner, or its record is gone.
        """
        # Until its child is gone, that may still remove what it has saved.
        self._parts.jobs().wait_until_left(job.id, LEAVE_LIMIT_S)
        record = self._store.get(job.id)
        _check_open(record)
        if record.choice is Choice.STOPPED:
            self._store.choose(record.id, Choice.NONE)
        if not self._store.has_state(record.id):
            self._store.drop_curve(record.id)
        return spec

    def _begin(self, body: StartTeach) -> JobValue:
        opened = self._parts.model.taught()
        source, model_id = opened.source, opened.backend.info().model_id
        title = body.title or _title(body.source)
        resolved = resolve_source(source, self._parts.library.runs_folder)
        dataset = build_spec(
            self._parts.library,
            body.source,
            body.method,
            model=resolved,
            model_id=model_id,
            title=title,
        )
        if dataset.is_empty:
            raise UserError(
                tr("There is nothing to learn from."),
                tr("No photo of the library has a caption or tag of yours."),
                tr("Write captions or add tags first, or choose a folder."),
            )
        record = RunRecord(
            id=new_key(),
            title=title,
            method=body.method,
            source=body.source,
            model=source,
            model_id=model_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            reembed_seconds=self._preview.reembed_seconds(body.source, body.method),
        )
        self._store.create(record, msgspec.json.encode(dataset.spec))
        return self._queue(record)

    def _get(self, body: GetRun, call: Call) -> Run:
        value = self._reader.value(self._store.get(body.run_id), with_points=True)
        return Run(run=self._with_step(value))

    def _list(self, body: ListRuns, call: Call) -> Runs:
        runs = tuple(map(self._with_step, self._reader.values()))
        return Runs(runs=runs, own_words=count_taught(self._parts.library))

    def _with_step(self, run: RunValue) -> RunValue:
        live = self._live.get(run.id)
        return replace(run, step=live.step, steps=live.steps) if live else run

    # Deciding -----------------------------------------------------------------------

    def _decide(self, body: DecideRun, call: Call) -> Run:
        with self._deciding:
            record = self._store.get(body.run_id)
            _check_decidable(self._reader.value(record), keep=body.keep)
            if body.keep:
                self._keep(record)
            else:
                self._discard(record)
            value = self._reader.value(self._store.get(record.id), with_points=True)
        self._publish(replace(value, points=()))
        return Run(run=value)

    def _keep(self, record: RunRecord) -> None:
        if not self._store.has_model(record.id):
            raise UserError(
                tr("This run's model is gone."),
                tr("{folder} has no checkpoint.", folder=self._store.folder(record.id)),
                tr("Teach again."),
            )
        self._switcher.use(f"{RUN_PREFIX}{record.id}")

    def _discard(self, record: RunRecord) -> None:
        if self._parts.model.source == f"{RUN_PREFIX}{record.id}":
            raise UserError(
                tr("This run's model is the one in use."),
                "",
                tr(
                    "Use another one first: on the page Models, or with cocadesk model use starter."
                ),
            )
        self._store.choose(record.id, Choice.DISCARDED)

    # The job ------------------------------------------------------------------------

    def _steps(self, spec: str) -> Steps:
        """A teaching run as steps (see ``JobFactory``); closing it lets the trainer save."""
        record = self._store.get(msgspec.json.decode(spec, type=TeachJobSpec).run)
        step = JobStep(stage=tr("Starting"), done=0)
        yield step
        started = self._reader.value(record, with_points=True)
        events = TrainerEvents(started, self._publish)
        child = TrainerChild("teach", self._store.folder(record.id), module=self._parts.trainer)
        try:
            for line in child.lines(LINE_WAIT_S):
                if line is not None:
                    step = job_step(line) or step
                    counts = started.photos, started.captions
                    if not started.photos:
                        counts = self._store.counts(record.id)
                    self._live[record.id] = events.feed(line, counts)
                events.flush()
                yield step
        except GeneratorExit:
            self._end_child(record.id, child)
            raise
        finally:
            child.stop()
            events.flush(is_last=True)
            self._live.pop(record.id, None)
        return self._finish(record, child)

    def _end_child(self, run_id: str, child: TrainerChild) -> None:
        """Cancelled: at once. Paused, or the engine ends: with its state saved."""
        if self._parts.jobs().get(run_id).state is JobState.CANCELLED:
            child.kill()
            self._store.drop_model(run_id)
        else:
            child.stop()

    def _finish(self, record: RunRecord, child: TrainerChild) -> JobOutcome:
        result = self._store.result(record.id)
        if child.was_stopped or result is None:
            raise UserError(
                tr("The trainer ended before the run was finished."),
                tr("Another program stopped it; its last state is kept."),
                tr("Teach again."),
            )
        job = self._parts.jobs().get(record.id)
        value = self._reader.ended(record, replace(job, state=JobState.DONE))
        self._publish(value)
        return JobOutcome(message=value.message, report=value)

    def _on_job(self, job: JobValue) -> None:
        """Publishes the runs that a move of a job concerns; on any thread."""
        try:
            if job.kind is JobKind.SWITCH_MODEL and job.state in _SWITCHES:
                for record in self._store.all():
                    value = self._reader.value(record)
                    if value.state is RunState.KEPT:
                        self._publish(value)
            elif job.kind is JobKind.TEACH and (job.state in _OVER or _starts_again(job)):
                record = self._store.get(job.id)
                if job.state is JobState.CANCELLED:
                    record = self._store.choose(job.id, Choice.STOPPED)
                self._publish(self._reader.ended(record, job))
        except (UserError, OSError) as error:  # its state is read from the disk when asked for
            _log.warning("the runs of job %s are not published: %s", job.id, error)

    def _publish(self, run: RunValue, points: tuple[TeachPoint, ...] = ()) -> None:
        self._parts.publish(RunChanged(run=run, points=points))


_OVER = (JobState.CANCELLED, JobState.FAILED)
_SWITCHES = (JobState.QUEUED, JobState.DONE, JobState.CANCELLED)


def _check_decidable(run: RunValue, *, keep: bool) -> None:
    if run.state is RunState.RUNNING:
        raise UserError(
            tr("This run is not finished."), "", tr("Wait until it is done, or cancel it.")
        )
    if run.state is RunState.DISCARDED:
        raise UserError(tr("This run was discarded."), tr("Its model is gone."), tr("Teach again."))
    if run.state is RunState.FAILED and keep:
        raise UserError(tr("This run has failed."), run.message, tr("Teach again."))


def _check_open(record: RunRecord) -> None:
    if record.choice in (Choice.DISCARDED, Choice.KEPT):
        raise UserError(
            tr("This run was decided on."), tr("Its job can't start again."), tr("Teach again.")
        )


def _starts_again(job: JobValue) -> bool:
    return job.attempt > 1 and job.state is JobState.QUEUED


def _title(source: TeachSource) -> str:
    names = [Path(folder.text).name or folder.text for folder in source.folders]
    if source.keys:
        names.append(tr("{keys} chosen photos", keys=len(source.keys)))
    elif source.uses_library:
        names.append(tr("the library's captions and tags"))
    return tr(" and ").join(names)
