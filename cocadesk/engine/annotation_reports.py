"""What jobs on words have done, in sentences for people and reports for programs."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from cocadesk.annotations import (
    AnnotationProgress,
    AnnotationStage,
    DescribeReport,
    FailedMedium,
    SkippedFile,
    WriteReport,
)
from cocadesk.engine.conversions import REPORTED, to_failures
from cocadesk.engine.scheduler import JobOutcome
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionOutcome,
    WriteItem,
    WriteKind,
    WriteOutcome,
)


def so_far(progress: AnnotationProgress, left_out: Sequence[FailedMedium]) -> str:
    """What a job that runs has left out, in the form of its report."""
    outcome: CaptionOutcome | WriteOutcome
    if progress.stage is AnnotationStage.WRITE:
        outcome = WriteOutcome(kept=kept_items(left_out))
    else:
        outcome = CaptionOutcome(failed=to_failures(left_out, "words"))
    return msgspec.json.encode(outcome).decode()


def kept_items(kept: Sequence[SkippedFile | FailedMedium]) -> tuple[WriteItem, ...]:
    """Files that were left as they are, as clients see them."""
    return tuple(
        WriteItem(path=WirePath.of(item.path), kind=WriteKind.KEPT, reason=item.reason)
        for item in kept[:REPORTED]
    )


def described(report: DescribeReport, verb: str = "described") -> JobOutcome:
    outcome = CaptionOutcome(
        described=report.described,
        unchanged=report.unchanged,
        by_person=report.by_person,
        failed=to_failures(report.failed, "words"),
    )
    numbers = (
        (report.described, verb),
        (report.unchanged, "known already"),
        (report.by_person, "with a caption of your own"),
        (len(report.failed), "could not be read"),
    )
    return JobOutcome(
        message=_sentence(numbers),
        report=msgspec.json.encode(outcome).decode(),
        failed=len(report.failed),
    )


def written(report: WriteReport) -> JobOutcome:
    outcome = WriteOutcome(
        written=report.written, unchanged=report.unchanged, kept=kept_items(report.kept)
    )
    numbers = (
        (report.written, "written"),
        (report.unchanged, "so already"),
        (len(report.kept), "left alone"),
    )
    stopped = "It was undone before it had ended. " if report.was_undone else ""
    return JobOutcome(
        message=stopped + _sentence(numbers),
        report=msgspec.json.encode(outcome).decode(),
        failed=report.failed,
    )


def _sentence(numbers: Sequence[tuple[int, str]]) -> str:
    """ "3 described, 2 known already." from what is not zero; the first is always said."""
    first = numbers[0]
    said = [first, *(item for item in numbers[1:] if item[0])]
    return ", ".join(f"{number:,} {words}" for number, words in said) + "."
