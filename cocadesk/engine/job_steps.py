"""The work of a job as small steps, and its good end."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from cocadesk.protocol.values import JobKind, JobReport, JobState, JobValue, WorkState

Progress = TypeVar("Progress")
Report = TypeVar("Report")
Kept = TypeVar("Kept")


class JobStep(WorkState, frozen=True):
    """A job after a step.

    ``report`` is what it would report if it ended here; None keeps the last one.
    """

    report: JobReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """The good end of a job: a sentence for people, a report for programs.

    The ``message`` is kept in English where it can be (``kept``), and shown as
    ``retold_parts`` tells it.
    """

    message: str
    report: JobReport | None = None
    failed: int = 0


Steps: TypeAlias = Generator[JobStep, None, JobOutcome]
JobFactory: TypeAlias = Callable[[str], Steps]
"""Makes a job's steps from its spec (JSON); nothing happens before the first step."""


def relayed(
    work: Generator[Progress, None, Report], step: Callable[[Progress], JobStep]
) -> Generator[JobStep, None, Report]:
    """Work of another room as steps of a job; gives the work's report."""
    try:
        while True:
            try:
                progress = next(work)
            except StopIteration as end:
                report: Report = end.value
                return report
            yield step(progress)
    finally:
        work.close()


class Legs(Generic[Kept]):
    """What jobs have done so far, kept from leg to leg for their reports.

    A job that is passed or paused begins anew when it goes on. ``make`` gives the beginning.
    """

    def __init__(self, make: Callable[[], Kept]) -> None:
        self._make = make
        self._kept: dict[tuple[str, int], Kept] = {}

    def of_running(self, jobs: Sequence[JobValue], kind: JobKind) -> Kept:
        """What the earlier legs of the job of this kind that runs have left.

        One that was stopped, or has failed, and is started again begins with nothing.
        """
        still_open = [job for job in jobs if job.kind is kind and not job.state.is_final]
        marks = {(job.id, job.attempt) for job in still_open}
        self._kept = {mark: kept for mark, kept in self._kept.items() if mark in marks}
        for job in still_open:
            if job.state is JobState.RUNNING:
                return self._kept.setdefault((job.id, job.attempt), self._make())
        return self._make()
