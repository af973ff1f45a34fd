"""Requests about what the machine has suggested: listed for a review, accepted, rejected."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from cocadesk.annotations.human import AnnotationChange, Decision, HumanAnnotations
from cocadesk.engine.handlers import EngineContext, RequestHandler
from cocadesk.engine.scopes import scope_keys
from cocadesk.library.caption_scores import least_sure_first
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    AnnotationsReply,
    DecideSuggestions,
    ListSuggestions,
    Suggestions,
)

TO_REVIEW = "captioned:machine"


class SuggestionHandler(RequestHandler):
    """Answers for suggestions; ``announce`` makes the answer to a decision."""

    def __init__(
        self,
        context: EngineContext,
        annotations: HumanAnnotations,
        announce: Callable[[AnnotationChange], AnnotationsReply],
    ) -> None:
        self._library = context.library
        self._annotations = annotations
        self._announce = announce

    def _decide(self, body: DecideSuggestions, call: Call) -> AnnotationsReply:
        decision = Decision(accepts=body.accepts, captions=body.captions, tags=body.tags)
        return self._announce(self._annotations.set(body.keys, decision))

    def _list(self, body: ListSuggestions, call: Call) -> Suggestions:
        scope = body.scope
        suggested = structs.replace(scope, filter=f"{scope.filter} {TO_REVIEW}".strip())
        keys = scope_keys(self._library, suggested)
        call.check()
        others = len(scope_keys(self._library, scope)) - len(keys)
        call.check()
        first = least_sure_first(self._library.media, keys)[: body.limit]
        return Suggestions(keys=tuple(first), total=len(keys), others=others)
