"""A person's tags as a whole: renamed, made one and removed on all media, through the log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from cocadesk.annotations.albums import Rewritten, searches_with
from cocadesk.annotations.human import (
    ADDED,
    REMOVED,
    AnnotationChange,
    Command,
    HumanAnnotations,
)
from cocadesk.annotations.text import joined_tags, one_line, same_tag, tag_of
from cocadesk.errors import UserError, tr
from cocadesk.library.library import Library
from cocadesk.library.rows import Edit, TaggedMedium


class Retagging(NamedTuple):
    """A tag that is to have another name, or to go (``name`` empty).

    It does to each medium what removing the one tag and adding the other would do, so that a
    suggestion of the old one does not come back there. ``with_suggested``: suggestions of it are
    accepted under the new name, or rejected, on the other media too.
    """

    tag: str
    name: str = ""
    with_suggested: bool = False

    def is_meant(self, tag: str) -> bool:
        """True for the tag itself, however it is written."""
        return same_tag(tag) == same_tag(self.tag)

    def tags_of(self, medium: TaggedMedium) -> TaggedMedium:
        """The tags of a medium as they are afterwards."""
        added, removed = medium.human_tags_added, medium.human_tags_removed
        is_own = any(map(self.is_meant, added))
        is_suggested = any(map(self.is_meant, medium.machine_tag_names)) and not any(
            map(self.is_meant, removed)
        )
        if not is_own and not (self.with_suggested and is_suggested):
            return medium
        before = [self.name if self.is_meant(tag) else tag for tag in added]
        if not is_own:
            before.append(self.name)
        gone = () if self.is_meant(self.name) else (self._as_known(medium),)
        return medium._replace(
            human_tags_added=joined_tags([tag for tag in before if tag], (), ()),
            human_tags_removed=joined_tags(removed, gone, (self.name,)),
        )

    def _as_known(self, medium: TaggedMedium) -> str:
        """The tag as the medium has it."""
        known = (*medium.human_tags_added, *medium.machine_tag_names)
        return next(tag for tag in known if self.is_meant(tag))


class TagEditor:
    """The tags of one library. Each command is one batch of the log. Any thread."""

    def __init__(self, library: Library, annotations: HumanAnnotations) -> None:
        self._library = library
        self._annotations = annotations

    def rename(
        self,
        tag: str,
        name: str,
        *,
        with_suggested: bool = False,
        rewritten: Rewritten = lambda query, _old, _new: query,
    ) -> AnnotationChange:
        """Gives a tag another name, which may be that of another tag: then the two are one.

        Saved searches that ask for it ask for the new name, in the same batch.

        Raises:
            UserError: no medium has the tag from a person (or, ``with_suggested``, at all), or
                the new name can't be a tag.
        """
        old, new = one_line(tag), tag_of(name)
        return self._change(
            Retagging(old, new, with_suggested), lambda query: rewritten(query, old, new)
        )

    def remove(self, tag: str, *, with_suggested: bool = False) -> AnnotationChange:
        """Takes a tag off all media; raises as ``rename``."""
        return self._change(Retagging(one_line(tag), "", with_suggested))

    def _change(
        self, wanted: Retagging, rewritten: Callable[[str], str] = lambda query: query
    ) -> AnnotationChange:
        with self._annotations.lock:
            command, edits, left = Command(), list[Edit](), list[TaggedMedium]()
            is_found = False
            for medium in self._library.media.tagged(wanted.is_meant):
                after = wanted.tags_of(medium)
                if after is medium:
                    left.append(medium)
                else:
                    is_found = True
                    edits += _edits(command, medium, after)
            if not is_found:
                also = wanted._replace(with_suggested=True)
                is_suggested = any(also.tags_of(one) is not one for one in left)
                raise _without(wanted.tag, is_suggested=is_suggested)
            edits += searches_with(self._library, command, rewritten)
            return self._annotations.record(edits)


def _edits(command: Command, before: TaggedMedium, after: TaggedMedium) -> Iterator[Edit]:
    for name in (ADDED, REMOVED):
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            yield command.edit(before.key, name, json.dumps(old), json.dumps(new))


def _without(tag: str, *, is_suggested: bool) -> UserError:
    """The sentence for a tag that can't be changed as no person gave it to any medium."""
    if is_suggested:
        return UserError(
            tr("The tag “{tag}” is only suggested.", tag=tag),
            tr("You have not given it to any photo or video yourself."),
            tr("Ask for its suggestions to be changed as well."),
        )
    return UserError(
        tr("No photo or video has the tag “{tag}”.", tag=tag),
        "",
        tr("Look it up in the list of your tags."),
    )
