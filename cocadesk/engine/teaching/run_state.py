"""The state of a teaching run: a function of what is on disk, never stored itself."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from cocadesk.engine.conversions import to_value
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.switch_orders import awaited_sources
from cocadesk.engine.teaching.runs import Choice, RunRecord, RunResult, RunStore, to_skipped
from cocadesk.errors import decimal, grouped, tr
from cocadesk.locations import RUN_PREFIX
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import JobState, JobValue, RunState, RunValue

ANSWERS = tr("Search answers with what it has learned.")
SWITCHING = tr("Search goes on with the old model until all photos are read for this one.")
RESTING = tr("It is kept; another model answers now.")
DELETED = tr("Its model was deleted.")
STOPPED = tr("It was stopped.")
UNFINISHED = tr("It ended before it was finished.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """Everything on disk that a run's state depends on.

    ``job`` is the state of its job, None once the job is forgotten. ``is_used``:
    its model answers; ``is_awaited``: an open job switches to its model.
    """

    choice: Choice = Choice.NONE
    job: JobState | None = None
    has_result: bool = False
    is_used: bool = False
    is_awaited: bool = False


def run_state(facts: RunFacts) -> RunState:
    """The state; the owner's choice comes first, then the job, then the trainer's result.

    A model that answers has been chosen, even where an engine died before it noted that.
    """
    if facts.is_used:
        return RunState.KEPT
    if facts.choice in (Choice.DISCARDED, Choice.STOPPED):
        return RunState.DISCARDED
    if facts.job is not None and not facts.job.is_final:
        return RunState.RUNNING
    if facts.job is JobState.CANCELLED:
        return RunState.DISCARDED
    if not facts.has_result:
        return RunState.FAILED
    is_kept = facts.choice is Choice.KEPT or facts.is_awaited
    return RunState.KEPT if is_kept else RunState.WAITING


def run_message(facts: RunFacts, result: RunResult, job_message: str) -> str:
    """A sentence about the state, for people."""
    kept = ANSWERS if facts.is_used else SWITCHING if facts.is_awaited else RESTING
    return {
        RunState.RUNNING: "",
        RunState.WAITING: summary_text(result),
        RunState.KEPT: kept,
        RunState.DISCARDED: DELETED if facts.choice is Choice.DISCARDED else STOPPED,
        RunState.FAILED: job_message or UNFINISHED,
    }[run_state(facts)]


class RunReader:
    """The runs of a library as clients see them. Any thread may call."""

    def __init__(self, parts: EngineContext, store: RunStore) -> None:
        self._parts = parts
        self._store = store

    def state(self, record: RunRecord) -> RunState:
        """A run's state now."""
        return run_state(self._facts(record, self._parts.jobs().all()))

    def values(self) -> tuple[RunValue, ...]:
        """Every run, newest first."""
        jobs = self._parts.jobs().all()
        return tuple(self._value(record, jobs) for record in self._store.all())

    def value(self, record: RunRecord, *, with_points: bool = False) -> RunValue:
        """A run now."""
        value = self._value(record, self._parts.jobs().all())
        points = self._store.points(record.id) if with_points else ()
        return msgspec.structs.replace(value, points=points)

    def ended(self, record: RunRecord, job: JobValue) -> RunValue:
        """A run whose job ends just now."""
        return self._value(record, (job,))

    def _facts(self, record: RunRecord, jobs: tuple[JobValue, ...]) -> RunFacts:
        source = f"{RUN_PREFIX}{record.id}"
        job = next((job for job in jobs if job.id == record.id), None)
        return RunFacts(
            choice=record.choice,
            job=job.state if job else None,
            has_result=self._store.result(record.id) is not None,
            is_used=self._parts.model.source == source,
            is_awaited=source in awaited_sources(self._parts.jobs()),
        )

    def _value(self, record: RunRecord, jobs: tuple[JobValue, ...]) -> RunValue:
        facts = self._facts(record, jobs)
        state = run_state(facts)
        found = self._store.result(record.id)
        result = found or RunResult()
        photos, captions = self._store.counts(record.id) if found is None else (0, 0)
        said = next((job.message for job in jobs if job.id == record.id), "")
        is_over = state is not RunState.RUNNING
        return to_value(
            result,
            RunValue,
            id=record.id,
            folder=WirePath.of(self._store.folder(record.id)),
            state=state,
            method=record.method,
            title=record.title,
            created=record.created,
            photos=result.photos or photos,
            captions=result.captions or captions,
            step=result.steps if is_over else 0,
            reembed_seconds=record.reembed_seconds if result.reembed or not is_over else 0.0,
            message=run_message(facts, result, said),
            skipped=to_skipped(result.skipped),
        )


def summary_text(result: RunResult) -> str:
    """The numbers of a finished run, and the choice that is open now."""
    before = {metric.name: metric for metric in result.before}
    gained = next((metric for metric in result.after if metric.name in before), None)
    learned = tr(
        "Learned from {photos} photos with {captions} captions.",
        photos=grouped(result.photos),
        captions=grouped(result.captions),
    )
    if unused := sum(files.count for files in result.skipped.values()):
        learned += tr(" {unused} could not be used.", unused=grouped(unused))
    if gained is None:
        return tr("{learned} Keep the model or discard it.", learned=learned)
    return tr(
        "{learned} {what} for {now} % of captions, {before} % before (n = {number}). "
        "Keep the model or discard it.",
        learned=learned,
        what=NAMES.get(gained.name, gained.name),
        now=decimal(gained.value, 0),
        before=decimal(before[gained.name].value, 0),
        number=gained.n,
    )


NAMES = {
    "t2i_r1": tr("The right photo comes first"),
    "t2i_r5": tr("The right photo is among the first 5"),
}
