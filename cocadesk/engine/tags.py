"""Requests about tags as a whole."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from cocadesk.annotations.human import AnnotationChange, HumanAnnotations
from cocadesk.annotations.tags import TagEditor
from cocadesk.annotations.vocabulary import library_vocabulary
from cocadesk.engine.conversions import to_value
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    AnnotationsReply,
    ListTags,
    RemoveTag,
    RenameTag,
    Tags,
    TagUse,
)
from cocadesk.search.query import renamed
from cocadesk.search.tag_uses import TagUses


class TagHandler(RequestHandler):
    """Answers for all tags of a library; ``announce`` makes the answer to a change."""

    def __init__(
        self,
        context: EngineContext,
        annotations: HumanAnnotations,
        announce: Callable[[AnnotationChange], AnnotationsReply],
    ) -> None:
        self._context = context
        self._uses = TagUses(context.library)
        self._editor = TagEditor(context.library, annotations)
        self._announce = announce

    def _list(self, body: ListTags, call: Call) -> Tags:
        found = self._uses.all(library_vocabulary(self._context.library.folder).tags)
        return Tags(
            tags=tuple(
                to_value(use, TagUse)
                for use in found
                if use.all_own or use.all_suggested or body.with_offered
            )
        )

    def _rename(self, body: RenameTag, call: Call) -> None:
        self._change(
            call,
            lambda: self._editor.rename(
                body.tag,
                body.name,
                with_suggested=body.with_suggested,
                rewritten=lambda query, old, new: renamed(query, "tag", old, new),
            ),
        )

    def _remove(self, body: RemoveTag, call: Call) -> None:
        self._change(
            call, lambda: self._editor.remove(body.tag, with_suggested=body.with_suggested)
        )

    def _change(self, call: Call, change: Callable[[], AnnotationChange]) -> None:
        """A tag may be on all media: searches go on meanwhile."""

        def work() -> AnnotationsReply:
            return replace(self._announce(change()), changed=())

        self._context.run_long(call, work, name="tags")
