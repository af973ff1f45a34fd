"""The fake engine's tags as a whole: counted, renamed and removed by going through all media."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from msgspec.structs import replace as changed

from cocadesk.errors import UserError
from cocadesk.fake_engine.annotations import Batch, FakeAnnotations, HumanAnnotations, Lists
from cocadesk.fake_engine.filters import FakeFilters, renamed
from cocadesk.fake_engine.models import FakeVocabulary
from cocadesk.fake_engine.rows import FakeContext
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    AnnotationsReply,
    ListTags,
    RemoveTag,
    RenameTag,
    Tags,
    TagUse,
)

MAX_TAG_CHARACTERS = 200


class FakeTags:
    """Tags of a person and of made-up media, by their small letters."""

    def __init__(
        self, context: FakeContext, annotations: FakeAnnotations, vocabulary: FakeVocabulary
    ) -> None:
        self._context = context
        self._annotations = annotations
        self._vocabulary = vocabulary
        self._filters = FakeFilters(context, annotations)

    def _list(self, body: ListTags, call: Call) -> Tags:
        keys = list(self._context.media)
        shown = self._filters.keys(keys, "")
        own, suggested = self._counts(shown)
        all_own, all_suggested = self._counts(keys)
        offered = {tag.lower(): tag for tag in self._vocabulary.tags}
        written = offered | self._spellings()
        uses = [
            TagUse(
                tag=written.get(tag, tag),
                term=_printed(written.get(tag, tag)),
                own=own[tag],
                suggested=suggested[tag],
                all_own=all_own[tag],
                all_suggested=all_suggested[tag],
                is_offered=tag in offered,
            )
            for tag in dict.fromkeys((*all_own, *all_suggested, *offered))
        ]
        uses.sort(key=lambda use: (-use.own, -use.all_own, -use.suggested, use.tag.lower()))
        has_any = (use for use in uses if use.all_own or use.all_suggested or body.with_offered)
        return Tags(tags=tuple(has_any))

    def _rename(self, body: RenameTag, call: Call) -> AnnotationsReply:
        name = " ".join(body.name.split())
        if not name:
            raise UserError("A tag needs at least one letter.", "", "Leave the empty tag out.")
        if len(name) > MAX_TAG_CHARACTERS:
            raise UserError(f"The tag {name[:40]}… is too long.", "", "Shorten it.")
        return self._change(body.tag, name, f"renamed to “{name}” on", body.with_suggested)

    def _remove(self, body: RemoveTag, call: Call) -> AnnotationsReply:
        return self._change(body.tag, "", "removed from", body.with_suggested)

    def _change(self, tag: str, name: str, done: str, with_suggested: bool) -> AnnotationsReply:
        own = [key for key in self._context.media if self._has(key, tag)]
        suggested = [key for key in self._context.media if self._is_suggested(key, tag)]
        keys = [*own, *suggested] if with_suggested else own
        if not keys and suggested:
            raise UserError(
                f"The tag “{tag}” is only suggested.",
                "You have not given it to any photo or video yourself.",
                "Ask for its suggestions to be changed as well.",
            )
        if not keys:
            raise UserError(
                f"No photo or video has the tag “{tag}”.",
                "",
                "Look it up in the list of your tags.",
            )
        both = {key: (self._human(key), _retagged(self._human(key), tag, name)) for key in keys}
        changes = {key: pair for key, pair in both.items() if pair[0] != pair[1]}
        if not changes:
            return self._annotations.unchanged()
        things = "1 photo" if len(changes) == 1 else f"{len(changes)} photos"
        lists = self._lists_with(tag, name) if name else None
        batch = Batch(title=f"Tag “{tag}” {done} {things}", annotations=changes, lists=lists)
        return changed(self._annotations.commit(batch), changed=())

    def _lists_with(self, tag: str, name: str) -> tuple[Lists, Lists] | None:
        """The lists before and after: saved searches ask for the new name; None: none did."""
        old = self._annotations.lists
        searches = {n: renamed(query, "tag", tag, name) for n, query in old.searches.items()}
        return None if searches == old.searches else (old, replace(old, searches=searches))

    def _counts(self, keys: list[str]) -> tuple[Counter[str], Counter[str]]:
        """How many of these media have each tag from a person, and from the machine alone."""
        own = Counter(t for key in keys for t in {tag.lower() for tag in self._human(key).added})
        machine = Counter(tag.lower() for key in keys for tag in self._suggested(key))
        return own, machine

    def _spellings(self) -> dict[str, str]:
        written = Counter(tag for key in self._context.media for tag in self._human(key).added)
        return {tag.lower(): tag for tag, _ in reversed(written.most_common())}

    def _human(self, key: str) -> HumanAnnotations:
        return self._annotations.human_of(key)

    def _has(self, key: str, tag: str) -> bool:
        return any(map(_same_as(tag), self._human(key).added))

    def _is_suggested(self, key: str, tag: str) -> bool:
        return any(map(_same_as(tag), self._suggested(key)))

    def _suggested(self, key: str) -> list[str]:
        human = self._human(key)
        said = {tag.lower() for tag in (*human.added, *human.removed)}
        return [t.tag for t in self._context.media[key].tags if t.tag.lower() not in said]


def _retagged(human: HumanAnnotations, tag: str, name: str) -> HumanAnnotations:
    is_old, is_new = _same_as(tag), _same_as(name)
    added = [name if is_old(one) else one for one in human.added]
    if not any(map(is_old, human.added)):
        added.append(name)
    removed = [one for one in human.removed if not is_new(one)]
    if not is_old(name):
        removed = [*(one for one in removed if not is_old(one)), tag]
    firsts = {one.lower(): one for one in reversed(added) if one}
    once = (one for one in dict.fromkeys(added) if firsts.get(one.lower()) == one)
    return replace(human, added=tuple(once), removed=tuple(removed))


def _same_as(tag: str) -> Callable[[str], bool]:
    return lambda other: other.lower() == tag.lower()


def _printed(tag: str) -> str:
    doubled = tag.replace('"', '""')
    return f'tag:"{doubled}"'
