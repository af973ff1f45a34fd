"""The fake engine's filters in words, and the values of its made-up media."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from cocadesk.errors import UserError
from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.filters import FakeFilters, split_filters
from cocadesk.fake_engine.rows import FakeContext, persons_of
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    CompleteWord,
    CountTerms,
    FieldValue,
    FieldValues,
    ListValues,
    ParsedQuery,
    ParseQuery,
    TermCounts,
    TermValue,
)
from cocadesk.protocol.values import Row

FIELDS = {
    "kind": "Kind",
    "tag": "Tag",
    "person": "Person",
    "camera": "Camera",
    "folder": "Folder",
    "album": "Album",
    "favourite": "Favourite",
    "flag": "Flag",
    "rating": "Stars",
    "taken": "Taken",
    "state": "State",
    "has": "With",
    "captioned": "Captioned by",
    "name": "File name",
    "country": "Country",
    "region": "Region",
    "town": "Town",
    "size": "File size",
}
_NAMED = {"video": "Video", "photo": "Photo", "pick": "Picked", "reject": "Rejected"}


class FakeFilterRequests:
    """Parses, counts and lists by going through all media."""

    def __init__(self, context: FakeContext, annotations: FakeAnnotations) -> None:
        self._context = context
        self._annotations = annotations
        self._filters = FakeFilters(context, annotations)
        self._read: dict[str, Callable[[str], tuple[str, ...]]] = {
            "kind": lambda key: (self._row(key).kind.value,),
            "tag": self._filters.tags_of,
            "person": lambda key: persons_of(context.media[key].number),
            "camera": lambda key: (self._row(key).camera or "",),
            "folder": lambda key: (self._row(key).folder,),
            "taken": lambda key: ((self._row(key).taken or "")[:4],),
            "album": self._albums_of,
        }

    def _parse(self, body: ParseQuery, call: Call) -> ParsedQuery:
        text, _ = split_filters(body.text)
        return ParsedQuery(text=text, terms=self._terms(body.text))

    def _list(self, body: ListValues, call: Call) -> FieldValues:
        keys = self._filters.keys(list(self._context.media), body.filter)
        values = self._values(body.field, body.prefix, keys)
        return FieldValues(values=values[: body.limit], complete=len(values) <= body.limit)

    def _complete(self, body: CompleteWord, call: Call) -> FieldValues:
        """Of the last words of the text those of most that begin a value."""
        keys, words = list(self._context.media), body.text.split()
        for start in range(len(words)):
            text = " ".join(words[start:])
            fields = ("album", "person", "folder", "tag", "camera")
            values = [value for field in fields for value in self._values(field, text, keys)]
            if values:
                return FieldValues(values=tuple(values[: body.limit]))
        return FieldValues(values=())

    def _count(self, body: CountTerms, call: Call) -> TermCounts:
        keys, terms = list(self._context.media), self._terms(body.filter)
        texts = [term.term for term in terms]
        without = (" ".join(texts[:n] + texts[n + 1 :]) for n in range(len(texts)))
        return TermCounts(
            count=len(self._filters.keys(keys, body.filter)),
            terms=terms,
            without=tuple(len(self._filters.keys(keys, text)) for text in without),
        )

    def _values(self, field: str, prefix: str, keys: list[str]) -> tuple[FieldValue, ...]:
        read = self._read.get(field, _nothing)
        counts = Counter(value for key in keys for value in read(key) if value)
        wanted, found = prefix.lower(), []
        for value, count in counts.most_common():
            text = value.rpartition("/")[2] if field == "folder" else value
            if text.lower().startswith(wanted):
                text, label = _NAMED.get(text, text), FIELDS[field]
                found.append(
                    FieldValue(
                        term=_printed(field, value),
                        text=text,
                        count=count,
                        field=field,
                        label=label,
                    )
                )
        return tuple(found)

    def _terms(self, text: str) -> tuple[TermValue, ...]:
        found = []
        for is_negated, field, value in split_filters(text)[1]:
            if field not in FIELDS:
                raise UserError(
                    f"There is no filter {field!r}.",
                    f"There are {', '.join(FIELDS)}.",
                    "To search for the words, put them in quotes.",
                )
            term = _printed(field, value)
            words = _words(field, value)
            found.append(
                TermValue(
                    term=f"-{term}" if is_negated else term,
                    words=_negated(words) if is_negated else words,
                    field=field,
                    turned=term if is_negated else f"-{term}",
                    is_negated=is_negated,
                )
            )
        return tuple(found)

    def _albums_of(self, key: str) -> tuple[str, ...]:
        albums = self._annotations.lists.albums
        return tuple(name for name, keys in albums.items() if key in keys)

    def _row(self, key: str) -> Row:
        return self._annotations.row(key)


def _negated(words: str) -> str:
    return f"Not{'' if ': ' in words else ':'} {words[:1].lower()}{words[1:]}"


def _nothing(_key: str) -> tuple[str, ...]:
    return ()


def _printed(field: str, value: str) -> str:
    doubled = value.replace('"', '""')
    is_plain = value and not any(letter in value for letter in ' ",') and value[:2] != "//"
    return f"{field}:{value}" if is_plain else f'{field}:"{doubled}"'


def _words(field: str, value: str) -> str:
    if value in _NAMED:
        return _NAMED[value]
    if field == "rating" and value.startswith(">="):
        return f"{value[2:]} stars or more"
    if field == "taken":
        return f"Taken {value.replace('..', '–')}"
    text = value.rstrip("/").rpartition("/")[2] if field == "folder" else value
    return f"{FIELDS[field]}: {text}"
