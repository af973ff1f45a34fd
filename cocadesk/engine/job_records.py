"""Jobs as rows of the library: read at the start, written at every move."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import msgspec
from msgspec.structs import replace

from cocadesk.engine.conversions import to_value
from cocadesk.errors import UserError, retold, retold_parts
from cocadesk.library.rows import JobRow
from cocadesk.protocol.values import JobKind, JobReport, JobState, JobValue

JOBS_KEPT = 50
"""So many jobs that have ended are remembered; one that has not always is."""
_FINAL = frozenset(state.value for state in JobState if state.is_final)
CRASHES_ALLOWED = 3
"""So often may the engine die in a job, with nothing gained in between."""
BESIDE = frozenset({JobKind.TEACH, JobKind.FETCH_MODEL})
"""Jobs whose work is done by a process of its own: they run beside the others."""

_log = logging.getLogger(__name__)


class Witness(Protocol):
    """Knows of a library what tells a crash that gained something from one for nothing."""

    def mark(self) -> str:
        """A text that differs once a job has committed anything."""

    def in_hand(self) -> tuple[bytes, ...]:
        """The files that were in hand when the last engine died."""

    def watch(self, spec: JobSpec, /) -> None:
        """A job with this history begins."""

    def skip(self, kind: JobKind, suspects: Sequence[bytes], /) -> str:
        """Lets such jobs pass over the file at fault, where there is one; gives its name."""


class NoWitness:
    """The witness of jobs without files."""

    def mark(self) -> str:
        """Always the same."""
        return ""

    def in_hand(self) -> tuple[bytes, ...]:
        """None."""
        return ()

    def watch(self, spec: JobSpec, /) -> None:
        """Nothing to prepare."""

    def skip(self, kind: JobKind, suspects: Sequence[bytes], /) -> str:
        """Nothing to skip."""
        return ""


class JobStore(Protocol):
    """The library's table of jobs."""

    def all(self) -> list[JobRow]:
        """All jobs, the oldest first."""

    def save(self, job: JobRow) -> None:
        """Writes a job's row."""

    def forget(self, job_id: str) -> None:
        """Removes a job's row."""


class JobSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job's order as it is stored: its title, in English (``kept``), and the work's own spec.

    ``crashes`` counts the engines that died in it since it got to ``furthest``, or since
    the library got beyond ``mark``; ``suspects`` are the files that each of them had in hand.
    ``attempt`` is the number of the start; ``seconds`` is what it may take, None where that
    is not known; ``is_background``: nobody has asked for it.
    """

    title: str
    work: str
    attempt: int = 1
    seconds: float | None = None
    is_background: bool = False
    crashes: int = 0
    furthest: int = 0
    mark: str = ""
    suspects: tuple[bytes, ...] = ()

    def is_same_order(self, other: JobSpec) -> bool:
        """True where both ask for the same, in whatever words."""
        return self.work == other.work

    def again(self, work: str) -> JobSpec:
        """The order of a job that a person starts once more: it is given new tries."""
        fresh = JobSpec(title=self.title, work=work, attempt=self.attempt + 1)
        return replace(fresh, seconds=self.seconds, is_background=self.is_background)


@dataclass(slots=True, kw_only=True)
class Job:
    """A job while an engine runs: its value for people, its order and its report.

    ``message`` is how it ended, as it is stored: in English where it was ``kept``.
    ``step_s`` is the longest of its steps so far, ``worked_s`` their sum. Once another job has
    passed it, ``went_on_s`` is when it went on, on the scheduler's clock, and
    ``rests_until_s`` until when it is not passed again: infinite before it has gained anything.
    """

    value: JobValue
    spec: JobSpec
    message: str = ""
    report: JobReport | None = None
    created_utc: datetime
    saved_s: float = 0.0
    step_s: float = 0.0
    worked_s: float = 0.0
    went_on_s: float | None = None
    rests_until_s: float = -math.inf


class JobRecords:
    """Reads and writes the rows of one library's jobs."""

    def __init__(self, store: JobStore, witness: Witness | None = None) -> None:
        self._store = store
        self.witness = witness or NoWitness()

    def load(self) -> list[Job]:
        """The open jobs and the last that have ended, the oldest first; other rows are removed."""
        rows = self._store.all()
        old = [row.id for row in rows if row.state in _FINAL][:-JOBS_KEPT]
        try:
            for job_id in old:
                self._store.forget(job_id)
        except (UserError, OSError, RuntimeError) as error:  # it is open to be read only
            _log.info("old jobs could not be removed: %s", error)
        kept = [row for row in rows if row.id not in old]
        ran = {row.kind for row in kept if row.state == JobState.RUNNING}
        found = (_from_row(row, self.witness, is_alone=len(ran) == 1) for row in kept)
        return [job for job in found if job is not None]

    def forget(self, job: Job) -> None:
        """Removes the row."""
        self._store.forget(job.value.id)

    def save(self, job: Job) -> None:
        """Writes the row; where the disk refuses, the job goes on and the next move tries again."""
        try:
            self.write(job)
        except (UserError, OSError, RuntimeError) as error:
            _log.info("job %s could not be saved: %s", job.value.id, error)

    def write(self, job: Job) -> None:
        """Writes the row; raises where the disk refuses."""
        job.saved_s = time.monotonic()
        value = job.value
        self._store.save(
            JobRow(
                id=value.id,
                kind=value.kind.value,
                spec=msgspec.json.encode(job.spec).decode(),
                state=value.state.value,
                created_utc=job.created_utc,
                updated_utc=datetime.now(UTC),
                stage=value.stage,
                done=value.done,
                total=value.total,
                failed=value.failed,
                message=job.message or None,
                report=msgspec.json.encode(job.report).decode() if job.report else None,
            )
        )


def documents_of(job: Job) -> list[str]:
    """The JSON that a job is stored with: its order, the work in it, and its report."""
    report = [msgspec.json.encode(job.report).decode()] if job.report is not None else []
    return [msgspec.json.encode(job.spec).decode(), job.spec.work, *report]


def _from_row(row: JobRow, witness: Witness, *, is_alone: bool) -> Job | None:
    """A job from its row; what ran when the engine was killed waits again.

    None for a row that this program does not understand, e.g. a newer one's. ``is_alone``:
    no job of another kind ran then.
    """
    try:
        spec = msgspec.json.decode(row.spec, type=JobSpec)
        kind, state = JobKind(row.kind), JobState(row.state)
        report: JobReport | None = (
            msgspec.json.decode(row.report, type=JobReport) if row.report else None
        )
    except (ValueError, msgspec.MsgspecError) as error:
        _log.warning("job %s is left alone: %s", row.id, error)
        return None
    if state is JobState.RUNNING:
        is_beside = kind in BESIDE
        # A lesson computes in a process of its own: where another job ran, that one is suspected,
        # and the files in hand are never a lesson's.
        if is_alone or not is_beside:
            in_hand = () if is_beside else witness.in_hand()
            is_gain = row.done > spec.furthest or witness.mark() != spec.mark
            spec = _after_crash(spec, in_hand, is_gain=is_gain)
        spec, state = replace(spec, furthest=max(row.done, spec.furthest)), JobState.QUEUED
    value = to_value(
        row,
        JobValue,
        kind=kind,
        title=retold(spec.title),
        attempt=spec.attempt,
        is_background=spec.is_background,
        is_bytes=kind is JobKind.FETCH_MODEL,
        state=state,
        message=retold_parts(row.message or ""),
        created=row.created_utc.isoformat(timespec="seconds"),
        finished=row.updated_utc.isoformat(timespec="seconds") if state.is_final else "",
    )
    return Job(
        value=value,
        spec=spec,
        message=row.message or "",
        report=report,
        created_utc=row.created_utc,
    )


def _after_crash(spec: JobSpec, in_hand: tuple[bytes, ...], *, is_gain: bool) -> JobSpec:
    """Counts one more engine that died in the job; a job that gained anything begins again.

    One that takes a file at a time gains what comes before the file that kills it, and no
    more: there the counting goes on. So it does where the very same files were in hand: a
    job that does everything again gains each time what it had before.
    """
    if is_gain and (not in_hand or set(in_hand) != set(spec.suspects)):
        is_near = spec.crashes >= CRASHES_ALLOWED - 1 and bool(in_hand)
        return replace(spec, crashes=spec.crashes if is_near else 1, suspects=in_hand)
    again = tuple(path for path in in_hand if path in spec.suspects)
    return replace(spec, crashes=spec.crashes + 1, suspects=again or in_hand)
