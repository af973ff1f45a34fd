"""The fake engine's captions: described by a job, and written beside photos in memory."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import PurePath

from cocadesk.errors import UserError
from cocadesk.fake_engine.annotations import Batch, FakeAnnotations
from cocadesk.fake_engine.jobs import FakeWork
from cocadesk.fake_engine.rows import FakeContext, failure
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    PlanWrite,
    ReplyBody,
    RowsChanged,
    StartCaption,
    StartTakeOver,
    StartWrite,
    WritePlan,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import (
    CaptionReport,
    FailureValue,
    JobKind,
    JobReport,
    JobValue,
    Scope,
    TakeOverReport,
    WriteItem,
    WriteKind,
    WriteReport,
)

NOT_OURS = "It holds words that CocaDesk did not write."
NOTES = "Notes of my own, not to be lost."
HAS_CAPTION = "You have given it another caption here."
NO_CAPTION = "It has no caption yet."
PLAN_LIMIT = 1000


class FakeWriting:
    """Some photos have a ``.txt`` of a person's own beside them, some the same caption."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._annotations = annotations

    def _keys(self, scope: Scope) -> list[str]:
        """The media of a scope; a scope of nothing means everything.

        Raises:
            UserError: there are none.
        """
        folders = [folder.text for folder in scope.folders]
        is_all = not scope.keys and not folders
        keys = [
            key
            for key, medium in list(self._context.media.items())
            if is_all
            or key in scope.keys
            or any(medium.row.path.text.startswith(f"{folder}/") for folder in folders)
        ]
        if not keys:
            where = f"in {folders[0]}" if folders else "there"
            raise UserError(f"Nothing in the library lies {where}.", "", "Add the folder first.")
        return keys

    def _item(self, key: str, *, overwrite: bool) -> WriteItem:
        medium = self._context.media[key]
        path = WirePath.of(PurePath(medium.row.path.text).with_suffix(".txt"))
        new = self._annotations.caption_of(key)
        found = self._annotations.files.get(path)
        is_ours = found is not None
        if found is None and medium.number % 6 == 4:
            found = NOTES
        elif found is None and medium.number % 10 == 5:
            found, is_ours = new, True
        if not new:
            return WriteItem(path=path, kind=WriteKind.SKIPPED, reason=NO_CAPTION)
        if found is None:
            return WriteItem(path=path, kind=WriteKind.NEW, new=new)
        if found == new:
            return WriteItem(path=path, kind=WriteKind.UNCHANGED, new=new, old=found)
        if is_ours or overwrite:
            return WriteItem(path=path, kind=WriteKind.CHANGED, new=new, old=found)
        return WriteItem(path=path, kind=WriteKind.SKIPPED, new=new, old=found, reason=NOT_OURS)

    def _plan(self, body: PlanWrite, call: Call) -> ReplyBody:
        items = [self._item(key, overwrite=body.overwrite) for key in self._keys(body.scope)]
        counts = Counter(item.kind for item in items)
        return WritePlan(
            items=tuple(items[:PLAN_LIMIT]),
            **{kind.value: counts[kind] for kind in WriteKind},
        )

    def _start_write(self, body: StartWrite, call: Call) -> ReplyBody:
        items = [self._item(key, overwrite=body.overwrite) for key in self._keys(body.scope)]
        kinds = (WriteKind.NEW, WriteKind.CHANGED)

        def end(_job: JobValue) -> tuple[str, JobReport]:
            written = [item for item in items if item.kind in kinds]
            if written:
                files = {item.path: (item.old or None, item.new) for item in written}
                title = f"Writing {len(written)} captions beside photos"
                self._annotations.commit(Batch(title=title, files=files))
            skipped = tuple(item for item in items if item.kind is WriteKind.SKIPPED)
            report = WriteReport(
                written=len(written),
                unchanged=len(items) - len(written) - len(skipped),
                skipped=skipped,
            )
            message = f"{len(written)} captions written, {len(skipped)} files skipped."
            return message, report

        work = FakeWork(
            title=f"Writing captions beside {len(items)} photos",
            total=len(items),
            kind=JobKind.WRITE,
            stage="Writing captions",
            end=end,
        )
        return self._context.jobs.start(work)

    def _start_take_over(self, body: StartTakeOver, call: Call) -> ReplyBody:
        keys = self._keys(body.scope)

        def end(_job: JobValue) -> tuple[str, JobReport]:
            texts = [self._item(key, overwrite=False) for key in keys]
            found = [
                (key, item.path) for key, item in zip(keys, texts, strict=True) if item.old == NOTES
            ]
            changes = {}
            skipped = []
            for key, path in found:
                old = self._annotations.human_of(key)
                if not old.caption:
                    changes[key] = (old, replace(old, caption=NOTES))
                elif old.caption != NOTES:
                    kind = WriteKind.SKIPPED
                    skipped.append(WriteItem(path=path, kind=kind, reason=HAS_CAPTION))
            if changes:
                title = f"Captions of {len(changes)} photos"
                self._annotations.commit(Batch(title=title, annotations=changes))
            report = TakeOverReport(
                taken=len(changes),
                unchanged=len(found) - len(changes) - len(skipped),
                without=len(keys) - len(found),
                skipped=tuple(skipped),
            )
            return f"{len(changes)} taken over.", report

        work = FakeWork(
            title=f"Taking over captions beside {len(keys)} photos",
            total=len(keys),
            kind=JobKind.TAKE_OVER,
            stage="Reading texts beside photos",
            end=end,
        )
        return self._context.jobs.start(work)

    def _start_caption(self, body: StartCaption, call: Call) -> ReplyBody:
        keys = self._keys(body.scope)

        def step(done: int) -> FailureValue | None:
            medium = self._context.media[keys[done]]
            if medium.number % 13 == 9:
                return failure(medium.row.path, "The file can no longer be read.", "caption")
            self._context.describe(keys[done], body.style, body.writing)
            self._context.publish(RowsChanged(keys=(keys[done],), only_suggestions=True))
            return None

        def end(job: JobValue) -> tuple[str, JobReport]:
            self._context.publish(RowsChanged())
            described = job.done - job.failed
            message = f"{described} photos described, {job.failed} could not be read."
            report = CaptionReport(described=described)
            return message, report

        work = FakeWork(
            title=f"Suggesting captions and tags for {len(keys)} photos",
            total=len(keys),
            step=step,
            kind=JobKind.CAPTION,
            stage="Describing photos and videos",
            end=end,
        )
        return self._context.jobs.start(work)
