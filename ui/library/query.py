"""The question that a list answers, as one frozen value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from cocadesk.protocol.messages import album_name
from cocadesk.protocol.values import GroupLabel
from ui.kit.translation import tr, tr_count
from ui.library.sorting import (
    ALBUM_SORTS,
    CHOSEN_SORTS,
    GROUP_SORTS,
    MEDIA_SORTS,
    SEARCH_SORTS,
    SIMILAR_SORTS,
    SortChoices,
    Sorting,
)

MOST_NAMES = 2
SUGGESTED = frozenset({"caption", "captioned", "tag", "has"})
"""The fields of filters in which suggestions count."""


class Showing(Enum):
    """The kinds of list."""

    NOTHING_YET = 0
    NEWEST = 1
    SEARCH = 2
    SIMILAR = 3
    ALBUM = 4
    GROUP = 5
    FILTERED = 6
    CHOSEN = 7


_SORTS = {
    Showing.SEARCH: SEARCH_SORTS,
    Showing.SIMILAR: SIMILAR_SORTS,
    Showing.ALBUM: ALBUM_SORTS,
    Showing.GROUP: GROUP_SORTS,
    Showing.CHOSEN: CHOSEN_SORTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A picture that a list is to be like, or unlike: a medium, else the file at a path.

    ``name`` is its name for people.
    """

    key: str = ""
    path: str = ""
    name: str = ""
    is_unlike: bool = False

    @property
    def term(self) -> str:
        """A file in the engine's grammar; nothing for a medium, which has a key."""
        if self.key:
            return ""
        doubled = self.path.replace('"', '""')
        return f'{"-" if self.is_unlike else ""}like:"{doubled}"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A list of media: everything, or what fits a text, filters, or pictures.

    ``text`` is what a person has typed, ``terms`` are filters beside it, each one term of the
    engine's grammar (``kind:video``, ``-tag:dog``), and ``examples`` are pictures that media
    are to be like, or unlike. Parts of the text that are ``as_words`` are not read as dates.
    ``group`` is a medium whose same pictures the list shows, linked by ``label`` or closer;
    ``keys`` are media of which it holds exactly these. ``name`` is theirs for people. ``sort``
    None: the order that such lists had last.
    """

    text: str = ""
    terms: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    as_words: tuple[str, ...] = ()
    group: str = ""
    label: GroupLabel = GroupLabel.BURST
    keys: tuple[str, ...] = ()
    name: str = ""
    sort: Sorting | None = None

    @property
    def showing(self) -> Showing:
        """The kind of its list."""
        if self.keys:
            return Showing.CHOSEN
        if self.group:
            return Showing.GROUP
        if self.likes or (self.examples and not self.text):
            return Showing.SIMILAR
        if not self.examples and album_name(self.whole):
            return Showing.ALBUM
        if self.text:
            return Showing.SEARCH
        return Showing.FILTERED if self.terms else Showing.NEWEST

    @property
    def reads_suggestions(self) -> bool:
        """True where captions and tags that a model suggests may change its list."""
        fields = (term.lstrip("-").partition(":")[0] for term in self.terms)
        return bool(self.text) or any(field in SUGGESTED for field in fields)

    @property
    def whole(self) -> str:
        """Text and filters in the engine's grammar."""
        return " ".join(part for part in (self.text, *self.terms) if part)

    @property
    def sought(self) -> str:
        """The text with the files to be like, in the engine's grammar."""
        return " ".join(part for part in (self.text, *(e.term for e in self.examples)) if part)

    @property
    def likes(self) -> tuple[Example, ...]:
        """The pictures that media are to be like."""
        return tuple(example for example in self.examples if not example.is_unlike)

    @property
    def unlikes(self) -> tuple[Example, ...]:
        """The pictures that they are to be unlike."""
        return tuple(example for example in self.examples if example.is_unlike)

    @property
    def likeness(self) -> str:
        """These pictures in words: ``like a.jpg, unlike b.jpg``; empty without any."""
        said = []
        if self.likes:
            said.append(tr("like {names}", names=names_of(self.likes)))
        if self.unlikes:
            said.append(tr("unlike {names}", names=names_of(self.unlikes)))
        return ", ".join(said)

    @property
    def filter(self) -> str:
        """The filters beside the text, in the engine's grammar."""
        return " ".join(self.terms)

    @property
    def title(self) -> str:
        """The text that was asked for, or the name of what the list is about."""
        return self.name or self.whole or self.likeness

    @property
    def sorts(self) -> SortChoices:
        """The orders that its list can have."""
        return _SORTS.get(self.showing, MEDIA_SORTS)

    @property
    def is_everything(self) -> bool:
        """True where no medium is left out."""
        return self.showing is Showing.NEWEST

    def sorted(self) -> Query:
        """With the order that such lists had last where it names none."""
        return self if self.sort is not None else replace(self, sort=self.sorts.remembered)

    def with_term(self, term: str) -> Query:
        """With one more filter; once is enough."""
        return self if term in self.terms else replace(self, terms=(*self.terms, term), sort=None)

    def without_term(self, term: str) -> Query:
        """Without one of its filters."""
        kept = tuple(one for one in self.terms if one != term)
        return replace(self, terms=kept, sort=None)

    def with_text(self, text: str) -> Query:
        """With another text; filters and pictures stay, but no group and no choice of media."""
        kept = tuple(words for words in self.as_words if words.casefold() in text.casefold())
        if self.group or self.keys:
            return Query(text=text)
        return replace(self, text=text, as_words=kept, sort=None)

    def with_examples(self, *examples: Example) -> Query:
        """With these pictures in the place of those that it has; each counts once."""
        kept = tuple({(one.key, one.path): one for one in examples}.values())
        return replace(self, examples=kept, sort=None)

    def replaced_term(self, old: str, new: str) -> Query:
        """With another filter in the place of one."""
        terms = dict.fromkeys(new if one == old else one for one in self.terms)
        return replace(self, terms=tuple(terms), sort=None)

    def renamed_term(self, old: str, new: str) -> Query:
        """The same list after what a filter names has been given another name."""
        album = album_name(old)
        same = {one for one in self.terms if one == old or (album and album_name(one) == album)}
        return replace(self, terms=tuple(new if one in same else one for one in self.terms))


def names_of(examples: Sequence[Example]) -> str:
    """One or two by their names, more by their number."""
    if len(examples) <= MOST_NAMES:
        names = [example.name for example in examples]
        return tr("{one} and {other}", one=names[0], other=names[1]) if names[1:] else names[0]
    return tr_count(len(examples), "{n} photo", "{n} photos")


EVERYTHING = Query()
"""All media."""
