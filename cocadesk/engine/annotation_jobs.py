"""Annotation jobs: captions and tags by the machine, captions written beside the photos."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from typing import TypeVar

import msgspec

from cocadesk.annotations.describe import DescribeReport, caption_steps, tag_steps
from cocadesk.annotations.history import things
from cocadesk.annotations.human import HumanAnnotations
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.sidecar_job import WriteReport, write_steps
from cocadesk.engine.annotation_reports import describe_outcome, report_so_far, write_outcome
from cocadesk.engine.decoding import PoolDecoder
from cocadesk.engine.handlers import EngineContext
from cocadesk.engine.index_job import job_step
from cocadesk.engine.scheduler import JobStep, Steps, relayed
from cocadesk.engine.scopes import scope_keys
from cocadesk.library.rows import new_key
from cocadesk.protocol.messages import RowsChanged
from cocadesk.protocol.values import Scope

STAGES = {
    AnnotationStage.PLAN: "Checking what there is to do",
    AnnotationStage.CAPTION: "Describing photos and videos",
    AnnotationStage.TAG: "Tagging photos and videos",
    AnnotationStage.WRITE: "Writing captions",
}
Report = TypeVar("Report", DescribeReport, WriteReport)


class CaptionSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The media to describe. ``order`` tells two orders ``again`` apart."""

    scope: Scope
    again: bool = False
    order: str = ""


class TagSpec(msgspec.Struct, frozen=True, kw_only=True):
    """All media; ``order`` tells two changes of the vocabulary apart."""

    order: str = ""


class WriteSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The captions to write; ``batch`` is the command in the log, also after a restart."""

    scope: Scope
    overwrite: bool = False
    batch: str = ""


class AnnotationJobs:
    """Makes the steps of caption, tag and write jobs."""

    def __init__(
        self,
        context: EngineContext,
        annotations: HumanAnnotations,
        publish_titles: Callable[[], None],
    ) -> None:
        self._library = context.library
        self._model = context.model
        self._publish = context.publish
        self._annotations = annotations
        self._publish_titles = publish_titles
        self._described: dict[str, set[str]] = {}

    def caption_order(self, scope: Scope, *, again: bool) -> tuple[str, str]:
        """Title and spec of a caption job.

        Raises:
            UserError: a folder of the scope holds nothing of the library.
        """
        spec = CaptionSpec(scope=scope, again=again, order=new_key() if again else "")
        return f"Captions for {self._things(scope)}", msgspec.json.encode(spec).decode()

    def write_order(self, scope: Scope, *, overwrite: bool) -> tuple[str, str]:
        """Title and spec of a write job; see ``caption_order``."""
        spec = WriteSpec(scope=scope, overwrite=overwrite, batch=new_key())
        title = f"Writing captions beside {self._things(scope)}"
        return title, msgspec.json.encode(spec).decode()

    def tag_order(self) -> tuple[str, str]:
        """Title and spec of a tag job on all media."""
        spec = msgspec.json.encode(TagSpec(order=new_key())).decode()
        return "New tags for all photos and videos", spec

    def caption_steps(self, spec: str) -> Steps:
        """A caption job; see ``cocadesk.engine.scheduler.JobFactory``."""
        order = msgspec.json.decode(spec, type=CaptionSpec)
        yield JobStep(stage="Waiting for the model", done=0)
        opened = self._model.opened()
        done = self._described.setdefault(order.order, set()) if order.order else None
        with PoolDecoder(opened.backend.info()) as decode:
            inner = caption_steps(
                self._library,
                opened.backend,
                opened.tagger,
                decode,
                scope_keys(self._library, order.scope),
                again=order.again,
                done=done,
            )
            report = yield from self._relayed(inner)
        self._described.pop(order.order, None)
        return describe_outcome(report)

    def tag_steps(self, spec: str) -> Steps:
        """A tag job: no file is read; see ``cocadesk.engine.scheduler.JobFactory``."""
        yield JobStep(stage="Waiting for the model", done=0)
        opened = self._model.opened()
        inner = tag_steps(
            self._library,
            opened.backend.info().image_id,
            opened.tagger(),
            scope_keys(self._library, Scope()),
        )
        report = yield from self._relayed(inner)
        return describe_outcome(report, verb="tagged")

    def write_steps(self, spec: str) -> Steps:
        """A write job; see ``cocadesk.engine.scheduler.JobFactory``."""
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

    def _relayed(
        self,
        inner: Generator[AnnotationProgress, None, Report],
        on_first: Callable[[], None] = lambda: None,
    ) -> Generator[JobStep, None, Report]:
        """The steps of a job; windows hear of the rows that change.

        ``on_first`` is called when the first media are done.
        """
        is_first = True
        skipped: list[SkippedFile] = []

        def step(progress: AnnotationProgress) -> JobStep:
            nonlocal is_first
            if is_first and progress.done:
                is_first = False
                on_first()
            if progress.keys:
                self._publish(RowsChanged(keys=progress.keys))
            skipped.extend(progress.skipped)
            report = report_so_far(progress, skipped) if progress.skipped else None
            return job_step(progress, STAGES[progress.stage], report)

        return (yield from relayed(inner, step))

    def _things(self, scope: Scope) -> str:
        if scope == Scope():
            return "all photos and videos"
        if len(scope.folders) == 1 and not scope.keys and not scope.filter:
            folder = scope.folders[0].text
            return os.path.basename(folder.rstrip(os.sep)) or folder  # noqa: PTH119
        return things(self._library, scope_keys(self._library, scope))
