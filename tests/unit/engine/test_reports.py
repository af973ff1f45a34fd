"""Reports of jobs: one union in messages, in stored rows and in sentences for people."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

import msgspec
import pytest

from cocadesk.annotations.describe import DescribeReport
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_job import WriteReport
from cocadesk.engine.annotation_jobs import (
    describe_outcome,
    report_so_far,
    write_outcome,
)
from cocadesk.engine.conversions import REPORTED, failures_of, to_failures, to_value
from cocadesk.engine.index_job import _sentence
from cocadesk.engine.job_records import JobRecords
from cocadesk.indexing import types as indexing
from cocadesk.library.library import Library
from cocadesk.library.rows import JobRow
from cocadesk.protocol import values
from cocadesk.protocol.messages import JobReply
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionReport,
    FailureValue,
    IndexReport,
    JobKind,
    JobReport,
    JobState,
    JobValue,
    RunState,
    RunValue,
    TuningMethod,
    WriteItem,
    WriteKind,
)

FAILURE = FailureValue(path=WirePath("/a.jpg"), reason="It is empty.", stage="decode")
SKIPPED = WriteItem(path=WirePath("/b.txt"), kind=WriteKind.SKIPPED, reason="Somebody wrote it.")
REPORTS: list[JobReport] = [
    IndexReport(indexed=3, videos=1, failed=(FAILURE,), seconds=1.5),
    CaptionReport(described=2, by_person=1, failed=(FAILURE,)),
    values.WriteReport(written=1, skipped=(SKIPPED,)),
    RunValue(id="r", folder=WirePath("/runs/r"), state=RunState.WAITING, method=TuningMethod.HEAD),
]
NOW = datetime(2026, 1, 2, tzinfo=UTC)
JOB = JobValue(id="j", kind=JobKind.INDEX, title="t", state=JobState.DONE)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: type(report).__name__)
def test_a_report_travels_and_is_stored_as_what_it_is(report: JobReport) -> None:
    """Its type is in the JSON, so that nobody must guess it from the kind of the job."""
    data = msgspec.json.encode(report)
    assert msgspec.json.decode(data, type=JobReport) == report  # type: ignore[arg-type]
    reply = JobReply(job=JOB, report=report)
    assert msgspec.json.decode(msgspec.json.encode(reply), type=JobReply) == reply


def test_the_failures_of_a_job_are_found_in_any_report() -> None:
    """Files that were left alone count as such, too."""
    assert failures_of(None) == ()
    assert failures_of(REPORTS[0]) == (FAILURE,)
    assert failures_of(REPORTS[1]) == (FAILURE,)
    (left,) = failures_of(REPORTS[2])
    assert (left.path, left.reason, left.stage) == (SKIPPED.path, SKIPPED.reason, "write")
    assert failures_of(REPORTS[3]) == ()
    (untaken,) = failures_of(values.TakeOverReport(skipped=(SKIPPED,)))
    assert (untaken.path, untaken.reason) == (SKIPPED.path, SKIPPED.reason)


class Colour(Enum):
    """An enum of some room."""

    PHOTO = "photo"


@dataclass(frozen=True)
class Found:
    """What some room reports."""

    key: str
    path: bytes
    kind: Colour
    score: float = 0.5
    caption: str | None = None
    secret: str = "stays"


def test_an_object_of_a_room_becomes_a_value_by_its_fields_names() -> None:
    """Bytes are paths, enums go by their value, and what is not in the value stays here."""
    value = to_value(Found(key="k", path=b"/caf\xe9.jpg", kind=Colour.PHOTO), values.Hit)
    assert value == values.Hit(
        key="k", path=WirePath.of(b"/caf\xe9.jpg"), score=0.5, kind=values.MediaKind.PHOTO
    )
    other = to_value(Found(key="k", path=b"/a", kind=Colour.PHOTO), values.Hit, caption="said")
    assert other.caption == "said"


def test_a_value_with_a_wrong_field_is_not_made() -> None:
    """A room that changes a field's type is found out."""

    @dataclass(frozen=True)
    class Wrong(Found):
        score: str = "high"  # type: ignore[assignment]

    with pytest.raises(msgspec.ValidationError, match="score"):
        to_value(Wrong(key="k", path=b"/a", kind=Colour.PHOTO), values.Hit)


def test_a_report_names_the_first_failures_only() -> None:
    """A message has a limit; the numbers count them all."""
    failed = [SkippedFile(path=b"/%d.jpg" % n, reason="It is empty.") for n in range(REPORTED + 5)]
    named = to_failures(failed, "caption")
    assert len(named) == REPORTED
    assert {item.stage for item in named} == {"caption"}
    assert all(item.when for item in named)


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (DescribeReport(), "0 described."),
        (DescribeReport(described=2, unchanged=3), "2 described, 3 already known."),
        (
            DescribeReport(
                described=1200, by_person=1, failed=(SkippedFile(path=b"/a", reason="Bad."),)
            ),
            "1,200 described, 1 with a caption of your own, 1 could not be read.",
        ),
    ],
)
def test_a_caption_job_ends_with_its_numbers(report: DescribeReport, sentence: str) -> None:
    """Nought is left out but for the first."""
    outcome = describe_outcome(report)
    assert outcome.message == sentence
    assert isinstance(outcome.report, CaptionReport)
    assert (outcome.report.described, outcome.failed) == (report.described, len(report.failed))
    assert describe_outcome(report, verb="tagged").message == sentence.replace(
        "described", "tagged"
    )


def test_a_write_job_says_what_was_left_alone_and_that_it_was_undone() -> None:
    """Only what the disk refused counts as failed."""
    kept = (
        SkippedFile(path=b"/a.txt", reason="Somebody wrote it."),
        SkippedFile(path=b"/b.txt", reason="The disk is full.", is_failure=True),
    )
    outcome = write_outcome(WriteReport(written=3, unchanged=1, skipped=kept, was_undone=True))
    assert outcome.message == (
        "It was undone before it ended. 3 written, 1 already up to date, 2 skipped."
    )
    assert outcome.failed == 1
    assert isinstance(outcome.report, values.WriteReport)
    assert [item.kind for item in outcome.report.skipped] == [WriteKind.SKIPPED] * 2


def _row(job_id: str, **changes: object) -> JobRow:
    spec = '{"title":"Adding photos","work":"{}"}'
    report = msgspec.json.encode(REPORTS[0]).decode()
    row = JobRow(
        id=job_id,
        kind="index",
        spec=spec,
        state="done",
        created_utc=NOW,
        updated_utc=NOW,
        stage="",
        done=3,
        total=3,
        failed=1,
        message="3 added.",
        report=report,
    )
    return dataclasses.replace(row, **changes)  # type: ignore[arg-type]


def test_a_stored_job_comes_back_with_its_report(tmp_path: Path) -> None:
    """From the library's table; a row of another program's version is left alone."""
    with Library.open(tmp_path / "library") as library:
        library.jobs.save(_row("1"))
        library.jobs.save(_row("2", report='{"type":"DreamReport"}'))
        library.jobs.save(_row("3", kind="dream"))
        library.jobs.save(_row("4", report=None, state="running"))
        jobs = {job.value.id: job for job in JobRecords(library.jobs).load()}
        assert jobs.keys() == {"1", "4"}
        assert jobs["1"].report == REPORTS[0]
        assert jobs["1"].value.title == "Adding photos"
        assert (jobs["4"].value.state, jobs["4"].spec.crashes) == (JobState.QUEUED, 1)
        assert len(library.jobs.all()) == 4


def test_a_running_job_reports_what_it_could_not_do_so_far() -> None:
    """In the form of its end, so that one list shows both."""
    skipped = [SkippedFile(path=b"/a.jpg", reason="It is empty.")]
    captions = AnnotationProgress(stage=AnnotationStage.CAPTION, done=1, total=2)
    writing = AnnotationProgress(stage=AnnotationStage.WRITE, done=1, total=2)
    for progress in (captions, writing):
        (failure,) = failures_of(report_so_far(progress, skipped))
        assert (failure.path, failure.reason) == (WirePath("/a.jpg"), "It is empty.")


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        (indexing.IndexReport(), "0 photos added."),
        (indexing.IndexReport(offline=12), "Nothing new, 12 on a disk that is not connected."),
        (indexing.IndexReport(moved=3), "Nothing new, 3 moved."),
        (indexing.IndexReport(missing=2), "Nothing new, 2 gone."),
        (indexing.IndexReport(indexed=1, offline=2),
         "1 photo added, 2 on a disk that is not connected."),
    ],
)  # fmt: skip
def test_an_index_without_newcomers_says_so(report: indexing.IndexReport, sentence: str) -> None:
    """A disk that is away adds no "0 photos"; an empty folder does."""
    assert _sentence(report) == sentence
