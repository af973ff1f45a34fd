"""The work of a job as small steps, and its good end."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from cocadesk.protocol.values import JobReport, WorkState

Progress = TypeVar("Progress")
Report = TypeVar("Report")


class JobStep(WorkState, frozen=True):
    """A job after a step.

    ``report`` is what it would report if it ended here; None keeps the last one.
    """

    report: JobReport | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """The good end of a job: a sentence for people, a report for programs."""

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
