"""A scheduler of jobs that take a step only when the test lets them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable

from cocadesk.engine.job_order import Hold
from cocadesk.engine.job_records import NoWitness
from cocadesk.engine.job_steps import JobOutcome, JobStep, Steps
from cocadesk.engine.scheduler import Scheduler
from cocadesk.errors import UserError
from cocadesk.library.rows import JobRow
from cocadesk.protocol.values import JobKind, JobState, JobValue

WAIT_S = 30.0


class RowStore:
    """Job rows in memory; what the library is to the scheduler."""

    def __init__(self, rows: dict[str, JobRow] | None = None) -> None:
        self.rows = dict(rows or {})
        self.is_full = False

    def all(self) -> list[JobRow]:
        """As the library's table."""
        return sorted(self.rows.values(), key=lambda row: row.id)

    def save(self, job: JobRow) -> None:
        """As the library's table; refused where the disk is full."""
        if self.is_full:
            raise UserError("The disk is full.")
        self.rows[job.id] = job

    def forget(self, job_id: str) -> None:
        """As the library's table."""
        del self.rows[job_id]


class Commits(NoWitness):
    """Counts what was committed, as the library's versions do."""

    def __init__(self) -> None:
        self.number = 1

    def mark(self) -> str:
        """Another text after each commit."""
        return str(self.number)


class Moves:
    """The moves of jobs, in the order in which they came; a test waits for them."""

    def __init__(self) -> None:
        self.changes: list[JobValue] = []
        self._moved = threading.Condition()

    def on_change(self, value: JobValue) -> None:
        """A job has moved; on any thread."""
        with self._moved:
            self.changes.append(value)
            self._moved.notify_all()

    def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Blocks until it is so; looked at whenever a job moves.

        Never under our lock: jobs move under the scheduler's, which the look may ask for.
        """
        while True:
            seen = len(self.changes)
            if is_so():
                return
            with self._moved:
                has_moved = self._moved.wait_for(lambda: len(self.changes) > seen, WAIT_S)  # noqa: B023
                assert has_moved, self.changes[-3:]


class GatedJobs(Moves):
    """Jobs of every kind; an order ``name:3`` is three steps, each of which waits for leave.

    A job that is begun again goes on after the steps that it has taken. Where ``commits`` are
    given, it begins anew as a real index does, and these steps (``name2``) commit something.
    """

    def __init__(
        self,
        store: RowStore | None = None,
        *,
        rest_s: float = 0.0,
        hold: Hold = lambda _job: "",
        commits: frozenset[str] | None = None,
    ) -> None:
        super().__init__()
        self._commits = commits
        self._witness = NoWitness() if commits is None else Commits()
        self.store = store or RowStore()
        self.log: list[str] = []
        self._leave: dict[str, threading.Semaphore] = {}
        self._taken: dict[str, int] = defaultdict(int)
        self.scheduler = Scheduler(
            self.store,
            dict.fromkeys(JobKind, self._steps),
            on_change=self.on_change,
            wait_until_quiet=lambda _limit_s: True,
            witness=self._witness,
            rest_s=rest_s,
            hold=hold,
        )
        self.scheduler.start()

    def let(self, name: str, steps: int = 1) -> None:
        """Gives leave for so many steps of a job."""
        self._gate(name).release(steps)

    def _gate(self, name: str) -> threading.Semaphore:
        """The job and the test may ask for it at once: a ``defaultdict`` would give two."""
        return self._leave.setdefault(name, threading.Semaphore(0))

    def begin(self, kind: JobKind, order: str) -> JobValue:
        """Queues a job of unknown length and waits until it runs."""
        job = self.scheduler.add(kind, order.partition(":")[0], order)
        self.wait_for(job, JobState.RUNNING)
        return job

    def wait_for(self, job: JobValue, state: JobState) -> JobValue:
        """Blocks until the job is in that state."""
        self.wait_until(lambda: self.scheduler.get(job.id).state is state)
        return self.scheduler.get(job.id)

    def wait_for_steps(self, *steps: str) -> None:
        """Blocks until exactly these steps were taken, in this order."""
        self.wait_until(lambda: self.log == list(steps))

    def close(self) -> None:
        """Ends the scheduler; every step has leave by then."""
        for gate in list(self._leave.values()):
            gate.release(100)
        self.scheduler.close()

    def _steps(self, spec: str) -> Steps:
        name, _, count = spec.partition(":")
        gate = self._gate(name)
        if self._commits is not None:
            self._taken[name] = 0
        while self._taken[name] < int(count):
            assert gate.acquire(timeout=WAIT_S)
            self._taken[name] += 1
            self.log.append(f"{name}{self._taken[name]}")
            if isinstance(self._witness, Commits) and self.log[-1] in (self._commits or ()):
                self._witness.number += 1
            yield JobStep(stage="counting", done=self._taken[name], total=int(count))
        if name.startswith("bad"):
            raise UserError("The disk is full.", "", "Make room.")
        return JobOutcome(message=f"{name} is done")
