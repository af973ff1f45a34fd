"""Requests about annotations: set, undone, written beside photos, chosen from a vocabulary."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence

from cocadesk.annotations.human import AnnotationChange as Change
from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.annotations.sidecars import plan_write
from cocadesk.annotations.titles import (
    all_media,
    captions_title,
    new_tags_title,
    taking_over_title,
    things,
    writing_title,
)
from cocadesk.annotations.vocabulary import (
    has_custom_vocabulary,
    library_vocabulary,
    set_custom_vocabulary,
)
from cocadesk.engine.albums import AlbumHandler
from cocadesk.engine.annotation_jobs import (
    AnnotationJobs,
    CaptionSpec,
    TagSpec,
    TakeOverSpec,
    WriteSpec,
)
from cocadesk.engine.conversions import skipped_items, to_value, to_writing, write_item
from cocadesk.engine.groups import GroupHandler
from cocadesk.engine.handlers import EngineContext, RequestHandler, Restart
from cocadesk.engine.job_steps import JobFactory
from cocadesk.engine.scopes import some_scope_keys
from cocadesk.engine.tags import TagHandler
from cocadesk.library.marks import Flag
from cocadesk.library.rows import new_key
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    AnnotationsChanged,
    AnnotationsReply,
    GetHistory,
    GetUndoState,
    GetVocabulary,
    History,
    JobReply,
    PlanWrite,
    RedoAnnotations,
    RowsChanged,
    SetAnnotations,
    SetVocabulary,
    StartCaption,
    StartTakeOver,
    StartWrite,
    UndoAnnotations,
    VocabularyReply,
    WritePlan,
)
from cocadesk.protocol.values import EditValue, JobKind, Scope, WriteItem, WriteKind

PLAN_LIMIT = 1000
MOST_CHANGED = 500_000
"""So many keys a message holds with room to spare."""
MOST_NAMED = 20_000
"""Of more that change, windows are told that any may have."""


class AnnotationHandler(RequestHandler):
    """Answers for human words and the jobs around them; ``lists`` share their history.

    ``shared`` is what handlers of other requests about such words are made of.
    """

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._library = context.library
        self._annotations = annotations = HumanAnnotations(context.library)
        self.shared = (context, annotations, self._announce)
        self._groups = GroupHandler(*self.shared)
        self.lists = (
            AlbumHandler(*self.shared),
            TagHandler(*self.shared),
            self._groups,
        )
        self._jobs = AnnotationJobs(context, self._annotations, self._publish_titles)

    def works(self) -> Mapping[JobKind, JobFactory]:
        """The kinds of jobs that this handler does."""
        return {
            JobKind.CAPTION: self._jobs.caption_steps,
            JobKind.TAG: self._jobs.tag_steps,
            JobKind.WRITE: self._jobs.write_steps,
            JobKind.TAKE_OVER: self._jobs.take_over_steps,
        }

    def restarts(self) -> Mapping[JobKind, Restart]:
        """Captions and writes of the files that failed."""
        jobs = self._jobs
        return {
            JobKind.CAPTION: Restart(of_files=jobs.caption_again),
            JobKind.WRITE: Restart(renewed=jobs.write_renewed, of_files=jobs.write_again),
            JobKind.TAKE_OVER: Restart(renewed=jobs.take_over_renewed),
        }

    # Captions and tags --------------------------------------------------------------

    def _set(self, body: SetAnnotations, call: Call) -> AnnotationsReply:
        edit = AnnotationEdit(
            caption=body.caption,
            no_caption=body.no_caption,
            add_tags=body.add_tags,
            remove_tags=body.remove_tags,
            rating=body.rating,
            flag=None if body.flag is None else Flag(body.flag),
            favourite=body.favourite,
            hidden=body.hidden,
        )
        return self._announce(self._annotations.set(body.keys, edit))

    def _undo(self, body: UndoAnnotations, call: Call) -> AnnotationsReply:
        return self._announce(self._annotations.undo())

    def _redo(self, body: RedoAnnotations, call: Call) -> AnnotationsReply:
        return self._announce(self._annotations.redo())

    def _state(self, body: GetUndoState, call: Call) -> AnnotationsReply:
        return self._reply(Change())

    def _history(self, body: GetHistory, call: Call) -> History:
        return History(
            key=body.key,
            edits=tuple(
                to_value(edit, EditValue, when=edit.when.isoformat(timespec="milliseconds"))
                for edit in self._annotations.history(body.key)
            ),
        )

    def _announce(self, change: Change) -> AnnotationsReply:
        """The answer to a command, told to all other windows too."""
        reply = self._reply(change)
        if change.keys:
            is_named = not change.changes_lists and len(change.keys) <= MOST_NAMED
            keys = change.keys if is_named else ()
            self._context.publish(RowsChanged(keys=keys))
        if change.title:
            self._groups.follow()
            self._publish_titles()
        return reply

    def _reply(self, change: Change) -> AnnotationsReply:
        titles = self._annotations.titles()
        return AnnotationsReply(
            changed=change.keys[:MOST_CHANGED],
            count=len(change.keys),
            title=change.title,
            undo_title=titles.undo,
            redo_title=titles.redo,
            files=change.files,
            skipped=skipped_items(change.skipped),
        )

    def _publish_titles(self) -> None:
        titles = self._annotations.titles()
        self._context.publish(AnnotationsChanged(undo_title=titles.undo, redo_title=titles.redo))

    # Files beside the photos ----------------------------------------------------------

    def _plan(self, body: PlanWrite, call: Call) -> WritePlan:
        items: list[WriteItem] = []
        counts: Counter[WriteKind] = Counter()
        for planned in plan_write(
            self._library, some_scope_keys(self._library, body.scope), overwrite=body.overwrite
        ):
            call.check()
            item = write_item(planned)
            counts[item.kind] += 1
            items.append(item)
            if len(items) == PLAN_LIMIT and body.is_streamed:
                call.partial(WritePlan(items=tuple(items)))
                items.clear()
        if body.is_streamed:
            call.partial(WritePlan(items=tuple(items)))
            items.clear()
        return WritePlan(
            items=tuple(items[:PLAN_LIMIT]),
            **{kind.value: counts[kind] for kind in WriteKind},
        )

    def _start_write(self, body: StartWrite, call: Call) -> JobReply:
        keys = some_scope_keys(self._library, body.scope)
        title = writing_title(self._things(body.scope, keys))
        spec = WriteSpec(scope=body.scope, overwrite=body.overwrite, batch=new_key())
        return self._context.queue(JobKind.WRITE, title, spec, items=len(keys))

    def _start_take_over(self, body: StartTakeOver, call: Call) -> JobReply:
        keys = some_scope_keys(self._library, body.scope)
        title = taking_over_title(self._things(body.scope, keys))
        spec = TakeOverSpec(scope=body.scope, batch=new_key())
        # What an index finds until then is meant as well, so it waits for that.
        items = len(keys) if body.scope.keys else None
        return self._context.queue(JobKind.TAKE_OVER, title, spec, items=items)

    def _start_caption(self, body: StartCaption, call: Call) -> JobReply:
        keys = some_scope_keys(self._library, body.scope)
        title = captions_title(self._things(body.scope, keys))
        # A styled one too: the style that is wanted last stays, and orders tell which that is.
        order = new_key() if body.again or body.style is not None else ""
        to_writing(body.writing)  # what can't be done is said before it waits
        spec = CaptionSpec(
            scope=body.scope,
            again=body.again,
            style=body.style,
            writing=body.writing,
            order=order,
        )
        # Of a folder, or all: what an index finds until then is meant as well, so it waits.
        items = len(keys) if body.scope.keys else None
        return self._context.queue(JobKind.CAPTION, title, spec, items=items)

    def _things(self, scope: Scope, keys: Sequence[str]) -> str:
        """The media of a scope, which are those of ``keys`` now, in a title."""
        if scope == Scope():
            return all_media()
        if len(scope.folders) == 1 and not scope.keys and not scope.filter:
            folder = scope.folders[0].text
            return os.path.basename(folder.rstrip(os.sep)) or folder  # noqa: PTH119
        return things(self._library, keys)

    # Vocabulary -----------------------------------------------------------------------

    def _vocabulary(self, body: GetVocabulary, call: Call) -> VocabularyReply:
        folder = self._library.folder
        return VocabularyReply(
            tags=library_vocabulary(folder).tags, is_own=has_custom_vocabulary(folder)
        )

    def _set_vocabulary(self, body: SetVocabulary, call: Call) -> JobReply:
        set_custom_vocabulary(self._library.folder, body.tags)
        title = new_tags_title()
        items = self._library.counts().media
        return self._context.queue(JobKind.TAG, title, TagSpec(order=new_key()), items=items)
