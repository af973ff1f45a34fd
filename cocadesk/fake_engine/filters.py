"""The filters that the fake engine knows; others let everything pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import PurePath

from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.rows import FakeContext, persons_of, place_of
from cocadesk.protocol.values import Row

_TERM = re.compile(r'(?<![a-z])(-?)(?!like:)([a-z]+):(?:"((?:[^"]|"")*)"|([^\s"]+))')
PLACE_FIELDS = ("country", "region", "town")

Passes = Callable[[str, str], bool]
"""True where the medium of a key passes the filter with a value."""


def split_filters(text: str) -> tuple[str, list[tuple[bool, str, str]]]:
    """The words of a query, and its terms: negated or not, the field and the value."""
    terms = [
        (bool(sign), name, quoted.replace('""', '"') or plain)
        for sign, name, quoted, plain in _TERM.findall(text)
    ]
    return " ".join(_TERM.sub(" ", text).split()), terms


def renamed(text: str, field: str, old: str, new: str) -> str:
    """The query in which terms of a field ask for ``new`` where they asked for ``old``."""

    def term(found: re.Match[str]) -> str:
        sign, name, quoted, plain = found.groups()
        value = quoted.replace('""', '"') if quoted is not None else plain
        if name != field or value.lower() != old.lower():
            return found[0]
        doubled = new.replace('"', '""')
        return f'{sign}{name}:"{doubled}"'

    return _TERM.sub(term, text)


class FakeFilters:
    """Terms over made-up media, whose files are all there."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._annotations = annotations
        self._passes: dict[str, Passes] = {
            "favourite": lambda key, _: self._row(key).favourite,
            "flag": lambda key, value: self._row(key).flag == value,
            "kind": lambda key, value: self._row(key).kind == value,
            "state": lambda key, value: self._row(key).state == value,
            "hidden": lambda key, value: self._row(key).hidden == (value == "yes"),
            "has": lambda key, value: value != "caption" or bool(self._row(key).caption),
            "captioned": lambda key, _: self._is_to_review(key),
            "folder": self._is_in_folder,
            "tag": lambda key, value: value.lower() in map(str.lower, self.tags_of(key)),
            "camera": lambda key, value: value.lower() in (self._row(key).camera or "").lower(),
            "name": lambda key, value: value.lower() in self._row(key).name.lower(),
            "rating": lambda key, value: _is_in_range(self._row(key).stars or None, value),
            "taken": lambda key, value: _was_taken(self._row(key).taken or "", value),
            "album": self._is_in_album,
            "person": lambda key, value: value in persons_of(context.media[key].number),
            **{name: self._is_at(place) for place, name in enumerate(PLACE_FIELDS)},
        }

    def keys(self, keys: Iterable[str], text: str) -> list[str]:
        """Those of ``keys`` that pass all terms of ``text``."""
        _, terms = split_filters(text)
        named = {term[1] for term in terms}
        if "state" not in named:
            terms = [*terms, (True, "state", "missing")]
        if "hidden" not in named:
            terms = [*terms, (True, "hidden", "yes")]
        known = [term for term in terms if term[1] in self._passes]
        return [
            key
            for key in keys
            if all(self._passes[name](key, value) is not no for no, name, value in known)
        ]

    def _row(self, key: str) -> Row:
        return self._annotations.row(key)

    def tags_of(self, key: str) -> tuple[str, ...]:
        """The tags of a medium: a person's, then the machine's that nobody has removed."""
        human, medium = self._annotations.human_of(key), self._context.media[key]
        machine = (tag.tag for tag in medium.tags if tag.tag not in human.removed)
        return tuple(dict.fromkeys((*human.added, *machine)))

    def _is_in_album(self, key: str, value: str) -> bool:
        albums = self._annotations.lists.albums
        inside = [keys for name, keys in albums.items() if name.lower() == value.lower()]
        return any(key in keys for keys in inside)

    def _is_to_review(self, key: str) -> bool:
        row = self._row(key)
        return bool(row.caption) and not row.caption_by_person

    def _is_in_folder(self, key: str, value: str) -> bool:
        return PurePath(value) in PurePath(self._context.media[key].row.path.to_str()).parents

    def _is_at(self, level: int) -> Passes:
        return lambda key, value: place_of(self._context.media[key].number)[level] == value


def _is_in_range(number: int | None, wanted: str) -> bool:
    """True for a number that ``4``, ``>=4``, ``<=4`` or ``2..4`` lets pass."""
    if number is None:
        return False
    if wanted.startswith((">=", "<=")):
        end = int(wanted[2:])
        return number >= end if wanted.startswith(">") else number <= end
    low, dots, high = wanted.partition("..")
    high = high if dots else low
    return (not low or int(low) <= number) and (not high or number <= int(high))


def _was_taken(when: str, wanted: str) -> bool:
    """True for a time within years, months or days."""
    low, dots, high = wanted.partition("..")
    high = high if dots else low
    return bool(when) and (not low or when >= low) and (not high or when[: len(high)] <= high)
