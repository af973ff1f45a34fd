"""Ends of annotation jobs: sentences for people, reports for programs."""

from __future__ import annotations

from collections.abc import Sequence

from cocadesk.annotations.describe import DescribeReport
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_job import WriteReport
from cocadesk.engine.conversions import REPORTED, sentence, to_failures, to_value
from cocadesk.engine.scheduler import JobOutcome
from cocadesk.protocol import values
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import WriteItem, WriteKind


def report_so_far(
    progress: AnnotationProgress, skipped: Sequence[SkippedFile]
) -> values.CaptionReport | values.WriteReport:
    """The report of a job that still runs: what it could not do yet."""
    if progress.stage is AnnotationStage.WRITE:
        return values.WriteReport(skipped=skipped_items(skipped))
    return values.CaptionReport(failed=to_failures(skipped, "words"))


def skipped_items(skipped: Sequence[SkippedFile]) -> tuple[WriteItem, ...]:
    """Files that were left as they are, as clients see them."""
    return tuple(
        WriteItem(path=WirePath.of(item.path), kind=WriteKind.SKIPPED, reason=item.reason)
        for item in skipped[:REPORTED]
    )


def describe_outcome(report: DescribeReport, verb: str = "described") -> JobOutcome:
    """The end of a caption or tag job."""
    message = sentence(
        f"{report.described:,} {verb}",
        (report.unchanged, "already known"),
        (report.by_person, "with a caption of your own"),
        (len(report.failed), "could not be read"),
    )
    return JobOutcome(
        message=message,
        report=to_value(report, values.CaptionReport, failed=to_failures(report.failed, "words")),
        failed=len(report.failed),
    )


def write_outcome(report: WriteReport) -> JobOutcome:
    """The end of a write job."""
    done = sentence(
        f"{report.written:,} written",
        (report.unchanged, "already up to date"),
        (len(report.skipped), "skipped"),
    )
    stopped = "It was undone before it ended. " if report.was_undone else ""
    return JobOutcome(
        message=stopped + done,
        report=to_value(report, values.WriteReport, skipped=skipped_items(report.skipped)),
        failed=report.failed,
    )
