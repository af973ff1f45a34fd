"""The fake engine's suggestions: listed, accepted and rejected."""

from __future__ import annotations

from dataclasses import replace

from cocadesk.fake_engine.annotations import Batch, FakeAnnotations, HumanAnnotations
from cocadesk.fake_engine.filters import FakeFilters
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    AnnotationsReply,
    DecideSuggestions,
    ListSuggestions,
    Suggestions,
)


class FakeSuggestions:
    """Decisions on captions and tags of made-up media."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._annotations = annotations
        self._filters = FakeFilters(context, annotations)

    def _decide(self, body: DecideSuggestions, call: Call) -> AnnotationsReply:
        changes: dict[str, tuple[HumanAnnotations, HumanAnnotations]] = {}
        for key in body.keys:
            self._context.medium(key)
            old = self._annotations.human_of(key)
            new = self._decided(key, old, body)
            if new != old:
                changes[key] = (old, new)
        if not changes:
            return self._annotations.unchanged()
        things = "1 photo" if len(changes) == 1 else f"{len(changes)} photos"
        what = "Accepting" if body.accepts else "Rejecting"
        return self._annotations.commit(
            Batch(title=f"{what} suggestions of {things}", annotations=changes)
        )

    def _decided(
        self, key: str, old: HumanAnnotations, body: DecideSuggestions
    ) -> HumanAnnotations:
        row, new = self._annotations.row(key), old
        if body.captions and row.caption and not row.caption_by_person:
            new = replace(new, caption=row.caption if body.accepts else "")
        suggested = tuple(tag.tag for tag in row.tags if not tag.by_person)
        if body.tags and body.accepts:
            new = replace(new, added=(*new.added, *suggested))
        elif body.tags:
            new = replace(new, removed=(*new.removed, *suggested))
        return new

    def _list(self, body: ListSuggestions, call: Call) -> Suggestions:
        asked = body.scope.keys or tuple(sorted(self._context.media, reverse=True))
        inside = self._filters.keys(asked, body.scope.filter)
        found = self._filters.keys(inside, "captioned:machine")
        scores = {key: self._annotations.row(key).caption_score or 0.0 for key in found}
        found.sort(key=lambda key: scores[key])
        return Suggestions(
            keys=tuple(found[: body.limit]), total=len(found), others=len(inside) - len(found)
        )
