"""Annotation jobs: captions and tags by the machine, captions written beside the photos."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import structs

from cocadesk.annotations.describe import DescribeReport, caption_steps, tag_steps
from cocadesk.annotations.human import HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_job import WriteReport, write_steps
from cocadesk.annotations.taking_over import TakeOverReport, take_over_steps
from cocadesk.annotations.titles import kept_things, writing_title
from cocadesk.engine.conversions import (
    sentence,
    skipped_items,
    to_failures,
    to_value,
    to_writing,
)
from cocadesk.engine.decoding import PoolDecoder
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.index_job import job_step, stage_of
from cocadesk.engine.job_steps import JobOutcome, JobStep, Legs, Steps, relayed
from cocadesk.engine.scopes import scope_keys
from cocadesk.errors import UserError, kept, tr
from cocadesk.library.rows import DESCRIBE, new_key
from cocadesk.protocol import values
from cocadesk.protocol.captions import CaptionWriting
from cocadesk.protocol.messages import JobReply, RowsChanged
from cocadesk.protocol.values import (
    CaptionStyle,
    JobKind,
    JobValue,
    Scope,
)

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend

STAGES = {
    AnnotationStage.PLAN: tr("Checking what there is to do"),
    AnnotationStage.CAPTION: tr("Describing photos and videos"),
    AnnotationStage.TAG: tr("Tagging photos and videos"),
    AnnotationStage.WRITE: tr("Writing captions"),
    AnnotationStage.TAKE_OVER: tr("Reading texts beside photos"),
}
SUGGESTING = frozenset({AnnotationStage.CAPTION, AnnotationStage.TAG})
UNDONE = kept("It was undone before it ended.")
Report = TypeVar("Report", DescribeReport, WriteReport, TakeOverReport)


class CaptionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The media to describe.

    ``order`` tells apart two orders whose captions may take the place of others.
    """

    scope: Scope
    again: bool = False
    style: CaptionStyle | None = None
    writing: CaptionWriting = CaptionWriting()
    order: str = ""


class TagSpec(msgspec.Struct, frozen=True, kw_only=True):
    """All media; ``order`` tells two changes of the vocabulary apart."""

    order: str = ""


class WriteSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The captions to write; ``batch`` is the command in the log, also after a restart."""

    scope: Scope
    overwrite: bool = False
    batch: str = ""


class TakeOverSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The media whose texts to take over; ``batch`` as in ``WriteSpec``."""

    scope: Scope
    batch: str = ""


class AnnotationJobs:
    """Makes the steps of caption, tag, write and take-over jobs."""

    def __init__(
        self,
        context: EngineContext,
        annotations: HumanAnnotations,
        publish_titles: Callable[[], None],
    ) -> None:
        self._context = context
        self._library = context.library
        self._annotations = annotations
        self._publish_titles = publish_titles
        self._described: dict[str, set[str]] = {}
        self._legs: Mapping[JobKind, Legs[set[str]]] = {
            kind: Legs(set) for kind in (JobKind.CAPTION, JobKind.TAG)
        }

    def caption_steps(self, spec: str) -> Steps:
        """A caption job; see ``cocadesk.engine.job_steps.JobFactory``."""
        order = msgspec.json.decode(spec, type=CaptionSpec)
        yield JobStep(stage=tr("Waiting for the model"), done=0)
        opened, captioner = self._context.model.opened(), self._context.model.captioner()
        done: set[str] = set()
        if order.order:
            done = self._described.setdefault(order.order, done)
        with PoolDecoder(captioner.model.info()) as decode:
            inner = caption_steps(
                self._library,
                opened.backend,
                opened.tagger,
                decode,
                scope_keys(self._library, order.scope),
                again=order.again,
                style=order.style,
                writing=to_writing(order.writing),
                done=done,
                made=self._made(JobKind.CAPTION),
                is_careful=self._context.crash_guard.is_careful,
                rest=self._context.power.rest,
                captioner=captioner,
            )
            report = yield from self._relayed(inner, model=captioner.model, ends_told=True)
        self._described.pop(order.order, None)
        if order.again or order.style is not None:
            self._keep_from_older(spec, done)
        return describe_outcome(report)

    def _made(self, kind: JobKind) -> set[str]:
        """The media that the earlier legs of the job that runs have given something new."""
        return self._legs[kind].of_running(self._context.jobs().all(), kind)

    def _keep_from_older(self, spec: str, done: set[str]) -> None:
        """Lets orders that this one has passed leave what it has described: the last one counts."""
        jobs = self._context.jobs()
        for job in reversed(jobs.all()):
            if job.kind is not JobKind.CAPTION or job.state.is_final:
                continue
            if (other := jobs.spec(job.id)) == spec:
                return
            if older := msgspec.json.decode(other, type=CaptionSpec).order:
                self._described.setdefault(older, set()).update(done)

    def caption_again(self, spec: str, paths: Sequence[bytes]) -> JobReply:
        """A job that describes these media alone, also those that ended the engine before."""
        order = msgspec.json.decode(spec, type=CaptionSpec)
        files = set(paths)
        deadly = [path for path in self._library.media.deadly(DESCRIBE) if path in files]
        self._library.media.forget_failures(deadly)
        keys = tuple(row.key for row in self._library.media.rows_by_path(paths))
        if not keys:
            raise UserError(tr("These files are not in the library any more."))
        wanted = structs.replace(order, scope=Scope(keys=keys), order=new_key())
        said = kept_things(self._library, keys)
        title = kept("Suggesting captions and tags for {things}, tried again", things=said)
        return self._context.queue(JobKind.CAPTION, title, wanted, items=len(keys))

    def tag_steps(self, spec: str) -> Steps:
        """A tag job: no file is read; see ``cocadesk.engine.job_steps.JobFactory``."""
        yield JobStep(stage=tr("Waiting for the model"), done=0)
        opened = self._context.model.opened()
        inner = tag_steps(
            self._library,
            opened.backend.info().image_id,
            opened.tagger(),
            scope_keys(self._library, Scope()),
            self._made(JobKind.TAG),
        )
        report = yield from self._relayed(inner, ends_told=True)
        return describe_outcome(report, verb="tagged")

    def write_again(self, spec: str, _paths: Sequence[bytes] = ()) -> JobReply:
        """The same job as a command of its own: files that are up to date stay as they are."""
        order = msgspec.json.decode(spec, type=WriteSpec)
        keys = scope_keys(self._library, order.scope)
        title = writing_title(kept_things(self._library, keys))
        wanted = structs.replace(order, batch=new_key())
        return self._context.queue(JobKind.WRITE, title, wanted, items=len(keys))

    def write_renewed(self, _job: JobValue, spec: str) -> str:
        """The order of a write that starts again: a new command where the old one was undone."""
        return self._renewed(msgspec.json.decode(spec, type=WriteSpec))

    def take_over_renewed(self, _job: JobValue, spec: str) -> str:
        """The same of a job that takes texts over."""
        return self._renewed(msgspec.json.decode(spec, type=TakeOverSpec))

    def _renewed(self, order: WriteSpec | TakeOverSpec) -> str:
        if order.batch in self._annotations.state().taken_back:
            order = structs.replace(order, batch=new_key())
        return msgspec.json.encode(order).decode()

    def write_steps(self, spec: str) -> Steps:
        """A write job; see ``cocadesk.engine.job_steps.JobFactory``."""
        order = msgspec.json.decode(spec, type=WriteSpec)
        inner = write_steps(
            self._library,
            self._annotations,
            scope_keys(self._library, order.scope),
            batch=order.batch,
            overwrite=order.overwrite,
        )
        try:
            report = yield from self._relayed(inner, on_first=self._publish_titles)
        finally:
            self._publish_titles()
        return write_outcome(report)

    def take_over_steps(self, spec: str) -> Steps:
        """A job that takes texts over; see ``cocadesk.engine.job_steps.JobFactory``."""
        order = msgspec.json.decode(spec, type=TakeOverSpec)
        keys = scope_keys(self._library, order.scope)
        inner = take_over_steps(self._library, self._annotations, keys, batch=order.batch)
        try:
            report = yield from self._relayed(inner, on_first=self._publish_titles)
        finally:
            self._publish_titles()
        return take_over_outcome(report)

    def _relayed(
        self,
        inner: Generator[AnnotationProgress, None, Report],
        on_first: Callable[[], None] = lambda: None,
        model: Backend | None = None,
        *,
        ends_told: bool = False,
    ) -> Generator[JobStep, None, Report]:
        """The steps of a job; windows hear of the rows that change.

        ``on_first`` is called when the first media are done. ``model`` looks at pictures.
        ``ends_told``: in the end any row may have changed: lists stand still until then, since
        what is suggested moves nothing in them.
        """
        is_first = True
        skipped: list[SkippedFile] = []

        def step(progress: AnnotationProgress) -> JobStep:
            nonlocal is_first
            if is_first and progress.done:
                is_first = False
                on_first()
            if progress.keys:
                are_suggested = progress.stage in SUGGESTING
                changed = RowsChanged(keys=progress.keys, only_suggestions=are_suggested)
                self._context.publish(changed)
            skipped.extend(progress.skipped)
            report = report_so_far(progress, skipped) if progress.skipped else None
            stage = STAGES[progress.stage]
            if progress.stage is AnnotationStage.CAPTION:
                stage = self._context.power.said_of(stage)
            if model is not None:
                stage = stage_of(model, stage, captions=True)
            return job_step(progress, stage, report)

        try:
            return (yield from relayed(inner, step))
        finally:
            if ends_told:
                self._context.publish(RowsChanged())


def report_so_far(
    progress: AnnotationProgress, skipped: Sequence[SkippedFile]
) -> values.CaptionReport | values.WriteReport | values.TakeOverReport:
    """The report of a job that still runs: what it could not do yet."""
    if progress.stage is AnnotationStage.WRITE:
        return values.WriteReport(skipped=skipped_items(skipped))
    if progress.stage is AnnotationStage.TAKE_OVER:
        return values.TakeOverReport(skipped=skipped_items(skipped))
    return values.CaptionReport(failed=to_failures(skipped, "words"))


def describe_outcome(report: DescribeReport, verb: str = "described") -> JobOutcome:
    """The end of a caption or tag job."""
    number = f"{report.described:,}"
    is_tagging = verb == "tagged"
    message = sentence(
        kept("{number} tagged", number=number)
        if is_tagging
        else kept("{number} described", number=number),
        (report.unchanged, kept("already known")),
        (report.by_person, kept("with a caption of your own")),
        (len(report.failed), kept("could not be read")),
    )
    return JobOutcome(
        message=message,
        report=to_value(report, values.CaptionReport, failed=to_failures(report.failed, "words")),
        failed=len(report.failed),
    )


def take_over_outcome(report: TakeOverReport) -> JobOutcome:
    """The end of a job that takes texts over."""
    done = sentence(
        kept("{number} taken over", number=f"{report.taken:,}"),
        (report.unchanged, kept("already your captions")),
        (report.without, kept("without a text")),
        (len(report.skipped), kept("skipped")),
    )
    stopped = UNDONE + " " if report.was_undone else ""
    return JobOutcome(
        message=stopped + done,
        report=to_value(report, values.TakeOverReport, skipped=skipped_items(report.skipped)),
        failed=report.failed,
    )


def write_outcome(report: WriteReport) -> JobOutcome:
    """The end of a write job."""
    done = sentence(
        kept("{number} written", number=f"{report.written:,}"),
        (report.unchanged, kept("already up to date")),
        (len(report.skipped), kept("skipped")),
    )
    stopped = UNDONE + " " if report.was_undone else ""
    return JobOutcome(
        message=stopped + done,
        report=to_value(report, values.WriteReport, skipped=skipped_items(report.skipped)),
        failed=report.failed,
    )
